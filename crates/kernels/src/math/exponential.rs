//! eˣ and its relatives in `f32`.
//!
//! x = n·ln 2 + r with an integer n and |r| ≤ ln 2 / 2. Then eˣ = 2ⁿ·(1 + q) with q = eʳ − 1 = r + r²·(a polynomial
//! in r), and eˣ − 1 = 2ⁿ·q + (2ⁿ − 1) loses nothing where x is small.

use super::{ROUND, ROUND_F32, polynomial};

/// (eʳ − 1 − r)/r² on |r| ≤ ln 2 / 2, constant term first; off by less than 2⁻²⁸ of its value.
const EXP: [f64; 6] = [
    0.5000000013620138,
    0.16666666681794626,
    0.041666463386339524,
    0.008333310754576892,
    0.001393382048977602,
    0.00019891180158282143,
];

/// (tanh x − x)/x³ by z = x² on 0 ≤ x ≤ 0.625, constant term first; off by less than 2⁻²⁷ of its value.
const TANH: [f64; 6] = [
    -0.333333331712397,
    0.13333303420387607,
    -0.05395922726196833,
    0.021768655803763217,
    -0.008343085218832483,
    0.002291770456256263,
];

/// ln 2 in two parts: a product of the first, of 15 bits, and n is exact.
const LN_2_FIRST: f32 = 0.693_145_75;
const LN_2_SECOND: f32 = 1.428_606_8e-6;

/// n, in the low bits of the bits of a float, and q, for an x between −150 and 150.
#[inline(always)]
fn parts(x: f32) -> (u32, f32) {
    let rounded = x.mul_add(std::f32::consts::LOG2_E, ROUND_F32);
    let n = rounded - ROUND_F32;
    let r = n.mul_add(-LN_2_SECOND, n.mul_add(-LN_2_FIRST, x));
    (rounded.to_bits(), (r * r).mul_add(polynomial(&EXP, r), r))
}

/// x, or the nearer of two bounds; a NaN stays, since it compares false.
#[inline(always)]
fn between(x: f32, least: f32, most: f32) -> f32 {
    let x = if x < least { least } else { x };
    if x > most { most } else { x }
}

/// 2 to the power of n + `shift`.
#[inline(always)]
fn power(n: u32, shift: i32) -> f32 {
    // What stands above n falls off at the top.
    f32::from_bits(n.wrapping_add((127 + shift).cast_unsigned()) << 23)
}

/// eˣ
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // Beyond these eˣ is 0 or infinite.
    let x = between(x, -105.0, 89.0);
    let (n, q) = parts(x);
    // 2ⁿ may be too large or too small a number where eˣ is not: the power is taken nearer to 1.
    let small = x < -86.0;
    let scale = power(n, if small { 64 } else { -1 });
    let rest = if small { 1.0 / 18_446_744_073_709_551_616.0 } else { 2.0 };
    scale.mul_add(q, scale) * rest
}

/// eˣ for x ≤ 0; 0 where it is less than the least normal number.
#[inline(always)]
pub(crate) fn exp_of_negative(x: f32) -> f32 {
    let (n, q) = parts(x);
    let scale = power(n, 0);
    if x < -87.0 { 0.0 } else { scale.mul_add(q, scale) }
}

/// eˣ − 1
#[inline(always)]
pub(crate) fn exp_m1(x: f32) -> f32 {
    // Below −20 this is −1.
    let (n, q) = parts(between(x, -20.0, 89.0));
    let half = power(n, -1);
    (half.mul_add(q, half - 0.5) * 2.0).copysign(x)
}

/// tanh x: a polynomial where it bends, and 1 − 2/(e²ˣ + 1).
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let size = x.abs();
    let z = x * x;
    let near = (size * z).mul_add(polynomial(&TANH, z), size);
    // From 10 on this is 1.
    let (n, q) = parts(2.0 * between(size, 0.0, 10.0));
    let scale = power(n, 0);
    let far = 1.0 - 2.0 / (scale.mul_add(q, scale) + 1.0);
    let y = if size < 0.625 { near } else { far };
    y.copysign(x)
}

/// (eʳ − 1)/r on |r| ≤ ln 2 / 2, constant term first; off by less than 2⁻³⁷ of its value.
const EXP_M1_F64: [f64; 8] = [
    0.999999999995473,
    0.4999999999995475,
    0.16666666787028753,
    0.04166666678698556,
    0.008333283339034426,
    0.0013888838910996056,
    0.00019907702175735054,
    2.4868002978056962e-05,
];

/// eˣ to `f32` and a good deal more, for powers; beyond 150 it stays what it is there.
#[inline(always)]
pub(super) fn exp_f64(x: f64) -> f64 {
    let x = if x < -150.0 { -150.0 } else { x };
    let x = if x > 150.0 { 150.0 } else { x };
    let rounded = x.mul_add(std::f64::consts::LOG2_E, ROUND);
    let r = (rounded - ROUND).mul_add(-std::f64::consts::LN_2, x);
    // The low bits of `rounded` are n; those above them fall off at the top.
    let scale = f64::from_bits((rounded.to_bits() << 52).wrapping_add(1.0f64.to_bits()));
    scale.mul_add(r * polynomial(&EXP_M1_F64, r), scale)
}
