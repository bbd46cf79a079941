//! Two-dimensional convolution as in PyTorch (cross-correlation), and its gradients.
//!
//! Tensors are contiguous: input `[batch, in_channels, h, w]`, weight
//! `[out_channels, in_channels / groups, kh, kw]`, output `[batch, out_channels, oh, ow]`.
//!
//! In general all three directions read a padded copy of one image, or of a band of its rows, at shifted places (see
//! `canvas`); memory for that is the only scratch. Some shapes have a way of their own:
//!
//! - `pointwise`: kernels of 1 × 1 are products of matrices.
//! - `depthwise`: a kernel for each channel is more a matter of moving pixels than of multiplying.
//! - `winograd`: kernels of 3 × 3 with stride 1 and enough channels of `f32` need a quarter of the multiplications, for
//!   rounding errors twice as great.
//!
//! Work is shared out by images and bands, or blocks, which depend on the sizes alone, so results are the same bits for
//! every thread count.
//!
//! In `winograd`, and in `backward_weight` where outputs meet padding or lie between rows, infinite and NaN inputs or
//! gradients also make NaN of results nearby that they have no part in.

mod axis;
mod backward_input;
mod backward_weight;
pub(crate) mod canvas;
mod correlate;
mod depthwise;
mod dots;
mod forward;
mod lanes;
mod layout;
mod partial;
mod pointwise;
mod winograd;

#[cfg(test)]
mod tests;

pub use backward_input::backward_input;
pub use backward_weight::backward_weight;
pub use forward::forward;

use axis::Axis;

/// A number that can be convolved: `f32` and `f64`.
#[allow(private_bounds)]
pub trait Conv2dNumber: crate::register::Registers + crate::gemm::GemmNumber {
    /// Whether rounding errors may be a few times those of a plain sum of products.
    #[doc(hidden)]
    const WINOGRAD: bool;
}

impl Conv2dNumber for f32 {
    const WINOGRAD: bool = true;
}

impl Conv2dNumber for f64 {
    const WINOGRAD: bool = false;
}

/// Sizes of a convolution; pairs are (vertical, horizontal).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dShape {
    /// Images.
    pub batch: usize,
    /// Channels of the input, a multiple of `groups`.
    pub in_channels: usize,
    /// Channels of the output, a multiple of `groups`.
    pub out_channels: usize,
    /// Groups of channels that are convolved separately.
    pub groups: usize,
    /// Height and width of the input.
    pub input: [usize; 2],
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Distance of the windows of neighbouring outputs; at least 1.
    pub stride: [usize; 2],
    /// Zeros added at each side of the input.
    pub padding: [usize; 2],
    /// Distance of neighbouring kernel elements in the input; at least 1.
    pub dilation: [usize; 2],
}

impl Conv2dShape {
    /// Height and width of the output: `⌊(input + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1`, or 0
    /// where the kernel does not fit.
    pub fn output(&self) -> [usize; 2] {
        [0, 1].map(|dim| {
            let span = self.dilation[dim] * (self.kernel[dim] - 1) + 1;
            let padded = self.input[dim] + 2 * self.padding[dim];
            if padded < span { 0 } else { (padded - span) / self.stride[dim] + 1 }
        })
    }

    fn axes(&self) -> [Axis; 2] {
        let output = self.output();
        [0, 1].map(|dim| Axis {
            input: self.input[dim],
            output: output[dim],
            kernel: self.kernel[dim],
            stride: self.stride[dim],
            padding: self.padding[dim],
            dilation: self.dilation[dim],
        })
    }

    fn group_in(&self) -> usize {
        self.in_channels / self.groups
    }

    fn group_out(&self) -> usize {
        self.out_channels / self.groups
    }

    fn kernel_len(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    fn input_plane(&self) -> usize {
        self.input[0] * self.input[1]
    }

    fn output_plane(&self) -> usize {
        let [height, width] = self.output();
        height * width
    }

    /// Estimated time of one direction on one thread.
    fn nanoseconds(&self) -> f64 {
        let multiplications =
            self.batch * self.out_channels * self.output_plane() * self.group_in() * self.kernel_len();
        multiplications as f64 / 30.0 + 0.3 * (self.batch * self.in_channels * self.input_plane()) as f64
    }

    /// Panics unless the sizes make sense and the slices have the lengths that follow.
    fn check(&self, input: usize, weight: usize, output: usize) {
        assert!(self.groups > 0, "groups");
        assert!(self.in_channels.is_multiple_of(self.groups), "input channels in groups");
        assert!(self.out_channels.is_multiple_of(self.groups), "output channels in groups");
        assert!(
            self.kernel.iter().chain(&self.stride).chain(&self.dilation).all(|&x| x > 0),
            "sizes above 0"
        );
        assert_eq!(input, self.batch * self.in_channels * self.input_plane(), "length of the input");
        assert_eq!(weight, self.out_channels * self.group_in() * self.kernel_len(), "length of the weight");
        assert_eq!(output, self.batch * self.out_channels * self.output_plane(), "length of the output");
    }
}
