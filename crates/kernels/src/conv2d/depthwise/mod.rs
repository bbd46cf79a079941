//! Convolution of each channel with a kernel of its own, as in MobileNet.
//!
//! Nine multiplications for each pixel that is read and written are few, so what counts is to move pixels well. A band
//! of rows of as many channels as a register has lanes is copied with its padding so that channels are lanes (see
//! `window`): then a pixel is a register, and whatever the stride, the dilation, and the size of the image, a result is
//! a sum of registers at constant distances.

mod gather;
mod gradient;
mod scatter;
#[cfg(test)]
mod tests;
mod window;

pub(super) use gradient::backward_weight;

use std::ops::Range;

use super::Conv2dShape;
use super::lanes::Planes;
use crate::memory::OutOfMemory;
use crate::register::{LINE, Register, Registers};

/// With fewer channels than this most lanes would be empty.
const FEWEST_CHANNELS: usize = 4;
/// Pixels of a band at most, if a row has no more: of 16 channels of `f32`, a quarter of a second-level cache of 2 MiB.
const BAND: usize = 1 << 13;

/// Whether each channel has a kernel of its own.
pub(super) fn suits(shape: &Conv2dShape) -> bool {
    shape.group_in() == 1 && shape.group_out() == 1 && shape.groups >= FEWEST_CHANNELS
}

/// Rows of a band, of all that there are, where each needs so many pixels.
fn band(rows: usize, pixels: usize) -> usize {
    (BAND / pixels.max(1)).clamp(1, rows.max(1))
}

/// See [`forward`](super::forward).
pub(super) fn forward<T: Registers>(
    shape: &Conv2dShape,
    input: &[T],
    weight: &[T],
    bias: Option<&[T]>,
    output: &mut [T],
) -> Result<(), OutOfMemory> {
    let padding = shape.padding.map(|padding| padding as isize);
    let kernel = gather::Kernel { weight, bias, turned: false, size: shape.kernel, dilation: shape.dilation };
    let from = Planes { data: input, channels: shape.groups, size: shape.input };
    gather::convolve(shape, kernel, from, (shape.stride, padding), shape.output, output)
}

/// See [`backward_input`](super::backward_input).
pub(super) fn backward_input<T: Registers>(
    shape: &Conv2dShape,
    grad_output: &[T],
    weight: &[T],
    grad_input: &mut [T],
) -> Result<(), OutOfMemory> {
    let from = Planes { data: grad_output, channels: shape.groups, size: shape.output };
    if shape.stride != [1, 1] {
        return scatter::convolve(shape, weight, from, grad_input);
    }
    // A convolution with the kernel turned round, padded so that each of its windows meets what the input was used for.
    let padding = [0, 1].map(|dim| {
        let reach = (shape.kernel[dim] - 1) * shape.dilation[dim];
        reach as isize - shape.padding[dim] as isize
    });
    let kernel =
        gather::Kernel { weight, bias: None, turned: true, size: shape.kernel, dilation: shape.dilation };
    gather::convolve(shape, kernel, from, ([1, 1], padding), shape.input, grad_input)
}

/// Channels of a task: as many as the longest register has lanes.
fn channels_of(block: usize, channels: usize) -> Range<usize> {
    block * LINE..((block + 1) * LINE).min(channels)
}

/// Puts the kernels of `channels` in lanes of a register V, tap by tap, maybe from the last to the first; `weight` begins
/// with the first channel's, and `lanes` has room for [`LINE`] of them.
fn taps_to_lanes<T: Registers, V: Register<T>>(
    weight: &[T],
    channels: usize,
    taps: usize,
    turned: bool,
    lanes: &mut [T],
) {
    for (i, lanes) in lanes.chunks_exact_mut(V::LEN).enumerate().take(taps) {
        let tap = if turned { taps - 1 - i } else { i };
        for (channel, lane) in lanes.iter_mut().enumerate() {
            *lane = weight[channel.min(channels - 1) * taps + tap];
        }
    }
}
