//! Running sums over the middle dimension of a contiguous `[outer, n, inner]` array.
//!
//! A run is walked in order by one thread, so that results are those of the plain loop; runs side by side are
//! shared out.

use crate::Float;
use crate::scaling::power_of_two;
use crate::strips::strips_mut;

/// The estimated time for an element, in nanoseconds.
const NS: f64 = 1.0;
/// Columns in a task.
const WIDTH: usize = 64;

/// Σ of x₀ … xᵢ at each i, or, with `reverse`, of xᵢ … xₙ₋₁; accumulated in `f64`.
pub fn cumsum<T: Float>(x: &[T], dims: [usize; 3], reverse: bool, out: &mut [T]) {
    running(x, dims, reverse, out, 0.0, |sum, v| sum + v.to_f64(), |out, sum| *out = T::from_f64(sum));
    // A sum that is too large may come back into the range of the type: of `f32` it is still a number then, while a sum
    // of `f64` has become infinite.
    if size_of::<T>() == 8 && out.iter().any(|v| !v.is_finite()) {
        let (down, up) = (power_of_two(-64), power_of_two(64));
        let finish = |out: &mut T, sum: f64| {
            if !out.is_finite() {
                *out = T::from_f64(sum * up);
            }
        };
        running(x, dims, reverse, out, 0.0, |sum, v| sum + v.to_f64() * down, finish);
    }
}

/// As [`cumsum`]; wraps around on overflow.
pub fn cumsum_i64(x: &[i64], dims: [usize; 3], reverse: bool, out: &mut [i64]) {
    running(x, dims, reverse, out, 0, i64::wrapping_add, |out, sum| *out = sum);
}

/// A fold of each run, of which every step is kept.
fn running<T: Copy + Send + Sync, A: Copy + Sync>(
    x: &[T],
    dims: [usize; 3],
    reverse: bool,
    out: &mut [T],
    start: A,
    step: impl Fn(A, T) -> A + Sync,
    finish: impl Fn(&mut T, A) + Sync,
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
                finish(out, *sum);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{affordable, numbers, on_thread_counts};

    const SHAPES: [[usize; 3]; 6] = [[1, 5, 1], [3, 4, 1], [2, 3, 5], [1, 100, 300], [0, 3, 2], [2, 0, 3]];

    fn naive(dims: [usize; 3], f: impl Fn(&dyn Fn(usize) -> usize, usize) -> f64) -> Vec<f64> {
        let [outer, n, inner] = dims;
        (0..outer * n * inner)
            .map(|k| {
                let (plane, row, column) = (k / (n * inner), k / inner % n, k % inner);
                f(&|j| (plane * n + j) * inner + column, row)
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
                let want = naive(dims, |at, i| match reverse {
                    false => (0..=i).map(|j| x[at(j)]).sum(),
                    true => (i..dims[1]).map(|j| x[at(j)]).sum(),
                });
                crate::testing::assert_close(&got, &want, 1e-12);
            }
        }
    }

    #[test]
    fn a_sum_comes_back_from_beyond_the_range_of_its_type() {
        let (large, tiny) = (1.5e308, 1e-310);
        let mut out = [0.0; 5];
        cumsum(&[tiny, large, large, -large, 1.0], [1, 5, 1], false, &mut out);
        assert_eq!(out, [tiny, large, f64::INFINITY, large, large]);
        let mut out = [0.0f32; 4];
        cumsum(&[3e38f32, 3e38, -3e38, 1e38], [1, 4, 1], true, &mut out);
        assert_eq!(out[..2], [f32::INFINITY, 1e38]);
        assert!((out[2] / -2e38 - 1.0).abs() < 1e-6);
    }
}
