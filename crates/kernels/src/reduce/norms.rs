//! Norms of vectors.

use super::NS;
use super::fold::{Rule, fold};
use crate::Float;

/// (Σ |x|ᵖ)^(1/p) of `x`, contiguous `[outer, n, inner]`, over n, in `f64`: the largest |x| for p = ∞, the smallest for
/// p = −∞, the number of elements other than 0 for p = 0 (`torch.linalg.vector_norm`). 0 where n is 0.
///
/// A NaN makes the result NaN, unless p = 0, where it counts. No power on the way is too large or too small.
pub fn norms<T: Float>(x: &[T], dims: [usize; 3], p: f64, out: &mut [f64]) {
    if x.is_empty() {
        return out.fill(0.0);
    }
    let size = |v: T| v.to_f64().abs();
    // What is folded is compiled for each of these; other powers take far longer themselves.
    if p == f64::INFINITY {
        return fold(x, dims, out, NS, Rule { identity: 0.0, map: size, combine: larger });
    } else if p == f64::NEG_INFINITY {
        return fold(x, dims, out, NS, Rule { identity: f64::INFINITY, map: size, combine: smaller });
    } else if p == 0.0 {
        let counts = |v: T| if v == T::ZERO { 0.0 } else { 1.0 };
        return fold(x, dims, out, NS, Rule { identity: 0.0, map: counts, combine: |a, b| a + b });
    } else if p == 1.0 {
        fold(x, dims, out, NS, Rule { identity: 0.0, map: size, combine: |a, b| a + b });
    } else if p == 2.0 {
        let square = |v: T| v.to_f64() * v.to_f64();
        fold(x, dims, out, NS, Rule { identity: 0.0, map: square, combine: |a, b| a + b });
    } else if p == 3.0 {
        let cube = |v: T| v.to_f64() * v.to_f64() * size(v);
        fold(x, dims, out, NS, Rule { identity: 0.0, map: cube, combine: |a, b| a + b });
    } else {
        let power = |v: T| size(v).powf(p);
        fold(x, dims, out, 20.0 * NS, Rule { identity: 0.0, map: power, combine: |a, b| a + b });
    }
    let [_, n, inner] = dims;
    for (i, out) in out.iter_mut().enumerate() {
        // In these bounds no power of an element that counts has overflowed or lost digits.
        let in_range = (1e-280..1e300).contains(out) || size_of::<T>() == 4 && p.abs() <= 6.0;
        let first = i / inner * n * inner + i % inner;
        *out = match in_range {
            true if p == 1.0 => *out,
            true if p == 2.0 => out.sqrt(),
            true => out.powf(1.0 / p),
            false => careful(x[first..].iter().step_by(inner).take(n).map(|&v| size(v)), p),
        };
    }
}

/// The norm of sizes that are divided by the one that counts most.
#[cold]
fn careful(sizes: impl Iterator<Item = f64> + Clone, p: f64) -> f64 {
    let most =
        if p > 0.0 { sizes.clone().fold(0.0, larger) } else { sizes.clone().fold(f64::INFINITY, smaller) };
    if most == 0.0 || !most.is_finite() {
        return most;
    }
    most * sizes.map(|size| (size / most).powf(p)).sum::<f64>().powf(1.0 / p)
}

/// The larger of the two; a NaN wins.
#[inline(always)]
fn larger(a: f64, b: f64) -> f64 {
    if a > b || a.is_nan() { a } else { b }
}

/// The smaller of the two; a NaN wins.
#[inline(always)]
fn smaller(a: f64, b: f64) -> f64 {
    if a < b || a.is_nan() { a } else { b }
}
