//! The gradient of the weight: for each tap, the sum of the products of the outputs' gradients and the inputs they meet.

// Loops over indices, not closures: a closure that is not inlined is compiled without the registers.
#![allow(clippy::needless_range_loop)]

use std::ops::Range;

use super::window::Window;
use super::{band, channels_of};
use crate::conv2d::lanes::Planes;
use crate::conv2d::{Conv2dNumber, Conv2dShape, Conv2dSizes, partial};
use crate::memory::{OutOfMemory, try_collect};
use crate::parallel::{self, SendPtr};
use crate::register::{self, Kernel, LINE, Register, Registers};
use crate::{Buffer, Element};

/// Taps at a time: as many chains of additions as wait for each other.
const AT_ONCE: usize = 5;

/// See [`backward_weight`](crate::conv2d::backward_weight).
pub(crate) fn backward_weight<T: Conv2dNumber>(
    shape: &Conv2dShape,
    input: &[T],
    grad_output: &[T],
    grad_weight: &mut [T],
) -> Result<(), OutOfMemory> {
    let ns = shape.nanoseconds();
    let columns = (shape.output[1] - 1) * shape.stride[1] + (shape.kernel[1] - 1) * shape.dilation[1] + 1;
    let band = band(shape.output[0], columns * shape.stride[0]);
    let bands = shape.output[0].div_ceil(band);
    let parts = partial::parts(shape.batch * bands, ns);
    let blocks = shape.groups.div_ceil(LINE);
    let len = grad_weight.len();
    let mut sums = Buffer::<T>::try_recycled(parts.pieces * len)?;
    let reach = (shape.kernel[0] - 1) * shape.dilation[0] + 1;
    let places = (0..shape.kernel[0]).flat_map(|i| {
        (0..shape.kernel[1]).map(move |j| i * shape.dilation[0] * columns + j * shape.dilation[1])
    });
    let places = try_collect(places, shape.kernel_len())?;
    let rows = band.min(shape.output[0]);
    let input_window = [(rows - 1) * shape.stride[0] + reach, columns];
    let grad_window = [rows, shape.output[1]];
    let base = SendPtr(sums.as_mut_ptr());
    parallel::try_run(parts.pieces * blocks, ns, |task| {
        let (part, block) = (task / blocks, task % blocks);
        let room = |size| Buffer::try_recycled(Window { start: [0, 0], size }.len() * LINE);
        let scratch = Scratch {
            input: room(input_window)?,
            grad: room(grad_window)?,
            sums: Buffer::try_recycled(places.len() * LINE)?,
        };
        register::run(Part {
            shape,
            channels: channels_of(block, shape.groups),
            units: parts.range(part),
            columns,
            band,
            input: Planes { data: input, channels: shape.groups, size: shape.input },
            grad: Planes { data: grad_output, channels: shape.groups, size: shape.output },
            // SAFETY: the part begins within the partial sums.
            to: unsafe { base.get().add(part * len) },
            places: &places,
            scratch,
        });
        Ok(())
    })?;
    partial::add_up(&sums, grad_weight);
    Ok(())
}

/// Memory for a band, enough for the widest register.
struct Scratch<T: Element> {
    input: Buffer<T>,
    grad: Buffer<T>,
    sums: Buffer<T>,
}

/// The sums over some bands of images for some channels, on one thread.
struct Part<'a, T: Element> {
    shape: &'a Conv2dShape,
    channels: Range<usize>,
    /// Bands of the output, image by image.
    units: Range<usize>,
    /// Columns of the input that a row of the output meets.
    columns: usize,
    /// Rows of a band.
    band: usize,
    input: Planes<'a, T>,
    grad: Planes<'a, T>,
    /// Kernels of all channels, of which these may be written, by nobody else.
    to: *mut T,
    /// For each tap, its distance in the window.
    places: &'a [usize],
    scratch: Scratch<T>,
}

