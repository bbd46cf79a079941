//! [`Pool2dShape`]: the sizes of a pooling, checked.

use std::ops::{Deref, Range};

use crate::conv2d::shape::{addressable, padded};
use crate::memory::OutOfMemory;

/// Elements in a task.
const PIECE: usize = 16_384;

/// Sizes of a pooling over planes, `[N·C, h, w]` to `[N·C, oh, ow]`; pairs are (vertical, horizontal).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool2dSizes {
    /// N·C, the number of planes.
    pub batch_channels: usize,
    /// Height and width of a plane.
    pub input: [usize; 2],
    /// Height and width of the window.
    pub kernel: [usize; 2],
    /// Distance between windows.
    pub stride: [usize; 2],
    /// Padding on each side, at most half of the window.
    pub padding: [usize; 2],
    /// Distance between the elements of a window; `[1, 1]` for averages.
    pub dilation: [usize; 2],
    /// Height and width of an output plane: so many windows that the last one begins before the padding at the end.
    pub output: [usize; 2],
}

/// [`Pool2dSizes`] that make sense, and with which no number that is computed from them overflows: what the kernels take.
/// It reads as the sizes that it was made of, but for strides and dilations beyond the padded plane: what they are makes
/// no difference, and they are as large as it is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool2dShape(Pool2dSizes);

impl Pool2dShape {
    /// The sizes, where windows, strides, dilations and planes are above 0, padding is at most half of the window, no
    /// window begins in the padding at the end, and memory has addresses for a padded row and for input and output.
    pub fn new(sizes: Pool2dSizes) -> Option<Self> {
        let Pool2dSizes { batch_channels, input, kernel, stride, padding, dilation, output } = sizes;
        addressable([batch_channels, input[0], input[1]])?;
        addressable([batch_channels, output[0], output[1]])?;
        let mut shape = Pool2dShape(sizes);
        for dim in 0..2 {
            if [input[dim], kernel[dim], stride[dim], dilation[dim]].contains(&0)
                || padding[dim] > kernel[dim] / 2
            {
                return None;
            }
            let padded = padded(input[dim], padding[dim])?;
            let last = (output[dim].saturating_sub(1) as u128).checked_mul(stride[dim] as u128)?;
            if last >= input[dim] as u128 + padding[dim] as u128 {
                return None;
            }
            (shape.0.stride[dim], shape.0.dilation[dim]) =
                (stride[dim].min(padded), dilation[dim].min(padded));
        }
        Some(shape)
    }

    pub(super) fn input_plane(&self) -> usize {
        self.input[0] * self.input[1]
    }

    pub(super) fn output_plane(&self) -> usize {
        self.output[0] * self.output[1]
    }

    pub(super) fn inputs(&self) -> usize {
        self.batch_channels * self.input_plane()
    }

    pub(super) fn outputs(&self) -> usize {
        self.batch_channels * self.output_plane()
    }

    /// Planes in a task.
    pub(super) fn planes(&self) -> usize {
        (PIECE / self.input_plane()).max(1)
    }

    pub(super) fn ns(&self, per_element: f64) -> f64 {
        let window: f64 = (0..2).map(|dim| self.kernel[dim].min(self.input[dim]) as f64).product();
        per_element * (self.outputs() as f64 * window + self.inputs() as f64)
    }

    /// The elements of an output's window along `dim` (0: height, 1: width) that lie inside the plane.
    #[inline(always)]
    pub(super) fn taps(&self, dim: usize, output: usize) -> Range<usize> {
        let (start, padding) = (output * self.stride[dim], self.padding[dim]);
        let first = padding.saturating_sub(start).div_ceil(self.dilation[dim]);
        let end = (self.input[dim] + padding - start).div_ceil(self.dilation[dim]).min(self.kernel[dim]);
        first..end.max(first)
    }

    /// Where in the plane an element of an output's window lies, one of its [`taps`](Self::taps).
    #[inline(always)]
    pub(super) fn place(&self, dim: usize, output: usize, tap: usize) -> usize {
        output * self.stride[dim] + tap * self.dilation[dim] - self.padding[dim]
    }

    /// The elements of a window along `dim` that lie inside the plane for some output, in order.
    pub(super) fn met(&self, dim: usize) -> Result<Vec<usize>, OutOfMemory> {
        let mut met = Vec::new();
        // The further a window is, the earlier of its elements are inside.
        for Range { start, end } in (0..self.output[dim]).rev().map(|output| self.taps(dim, output)) {
            let new = start.max(met.last().map_or(0, |last| last + 1))..end;
            if met.try_reserve(new.len()).is_err() {
                return Err(OutOfMemory::of::<usize>(met.len() + new.len()));
            }
            met.extend(new);
        }
        Ok(met)
    }

    /// Along `dim`: the outputs whose window element `tap` lies inside the plane, and the place of that element for the
    /// first of them; it moves by the stride from output to output. The element is one of [`met`](Self::met).
    #[inline(always)]
    pub(super) fn inside(&self, dim: usize, tap: usize) -> (Range<usize>, usize) {
        let (stride, padding, reach) = (self.stride[dim], self.padding[dim], tap * self.dilation[dim]);
        let first = padding.saturating_sub(reach).div_ceil(stride);
        let end = (self.input[dim] + padding).saturating_sub(reach).div_ceil(stride).min(self.output[dim]);
        (first..end.max(first), (first * stride + reach).saturating_sub(padding))
    }
}

impl Deref for Pool2dShape {
    type Target = Pool2dSizes;
    fn deref(&self) -> &Pool2dSizes {
        &self.0
    }
}
