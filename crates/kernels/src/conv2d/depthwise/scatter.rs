//! The gradient of the input where windows are further apart than a pixel: each output's gradient is added to the pixels
//! that it was computed from.

use std::ops::Range;

use super::window::Window;
use super::{band, channels_of, taps_in_lanes};
use crate::Buffer;
use crate::conv2d::Conv2dShape;
use crate::conv2d::lanes::{Planes, from_lanes};
use crate::parallel::{self, SendPtr};
use crate::register::{self, Kernel, LINE, Register, Registers};

/// See [`backward_input`](crate::conv2d::backward_input).
pub(super) fn convolve<T: Registers>(shape: &Conv2dShape, weight: &[T], from: Planes<'_, T>, to: &mut [T]) {
    let [height, width] = shape.input;
    // Columns of results with what windows reach beyond the image.
    let columns = shape.padding[1]
        + width.max((from.size[1] - 1) * shape.stride[1] + (shape.kernel[1] - 1) * shape.dilation[1] + 1);
    let band = band(height, columns);
    let bands = height.div_ceil(band);
    let blocks = shape.groups.div_ceil(LINE);
    let base = SendPtr(to.as_mut_ptr());
    parallel::run(shape.batch * blocks * bands, shape.nanoseconds(), |task| {
        register::run(Band {
            shape,
            weight,
            image: task / bands / blocks,
            channels: channels_of(task / bands % blocks, shape.groups),
            rows: task % bands * band..(task % bands * band + band).min(height),
            columns,
            from,
            to: base.get(),
        });
    });
}

/// Some rows of the results for some channels of an image, on one thread.
struct Band<'a, T> {
    shape: &'a Conv2dShape,
    weight: &'a [T],
    image: usize,
    channels: Range<usize>,
    rows: Range<usize>,
    /// Of a row of results in memory, beginning with the padding.
    columns: usize,
    from: Planes<'a, T>,
    /// Planes of the input's shape, of which these rows of these channels may be written, by nobody else.
    to: *mut T,
}

impl<T: Registers> Kernel<T> for Band<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Register<T>>(self) {
        let Conv2dShape { kernel, stride, dilation, padding, input, .. } = *self.shape;
        let [height, width] = input;
        let reach = (kernel[0] - 1) * dilation[0];
        // Outputs whose windows meet the rows.
        let first = (self.rows.start + padding[0]).saturating_sub(reach).div_ceil(stride[0]);
        let end = (self.rows.end - 1 + padding[0]) / stride[0] + 1;
        let outputs = first..end.min(self.from.size[0]).max(first);
        let window = Window { start: [first as isize, 0], size: [outputs.len(), self.from.size[1]] };
        let mut grad = Buffer::<T>::recycled(window.len() * V::LEN);
        let mut results = Buffer::<T>::recycled((self.rows.len() * self.columns + LINE) * V::LEN);
        for channel in self.channels.clone().step_by(V::LEN) {
            let count = V::LEN.min(self.channels.end - channel);
            let taps_len = kernel[0] * kernel[1];
            let taps = taps_in_lanes::<T, V>(&self.weight[channel * taps_len..], count, taps_len, false);
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
