//! Norms of a slice, accumulated in `f64` in a fixed order.

use crate::lanes;
use crate::parallel;
use crate::simd::Kernel;
use crate::{Buffer, Float};

/// Elements in a block, each of which gives one partial result.
const BLOCK: usize = 32_768;
/// The estimated time for an element, in nanoseconds.
const NS: f64 = 0.15;

/// (Σ |x|ᵖ)^(1/p); the largest |x| for p = ∞, the smallest for p = −∞, the number of elements other than 0 for
/// p = 0 (`torch.linalg.vector_norm`). 0 for an empty slice.
///
/// A NaN in `x` makes the result NaN, unless p = 0, where it counts.
pub fn norm<T: Float>(x: &[T], p: f64) -> f64 {
    if x.is_empty() {
        return 0.0;
    }
    if p == f64::INFINITY {
        fold(x, f64::NEG_INFINITY, |v| v.to_f64().abs(), larger)
    } else if p == f64::NEG_INFINITY {
        fold(x, f64::INFINITY, |v| v.to_f64().abs(), |a, b| -larger(-a, -b))
    } else if p == 2.0 {
        fold(x, 0.0, |v| v.to_f64() * v.to_f64(), |a, b| a + b).sqrt()
    } else if p == 1.0 {
        fold(x, 0.0, |v| v.to_f64().abs(), |a, b| a + b)
    } else if p == 0.0 {
        fold(x, 0.0, |v| if v == T::ZERO { 0.0 } else { 1.0 }, |a, b| a + b)
    } else {
        fold(x, 0.0, |v| v.to_f64().abs().powf(p), |a, b| a + b).powf(1.0 / p)
    }
}

/// The larger of the two; a NaN wins.
#[inline(always)]
fn larger(a: f64, b: f64) -> f64 {
    if a > b || a.is_nan() { a } else { b }
}

fn fold<T: Float>(
    x: &[T],
    identity: f64,
    map: impl Fn(T) -> f64 + Copy + Sync,
    combine: impl Fn(f64, f64) -> f64 + Copy + Sync,
) -> f64 {
    let mut partial = Buffer::<f64>::recycled(x.len().div_ceil(BLOCK));
    parallel::chunks_mut(&mut partial, 1, NS * x.len() as f64, |i, out| {
        let x = &x[i * BLOCK..((i + 1) * BLOCK).min(x.len())];
        out[0] = T::run(Block { x, identity, map, combine });
    });
    partial.iter().fold(identity, |a, &b| combine(a, b))
}

struct Block<'a, T, M, C> {
    x: &'a [T],
    identity: f64,
    map: M,
    combine: C,
}

impl<T: Copy, M: Fn(T) -> f64, C: Fn(f64, f64) -> f64> Kernel for Block<'_, T, M, C> {
    type Output = f64;
    #[inline(always)]
    fn run(self) -> f64 {
        lanes::fold(self.x, self.identity, self.map, self.combine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norms_are_those_of_the_definition() {
        let x: Vec<f64> = (0..if cfg!(miri) { 701 } else { 70_001 })
            .map(|i| ((i * 37 + 11) % 101) as f64 / 10.0 - 5.0)
            .collect();
        for p in [2.0, 1.0, 0.5, 3.0, -1.5] {
            let sum: f64 = x.iter().map(|v| v.abs().powf(p)).sum();
            let want = sum.powf(1.0 / p);
            let got = norm(&x, p);
            assert!((got - want).abs() <= 1e-10 * want, "p = {p}: {got} instead of {want}");
        }
        assert_eq!(norm(&x, f64::INFINITY), 5.0);
        assert_eq!(norm(&x, f64::NEG_INFINITY), 0.0);
        assert_eq!(norm(&x, 0.0), x.iter().filter(|v| **v != 0.0).count() as f64);
        assert_eq!(norm::<f32>(&[], 2.0), 0.0);
    }

    #[test]
    fn squares_of_f32_do_not_overflow_and_a_nan_is_not_lost() {
        assert!((norm(&[3e30f32, 4e30], 2.0) / 5e30 - 1.0).abs() < 1e-7);
        let mut x = vec![1f32; if cfg!(miri) { 400 } else { 40_000 }];
        x[7] = f32::NAN;
        for p in [2.0, 1.0, 3.0, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(norm(&x, p).is_nan(), "p = {p}");
        }
    }
}