/// Rows of windows and of the outputs' gradients for them, in lanes.
struct Rows<T> {
    input: *const T,
    /// From one row of inputs to the next that begins a window, and from one window to the next in its row.
    steps: [usize; 2],
    grad: *const T,
    /// Rows and columns of gradients.
    size: [usize; 2],
}

impl<T: Registers> Rows<T> {
    /// `sums[n] += Σ_yx grad[y, x] · input[steps · (y, x) + places[n]]`, for N of them.
    ///
    /// # Safety
    ///
    /// What is read is there; the processor has the register.
    #[inline(always)]
    unsafe fn add<V: Register<T>, const N: usize>(&self, places: &[usize], sums: *mut T) {
        let [down, right] = self.steps;
        // SAFETY: the caller's promise.
        unsafe {
            let mut chains = [V::splat(T::ZERO); N];
            let mut at = [self.input; N];
            for n in 0..N {
                chains[n] = V::load(sums.add(n * V::LEN));
                at[n] = self.input.add(places[n] * V::LEN);
            }
            for y in 0..self.size[0] {
                for x in 0..self.size[1] {
                    let grad = V::load(self.grad.add((y * self.size[1] + x) * V::LEN));
                    let distance = (y * down + x * right) * V::LEN;
                    for n in 0..N {
                        chains[n] = grad.mul_add(V::load(at[n].add(distance)), chains[n]);
                    }
                }
            }
            for n in 0..N {
                chains[n].store(sums.add(n * V::LEN));
            }
        }
    }
}

impl<T: Registers> Kernel<T> for Part<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Register<T>>(self) {
        let Conv2dSizes { kernel, stride, dilation, padding, .. } = **self.shape;
        let [height, width] = self.grad.size;
        let Part { band, columns, places, .. } = self;
        let Scratch { mut input, mut grad, mut sums } = self.scratch;
        let bands = height.div_ceil(band);
        let reach = (kernel[0] - 1) * dilation[0] + 1;
        let windows = |rows: &Range<usize>| {
            let start = [rows.start * stride[0], 0];
            Window {
                start: [0, 1].map(|dim| start[dim] as isize - padding[dim] as isize),
                size: [(rows.len() - 1) * stride[0] + reach, columns],
            }
        };
        let grads =
            |rows: &Range<usize>| Window { start: [rows.start as isize, 0], size: [rows.len(), width] };
        for channel in self.channels.clone().step_by(V::LEN) {
            let count = V::LEN.min(self.channels.end - channel);
            sums.fill(T::ZERO);
            for unit in self.units.clone() {
                let first = unit % bands * band;
                let rows = first..(first + band).min(height);
                let which = (unit / bands, channel, count);
                // SAFETY: the buffers have room for the windows of a whole band, in which lies what taps meet.
                unsafe {
                    windows(&rows).read::<T, V>(self.input, which, input.as_mut_ptr());
                    grads(&rows).read::<T, V>(self.grad, which, grad.as_mut_ptr());
                    let rows = Rows {
                        input: input.as_ptr(),
                        steps: [stride[0] * columns, stride[1]],
                        grad: grad.as_ptr(),
                        size: [rows.len(), width],
                    };
                    for (i, places) in places.chunks(AT_ONCE).enumerate() {
                        let sums = sums.as_mut_ptr().add(i * AT_ONCE * V::LEN);
                        match places.len() {
                            5 => rows.add::<V, 5>(places, sums),
                            4 => rows.add::<V, 4>(places, sums),
                            3 => rows.add::<V, 3>(places, sums),
                            2 => rows.add::<V, 2>(places, sums),
                            1 => rows.add::<V, 1>(places, sums),
                            _ => unreachable!("at most {AT_ONCE}"),
                        }
                    }
                }
            }
            for i in 0..count {
                for tap in 0..places.len() {
                    // SAFETY: the kernel of one of the channels, which may be written as `to` says.
                    unsafe { *self.to.add((channel + i) * places.len() + tap) = sums[tap * V::LEN + i] };
                }
            }
        }
    }
}
