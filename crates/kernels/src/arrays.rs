//! One function of the elements of several contiguous arrays of one length: its values, or their sum without
//! an array for the values. Losses are made of these two.

use crate::lanes::{LANES, fold, fold2, merge};
use crate::parallel;
use crate::simd::Kernel;
use crate::{Buffer, Float};

/// Elements in a piece of work. Fixed, so that results never depend on the number of threads.
const PIECE: usize = if cfg!(miri) { 256 } else { 16_384 };

/// A function of an element of each of `N` arrays.
///
/// A trait and not a closure, because [`at`](Function::at) must be `#[inline(always)]`: only within the loop is it
/// compiled for each instruction set. By value, with its options in it: behind a reference the compiler would reckon
/// with an output that changes the options, and not vectorise.
pub trait Function<T, const N: usize>: Copy + Sync {
    /// The value. Implementations must be `#[inline(always)]`.
    fn at(self, elements: [T; N]) -> T;
}

/// `out[i] = f(a[i], b[i], …)`.
///
/// `ns` is the estimated time for an element on one thread, in nanoseconds.
pub fn map<T: Float, const N: usize>(arrays: [&[T]; N], out: &mut [T], ns: f64, f: impl Function<T, N>) {
    assert!(arrays.iter().all(|array| array.len() == out.len()), "array lengths");
    let total = ns * out.len() as f64;
    parallel::chunks_mut(out, PIECE, total, |i, out| {
        let arrays = arrays.map(|array| &array[i * PIECE..][..out.len()]);
        T::run(Map { arrays, out, f });
    });
}

/// Σ `f(a[i], b[i], …)`, accumulated in `f64`. 0 where the arrays are empty.
///
/// `ns` is the estimated time for an element on one thread, in nanoseconds.
pub fn sum<T: Float, const N: usize>(arrays: [&[T]; N], ns: f64, f: impl Function<T, N>) -> f64 {
    let n = arrays[0].len();
    assert!(arrays.iter().all(|array| array.len() == n), "array lengths");
    let mut partial = Buffer::<f64>::recycled(n.div_ceil(PIECE));
    parallel::chunks_mut(&mut partial, 1, ns * n as f64, |i, partial| {
        let arrays = arrays.map(|array| &array[i * PIECE..n.min((i + 1) * PIECE)]);
        partial[0] = T::run(Sum { arrays, f });
    });
    fold(&partial, 0.0, |v| v, |a, b| a + b)
}

/// As [`sum`], with the function computed in `f64` too, and slowly: for values that are out of the range of `T`.
#[cold]
pub fn sum_wide<T: Float, const N: usize>(arrays: [&[T]; N], f: impl Function<f64, N>) -> f64 {
    (0..arrays[0].len()).map(|i| f.at(arrays.map(|array| array[i].to_f64()))).sum()
}

/// Σ `a[i]·b[i]`, multiplied and accumulated in `f64`.
pub fn dot<T: Float>(a: &[T], b: &[T]) -> f64 {
    assert_eq!(a.len(), b.len(), "array lengths");
    let mut partial = Buffer::<f64>::recycled(a.len().div_ceil(PIECE));
    parallel::chunks_mut(&mut partial, 1, 0.3 * a.len() as f64, |i, partial| {
        let range = i * PIECE..a.len().min((i + 1) * PIECE);
        partial[0] = T::run(Dot { a: &a[range.clone()], b: &b[range] });
    });
    fold(&partial, 0.0, |v| v, |a, b| a + b)
}

/// The first place i at which `holds(a[i])` is false.
pub fn position_of_exception<T: Float>(
    array: &[T],
    holds: impl Fn(T) -> bool + Sync + Copy,
) -> Option<usize> {
    // Nothing is written but a flag for each piece: whether it has to be searched.
    let mut flags = Buffer::<bool>::recycled(array.len().div_ceil(PIECE));
    parallel::chunks_mut(&mut flags, 1, 0.3 * array.len() as f64, |i, flag| {
        let array = &array[i * PIECE..array.len().min((i + 1) * PIECE)];
        flag[0] = T::run(All { array, holds });
    });
    let start = flags.iter().position(|all| !all)? * PIECE;
    array[start..].iter().position(|&v| !holds(v)).map(|i| start + i)
}

