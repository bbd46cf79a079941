//! Running sums, and products of all values but one, over the middle dimension of a contiguous
//! `[outer, n, inner]` array.
//!
//! A run is walked in order by one thread, so that results are those of the plain loop; runs side by side are
//! shared out.

use crate::Float;
use crate::strips::strips_mut;

/// The estimated time for an element, in nanoseconds.
const NS: f64 = 1.0;
/// Columns in a task.
const WIDTH: usize = 64;

/// Σ of x₀ … xᵢ at each i, or, with `reverse`, of xᵢ … xₙ₋₁; accumulated in `f64`.
pub fn cumsum<T: Float>(x: &[T], dims: [usize; 3], reverse: bool, out: &mut [T]) {
    running(x, dims, reverse, out, 0.0, |sum, v| sum + v.to_f64(), T::from_f64);
}

/// As [`cumsum`]; wraps around on overflow.
pub fn cumsum_i64(x: &[i64], dims: [usize; 3], reverse: bool, out: &mut [i64]) {
    running(x, dims, reverse, out, 0, i64::wrapping_add, |sum| sum);
}

/// A fold of each run, of which every step is kept.
fn running<T: Copy + Send + Sync, A: Copy + Sync>(
    x: &[T],
    dims: [usize; 3],
    reverse: bool,
    out: &mut [T],
    start: A,
    step: impl Fn(A, T) -> A + Sync,
    finish: impl Fn(A) -> T + Sync,
) {
    let [_, n, inner] = dims;
    assert_eq!(x.len(), dims.iter().product::<usize>(), "input length");
    strips_mut(out, dims, WIDTH, NS * x.len() as f64, |plane, column, mut out| {
        let x = &x[plane * n * inner..][..n * inner];
        let mut sums = [start; WIDTH];
        for i in 0..n {
            let row = if reverse { n - 1 - i } else { i };
            let elements = x[row * inner + column..].iter().zip(&mut sums);
            for (out, (&v, sum)) in out.row_mut(row).iter_mut().zip(elements) {
                *sum = step(*sum, v);
                *out = finish(*sum);
            }
        }
    });
}

/// `scale` times the product of all xⱼ with j ≠ i, at each i: the gradient of a product, exact where values are
/// zero. `scale` is `[outer, inner]`.
pub fn prod_of_others<T: Float>(x: &[T], scale: &[T], dims: [usize; 3], out: &mut [T]) {
    let [outer, n, inner] = dims;
    assert_eq!(x.len(), dims.iter().product::<usize>(), "input length");
    assert_eq!(scale.len(), outer * inner, "scale length");
    strips_mut(out, dims, WIDTH, 2.0 * NS * x.len() as f64, |plane, column, mut out| {
        let x = &x[plane * n * inner..][..n * inner];
        let mut before = [T::ONE; WIDTH];
        for row in 0..n {
            let elements = x[row * inner + column..].iter().zip(&mut before);
            for (out, (&v, before)) in out.row_mut(row).iter_mut().zip(elements) {
                *out = *before;
                *before *= v;
            }
        }
        let mut after = [T::ONE; WIDTH];
        let width = out.width();
        after[..width].copy_from_slice(&scale[plane * inner + column..][..width]);
        for row in (0..n).rev() {
            let elements = x[row * inner + column..].iter().zip(&mut after);
            for (out, (&v, after)) in out.row_mut(row).iter_mut().zip(elements) {
                *out *= *after;
                *after *= v;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{affordable, numbers, on_thread_counts};

    const SHAPES: [[usize; 3]; 6] = [[1, 5, 1], [3, 4, 1], [2, 3, 5], [1, 100, 300], [0, 3, 2], [2, 0, 3]];

    fn naive(dims: [usize; 3], f: impl Fn(&dyn Fn(usize) -> usize, usize, usize) -> f64) -> Vec<f64> {
        let [outer, n, inner] = dims;
        (0..outer * n * inner)
            .map(|k| {
                let (plane, row, column) = (k / (n * inner), k / inner % n, k % inner);
                f(&|j| (plane * n + j) * inner + column, row, plane * inner + column)
            })
            .collect()
    }

    #[test]
    fn running_sums_go_both_ways() {
        for dims in affordable(SHAPES, |dims| dims.iter().product()) {
            let x = numbers(1, dims.iter().product());
            for reverse in [false, true] {
                let got = on_thread_counts(|| {
                    let mut out = vec![f64::NAN; x.len()];
                    cumsum(&x, dims, reverse, &mut out);
                    out
                });
                let want = naive(dims, |at, i, _| match reverse {
                    false => (0..=i).map(|j| x[at(j)]).sum(),
                    true => (i..dims[1]).map(|j| x[at(j)]).sum(),
                });
                crate::testing::assert_close(&got, &want, 1e-12);
            }
        }
    }

    #[test]
    fn one_value_is_left_out_of_each_product() {
        for dims in affordable(SHAPES, |dims| dims.iter().product()) {
            let mut x = numbers(2, dims.iter().product());
            x.iter_mut().skip(2).step_by(7).for_each(|x| *x = 0.0);
            let scale = numbers(3, dims[0] * dims[2]);
            let got = on_thread_counts(|| {
                let mut out = vec![f64::NAN; x.len()];
                prod_of_others(&x, &scale, dims, &mut out);
                out
            });
            let want = naive(dims, |at, i, run| {
                scale[run] * (0..dims[1]).filter(|&j| j != i).map(|j| x[at(j)]).product::<f64>()
            });
            crate::testing::assert_close(&got, &want, 1e-12);
        }
    }
}
