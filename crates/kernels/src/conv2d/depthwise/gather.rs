//! The output, and the gradient of the input with stride 1: each result is a sum of the pixels around it.

// Loops over indices, not closures: a closure that is not inlined is compiled without the registers.
#![allow(clippy::needless_range_loop)]

use std::ops::Range;

use super::window::Window;
use super::{band, channels_of, taps_to_lanes};
use crate::conv2d::Conv2dShape;
use crate::conv2d::lanes::{Planes, from_lanes};
use crate::memory::{OutOfMemory, try_collect};
use crate::parallel::{self, SendPtr};
use crate::register::{self, LINE, Register, Registers};
use crate::{Buffer, Element};

/// Results at a time: as many chains of additions as wait for each other.
const AT_ONCE: usize = 8;

/// A kernel for each channel.
#[derive(Clone, Copy)]
pub(super) struct Kernel<'a, T> {
    pub(super) weight: &'a [T],
    pub(super) bias: Option<&'a [T]>,
    /// Whether taps are taken from the last to the first.
    pub(super) turned: bool,
    pub(super) size: [usize; 2],
    pub(super) dilation: [usize; 2],
}

/// `to[y, x] = bias + Σ_ij kernel[i, j] · from[stride · (y, x) + dilation · (i, j) − padding]`, for planes `to` of a
/// size.
pub(super) fn convolve<T: Registers>(
    shape: &Conv2dShape,
    kernel: Kernel<'_, T>,
    from: Planes<'_, T>,
    (stride, padding): ([usize; 2], [isize; 2]),
    size: [usize; 2],
    to: &mut [T],
) -> Result<(), OutOfMemory> {
    let reach = [0, 1].map(|dim| (kernel.size[dim] - 1) * kernel.dilation[dim]);
    let columns = (size[1] - 1) * stride[1] + reach[1] + 1;
    let band = band(size[0], columns * stride[0]);
    let bands = size[0].div_ceil(band);
    let blocks = shape.groups.div_ceil(LINE);
    let [taps_down, taps_right] = kernel.size;
    let [down, right] = kernel.dilation;
    let places = (0..taps_down).flat_map(|i| (0..taps_right).map(move |j| i * down * columns + j * right));
    let places = try_collect(places, taps_down * taps_right)?;
    let base = SendPtr(to.as_mut_ptr());
    parallel::try_run(shape.batch * blocks * bands, shape.nanoseconds(), |task| {
        let rows = task % bands * band..(task % bands * band + band).min(size[0]);
        let top = (rows.start * stride[0]) as isize - padding[0];
        let height = (rows.len() - 1) * stride[0] + reach[0] + 1;
        let window = Window { start: [top, -padding[1]], size: [height, columns] };
        let scratch = Scratch {
            window: Buffer::try_recycled(window.len() * LINE)?,
            results: Buffer::try_recycled(rows.len() * size[1] * LINE)?,
            taps: Buffer::try_recycled(places.len() * LINE)?,
        };
        register::run(Band {
            kernel,
            places: &places,
            image: task / bands / blocks,
            channels: channels_of(task / bands % blocks, shape.groups),
            window,
            stride,
            rows,
            size,
            from,
            to: base.get(),
            scratch,
        });
        Ok(())
    })
}

/// Memory for a band, enough for the widest register.
struct Scratch<T: Element> {
    window: Buffer<T>,
    results: Buffer<T>,
    taps: Buffer<T>,
}

/// Some rows of the results for some channels of an image, on one thread.
struct Band<'a, T: Element> {
    kernel: Kernel<'a, T>,
    /// For each tap, its distance in the window.
    places: &'a [usize],
    image: usize,
    channels: Range<usize>,
    /// What the rows are computed from.
    window: Window,
    stride: [usize; 2],
    rows: Range<usize>,
    /// Height and width of the results.
    size: [usize; 2],
    from: Planes<'a, T>,
    /// Planes of results like `from`'s, of which these rows of these channels may be written, by nobody else.
    to: *mut T,
    scratch: Scratch<T>,
}

impl<T: Registers> Band<'_, T> {
    /// N results that are neighbours, from the pixel that the first of them meets with the first tap.
    ///
    /// # Safety
    ///
    /// The window has what the results meet, and there is room for them at `to`; the processor has the register.
    #[inline(always)]
    unsafe fn results<V: Register<T>, const N: usize>(
        &self,
        first: V,
        taps: &[T],
        from: *const T,
        to: *mut T,
    ) {
        let step = self.stride[1] * V::LEN;
        // SAFETY: the caller's promise.
        unsafe {
            let mut taps = taps.as_ptr();
            let mut sums = [first; N];
            for &place in self.places {
                let tap = V::load(taps);
                let from = from.add(place * V::LEN);
                for i in 0..N {
                    sums[i] = tap.mul_add(V::load(from.add(i * step)), sums[i]);
                }
                taps = taps.wrapping_add(V::LEN);
            }
            for i in 0..N {
                sums[i].store(to.add(i * V::LEN));
            }
        }
    }
}

impl<T: Registers> register::Kernel<T> for Band<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Register<T>>(mut self) {
        let [height, width] = self.size;
        let len = self.rows.len() * width;
        for channel in self.channels.clone().step_by(V::LEN) {
            let count = V::LEN.min(self.channels.end - channel);
            let taps_len = self.places.len();
            let weight = &self.kernel.weight[channel * taps_len..];
            taps_to_lanes::<T, V>(weight, count, taps_len, self.kernel.turned, &mut self.scratch.taps);
            let mut first = [T::ZERO; LINE];
            if let Some(bias) = self.kernel.bias {
                first[..count].copy_from_slice(&bias[channel..][..count]);
            }
            let (window, results) = (self.scratch.window.as_mut_ptr(), self.scratch.results.as_mut_ptr());
            let taps = &*self.scratch.taps;
            // SAFETY: there is room for the window and for the results. The last result of a row meets the last column of
            // the window with its last tap, and the last row the last row. `to` may be written as its field says.
            unsafe {
                let first = V::load(first.as_ptr());
                self.window.read::<T, V>(self.from, (self.image, channel, count), window);
                for row in 0..self.rows.len() {
                    let from = window.cast_const().add(row * self.stride[0] * self.window.size[1] * V::LEN);
                    let to = results.add(row * width * V::LEN);
                    let mut x = 0;
                    while x < width {
                        let from = from.add(x * self.stride[1] * V::LEN);
                        let to = to.add(x * V::LEN);
                        x += match width - x {
                            AT_ONCE.. => {
                                self.results::<V, AT_ONCE>(first, taps, from, to);
                                AT_ONCE
                            }
                            4.. => {
                                self.results::<V, 4>(first, taps, from, to);
                                4
                            }
                            2.. => {
                                self.results::<V, 2>(first, taps, from, to);
                                2
                            }
                            _ => {
                                self.results::<V, 1>(first, taps, from, to);
                                1
                            }
                        };
                    }
                }
                let plane = self.image * self.from.channels + channel;
                let to = self.to.add((plane * height + self.rows.start) * width);
                from_lanes::<T, V>(results, len, (to, count, height * width));
            }
        }
    }
}
