//! Functions of a number as bodies without branches, which inline into loops and vectorise.
//!
//! The exponential, the logarithm and tanh of `f32`, which softmax and activations are made of, are computed in
//! `f32` with an error of at most one and a half units in the last place; the others in `f64`, where only the last rounding
//! shows. Those of `f64` are the standard library's, where it has them.

mod erf;
mod exponential;
mod logarithm;
mod logarithm_f64;
mod normal;
mod power;
mod trigonometric;

pub(crate) use erf::{erf, erf_f32};
pub(crate) use exponential::{exp, exp_m1, tanh};
pub(crate) use logarithm::{ln, ln_1p};
pub(crate) use logarithm_f64::{log2, log10};
pub(crate) use normal::{normal_tail, normal_tail_and_power, normal_tail_and_power_f32, normal_tail_f32};
pub(crate) use power::powf;
pub(crate) use trigonometric::{cos, sin, tan};

/// c₀ + c₁t + c₂t² + …, in pairs, which shortens the chain of operations that wait for each other. Multiplications
/// and additions are fused everywhere in these functions, so that every instruction set gives the same bits.
#[inline(always)]
fn polynomial<T: crate::Float, const N: usize>(coefficients: &[f64; N], t: T) -> T {
    let pair = |i: usize| match i + 1 < N {
        true => t.mul_add(T::of(coefficients[i + 1]), T::of(coefficients[i])),
        false => T::of(coefficients[i]),
    };
    let square = t * t;
    // A plain loop: of a fold's closure the compiler may make a call, which is the end of vectorising.
    let mut i = (N - 1) / 2 * 2;
    let mut sum = pair(i);
    while i > 0 {
        i -= 2;
        sum = sum.mul_add(square, pair(i));
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
