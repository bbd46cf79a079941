//! Layer normalisation of the rows of a contiguous `[rows, n]` array: y = (x − mean) / √(variance + eps) · weight +
//! bias, where mean and biased variance are the row's and weight and bias are `[n]`.
//!
//! A row stays in the cache between the passes over it. The gradients of weight and bias, sums over rows, are
//! gathered by tasks of a fixed number of rows and added up in order.

use crate::lanes;
use crate::parallel;
use crate::simd::Kernel;
use crate::{Buffer, Float};

/// The estimated time for an element, in nanoseconds.
const NS: f64 = 0.6;
/// Elements in a task.
const PIECE: usize = 32_768;

/// Rows whose parts of the gradients of weight and bias are added up before they join the rest.
const GROUP: usize = 4;

/// What a row is normalised with.
#[derive(Clone, Copy, Debug)]
pub struct Affine<'a, T> {
    /// The scale; 1 where absent.
    pub weight: Option<&'a [T]>,
    /// The shift; 0 where absent.
    pub bias: Option<&'a [T]>,
}

/// Normalises rows of `n` into `out`; `mean` and `inverse` (1 / √(variance + eps)) of each row are kept for the way
/// back. Means are accumulated in `f64`, deviations from them in `T` by stretches.
pub fn forward<T: Float>(
    x: &[T],
    n: usize,
    eps: f64,
    affine: Affine<'_, T>,
    out: &mut [T],
    statistics: &mut [[T; 2]],
) {
    assert!(out.len() == x.len() && statistics.len() * n == x.len(), "lengths");
    assert!(
        affine.weight.is_none_or(|w| w.len() == n) && affine.bias.is_none_or(|b| b.len() == n),
        "affine lengths"
    );
    if x.is_empty() {
        return;
    }
    let rows = (PIECE / n).max(1);
    parallel::chunks_mut2((out, rows * n), (statistics, rows), NS * x.len() as f64, |i, out, statistics| {
        T::run(Forward { x: &x[i * rows * n..][..out.len()], n, eps, affine, out, statistics });
    });
}

struct Forward<'a, T> {
    x: &'a [T],
    n: usize,
    eps: f64,
    affine: Affine<'a, T>,
    out: &'a mut [T],
    statistics: &'a mut [[T; 2]],
}

impl<T: Float> Kernel for Forward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let count = self.n as f64;
        let rows = self.x.chunks_exact(self.n).zip(self.out.chunks_exact_mut(self.n));
        for ((x, out), statistics) in rows.zip(self.statistics) {
            let mean = lanes::fold(x, 0.0, T::to_f64, |a, b| a + b) / count;
            let rounded = T::from_f64(mean);
            // The squares around a rounded mean are too large by the square of what it was rounded by.
            let squares = lanes::sum(x, |v| (v - rounded) * (v - rounded)) / count;
            let variance = (squares - (mean - rounded.to_f64()).powi(2)).max(0.0);
            let (mean, inverse) = (rounded, T::from_f64(1.0 / (variance + self.eps).sqrt()));
            *statistics = [mean, inverse];
            match (self.affine.weight, self.affine.bias) {
                (Some(weight), Some(bias)) => {
                    for (((out, &x), &weight), &bias) in out.iter_mut().zip(x).zip(weight).zip(bias) {
                        *out = ((x - mean) * inverse).mul_add(weight, bias);
                    }
                }
                (Some(weight), None) => {
                    for ((out, &x), &weight) in out.iter_mut().zip(x).zip(weight) {
                        *out = (x - mean) * inverse * weight;
                    }
                }
                (None, bias) => {
                    for (out, &x) in out.iter_mut().zip(x) {
                        *out = (x - mean) * inverse;
                    }
                    if let Some(bias) = bias {
                        out.iter_mut().zip(bias).for_each(|(out, &bias)| *out += bias);
                    }
                }
            }
        }
    }
}

