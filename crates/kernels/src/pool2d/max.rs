//! Maximum pooling.

use super::Pool2dShape;
use super::halving::{self, Halving};
use crate::memory::OutOfMemory;
use crate::parallel;
use crate::simd::Kernel;
use crate::{Buffer, Float};

/// The largest value of each window, and where it stands in its plane (`row · w + column`).
///
/// Padding counts as −∞ and is never chosen. Of equal values the first counts; a NaN counts as the largest,
/// and of several the last, as in `torch.nn.functional.max_pool2d`.
///
/// Where there is no memory for intermediate results, nothing is written.
pub fn max_forward<T: Float>(
    shape: &Pool2dShape,
    x: &[T],
    out: &mut [T],
    indices: &mut [i64],
) -> Result<(), OutOfMemory> {
    assert_eq!(x.len(), shape.inputs(), "input length");
    assert!(out.len() == shape.outputs() && indices.len() == out.len(), "output lengths");
    if out.is_empty() {
        return Ok(());
    }
    let taps = shape.met(1)?;
    let mut first_column = Buffer::try_recycled(shape.output[1])?;
    for (column, first) in first_column.iter_mut().enumerate() {
        *first = first_inside(shape, 1, column);
    }
    let (planes, input) = (shape.planes(), shape.input_plane());
    let chunk = planes * shape.output_plane();
    parallel::chunks_mut2((out, chunk), (indices, chunk), shape.ns(0.5), |i, out, indices| {
        let x = &x[i * planes * input..][..out.len() / shape.output_plane() * input];
        if halving::suits(shape) {
            T::run(Halving { shape, x, out, indices });
        } else {
            T::run(Windows { shape, taps: &taps, first_column: &first_column, x, out, indices });
        }
    });
    Ok(())
}

/// The gradient of [`max_forward`]: each output's gradient goes to the element that it was taken from.
/// Overwrites `grad_input`.
pub fn max_backward<T: Float>(shape: &Pool2dShape, grad: &[T], indices: &[i64], grad_input: &mut [T]) {
    assert!(grad.len() == shape.outputs() && indices.len() == grad.len(), "gradient lengths");
    assert_eq!(grad_input.len(), shape.inputs(), "input gradient length");
    let (planes, input, output) = (shape.planes(), shape.input_plane(), shape.output_plane());
    if grad.is_empty() {
        return grad_input.fill(T::ZERO);
    }
    parallel::chunks_mut(grad_input, planes * input, shape.ns(0.3), |i, grad_input| {
        for (k, plane) in grad_input.chunks_exact_mut(input).enumerate() {
            let outputs = (i * planes + k) * output..(i * planes + k + 1) * output;
            plane.fill(T::ZERO);
            for (&grad, &index) in grad[outputs.clone()].iter().zip(&indices[outputs]) {
                plane[index as usize] += grad;
            }
        }
    });
}

/// Whether a later element of a window takes the place of an earlier one.
#[inline(always)]
pub(super) fn wins<T: Float>(later: T, earlier: T) -> bool {
    (later > earlier) | later.is_nan()
}

/// Any windows: for each element of the window, all outputs of a row at once.
struct Windows<'a, T> {
    shape: &'a Pool2dShape,
    /// The columns of a window that some output meets.
    taps: &'a [usize],
    /// For each output of a row the first column of its window that is inside.
    first_column: &'a [i64],
    x: &'a [T],
    out: &'a mut [T],
    indices: &'a mut [i64],
}

impl<T: Float> Kernel for Windows<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let shape = self.shape;
        let ([height, width], [rows, columns]) = (shape.input, shape.output);
        let outputs = self.out.chunks_exact_mut(columns).zip(self.indices.chunks_exact_mut(columns));
        for (k, (out, indices)) in outputs.enumerate() {
            let (plane, row) = (k / rows, k % rows);
            let x = &self.x[plane * height * width..][..height * width];
            // Where all is −∞ the first element inside counts.
            out.fill(T::NEG_INFINITY);
            let first_row = first_inside(shape, 0, row) * width as i64;
            for (index, &column) in indices.iter_mut().zip(self.first_column) {
                *index = first_row + column;
            }
            for window_row in shape.taps(0, row) {
                let start = shape.place(0, row, window_row) * width;
                for &window_column in self.taps {
                    let (inside, left) = shape.inside(1, window_column);
                    if inside.is_empty() {
                        continue;
                    }
                    let x = &x[start + left..start + width];
                    let (out, indices) = (&mut out[inside.clone()], &mut indices[inside]);
                    let first = (start + left) as i64;
                    match shape.stride[1] {
                        1 => update::<T, 1>(x, first, out, indices),
                        2 => update::<T, 2>(x, first, out, indices),
                        3 => update::<T, 3>(x, first, out, indices),
                        stride => {
                            let x = x.iter().step_by(stride).enumerate();
                            for ((out, index), (j, &v)) in out.iter_mut().zip(indices).zip(x) {
                                if wins(v, *out) {
                                    (*out, *index) = (v, first + (j * stride) as i64);
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Lets the elements of `x`, `STRIDE` apart, challenge the outputs.
#[inline(always)]
fn update<T: Float, const STRIDE: usize>(x: &[T], first: i64, out: &mut [T], indices: &mut [i64]) {
    let last = (out.len() - 1) * STRIDE;
    let x = &x[..=last];
    for j in 0..out.len() {
        let v = x[j * STRIDE];
        let win = wins(v, out[j]);
        out[j] = if win { v } else { out[j] };
        indices[j] = if win { first + (j * STRIDE) as i64 } else { indices[j] };
    }
}

/// The first place inside the plane that the window of this output has along `dim`.
fn first_inside(shape: &Pool2dShape, dim: usize, output: usize) -> i64 {
    shape.place(dim, output, shape.taps(dim, output).start) as i64
}
