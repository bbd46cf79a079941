//! Softmax, its logarithm and the log of a sum of exponentials, over the middle dimension of a contiguous
//! `[outer, n, inner]` array.
//!
//! The largest value of a row is subtracted before the exponential, so that nothing overflows, and sums are
//! accumulated in `f64`. A row stays in the cache between the passes over it. Where `inner` is not 1, strips
//! of columns are worked on together, row by row.

use crate::Float;
use crate::lanes;
use crate::parallel;
use crate::simd::Kernel;
use crate::strips::{Strip, strips_mut};

#[cfg(test)]
mod tests;

/// The estimated time for an element, in nanoseconds, with and without an exponential.
const NS_EXP: f64 = 2.0;
const NS: f64 = 0.5;
/// Elements in a task, where rows are short.
const PIECE: usize = 16_384;
/// Columns that are worked on together.
const WIDTH: usize = 128;

/// `exp(x) / Σ exp(x)` over n. A row of −∞ alone, or with a +∞ or a NaN, becomes NaN.
pub fn softmax<T: Float>(x: &[T], dims: [usize; 3], out: &mut [T]) {
    forward::<T, false>(x, dims, out);
}

/// `x − ln Σ exp(x)` over n. A row of −∞ alone, or with a +∞ or a NaN, becomes NaN.
pub fn log_softmax<T: Float>(x: &[T], dims: [usize; 3], out: &mut [T]) {
    forward::<T, true>(x, dims, out);
}

/// The gradient of [`softmax`] from its output `y`: `y · (g − Σ g·y)`.
pub fn softmax_backward<T: Float>(grad: &[T], y: &[T], dims: [usize; 3], out: &mut [T]) {
    backward::<T, false>(grad, y, dims, out);
}

/// The gradient of [`log_softmax`] from its output `y`: `g − exp(y) · Σ g`.
pub fn log_softmax_backward<T: Float>(grad: &[T], y: &[T], dims: [usize; 3], out: &mut [T]) {
    backward::<T, true>(grad, y, dims, out);
}

/// `ln Σ exp(x)` over n into `out`, `[outer, inner]`.
///
/// +∞ where a value is +∞, −∞ where all are −∞ (or n is 0), NaN where a value is NaN.
pub fn logsumexp<T: Float>(x: &[T], [outer, n, inner]: [usize; 3], out: &mut [T]) {
    assert_eq!(x.len(), outer * n * inner, "input length");
    assert_eq!(out.len(), outer * inner, "output length");
    if n == 0 {
        return out.fill(T::NEG_INFINITY);
    }
    let ns = NS_EXP * x.len() as f64;
    if inner == 1 {
        let rows = (PIECE / n).max(1);
        return parallel::chunks_mut(out, rows, ns, |i, out| {
            T::run(LogSumRows { x: &x[i * rows * n..][..out.len() * n], n, out });
        });
    }
    parallel::chunks_mut(out, WIDTH, ns, |i, out| {
        let mut done = 0;
        while done < out.len() {
            let (plane, column) = ((i * WIDTH + done) / inner, (i * WIDTH + done) % inner);
            let width = (inner - column).min(out.len() - done);
            let x = &x[plane * n * inner..][..n * inner];
            T::run(LogSumColumns { x, inner, column, out: &mut out[done..done + width] });
            done += width;
        }
    });
}

fn forward<T: Float, const LOG: bool>(x: &[T], dims: [usize; 3], out: &mut [T]) {
    let [_, n, inner] = dims;
    assert_eq!(x.len(), dims.iter().product::<usize>(), "input length");
    assert_eq!(out.len(), x.len(), "output length");
    let ns = NS_EXP * x.len() as f64;
    if x.is_empty() {
    } else if inner == 1 {
        let piece = (PIECE / n).max(1) * n;
        parallel::chunks_mut(out, piece, ns, |i, out| {
            T::run(ForwardRows::<T, LOG> { x: &x[i * piece..][..out.len()], n, out });
        });
    } else {
        strips_mut(out, dims, WIDTH, ns, |plane, column, out| {
            let x = &x[plane * n * inner..][..n * inner];
            T::run(ForwardColumns::<T, LOG> { x, inner, column, out });
        });
    }
}

