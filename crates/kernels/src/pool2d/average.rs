//! Average pooling.

use super::Pool2dShape;
use crate::memory::OutOfMemory;
use crate::parallel;
use crate::simd::Kernel;
use crate::{Buffer, Float};

/// The average of each window.
///
/// The sum of the elements inside the plane is divided by `divisor_override` where given, else by the number
/// of window elements inside the padded plane (`count_include_pad`), else by the number inside the plane. As
/// `torch.nn.functional.avg_pool2d`. Where there is no memory for intermediate results, nothing is written.
pub fn avg_forward<T: Float>(
    shape: &Pool2dShape,
    x: &[T],
    count_include_pad: bool,
    divisor_override: Option<usize>,
    out: &mut [T],
) -> Result<(), OutOfMemory> {
    assert_eq!(shape.dilation, [1, 1], "averages have no dilation");
    assert_eq!(x.len(), shape.inputs(), "input length");
    assert_eq!(out.len(), shape.outputs(), "output length");
    if out.is_empty() {
        return Ok(());
    }
    let divisors = divisors::<T>(shape, count_include_pad, divisor_override)?;
    let taps = shape.met(1)?;
    let (planes, input) = (shape.planes(), shape.input_plane());
    let chunk = planes * shape.output_plane();
    parallel::chunks_mut(out, chunk, shape.ns(0.3), |i, out| {
        let x = &x[i * planes * input..][..out.len() / shape.output_plane() * input];
        T::run(Forward { shape, taps: &taps, divisors: &divisors, x, out });
    });
    Ok(())
}

/// The gradient of [`avg_forward`]: each output's gradient, divided by its divisor, goes to all elements of its
/// window. Overwrites `grad_input`; where there is no memory for intermediate results, it holds anything.
pub fn avg_backward<T: Float>(
    shape: &Pool2dShape,
    grad: &[T],
    count_include_pad: bool,
    divisor_override: Option<usize>,
    grad_input: &mut [T],
) -> Result<(), OutOfMemory> {
    assert_eq!(shape.dilation, [1, 1], "averages have no dilation");
    assert_eq!(grad.len(), shape.outputs(), "gradient length");
    assert_eq!(grad_input.len(), shape.inputs(), "input gradient length");
    if grad.is_empty() || grad_input.is_empty() {
        grad_input.fill(T::ZERO);
        return Ok(());
    }
    let divisors = divisors::<T>(shape, count_include_pad, divisor_override)?;
    let taps = shape.met(1)?;
    let (planes, output) = (shape.planes(), shape.output_plane());
    let chunk = planes * shape.input_plane();
    parallel::try_chunks_mut(grad_input, chunk, shape.ns(0.3), |i, grad_input| {
        let count = grad_input.len() / shape.input_plane();
        let grad = &grad[i * planes * output..][..count * output];
        let scaled = Buffer::try_recycled(shape.output[1])?;
        T::run(Backward { shape, taps: &taps, divisors: &divisors, grad, scaled, grad_input });
        Ok(())
    })
}

/// What the sum of each window of a plane is divided by.
fn divisors<T: Float>(
    shape: &Pool2dShape,
    count_include_pad: bool,
    divisor_override: Option<usize>,
) -> Result<Buffer<T>, OutOfMemory> {
    let size = |dim: usize, output: usize| {
        let (input, padding) = (shape.input[dim], shape.padding[dim]);
        let start = output * shape.stride[dim];
        let end = start.saturating_add(shape.kernel[dim]).min(input + 2 * padding);
        let (start, end) =
            if count_include_pad { (start, end) } else { (start.max(padding), end.min(input + padding)) };
        end.saturating_sub(start) as f64
    };
    let mut divisors = Buffer::try_recycled(shape.output_plane())?;
    for (row, divisors) in divisors.chunks_exact_mut(shape.output[1]).enumerate() {
        let height = size(0, row);
        for (column, divisor) in divisors.iter_mut().enumerate() {
            let divided_by = divisor_override.map_or_else(|| height * size(1, column), |n| n as f64);
            *divisor = T::from_f64(divided_by);
        }
    }
    Ok(divisors)
}

struct Forward<'a, T> {
    shape: &'a Pool2dShape,
    /// The columns of a window that some output meets.
    taps: &'a [usize],
    divisors: &'a [T],
    x: &'a [T],
    out: &'a mut [T],
}

impl<T: Float> Kernel for Forward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let shape = self.shape;
        let ([height, width], [rows, columns]) = (shape.input, shape.output);
        for (k, out) in self.out.chunks_exact_mut(columns).enumerate() {
            let (plane, row) = (k / rows, k % rows);
            let x = &self.x[plane * height * width..][..height * width];
            out.fill(T::ZERO);
            for window_row in shape.taps(0, row) {
                let start = shape.place(0, row, window_row) * width;
                for &window_column in self.taps {
                    let (inside, left) = shape.inside(1, window_column);
                    if inside.is_empty() {
                        continue;
                    }
                    let (x, out) = (&x[start + left..start + width], &mut out[inside]);
                    match shape.stride[1] {
                        1 => add_strided::<T, 1>(x, out),
                        2 => add_strided::<T, 2>(x, out),
                        3 => add_strided::<T, 3>(x, out),
                        stride => {
                            for (out, &v) in out.iter_mut().zip(x.iter().step_by(stride)) {
                                *out += v;
                            }
                        }
                    }
                }
            }
            for (out, &divisor) in out.iter_mut().zip(&self.divisors[row * columns..]) {
                *out /= divisor;
            }
        }
    }
}

#[inline(always)]
fn add_strided<T: Float, const STRIDE: usize>(x: &[T], out: &mut [T]) {
    let x = &x[..=(out.len() - 1) * STRIDE];
    for j in 0..out.len() {
        out[j] += x[j * STRIDE];
    }
}

struct Backward<'a, T: Float> {
    shape: &'a Pool2dShape,
    /// The columns of a window that some output meets.
    taps: &'a [usize],
    divisors: &'a [T],
    grad: &'a [T],
    /// Room for a row of them.
    scaled: Buffer<T>,
    grad_input: &'a mut [T],
}

impl<T: Float> Kernel for Backward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let shape = self.shape;
        let ([height, width], [rows, columns]) = (shape.input, shape.output);
        let mut scaled = self.scaled;
        self.grad_input.fill(T::ZERO);
        for (k, grad) in self.grad.chunks_exact(columns).enumerate() {
            let (plane, row) = (k / rows, k % rows);
            let grad_input = &mut self.grad_input[plane * height * width..][..height * width];
            let divisors = &self.divisors[row * columns..][..columns];
            for ((scaled, &grad), &divisor) in scaled.iter_mut().zip(grad).zip(divisors) {
                *scaled = grad / divisor;
            }
            for window_row in shape.taps(0, row) {
                let start = shape.place(0, row, window_row) * width;
                for &window_column in self.taps {
                    let (inside, left) = shape.inside(1, window_column);
                    if inside.is_empty() {
                        continue;
                    }
                    let grad_row = &mut grad_input[start + left..start + width];
                    if shape.stride[1] == 1 {
                        for (to, &grad) in grad_row.iter_mut().zip(&scaled[inside]) {
                            *to += grad;
                        }
                    } else {
                        for (to, &grad) in grad_row.iter_mut().step_by(shape.stride[1]).zip(&scaled[inside]) {
                            *to += grad;
                        }
                    }
                }
            }
        }
    }
}
