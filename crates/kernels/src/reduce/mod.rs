//! Reductions of a contiguous `[outer, n, inner]` array over its middle dimension, into `[outer, inner]`.
//!
//! Every result is the same bits for every number of threads.

mod extremum;
mod fold;
mod norms;
mod product;
#[cfg(test)]
mod tests;

pub use extremum::extremum;
use fold::{Rule, fold};
pub use norms::norms;
pub use product::{prod, prod_of_others};

use crate::elementwise::{self, View};
use crate::{Buffer, Element, Float, Number};

/// The estimated time for an element, in nanoseconds.
const NS: f64 = 0.15;

/// Sums over n, accumulated in `f64` and rounded once. 0 where n is 0.
pub fn sum<T: Float>(x: &[T], dims: [usize; 3], out: &mut [T]) {
    let mut sums = Buffer::<f64>::recycled(out.len());
    sum_wide(x, dims, 1.0, &mut sums);
    rounded(&sums, out, |sum| sum);
}

/// Sums of `scale · x` over n, in `f64`. 0 where n is 0.
pub fn sum_wide<T: Float>(x: &[T], dims: [usize; 3], scale: f64, out: &mut [f64]) {
    if scale == 1.0 {
        fold(x, dims, out, NS, Rule { identity: 0.0, map: T::to_f64, combine: |a, b| a + b });
    } else {
        let map = |v: T| v.to_f64() * scale;
        fold(x, dims, out, NS, Rule { identity: 0.0, map, combine: |a, b| a + b });
    }
}

/// `out = f(wide)`, rounded to `T`.
pub fn rounded<T: Float>(wide: &[f64], out: &mut [T], f: impl Fn(f64) -> f64 + Sync) {
    let view = View { data: wide, offset: 0, strides: &[1] };
    elementwise::map(&[wide.len()], view, out, NS, |v| T::from_f64(f(v)));
}

/// Sums of `map(x)` over n, wrapping around on overflow: sums of integers, counts of `true`. 0 where n is 0.
pub fn sum_i64<T: Element>(x: &[T], dims: [usize; 3], map: impl Fn(T) -> i64 + Copy + Sync, out: &mut [i64]) {
    fold(x, dims, out, NS, Rule { identity: 0, map, combine: i64::wrapping_add });
}

/// Products over n, wrapping around on overflow. 1 where n is 0.
pub fn prod_i64(x: &[i64], dims: [usize; 3], out: &mut [i64]) {
    fold(x, dims, out, NS, Rule { identity: 1, map: |v| v, combine: i64::wrapping_mul });
}

/// The largest (`larger`) or smallest values over n, without their places; a NaN is both. As `torch.amax` and
/// `torch.amin`. Panics where n is 0 and there are outputs.
pub fn extreme_values<T: Number>(x: &[T], dims: [usize; 3], larger: bool, out: &mut [T]) {
    assert!(dims[1] > 0 || out.is_empty(), "an extreme value of no values");
    if larger { largest(x, dims, out) } else { smallest(x, dims, out) }
}

/// Whether any value over n is true. `false` where n is 0.
pub fn any(x: &[bool], dims: [usize; 3], out: &mut [bool]) {
    largest(x, dims, out);
}

/// Whether all values over n are true. `true` where n is 0.
pub fn all(x: &[bool], dims: [usize; 3], out: &mut [bool]) {
    smallest(x, dims, out);
}

fn largest<T: Number>(x: &[T], dims: [usize; 3], out: &mut [T]) {
    // The infinity becomes the bound of integers; the comparison with zero makes the bound of `bool`.
    let lowest = T::from_f64(f64::NEG_INFINITY).minimum(T::ZERO);
    fold(x, dims, out, NS, Rule { identity: lowest, map: |v| v, combine: T::maximum });
}

fn smallest<T: Number>(x: &[T], dims: [usize; 3], out: &mut [T]) {
    let highest = T::from_f64(f64::INFINITY).maximum(T::ZERO);
    fold(x, dims, out, NS, Rule { identity: highest, map: |v| v, combine: T::minimum });
}
