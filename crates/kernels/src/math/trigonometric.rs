//! Sine, cosine and tangent in `f32`, for arguments of any size.
//!
//! x·2/π = n + t with an integer n and |t| ≤ ½; n mod 4 says which of sine and cosine of t·π/2 it is, and its sign.
//! A large x is a 24-bit integer times a power of two; that power times 2/π is known modulo 4, in two parts of
//! which the first leaves room for the product, so n and t are right for every x.

use super::{ROUND, polynomial};

/// sin √z / √z on 0 ≤ z ≤ (π/4)², constant term first; off by less than 2⁻³⁷ of its value.
const SIN: [f64; 5] = [
    0.9999999999956515,
    -0.16666666631450996,
    0.00833332876883547,
    -0.00019839198092453864,
    2.7173075444014035e-06,
];

/// cos √z there; off by less than 2⁻⁴³ of its value.
const COS: [f64; 6] = [
    0.999999999999944,
    -0.4999999999934787,
    0.041666666543420654,
    -0.0013888880368345476,
    2.4798923457970708e-05,
    -2.7173048390198084e-07,
];

/// The first 256 binary digits of 2/π, most significant first.
const TWO_OVER_PI: [u64; 4] =
    [0xA2F9836E4E441529, 0xFC2757D1F534DDC0, 0xDB6295993C439041, 0xFE5163ABDEBBC561];

/// For each exponent field of an `f32`: its unit in the last place times 2/π, modulo 4, in two parts of which the
/// first has at most 29 bits.
static FIRST: [f64; 256] = units().0;
static SECOND: [f64; 256] = units().1;

const fn units() -> ([f64; 256], [f64; 256]) {
    let (mut first, mut second) = ([f64::NAN; 256], [f64::NAN; 256]);
    let mut field = 0;
    while field < 255 {
        (first[field], second[field]) = unit(if field == 0 { -149 } else { field as i32 - 150 });
        field += 1;
    }
    (first, second)
}

/// 2^`exponent` · 2/π modulo 4, for exponents of at most 104.
const fn unit(exponent: i32) -> (f64, f64) {
    // The digits from the one worth 2 on, or all of them and a scale where none is lost.
    let (skipped, scale) =
        if exponent > 2 { (exponent as u32 - 2, 4.0) } else { (0, power_of_two(exponent)) };
    let [a, b, c, d] = TWO_OVER_PI;
    let (high, low) = ((a as u128) << 64 | b as u128, (c as u128) << 64 | d as u128);
    let digits = if skipped == 0 { high } else { high << skipped | low >> (128 - skipped) };
    // To the nearest multiple of 2⁻²⁹, up or down: a number modulo 4 may as well be negative.
    let first = (digits >> 99) + (digits >> 98 & 1);
    let second = digits.wrapping_sub(first << 99) as i128;
    (first as f64 * power_of_two(-29) * scale, second as f64 * power_of_two(-128) * scale)
}

const fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((1023 + exponent) as u64) << 52)
}

/// n (in the low bits) and t·π/2.
#[inline(always)]
fn reduce(x: f32) -> (u64, f64) {
    let field = (x.to_bits() >> 23) as usize & 0xFF;
    let (first, second) = (FIRST[field], SECOND[field]);
    let below = if field == 0 { 1 } else { field as u64 };
    let integer = f64::from(x) * f64::from_bits((1023 + 150 - below) << 52);
    let (exact, rest) = (integer * first, integer * second);
    let rounded = (exact + rest) + ROUND;
    let t = (exact - (rounded - ROUND)) + rest;
    (rounded.to_bits(), t * std::f64::consts::FRAC_PI_2)
}

/// sin(r + n·π/2)
#[inline(always)]
fn sin_of(n: u64, r: f64) -> f64 {
    let z = r * r;
    let (sin, cos) = (r * polynomial(&SIN, z), polynomial(&COS, z));
    let value = if n & 1 == 0 { sin } else { cos };
    if n & 2 == 0 { value } else { -value }
}

/// sin x
#[inline(always)]
pub(crate) fn sin(x: f32) -> f32 {
    let (n, r) = reduce(x);
    let y = sin_of(n, r) as f32;
    // Keeps the sign of a zero.
    if x == 0.0 { x } else { y }
}

/// cos x
#[inline(always)]
pub(crate) fn cos(x: f32) -> f32 {
    let (n, r) = reduce(x);
    sin_of(n.wrapping_add(1), r) as f32
}

/// tan x
#[inline(always)]
pub(crate) fn tan(x: f32) -> f32 {
    let (n, r) = reduce(x);
    let y = (sin_of(n, r) / sin_of(n.wrapping_add(1), r)) as f32;
    if x == 0.0 { x } else { y }
}