/// The gradients. With x̂ the normalised row and ĝ = grad·weight: that of x is
/// (ĝ − mean(ĝ) − x̂·mean(ĝ·x̂)) · inverse; that of weight the sum of grad·x̂ over rows, that of bias the sum of grad.
///
/// `of_affine` is the gradient of weight and then that of bias, `[2, n]`.
pub fn backward<T: Float>(
    grad: &[T],
    x: &[T],
    n: usize,
    statistics: &[[T; 2]],
    weight: Option<&[T]>,
    of_x: &mut [T],
    of_affine: &mut [T],
) {
    assert!(grad.len() == x.len() && of_x.len() == x.len() && statistics.len() * n == x.len(), "lengths");
    assert!(of_affine.len() == 2 * n && weight.is_none_or(|w| w.len() == n), "affine lengths");
    of_affine.fill(T::ZERO);
    if x.is_empty() {
        return;
    }
    let rows = (PIECE / n).max(1);
    let tasks = statistics.len().div_ceil(rows);
    let mut partial = Buffer::<f64>::recycled(tasks * 2 * n);
    parallel::chunks_mut2(
        (of_x, rows * n),
        (&mut partial, 2 * n),
        2.0 * NS * x.len() as f64,
        |i, of_x, sums| {
            let part = i * rows * n..i * rows * n + of_x.len();
            let statistics = &statistics[i * rows..][..of_x.len() / n];
            T::run(Backward { grad: &grad[part.clone()], x: &x[part], n, statistics, weight, of_x, sums });
        },
    );
    let (total, rest) = partial.split_at_mut(2 * n);
    for part in rest.chunks_exact(2 * n) {
        total.iter_mut().zip(part).for_each(|(total, part)| *total += part);
    }
    of_affine.iter_mut().zip(total).for_each(|(out, total)| *out = T::from_f64(*total));
}

struct Backward<'a, T> {
    grad: &'a [T],
    x: &'a [T],
    n: usize,
    statistics: &'a [[T; 2]],
    weight: Option<&'a [T]>,
    of_x: &'a mut [T],
    sums: &'a mut [f64],
}

impl<T: Float> Kernel for Backward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let n = self.n;
        self.sums.fill(0.0);
        let (of_weight, of_bias) = self.sums.split_at_mut(n);
        // What is read for a group of rows is in the first-level cache when its rows are read again.
        let groups = self.grad.chunks(GROUP * n).zip(self.x.chunks(GROUP * n));
        let groups = groups.zip(self.of_x.chunks_mut(GROUP * n)).zip(self.statistics.chunks(GROUP));
        for (((grad, x), of_x), statistics) in groups {
            add_affine((grad, x), statistics, of_weight, of_bias);
            let rows = grad.chunks_exact(n).zip(x.chunks_exact(n)).zip(of_x.chunks_exact_mut(n));
            for (((grad, x), out), &[mean, inverse]) in rows.zip(statistics) {
                // ĝ goes to its place in the output first.
                match self.weight {
                    Some(weight) => {
                        for ((out, &g), &w) in out.iter_mut().zip(grad).zip(weight) {
                            *out = g * w;
                        }
                    }
                    None => out.copy_from_slice(grad),
                }
                let sums = lanes::sums2((out, x), |g, x| [g, g * ((x - mean) * inverse)]);
                let [sum, product] = sums.map(|sum| T::from_f64(sum / n as f64));
                for (out, &x) in out.iter_mut().zip(x) {
                    *out = (*out - sum - (x - mean) * inverse * product) * inverse;
                }
            }
        }
    }
}

