//! Layer normalisation of the rows of a contiguous `[rows, n]` array: y = (x − mean) / √(variance + eps) · weight +
//! bias, where mean and biased variance are the row's and weight and bias are `[n]`.
//!
//! A row stays in the cache between the passes over it. The gradients of weight and bias, sums over rows, are
//! gathered by tasks of a fixed number of rows and added up in order.

#[cfg(test)]
mod tests;

use crate::lanes;
use crate::parallel;
use crate::scaling::{near_one, not_negative};
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

/// What a row is normalised with: x̂ = (x · `scale` − `mean`) · `inverse` + `shift`, in this order. `scale` is a power of
/// two, 1 unless numbers are so far from 1 that the pass is to be made in `f64`; `shift` makes up for what rounding took
/// from the mean; `inverse` is 1 / √(variance + eps).
pub type Statistics<T> = [T; 4];

/// Normalises rows of `n` into `out`; `statistics` of each row are kept for the way
/// back. Means are accumulated in `f64`, deviations from them in `T` by stretches.
pub fn forward<T: Float>(
    x: &[T],
    n: usize,
    eps: f64,
    affine: Affine<'_, T>,
    out: &mut [T],
    statistics: &mut [Statistics<T>],
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
    statistics: &'a mut [Statistics<T>],
}

impl<T: Float> Kernel for Forward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Affine { weight, bias } = self.affine;
        let rows = self.x.chunks_exact(self.n).zip(self.out.chunks_exact_mut(self.n));
        for ((x, out), statistics) in rows.zip(self.statistics) {
            *statistics = of_row(x, self.eps);
            let [scale, mean, inverse, shift] = *statistics;
            if scale != T::ONE {
                forward_wide(x, *statistics, self.affine, out);
                continue;
            }
            match (weight, bias) {
                (Some(weight), Some(bias)) => {
                    for (((out, &x), &weight), &bias) in out.iter_mut().zip(x).zip(weight).zip(bias) {
                        *out = (x - mean).mul_add(inverse, shift).mul_add(weight, bias);
                    }
                }
                (Some(weight), None) => {
                    for ((out, &x), &weight) in out.iter_mut().zip(x).zip(weight) {
                        *out = (x - mean).mul_add(inverse, shift) * weight;
                    }
                }
                (None, bias) => {
                    for (out, &x) in out.iter_mut().zip(x) {
                        *out = (x - mean).mul_add(inverse, shift);
                    }
                    if let Some(bias) = bias {
                        out.iter_mut().zip(bias).for_each(|(out, &bias)| *out += bias);
                    }
                }
            }
        }
    }
}

/// The statistics of a row.
#[inline(always)]
fn of_row<T: Float>(x: &[T], eps: f64) -> Statistics<T> {
    let count = x.len() as f64;
    let mean = lanes::fold(x, 0.0, T::to_f64, |a, b| a + b) / count;
    let rounded = T::from_f64(mean);
    // The squares around a rounded mean are too large by the square of what it was rounded by.
    let squares = lanes::sum(x, |v| (v - rounded) * (v - rounded)) / count;
    // An `f64` mean was rounded too, which only the differences from it tell.
    let rest =
        if size_of::<T>() == 4 { mean - rounded.to_f64() } else { lanes::sum(x, |v| v - rounded) / count };
    let variance = not_negative(squares - rest * rest);
    // Below this, squares of `T` have lost digits, and above they are infinite.
    let least = if size_of::<T>() == 4 { 1e-36 } else { 1e-290 };
    if squares.is_finite() && variance + eps > least {
        let inverse = 1.0 / (variance + eps).sqrt();
        return [T::ONE, rounded, T::from_f64(inverse), T::from_f64(-rest * inverse)];
    }
    of_row_wide(x, eps)
}

/// The statistics of a row of numbers whose squares are too large or too small.
#[cold]
#[inline(never)]
fn of_row_wide<T: Float>(x: &[T], eps: f64) -> Statistics<T> {
    let count = x.len() as f64;
    let largest = x.iter().fold(0.0, |most, v| f64::max(most, v.to_f64().abs()));
    let scale = near_one::<T>(largest.max(eps.max(0.0).sqrt()));
    let sum = |f: &dyn Fn(f64) -> f64| lanes::fold(x, 0.0, |v| f(v.to_f64() * scale), |a, b| a + b);
    let mean = sum(&|v| v) / count;
    let rest = sum(&|v| v - mean) / count;
    let variance = not_negative(sum(&|v| (v - mean) * (v - mean)) / count - rest * rest);
    let inverse = 1.0 / (variance + eps * scale * scale).sqrt();
    let rounded = T::from_f64(mean);
    let rest = (mean - rounded.to_f64()) + rest;
    [scale, rounded.to_f64(), inverse, -rest * inverse].map(T::from_f64)
}

/// A normalised number, in `f64`.
#[inline(always)]
fn normalized_wide<T: Float>(x: T, statistics: Statistics<T>) -> f64 {
    let [scale, mean, inverse, shift] = statistics.map(T::to_f64);
    (x.to_f64() * scale - mean) * inverse + shift
}

