//! The sum of a function of several arrays, without an array for the function's values.

use crate::lanes::{LANES, fold, merge};
use crate::parallel;
use crate::simd::{self, Kernel};
use crate::{Buffer, Float};

/// Elements in a block. Fixed, so that results never depend on the number of threads.
const BLOCK: usize = 16_384;

/// Σ f(a[i], b[i], …) over arrays of one length, accumulated in `f64`. 0 where they are empty.
///
/// `ns` is the estimated time for an element on one thread, in nanoseconds.
pub fn sum_of<T: Float, const N: usize>(arrays: [&[T]; N], ns: f64, f: impl Fn([T; N]) -> T + Sync) -> f64 {
    let n = arrays[0].len();
    assert!(arrays.iter().all(|array| array.len() == n), "array lengths");
    let mut partial = Buffer::<f64>::recycled(n.div_ceil(BLOCK));
    parallel::chunks_mut(&mut partial, 1, ns * n as f64, |i, partial| {
        let arrays = arrays.map(|array| &array[i * BLOCK..n.min((i + 1) * BLOCK)]);
        partial[0] = simd::run(Block { arrays, f: &f });
    });
    fold(&partial, 0.0, |v| v, |a, b| a + b)
}

struct Block<'a, T, F, const N: usize> {
    arrays: [&'a [T]; N],
    f: &'a F,
}

impl<T: Float, F: Fn([T; N]) -> T, const N: usize> Kernel for Block<'_, T, F, N> {
    type Output = f64;
    #[inline(always)]
    fn run(self) -> f64 {
        let mut lanes = [0.0; LANES];
        let rows = self.arrays.map(|array| array.as_chunks::<LANES>());
        for r in 0..rows[0].0.len() {
            let row: [&[T; LANES]; N] = std::array::from_fn(|k| &rows[k].0[r]);
            for (lane, sum) in lanes.iter_mut().enumerate() {
                *sum += (self.f)(std::array::from_fn(|k| row[k][lane])).to_f64();
            }
        }
        for (lane, sum) in lanes.iter_mut().enumerate().take(rows[0].1.len()) {
            *sum += (self.f)(std::array::from_fn(|k| rows[k].1[lane])).to_f64();
        }
        merge(lanes, |a, b| a + b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_close, numbers, on_thread_counts};

    #[test]
    fn the_sum_is_that_of_the_definition() {
        for n in [0, 1, 63, 64, 65, 1000, BLOCK, 3 * BLOCK + 70] {
            let (a, b, c) = (numbers(1, n), numbers(2, n), numbers(3, n));
            let sum = on_thread_counts(|| sum_of([&a, &b, &c], 1e3, |[a, b, c]| a * b - c));
            let want: f64 = (0..n).map(|i| a[i] * b[i] - c[i]).sum();
            assert_close(&[sum], &[want], 1e-11);
        }
    }
}
