//! Layer normalisation of the rows of a contiguous `[rows, n]` array: y = (x − mean) / √(variance + eps) · weight +
//! bias, where mean and biased variance are the row's and weight and bias are `[n]`.
//!
//! A row stays in the cache between the passes over it. The gradients of weight and bias, sums over rows, are
//! gathered by tasks of a fixed number of rows and added up in order.

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
                    let (mut out, mut statistics) = (vec![9.0; rows * n], vec![[0.0; 4]; rows]);
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

    /// What single precision makes of a row, and the gradients, beside the definition in double precision.
    #[test]
    fn single_precision_is_right_at_any_mean_and_size() {
        let small = [3.0, -1.0, 2.0, 7.0, 0.5, -4.0];
        for (size, mean) in
            [(1.0, 1e5), (0.01, 1e5), (1.0, 1e7), (1e30, 0.0), (4e37, 4e37), (1e-20, 0.0), (1e-38, 1e-37)]
        {
            let x: Vec<f32> = small.iter().map(|v| (v * size + mean) as f32).collect();
            let grad = [1.0f32, -2.0, 0.5, 3.0, 0.0, 1.0];
            let (weight, bias) = ([2.0f32, 1.0, -1.0, 0.5, 1.5, 1.0], [0.5f32; 6]);
            let wide = |x: &[f32]| x.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>();
            let eps = 1e-12 * size * size;
            // The mean of numbers of f32 is exact to the last digit of f64, up to these sizes.
            let n = x.len() as f64;
            let average = wide(&x).iter().sum::<f64>() / n;
            let sigma = (wide(&x).iter().map(|v| (v - average).powi(2)).sum::<f64>() / n + eps).sqrt();
            let hat: Vec<f64> = wide(&x).iter().map(|v| (v - average) / sigma).collect();
            let g: Vec<f64> = (0..6).map(|j| f64::from(grad[j] * weight[j])).collect();
            let (sum, product) = (g.iter().sum::<f64>() / n, (0..6).map(|j| g[j] * hat[j]).sum::<f64>() / n);
            for (weight, bias) in [(Some(&weight[..]), Some(&bias[..])), (None, None)] {
                let (mut out, mut statistics) = (vec![9.0f32; 6], vec![[0.0; 4]]);
                forward(&x, 6, eps, Affine { weight, bias }, &mut out, &mut statistics);
                let affine = |j: usize| match weight {
                    Some(weight) => hat[j] * f64::from(weight[j]) + 0.5,
                    None => hat[j],
                };
                assert_close(&wide(&out), &(0..6).map(affine).collect::<Vec<_>>(), 5e-7);
                if weight.is_some() {
                    let (mut of_x, mut of_affine) = (vec![9.0f32; 6], vec![9.0f32; 12]);
                    backward(&grad, &x, 6, &statistics, weight, &mut of_x, &mut of_affine);
                    let of_x: Vec<f64> = wide(&of_x).iter().map(|v| v * sigma).collect();
                    let want: Vec<f64> = (0..6).map(|j| g[j] - sum - hat[j] * product).collect();
                    // A gradient of 1e-38 has few digits.
                    assert_close(&of_x, &want, if size > 1e37 { 1e-5 } else { 2e-6 });
                    let want: Vec<f64> = (0..6).map(|j| f64::from(grad[j]) * hat[j]).collect();
                    assert_close(&wide(&of_affine[..6]), &want, 2e-6);
                }
            }
        }
    }
}