/// Normalises a row in `f64`.
#[cold]
#[inline(never)]
fn forward_wide<T: Float>(x: &[T], statistics: Statistics<T>, affine: Affine<'_, T>, out: &mut [T]) {
    for (j, (out, &x)) in out.iter_mut().zip(x).enumerate() {
        let scaled = normalized_wide(x, statistics) * affine.weight.map_or(1.0, |w| w[j].to_f64());
        *out = T::from_f64(scaled + affine.bias.map_or(0.0, |b| b[j].to_f64()));
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
    statistics: &[Statistics<T>],
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
    if total.iter().any(|v| !v.is_finite()) {
        // Rows that are added up in the precision of `T` may be too large for it.
        total.fill(0.0);
        let (of_weight, of_bias) = total.split_at_mut(n);
        for ((grad, x), &statistics) in grad.chunks_exact(n).zip(x.chunks_exact(n)).zip(statistics) {
            add_affine_wide((grad, x), statistics, of_weight, of_bias);
        }
    }
    of_affine.iter_mut().zip(total).for_each(|(out, total)| *out = T::from_f64(*total));
}

struct Backward<'a, T> {
    grad: &'a [T],
    x: &'a [T],
    n: usize,
    statistics: &'a [Statistics<T>],
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
            for (((grad, x), out), &statistics) in rows.zip(statistics) {
                let [scale, mean, inverse, shift] = statistics;
                // ĝ goes to its place in the output first.
                match self.weight {
                    Some(weight) => {
                        for ((out, &g), &w) in out.iter_mut().zip(grad).zip(weight) {
                            *out = g * w;
                        }
                    }
                    None => out.copy_from_slice(grad),
                }
                let sums = lanes::sums2((out, x), |g, x| [g, g * (x - mean).mul_add(inverse, shift)]);
                if scale != T::ONE || !(sums[0].is_finite() && sums[1].is_finite()) {
                    backward_wide((grad, x), statistics, self.weight, out);
                    continue;
                }
                let [sum, product] = sums.map(|sum| T::from_f64(sum / n as f64));
                for (out, &x) in out.iter_mut().zip(x) {
                    *out = (*out - sum - (x - mean).mul_add(inverse, shift) * product) * inverse;
                }
            }
        }
    }
}

/// The gradient of a row, in `f64`.
#[cold]
#[inline(never)]
fn backward_wide<T: Float>(
    (grad, x): (&[T], &[T]),
    statistics: Statistics<T>,
    weight: Option<&[T]>,
    out: &mut [T],
) {
    let scaled = |j: usize| grad[j].to_f64() * weight.map_or(1.0, |w| w[j].to_f64());
    let count = x.len() as f64;
    let (mut sum, mut product) = (0.0, 0.0);
    for (j, &x) in x.iter().enumerate() {
        sum += scaled(j) / count;
        product += scaled(j) / count * normalized_wide(x, statistics);
    }
    let [scale, _, inverse, _] = statistics.map(T::to_f64);
    for (j, (out, &x)) in out.iter_mut().zip(x).enumerate() {
        let through = sum + normalized_wide(x, statistics) * product;
        *out = T::from_f64((scaled(j) - through) * inverse * scale);
    }
}

/// Adds the sums over up to [`GROUP`] rows to the gradients of weight and bias: in the precision of `T` among
/// themselves, so that what is kept in `f64` is read and written once for all of them.
#[inline(always)]
fn add_affine<T: Float>(
    (grad, x): (&[T], &[T]),
    statistics: &[Statistics<T>],
    of_weight: &mut [f64],
    of_bias: &mut [f64],
) {
    let n = of_weight.len();
    if let &[[s0, m0, i0, c0], [s1, m1, i1, c1], [s2, m2, i2, c2], [s3, m3, i3, c3]] = statistics
        && [s0, s1, s2, s3] == [T::ONE; 4]
    {
        let (g0, g1, g2, g3) = (&grad[..n], &grad[n..2 * n], &grad[2 * n..3 * n], &grad[3 * n..4 * n]);
        let (x0, x1, x2, x3) = (&x[..n], &x[n..2 * n], &x[2 * n..3 * n], &x[3 * n..4 * n]);
        let of_bias = &mut of_bias[..n];
        for j in 0..n {
            let pair = g0[j] * (x0[j] - m0).mul_add(i0, c0) + g1[j] * (x1[j] - m1).mul_add(i1, c1);
            let other = g2[j] * (x2[j] - m2).mul_add(i2, c2) + g3[j] * (x3[j] - m3).mul_add(i3, c3);
            of_weight[j] += (pair + other).to_f64();
            of_bias[j] += ((g0[j] + g1[j]) + (g2[j] + g3[j])).to_f64();
        }
        return;
    }
    for ((grad, x), &statistics) in grad.chunks_exact(n).zip(x.chunks_exact(n)).zip(statistics) {
        add_affine_wide((grad, x), statistics, of_weight, of_bias);
    }
}

/// Adds what a row contributes to the gradients of weight and bias.
#[inline(always)]
fn add_affine_wide<T: Float>(
    (grad, x): (&[T], &[T]),
    statistics: Statistics<T>,
    of_weight: &mut [f64],
    of_bias: &mut [f64],
) {
    for (((&g, &x), of_weight), of_bias) in
        grad.iter().zip(x).zip(of_weight.iter_mut()).zip(of_bias.iter_mut())
    {
        *of_weight += g.to_f64() * normalized_wide(x, statistics);
        *of_bias += g.to_f64();
    }
}
