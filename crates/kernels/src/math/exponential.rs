//! eˣ and its relatives in `f32`.
//!
//! x = n·ln 2 + r with an integer n and |r| ≤ ln 2 / 2. Then eˣ = 2ⁿ·(1 + q) with q = eʳ − 1, which is r times a
//! polynomial in r, so that eˣ − 1 = 2ⁿ·q + (2ⁿ − 1) loses nothing where x is small.

use super::{ROUND, polynomial};

/// (eʳ − 1)/r on |r| ≤ ln 2 / 2, constant term first; off by less than 2⁻³⁷ of its value.
const EXP_M1: [f64; 8] = [
    0.999999999995473,
    0.4999999999995475,
    0.16666666787028753,
    0.04166666678698556,
    0.008333283339034426,
    0.0013888838910996056,
    0.00019907702175735054,
    2.4868002978056962e-05,
];

/// Beyond these eˣ is 0 or infinite in `f32`, and 2ⁿ is still an `f64`.
const LEAST: f64 = -150.0;
const MOST: f64 = 150.0;

/// 2ⁿ and q.
#[inline(always)]
fn parts(x: f64) -> (f64, f64) {
    // A NaN stays: it compares false.
    let x = if x < LEAST { LEAST } else { x };
    let x = if x > MOST { MOST } else { x };
    let rounded = x * std::f64::consts::LOG2_E + ROUND;
    let r = x - (rounded - ROUND) * std::f64::consts::LN_2;
    // The low bits of `rounded` are n; those above them fall off at the top.
    let scale = f64::from_bits((rounded.to_bits() << 52).wrapping_add(1.0f64.to_bits()));
    (scale, r * polynomial(&EXP_M1, r))
}

#[inline(always)]
pub(super) fn exp_f64(x: f64) -> f64 {
    let (scale, q) = parts(x);
    scale + scale * q
}

#[inline(always)]
fn exp_m1_f64(x: f64) -> f64 {
    let (scale, q) = parts(x);
    scale * q + (scale - 1.0)
}

/// eˣ
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    exp_f64(f64::from(x)) as f32
}

/// eˣ − 1
#[inline(always)]
pub(crate) fn exp_m1(x: f32) -> f32 {
    signed(exp_m1_f64(f64::from(x)) as f32, x)
}

/// tanh x = (e²ˣ − 1) / (e²ˣ + 1)
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let e = exp_m1_f64(2.0 * f64::from(x));
    signed((e / (e + 2.0)) as f32, x)
}

/// The value with the sign of x, which a zero has too.
#[inline(always)]
fn signed(value: f32, x: f32) -> f32 {
    value.copysign(x)
}
