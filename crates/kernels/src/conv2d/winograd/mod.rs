//! Convolution with kernels of 3 × 3 and stride 1 by Winograd's algorithm, with a quarter of the multiplications.
//!
//! Four neighbouring results of a filter w of three taps, y_i = Σ_k w_k · x_{i+k}, are found with 6 multiplications
//! instead of 12: y = Aᵀ ((G w) ⊙ (Bᵀ x)), where ⊙ multiplies element by element. The polynomials whose coefficients
//! the operands are are evaluated at six points (`transform` has the matrices), multiplied there, and the coefficients
//! of the product are found again. In both directions of an image a tile of 4 × 4 results of a kernel g needs 36
//! multiplications instead of 144:
//!
//! Y = Aᵀ ((G g Gᵀ) ⊙ (Bᵀ d B)) A, d being the 6 × 6 inputs that the tile meets.
//!
//! Summed over channels, the product at each of the 36 positions is a matrix product, of tiles by input channels and
//! input channels by output channels. The gradient of the input is the same with the kernels turned round. Y is linear
//! in g, and the gradient of g is the transposed map: Gᵀ (Σ (Bᵀ d B) ⊙ (A y Aᵀ)) G, summed over tiles, y being the
//! gradient of a tile.
//!
//! Source: A. Lavin and S. Gray, Fast Algorithms for Convolutional Neural Networks, CVPR 2016, as F(4 × 4, 3 × 3); the
//! points are other ones.
//!
//! A block of tiles is led through all of it while it stays in the second-level cache. Lanes of registers are
//! channels. Each element of a result is found in the same way wherever the cuts are, which depend on sizes alone.

// Loops over indices, not closures: a closure that is not inlined is compiled without the registers.
#![allow(clippy::needless_range_loop)]

mod convolve;
mod lift;
mod lower;
mod positions;
mod product;
#[cfg(test)]
mod tests;
mod tiles;
mod transform;
mod weight_gradient;
mod weights;

pub(super) use convolve::{backward_input, forward};
pub(super) use weight_gradient::backward_weight;

use super::Conv2dShape;
use crate::register::LINE;

/// Results of a tile in each direction.
const TILE: usize = 4;
/// Inputs that a tile meets in each direction, which is also the number of points.
const REACH: usize = 6;
/// Products for each tile and pair of channels.
const POSITIONS: usize = REACH * REACH;

/// With fewer channels than this the transforms take longer than what they save. Of 32 images of 28 × 28 all three
/// directions together took, in milliseconds on one thread with AVX-512 (and directly): from 8 to 8 channels 1.9 (1.3),
/// 12 to 12: 2.1 (2.6), 16 to 16: 2.2 (4.3), 17 to 17, where half of the lanes are empty: 4.7 (5.2), 24 to 24: 5.6
/// (9.1). Small images and single ones gain as much, as long as there are [`FEWEST_OUTPUTS`].
const FEWEST_CHANNELS: usize = 12;
/// With fewer outputs of a channel than eight tiles, over all images, the weights are not transformed for enough of them:
/// that takes as long as the products of twenty tiles.
const FEWEST_OUTPUTS: usize = 8 * TILE * TILE;

/// Whether this is for the convolution, and faster.
pub(super) fn suits(shape: &Conv2dShape) -> bool {
    shape.kernel == [3, 3]
        && shape.stride == [1, 1]
        && shape.dilation == [1, 1]
        && shape.groups == 1
        && shape.padding.iter().all(|&padding| padding <= 2)
        && shape.in_channels.min(shape.out_channels) >= FEWEST_CHANNELS
        && shape.batch * shape.output.iter().product::<usize>() >= FEWEST_OUTPUTS
}
