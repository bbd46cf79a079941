//! One function of the elements of several contiguous arrays of one length: its values, or their sum without
//! an array for the values. Losses are made of these two.

use crate::lanes::{LANES, fold, merge};
use crate::parallel;
use crate::simd::Kernel;
use crate::{Buffer, Float};

/// Elements in a piece of work. Fixed, so that results never depend on the number of threads.
const PIECE: usize = 16_384;

/// `out[i] = f(a[i], b[i], …)`.
///
/// `ns` is the estimated time for an element on one thread, in nanoseconds.
pub fn map<T: Float, const N: usize>(
    arrays: [&[T]; N],
    out: &mut [T],
    ns: f64,
    f: impl Fn([T; N]) -> T + Sync,
) {
    assert!(arrays.iter().all(|array| array.len() == out.len()), "array lengths");
    let total = ns * out.len() as f64;
    parallel::chunks_mut(out, PIECE, total, |i, out| {
        let arrays = arrays.map(|array| &array[i * PIECE..][..out.len()]);
        T::run(Map { arrays, out, f: &f });
    });
}

/// Σ `f(a[i], b[i], …)`, accumulated in `f64`. 0 where the arrays are empty.
///
/// `ns` is the estimated time for an element on one thread, in nanoseconds.
pub fn sum<T: Float, const N: usize>(arrays: [&[T]; N], ns: f64, f: impl Fn([T; N]) -> T + Sync) -> f64 {
    let n = arrays[0].len();
    assert!(arrays.iter().all(|array| array.len() == n), "array lengths");
    let mut partial = Buffer::<f64>::recycled(n.div_ceil(PIECE));
    parallel::chunks_mut(&mut partial, 1, ns * n as f64, |i, partial| {
        let arrays = arrays.map(|array| &array[i * PIECE..n.min((i + 1) * PIECE)]);
        partial[0] = T::run(Sum { arrays, f: &f });
    });
    fold(&partial, 0.0, |v| v, |a, b| a + b)
}

struct Map<'a, T, F, const N: usize> {
    arrays: [&'a [T]; N],
    out: &'a mut [T],
    f: &'a F,
}

impl<T: Float, F: Fn([T; N]) -> T, const N: usize> Kernel for Map<'_, T, F, N> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let n = self.out.len();
        let arrays: [&[T]; N] = std::array::from_fn(|k| &self.arrays[k][..n]);
        for (i, out) in self.out.iter_mut().enumerate() {
            *out = (self.f)(std::array::from_fn(|k| arrays[k][i]));
        }
    }
}

struct Sum<'a, T, F, const N: usize> {
    arrays: [&'a [T]; N],
    f: &'a F,
}

impl<T: Float, F: Fn([T; N]) -> T, const N: usize> Kernel for Sum<'_, T, F, N> {
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
    fn values_and_sums_are_those_of_the_definition() {
        for n in [0, 1, 63, 64, 65, 1000, PIECE, 3 * PIECE + 70] {
            let (a, b, c) = (numbers(1, n), numbers(2, n), numbers(3, n));
            let f = |[a, b, c]: [f64; 3]| a * b - c;
            let (values, total) = on_thread_counts(|| {
                let mut out = vec![9.0; n];
                map([&a, &b, &c], &mut out, 1e3, f);
                (out, sum([&a, &b, &c], 1e3, f))
            });
            let want: Vec<f64> = (0..n).map(|i| a[i] * b[i] - c[i]).collect();
            assert_close(&values, &want, 0.0);
            assert_close(&[total], &[want.iter().sum()], 1e-11);
        }
    }
}