/// Adds the sums over up to [`GROUP`] rows to the gradients of weight and bias: in the precision of `T` among
/// themselves, so that what is kept in `f64` is read and written once for all of them.
#[inline(always)]
fn add_affine<T: Float>(
    (grad, x): (&[T], &[T]),
    statistics: &[[T; 2]],
    of_weight: &mut [f64],
    of_bias: &mut [f64],
) {
    let n = of_weight.len();
    if let &[[m0, i0], [m1, i1], [m2, i2], [m3, i3]] = statistics {
        let (g0, g1, g2, g3) = (&grad[..n], &grad[n..2 * n], &grad[2 * n..3 * n], &grad[3 * n..4 * n]);
        let (x0, x1, x2, x3) = (&x[..n], &x[n..2 * n], &x[2 * n..3 * n], &x[3 * n..4 * n]);
        let of_bias = &mut of_bias[..n];
        for j in 0..n {
            let pair = (g0[j] * ((x0[j] - m0) * i0)) + g1[j] * ((x1[j] - m1) * i1);
            let other = (g2[j] * ((x2[j] - m2) * i2)) + g3[j] * ((x3[j] - m3) * i3);
            of_weight[j] += (pair + other).to_f64();
            of_bias[j] += ((g0[j] + g1[j]) + (g2[j] + g3[j])).to_f64();
        }
        return;
    }
    for ((grad, x), &[mean, inverse]) in grad.chunks_exact(n).zip(x.chunks_exact(n)).zip(statistics) {
        for (((&g, &x), of_weight), of_bias) in
            grad.iter().zip(x).zip(of_weight.iter_mut()).zip(of_bias.iter_mut())
        {
            *of_weight += (g * ((x - mean) * inverse)).to_f64();
            *of_bias += g.to_f64();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{affordable, assert_close, numbers, on_thread_counts};

    #[test]
    fn forward_and_backward_are_the_definitions() {
        for (rows, n) in
            affordable([(1, 1), (3, 5), (9, 70), (70, 130), (9, 5000), (400, 200)], |(r, n)| r * n)
        {
            let (x, grad) = (numbers(1, rows * n), numbers(2, rows * n));
            let (weight, bias) = (numbers(3, n), numbers(4, n));
            for weighted in [true, false] {
                let affine =
                    Affine { weight: weighted.then_some(&weight[..]), bias: weighted.then_some(&bias[..]) };
                let (out, of_x, of_affine) = on_thread_counts(|| {
                    let (mut out, mut statistics) = (vec![9.0; rows * n], vec![[0.0; 2]; rows]);
                    forward(&x, n, 1e-3, affine, &mut out, &mut statistics);
                    let (mut of_x, mut of_affine) = (vec![9.0; rows * n], vec![9.0; 2 * n]);
                    backward(&grad, &x, n, &statistics, affine.weight, &mut of_x, &mut of_affine);
                    (out, of_x, of_affine)
                });
                let (mut want, mut want_x, mut want_affine) = (Vec::new(), Vec::new(), vec![0.0; 2 * n]);
                for r in 0..rows {
                    let (x, grad) = (&x[r * n..][..n], &grad[r * n..][..n]);
                    let mean = x.iter().sum::<f64>() / n as f64;
                    let variance = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64;
                    let sigma = (variance + 1e-3).sqrt();
                    let w = |j: usize| if weighted { weight[j] } else { 1.0 };
                    let hat = |j: usize| (x[j] - mean) / sigma;
                    let g = |j: usize| grad[j] * w(j);
                    let sum = (0..n).map(g).sum::<f64>() / n as f64;
                    let product = (0..n).map(|j| g(j) * hat(j)).sum::<f64>() / n as f64;
                    for j in 0..n {
                        want.push(hat(j) * w(j) + if weighted { bias[j] } else { 0.0 });
                        want_x.push((g(j) - sum - hat(j) * product) / sigma);
                        want_affine[j] += grad[j] * hat(j);
                        want_affine[n + j] += grad[j];
                    }
                }
                assert_close(&out, &want, 1e-12);
                assert_close(&of_x, &want_x, 1e-10);
                assert_close(&of_affine, &want_affine, 1e-10);
            }
        }
    }
}
