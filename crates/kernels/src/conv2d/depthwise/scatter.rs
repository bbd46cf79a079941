//! The gradient of the input where windows are further apart than a pixel: each output's gradient is added to the pixels
//! that it was computed from.

use std::ops::Range;

use super::window::Window;
use super::{band, channels_of, taps_to_lanes};
use crate::conv2d::lanes::{Planes, from_lanes};
use crate::conv2d::{Conv2dShape, Conv2dSizes};
use crate::memory::OutOfMemory;
use crate::parallel::{self, SendPtr};
use crate::register::{self, Kernel, LINE, Register, Registers};
use crate::{Buffer, Element};

/// See [`backward_input`](crate::conv2d::backward_input).
pub(super) fn convolve<T: Registers>(
    shape: &Conv2dShape,
    weight: &[T],
    from: Planes<'_, T>,
    to: &mut [T],
) -> Result<(), OutOfMemory> {
    let [height, width] = shape.input;
    // Columns of results with what windows reach beyond the image.
    let columns = shape.padding[1]
        + width.max((from.size[1] - 1) * shape.stride[1] + (shape.kernel[1] - 1) * shape.dilation[1] + 1);
    let band = band(height, columns);
    let bands = height.div_ceil(band);
    let blocks = shape.groups.div_ceil(LINE);
    let base = SendPtr(to.as_mut_ptr());
    parallel::try_run(shape.batch * blocks * bands, shape.nanoseconds(), |task| {
        let rows = task % bands * band..(task % bands * band + band).min(height);
        let reach = (shape.kernel[0] - 1) * shape.dilation[0];
        // Outputs whose windows meet the rows.
        let first = (rows.start + shape.padding[0]).saturating_sub(reach).div_ceil(shape.stride[0]);
        let end = (rows.end - 1 + shape.padding[0]) / shape.stride[0] + 1;
        let outputs = first..end.min(from.size[0]).max(first);
        let window = Window { start: [first as isize, 0], size: [outputs.len(), from.size[1]] };
        let scratch = Scratch {
            grad: Buffer::try_recycled(window.len() * LINE)?,
            results: Buffer::try_recycled((rows.len() * columns + LINE) * LINE)?,
            taps: Buffer::try_recycled(shape.kernel_len() * LINE)?,
        };
        register::run(Band {
            shape,
            weight,
            image: task / bands / blocks,
            channels: channels_of(task / bands % blocks, shape.groups),
            rows,
            outputs,
            window,
            columns,
            from,
            to: base.get(),
            scratch,
        });
        Ok(())
    })
}

/// Memory for a band, enough for the widest register.
struct Scratch<T: Element> {
    grad: Buffer<T>,
    results: Buffer<T>,
    taps: Buffer<T>,
}

/// Some rows of the results for some channels of an image, on one thread.
struct Band<'a, T: Element> {
    shape: &'a Conv2dShape,
    weight: &'a [T],
    image: usize,
    channels: Range<usize>,
    rows: Range<usize>,
    /// Outputs whose windows meet the rows.
    outputs: Range<usize>,
    /// Those outputs, as they are read.
    window: Window,
    /// Of a row of results in memory, beginning with the padding.
    columns: usize,
    from: Planes<'a, T>,
    /// Planes of the input's shape, of which these rows of these channels may be written, by nobody else.
    to: *mut T,
    scratch: Scratch<T>,
}

impl<T: Registers> Kernel<T> for Band<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Register<T>>(self) {
        let Conv2dSizes { kernel, stride, dilation, padding, input, .. } = **self.shape;
        let [height, width] = input;
        let Scratch { mut grad, mut results, mut taps } = self.scratch;
        let (window, outputs) = (self.window, self.outputs);
        for channel in self.channels.clone().step_by(V::LEN) {
            let count = V::LEN.min(self.channels.end - channel);
            let taps_len = kernel[0] * kernel[1];
            taps_to_lanes::<T, V>(&self.weight[channel * taps_len..], count, taps_len, false, &mut taps);
            results.fill(T::ZERO);
            // SAFETY: there is room for the window, and for the columns that windows meet in each of the rows; `to` may be
            // written as its field says.
            unsafe {
                window.read::<T, V>(self.from, (self.image, channel, count), grad.as_mut_ptr());
                for (row, output) in outputs.clone().enumerate() {
                    let grad = grad.as_ptr().add(row * window.size[1] * V::LEN);
                    for i in 0..kernel[0] {
                        let place = (output * stride[0] + i * dilation[0]).wrapping_sub(padding[0]);
                        if !self.rows.contains(&place) {
                            continue;
                        }
                        for j in 0..kernel[1] {
                            let tap = V::load(taps.as_ptr().add((i * kernel[1] + j) * V::LEN));
                            let start = (place - self.rows.start) * self.columns + j * dilation[1];
                            let to = results.as_mut_ptr().add(start * V::LEN);
                            for x in 0..window.size[1] {
                                let to = to.add(x * stride[1] * V::LEN);
                                tap.mul_add(V::load(grad.add(x * V::LEN)), V::load(to)).store(to);
                            }
                        }
                    }
                }
                for (i, row) in self.rows.clone().enumerate() {
                    let from = results.as_ptr().add((i * self.columns + padding[1]) * V::LEN);
                    let plane = self.image * self.from.channels + channel;
                    let to = self.to.add((plane * height + row) * width);
                    from_lanes::<T, V>(from, width, (to, count, height * width));
                }
            }
        }
    }
}