fn backward<T: Float, const LOG: bool>(grad: &[T], y: &[T], dims: [usize; 3], out: &mut [T]) {
    let [_, n, inner] = dims;
    assert_eq!(grad.len(), dims.iter().product::<usize>(), "gradient length");
    assert!(y.len() == grad.len() && out.len() == grad.len(), "output lengths");
    let ns = if LOG { NS_EXP } else { NS } * grad.len() as f64;
    if grad.is_empty() {
    } else if inner == 1 {
        let piece = (PIECE / n).max(1) * n;
        parallel::chunks_mut(out, piece, ns, |i, out| {
            let (grad, y) = (&grad[i * piece..][..out.len()], &y[i * piece..][..out.len()]);
            T::run(BackwardRows::<T, LOG> { grad, y, n, out });
        });
    } else {
        strips_mut(out, dims, WIDTH, ns, |plane, column, out| {
            let plane = plane * n * inner..(plane + 1) * n * inner;
            let (grad, y) = (&grad[plane.clone()], &y[plane]);
            T::run(BackwardColumns::<T, LOG> { grad, y, inner, column, out });
        });
    }
}

/// The largest value of a row that is not empty; NaN where there is one.
#[inline(always)]
pub(crate) fn largest<T: Float>(x: &[T]) -> T {
    lanes::fold(x, T::NEG_INFINITY, |v| v, T::maximum)
}

/// Σ exp(x − shift)
#[inline(always)]
pub(crate) fn sum_exp<T: Float>(x: &[T], shift: T) -> f64 {
    lanes::fold(x, 0.0, |v| (v - shift).exp().to_f64(), |a, b| a + b)
}

/// The largest values of columns, and Σ exp(x − largest) of each, for as many columns from `column` on as
/// `most` and `sums` have.
#[inline(always)]
pub(crate) fn column_sums<T: Float>(x: &[T], inner: usize, column: usize, most: &mut [T], sums: &mut [f64]) {
    let width = most.len();
    let sums = &mut sums[..width];
    most.fill(T::NEG_INFINITY);
    sums.fill(0.0);
    for row in x.chunks_exact(inner) {
        for (most, &v) in most.iter_mut().zip(&row[column..][..width]) {
            *most = most.maximum(v);
        }
    }
    for row in x.chunks_exact(inner) {
        for ((sum, &v), &most) in sums.iter_mut().zip(&row[column..][..width]).zip(most.iter()) {
            *sum += (v - most).exp().to_f64();
        }
    }
}

#[inline(always)]
fn log_sum<T: Float>(largest: T, sum: f64) -> T {
    // With an infinite largest value the differences above were NaN; it is the result itself.
    if largest.is_finite() { T::from_f64(largest.to_f64() + sum.ln()) } else { largest }
}

struct LogSumRows<'a, T> {
    x: &'a [T],
    n: usize,
    out: &'a mut [T],
}

impl<T: Float> Kernel for LogSumRows<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (x, out) in self.x.chunks_exact(self.n).zip(self.out) {
            let most = largest(x);
            *out = log_sum(most, sum_exp(x, most));
        }
    }
}

struct LogSumColumns<'a, T> {
    x: &'a [T],
    inner: usize,
    column: usize,
    out: &'a mut [T],
}

impl<T: Float> Kernel for LogSumColumns<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let mut sums = [0.0; WIDTH];
        column_sums(self.x, self.inner, self.column, self.out, &mut sums);
        for (out, &sum) in self.out.iter_mut().zip(&sums) {
            *out = log_sum(*out, sum);
        }
    }
}

struct ForwardRows<'a, T, const LOG: bool> {
    x: &'a [T],
    n: usize,
    out: &'a mut [T],
}