struct Map<'a, T, F, const N: usize> {
    arrays: [&'a [T]; N],
    out: &'a mut [T],
    f: F,
}

impl<T: Float, F: Function<T, N>, const N: usize> Kernel for Map<'_, T, F, N> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Map { arrays, out, f } = self;
        let arrays: [&[T]; N] = std::array::from_fn(|k| &arrays[k][..out.len()]);
        for (i, out) in out.iter_mut().enumerate() {
            *out = f.at(std::array::from_fn(|k| arrays[k][i]));
        }
    }
}

struct Sum<'a, T, F, const N: usize> {
    arrays: [&'a [T]; N],
    f: F,
}

impl<T: Float, F: Function<T, N>, const N: usize> Kernel for Sum<'_, T, F, N> {
    type Output = f64;
    #[inline(always)]
    fn run(self) -> f64 {
        let mut lanes = [0.0; LANES];
        let Sum { arrays, f } = self;
        let rows = arrays.map(|array| array.as_chunks::<LANES>());
        for r in 0..rows[0].0.len() {
            let row: [&[T; LANES]; N] = std::array::from_fn(|k| &rows[k].0[r]);
            for (lane, sum) in lanes.iter_mut().enumerate() {
                *sum += f.at(std::array::from_fn(|k| row[k][lane])).to_f64();
            }
        }
        for (lane, sum) in lanes.iter_mut().enumerate().take(rows[0].1.len()) {
            *sum += f.at(std::array::from_fn(|k| rows[k].1[lane])).to_f64();
        }
        merge(lanes, |a, b| a + b)
    }
}

struct Dot<'a, T> {
    a: &'a [T],
    b: &'a [T],
}

impl<T: Float> Kernel for Dot<'_, T> {
    type Output = f64;
    #[inline(always)]
    fn run(self) -> f64 {
        fold2((self.a, self.b), 0.0, |a, b| a.to_f64() * b.to_f64(), |a, b| a + b)
    }
}

struct All<'a, T, F> {
    array: &'a [T],
    holds: F,
}

impl<T: Copy, F: Fn(T) -> bool> Kernel for All<'_, T, F> {
    type Output = bool;
    #[inline(always)]
    fn run(self) -> bool {
        // No way out of the loop but its end, or it would not be vectorised.
        self.array.iter().fold(true, |all, &v| all & (self.holds)(v))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_close, numbers, on_thread_counts};

    #[derive(Clone, Copy)]
    struct Formula;

    impl Function<f64, 3> for Formula {
        #[inline(always)]
        fn at(self, [a, b, c]: [f64; 3]) -> f64 {
            a * b - c
        }
    }

    #[test]
    fn values_and_sums_are_those_of_the_definition() {
        for n in [0, 1, 63, 64, 65, 1000, PIECE, 3 * PIECE + 70] {
            let (a, b, c) = (numbers(1, n), numbers(2, n), numbers(3, n));
            let (values, total) = on_thread_counts(|| {
                let mut out = vec![9.0; n];
                map([&a, &b, &c], &mut out, 1e3, Formula);
                (out, sum([&a, &b, &c], 1e3, Formula))
            });
            let product = on_thread_counts(|| dot(&a, &b));
            assert_close(&[product], &[(0..n).map(|i| a[i] * b[i]).sum()], 1e-11);
            let want: Vec<f64> = (0..n).map(|i| a[i] * b[i] - c[i]).collect();
            assert_close(&values, &want, 0.0);
            assert_close(&[total], &[want.iter().sum()], 1e-11);
        }
    }

    #[test]
    fn the_first_exception_is_found() {
        for n in [0, 1, PIECE, 3 * PIECE + 70] {
            for first in [0, 5, PIECE, 2 * PIECE + 3, 3 * PIECE + 69] {
                let mut array = vec![1.0f32; n];
                array.iter_mut().skip(first).step_by(7).for_each(|v| *v = f32::NAN);
                let found = on_thread_counts(|| position_of_exception(&array, |v| v >= 0.0));
                assert_eq!(found, (first < n).then_some(first), "{first} of {n}");
            }
        }
    }
}
