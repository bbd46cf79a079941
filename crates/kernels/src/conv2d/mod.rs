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
//! - `sparse`: where paddings, strides or dilations are so large that windows see little of the image, the pixels that
//!   they see are looked up one by one. So memory and work are in proportion to the operands, never to an option.
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
pub(crate) mod shape;
mod sparse;
mod winograd;

#[cfg(test)]
mod tests;

pub use backward_input::backward_input;
pub use backward_weight::backward_weight;
pub use forward::forward;
pub use shape::{Conv2dShape, Conv2dSizes};

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
