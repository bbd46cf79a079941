//! The gradient of the kernels.

use std::ops::Range;

use super::super::Conv2dShape;
use super::super::lanes::Planes;
use super::lift::{Images, lift};
use super::positions::Positions;
use super::product::add_channels_by_channels;
use super::tiles::Tiles;
use super::transform::{Gradients, Inputs};
use super::{LINE, weights};
use crate::gemm::cut::Cut;
use crate::memory::OutOfMemory;
use crate::parallel;
use crate::register::{self, Kernel, Register, Registers};
use crate::{Buffer, Element};

/// At most this many partial sums.
const PARTS: usize = 8;
/// A partial sum is of at least this many blocks, where there are so many: each is read once more in the end.
const BLOCKS: usize = 3;

/// The gradient of a convolution with respect to its weight.
pub(crate) fn backward_weight<T: Registers>(
    shape: &Conv2dShape,
    input: &[T],
    grad_output: &[T],
    grad_weight: &mut [T],
) -> Result<(), OutOfMemory> {
    let channels = (shape.in_channels, shape.out_channels);
    let tiles =
        Tiles { batch: shape.batch, input: shape.input, output: shape.output, padding: shape.padding };
    let blocks = tiles.blocks(channels.0 + channels.1);
    let parts = Cut::into(blocks.pieces, PARTS.min(blocks.pieces / BLOCKS), 1);
    let positions = Positions::new(channels.1, channels.0.next_multiple_of(LINE));
    let mut partial = Buffer::<T>::try_recycled(parts.pieces * positions.len())?;
    let ns = (tiles.len() * channels.0 * channels.1) as f64;
    let planes = Planes { data: input, channels: channels.0, size: tiles.input };
    let inputs = Images { planes, padding: tiles.padding };
    let planes = Planes { data: grad_output, channels: channels.1, size: tiles.output };
    let gradients = Images { planes, padding: [0, 0] };
    parallel::try_chunks_mut(&mut partial, positions.len(), ns, |part, sums| {
        sums.fill(T::ZERO);
        for block in parts.range(part) {
            let block = blocks.range(block);
            let of_inputs = Positions::new(channels.0, block.len());
            let of_gradients = Positions::new(channels.1, block.len());
            let lifted = Buffer::try_recycled(of_inputs.len() + of_gradients.len())?;
            let lifted = (lifted, of_inputs, of_gradients);
            register::run(Block { tiles: &tiles, block, inputs, gradients, lifted, positions, sums });
        }
        Ok(())
    })?;
    weights::lower(channels, &partial, positions, grad_weight);
    Ok(())
}

/// Adds what a block of tiles gives to sums at all positions.
struct Block<'a, T: Element> {
    tiles: &'a Tiles,
    block: Range<usize>,
    inputs: Images<'a, T>,
    gradients: Images<'a, T>,
    /// Memory for the block's inputs and gradients at the positions.
    lifted: (Buffer<T>, Positions, Positions),
    positions: Positions,
    sums: &'a mut [T],
}

impl<T: Registers> Kernel<T> for Block<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Register<T>>(self) {
        let Block { tiles, block, inputs, gradients, lifted, positions, sums } = self;
        let (mut lifted, of_inputs, of_gradients) = lifted;
        let (x, g) = lifted.split_at_mut(of_inputs.len());
        // SAFETY: memory is there for the positions.
        unsafe {
            lift::<T, V, Inputs>(inputs, tiles, block.clone(), of_inputs, x.as_mut_ptr());
            lift::<T, V, Gradients>(gradients, tiles, block.clone(), of_gradients, g.as_mut_ptr());
            add_channels_by_channels::<T, V>(
                block.len(),
                (x.as_ptr(), of_inputs),
                (g.as_ptr(), of_gradients),
                (sums.as_mut_ptr(), positions),
            );
        }
    }
}
