//! The output, and the gradient of the input.

use std::ops::Range;

use super::super::Conv2dShape;
use super::super::lanes::Planes;
use super::lift::{Images, lift};
use super::lower::lower;
use super::positions::Positions;
use super::product::{padded, tiles_by_channels};
use super::tiles::Tiles;
use super::transform::Inputs;
use super::weights;
use crate::memory::OutOfMemory;
use crate::parallel::{self, SendPtr};
use crate::register::{self, Kernel, Register, Registers};
use crate::{Buffer, Element};

/// The output of a convolution.
pub(crate) fn forward<T: Registers>(
    shape: &Conv2dShape,
    input: &[T],
    weight: &[T],
    bias: Option<&[T]>,
    output: &mut [T],
) -> Result<(), OutOfMemory> {
    let channels = (shape.in_channels, shape.out_channels);
    let start = |o: usize, c: usize| (o * shape.in_channels + c) * 9;
    let weights = weights::lift(channels, weight, start, false)?;
    let tiles =
        Tiles { batch: shape.batch, input: shape.input, output: shape.output, padding: shape.padding };
    convolve(&tiles, channels, input, &weights, bias, output)
}

/// The gradient of a convolution with respect to its input: a convolution of the gradient of the output with kernels
/// turned round, padded so that each of its windows meets what the input's element was used for.
pub(crate) fn backward_input<T: Registers>(
    shape: &Conv2dShape,
    grad_output: &[T],
    weight: &[T],
    grad_input: &mut [T],
) -> Result<(), OutOfMemory> {
    let channels = (shape.out_channels, shape.in_channels);
    let start = |c: usize, o: usize| (o * shape.in_channels + c) * 9;
    let weights = weights::lift(channels, weight, start, true)?;
    let tiles = Tiles {
        batch: shape.batch,
        input: shape.output,
        output: shape.input,
        padding: shape.padding.map(|padding| 2 - padding),
    };
    convolve(&tiles, channels, grad_output, &weights, None, grad_input)
}

fn convolve<T: Registers>(
    tiles: &Tiles,
    channels: (usize, usize),
    input: &[T],
    (weights, positions): &(Buffer<T>, Positions),
    bias: Option<&[T]>,
    output: &mut [T],
) -> Result<(), OutOfMemory> {
    let blocks = tiles.blocks(channels.0 + channels.1);
    let ns = (tiles.len() * channels.0 * channels.1) as f64;
    let base = SendPtr(output.as_mut_ptr());
    parallel::try_run(blocks.pieces, ns, |task| {
        let block = blocks.range(task);
        let rows = padded(block.len());
        let (read, written) = (Positions::new(channels.0, rows), Positions::new(channels.1, rows));
        register::run(Block {
            tiles,
            block,
            lifted: (Buffer::try_recycled(read.len())?, read),
            products: (Buffer::try_recycled(written.len())?, written),
            channels,
            input,
            weights: (weights, *positions),
            bias,
            output: base.get(),
        });
        Ok(())
    })
}

/// A block of tiles, on one thread.
struct Block<'a, T: Element> {
    tiles: &'a Tiles,
    block: Range<usize>,
    /// Memory for the block's inputs and its results at the positions.
    lifted: (Buffer<T>, Positions),
    products: (Buffer<T>, Positions),
    channels: (usize, usize),
    input: &'a [T],
    weights: (&'a [T], Positions),
    bias: Option<&'a [T]>,
    output: *mut T,
}

impl<T: Registers> Kernel<T> for Block<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Register<T>>(self) {
        let Block { tiles, block, channels: (channels, out_channels), .. } = self;
        let ((mut lifted, read), (mut products, written)) = (self.lifted, self.products);
        let planes = Planes { data: self.input, channels, size: tiles.input };
        let images = Images { planes, padding: tiles.padding };
        let (weights, weight_positions) = self.weights;
        // SAFETY: memory is there for the positions; a block's results are written by one task alone.
        unsafe {
            lift::<T, V, Inputs>(images, tiles, block.clone(), read, lifted.as_mut_ptr());
            tiles_by_channels::<T, V>(
                block.len(),
                channels,
                (lifted.as_ptr(), read),
                (weights.as_ptr(), weight_positions),
                (products.as_mut_ptr(), written),
            );
            let to = (out_channels, self.output);
            lower::<T, V>(products.as_ptr(), written, (tiles, block), self.bias, to);
        }
    }
}
