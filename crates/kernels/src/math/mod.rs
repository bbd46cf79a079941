//! Functions of a number as bodies without branches, which inline into loops and vectorise.
//!
//! Those of `f32` are computed in `f64`: twice the arithmetic, hardly any rounding error but the last one, and
//! no care for cancellation. Memory is slower than either. Those of `f64` are the standard library's, where it
//! has them.

mod erf;
mod exponential;
mod logarithm;
mod power;
mod trigonometric;

pub(crate) use erf::erf;
pub(crate) use exponential::{exp, exp_m1, tanh};
pub(crate) use logarithm::{ln, ln_1p, log2, log10};
pub(crate) use power::powf;
pub(crate) use trigonometric::{cos, sin, tan};

/// c₀ + c₁t + c₂t² + …
#[inline(always)]
fn polynomial<T: crate::Float, const N: usize>(coefficients: &[f64; N], t: T) -> T {
    coefficients.iter().rev().fold(T::ZERO, |sum, &c| sum * t + T::of(c))
}

/// 1.5 · 2⁵²: added to a number below 2⁵¹ it leaves the nearest integer in the low bits, and taken off again
/// the integer itself. Rounding instructions are not in every set, nor are conversions to 64-bit integers.
const ROUND: f64 = 6755399441055744.0;

#[cfg(test)]
mod tests;
