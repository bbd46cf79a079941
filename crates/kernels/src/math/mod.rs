//! Functions of a number as bodies without branches, which inline into loops and vectorise.
//!
//! The exponential, the logarithm and tanh of `f32`, which softmax and activations are made of, are computed in
//! `f32` with an error of about one unit in the last place at most; the others in `f64`, where only the last rounding
//! shows. Those of `f64` are the standard library's, where it has them.

mod erf;
mod exponential;
mod logarithm;
mod logarithm_f64;
mod power;
mod trigonometric;

pub(crate) use erf::erf;
pub(crate) use exponential::{exp, exp_m1, tanh};
pub(crate) use logarithm::{ln, ln_1p};
pub(crate) use logarithm_f64::{log2, log10};
pub(crate) use power::powf;
pub(crate) use trigonometric::{cos, sin, tan};

/// c₀ + c₁t + c₂t² + … Multiplications and additions are fused everywhere in these functions, so that every
/// instruction set gives the same bits.
#[inline(always)]
fn polynomial<T: crate::Float, const N: usize>(coefficients: &[f64; N], t: T) -> T {
    // A plain loop: of a closure the compiler may make a call, which is the end of vectorising.
    let mut sum = T::of(coefficients[N - 1]);
    let mut i = N - 1;
    while i > 0 {
        i -= 1;
        sum = sum.mul_add(t, T::of(coefficients[i]));
    }
    sum
}

/// 1.5 · 2⁵²: added to a number below 2⁵¹ it leaves the nearest integer in the low bits, and taken off again
/// the integer itself. Rounding instructions are not in every set, nor are conversions to integers.
const ROUND: f64 = 6755399441055744.0;
/// 1.5 · 2²³: the same for an `f32` below 2²².
const ROUND_F32: f32 = 12582912.0;

#[cfg(test)]
mod tests;