impl<T: Float, const LOG: bool> Kernel for ForwardRows<'_, T, LOG> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (x, out) in self.x.chunks_exact(self.n).zip(self.out.chunks_exact_mut(self.n)) {
            let most = largest(x);
            if LOG {
                let log = T::from_f64(sum_exp(x, most).ln());
                for (out, &v) in out.iter_mut().zip(x) {
                    *out = (v - most) - log;
                }
            } else {
                for (out, &v) in out.iter_mut().zip(x) {
                    *out = (v - most).exp();
                }
                let scale = T::from_f64(lanes::fold(out, 0.0, T::to_f64, |a, b| a + b).recip());
                out.iter_mut().for_each(|out| *out *= scale);
            }
        }
    }
}

struct ForwardColumns<'a, T, const LOG: bool> {
    x: &'a [T],
    inner: usize,
    column: usize,
    out: Strip<'a, T>,
}

impl<T: Float, const LOG: bool> Kernel for ForwardColumns<'_, T, LOG> {
    type Output = ();
    #[inline(always)]
    fn run(mut self) {
        let width = self.out.width();
        let (mut most, mut sums, mut last) = ([T::ZERO; WIDTH], [0.0; WIDTH], [T::ZERO; WIDTH]);
        column_sums(self.x, self.inner, self.column, &mut most[..width], &mut sums);
        for (last, &sum) in last.iter_mut().zip(&sums[..width]) {
            *last = T::from_f64(if LOG { sum.ln() } else { sum.recip() });
        }
        for (r, row) in self.x.chunks_exact(self.inner).enumerate() {
            let row = &row[self.column..][..width];
            for (((out, &v), &most), &last) in self.out.row_mut(r).iter_mut().zip(row).zip(&most).zip(&last) {
                *out = if LOG { (v - most) - last } else { (v - most).exp() * last };
            }
        }
    }
}

/// One element of the gradient, from the row's sum.
#[inline(always)]
fn gradient<T: Float, const LOG: bool>(grad: T, y: T, sum: T) -> T {
    if LOG { grad - y.exp() * sum } else { y * (grad - sum) }
}

/// One element's part of the row's sum.
#[inline(always)]
fn term<T: Float, const LOG: bool>(grad: T, y: T) -> f64 {
    if LOG { grad.to_f64() } else { (grad * y).to_f64() }
}

struct BackwardRows<'a, T, const LOG: bool> {
    grad: &'a [T],
    y: &'a [T],
    n: usize,
    out: &'a mut [T],
}

impl<T: Float, const LOG: bool> Kernel for BackwardRows<'_, T, LOG> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let rows = self.grad.chunks_exact(self.n).zip(self.y.chunks_exact(self.n));
        for ((grad, y), out) in rows.zip(self.out.chunks_exact_mut(self.n)) {
            let sum = T::from_f64(lanes::fold2((grad, y), 0.0, term::<T, LOG>, |a, b| a + b));
            for ((out, &grad), &y) in out.iter_mut().zip(grad).zip(y) {
                *out = gradient::<T, LOG>(grad, y, sum);
            }
        }
    }
}

struct BackwardColumns<'a, T, const LOG: bool> {
    grad: &'a [T],
    y: &'a [T],
    inner: usize,
    column: usize,
    out: Strip<'a, T>,
}

impl<T: Float, const LOG: bool> Kernel for BackwardColumns<'_, T, LOG> {
    type Output = ();
    #[inline(always)]
    fn run(mut self) {
        let (width, inner, column) = (self.out.width(), self.inner, self.column);
        let mut sums = [0.0; WIDTH];
        for (grad, y) in self.grad.chunks_exact(inner).zip(self.y.chunks_exact(inner)) {
            let (grad, y) = (&grad[column..][..width], &y[column..][..width]);
            for ((sum, &grad), &y) in sums.iter_mut().zip(grad).zip(y) {
                *sum += term::<T, LOG>(grad, y);
            }
        }
        for (r, (grad, y)) in self.grad.chunks_exact(inner).zip(self.y.chunks_exact(inner)).enumerate() {
            let (grad, y) = (&grad[column..][..width], &y[column..][..width]);
            for (((out, &grad), &y), &sum) in self.out.row_mut(r).iter_mut().zip(grad).zip(y).zip(&sums) {
                *out = gradient::<T, LOG>(grad, y, T::from_f64(sum));
            }
        }
    }
}
