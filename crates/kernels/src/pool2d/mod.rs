//! Maximum and average pooling of planes.

mod average;
mod halving;
mod max;
#[cfg(test)]
mod tests;

pub use average::{avg_backward, avg_forward};
pub use max::{max_backward, max_forward};

/// Elements in a task.
const PIECE: usize = 16_384;

/// The geometry of a pooling over planes: `[N·C, h, w]` to `[N·C, oh, ow]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool2dShape {
    /// N·C, the number of planes.
    pub batch_channels: usize,
    /// Height and width of a plane.
    pub input: [usize; 2],
    /// Height and width of the window.
    pub kernel: [usize; 2],
    /// Distance between windows.
    pub stride: [usize; 2],
    /// Padding on each side.
    pub padding: [usize; 2],
    /// Distance between the elements of a window; `[1, 1]` for averages.
    pub dilation: [usize; 2],
    /// Height and width of an output plane, computed by the caller (with or without `ceil_mode`).
    pub output: [usize; 2],
}

impl Pool2dShape {
    fn input_plane(&self) -> usize {
        self.input[0] * self.input[1]
    }

    fn output_plane(&self) -> usize {
        self.output[0] * self.output[1]
    }

    fn inputs(&self) -> usize {
        self.batch_channels * self.input_plane()
    }

    fn outputs(&self) -> usize {
        self.batch_channels * self.output_plane()
    }

    /// Planes in a task.
    fn planes(&self) -> usize {
        (PIECE / self.input_plane().max(1)).max(1)
    }

    fn ns(&self, per_element: f64) -> f64 {
        per_element * (self.outputs() * self.kernel[0] * self.kernel[1] + self.inputs()) as f64
    }

    /// Along `dim` (0: height, 1: width): the outputs whose window element `k` lies inside the plane, and the
    /// place of that element for the first of them; it moves by the stride from output to output.
    #[inline(always)]
    fn inside(&self, dim: usize, k: usize) -> (std::ops::Range<usize>, usize) {
        let (stride, padding, reach) = (self.stride[dim], self.padding[dim], k * self.dilation[dim]);
        let first = padding.saturating_sub(reach).div_ceil(stride);
        let end = (self.input[dim] + padding).saturating_sub(reach).div_ceil(stride).min(self.output[dim]);
        (first..end.max(first), (first * stride + reach).saturating_sub(padding))
    }
}
