//! Logarithms of `f32` in `f64`.
//!
//! x = 2ⁿ·m with m between √½ and √2, and ln m = 2·artanh s with s = (m − 1)/(m + 1).

use super::polynomial;

/// artanh √t / √t on 0 ≤ t ≤ ((√2 − 1)/(√2 + 1))², constant term first; off by less than 2⁻⁴⁵ of its value.
const ARTANH: [f64; 6] = [
    0.9999999999999735,
    0.3333333333982248,
    0.19999997435489686,
    0.1428608420710169,
    0.11087075399026866,
    0.09804796182579203,
];

/// n, and m − 1, of a positive normal number.
#[inline(always)]
fn split(x: f64) -> (f64, f64) {
    // Counted from √½: the bits above the mantissa then step where m does.
    const SQRT_HALF: u64 = std::f64::consts::FRAC_1_SQRT_2.to_bits();
    let steps = x.to_bits().wrapping_sub(SQRT_HALF) >> 52;
    let m = f64::from_bits(x.to_bits().wrapping_sub(steps << 52));
    // Below √½ the steps are negative: 12 bits of two's complement, made a float by way of the mantissa.
    let signed = (steps ^ 0x800) | TWO_52.to_bits();
    (f64::from_bits(signed) - (TWO_52 + 2048.0), m - 1.0)
}

const TWO_52: f64 = 4503599627370496.0;

/// ln(1 + f) for f between √½ − 1 and √2 − 1.
#[inline(always)]
fn ln_near_one(f: f64) -> f64 {
    let s = f / (2.0 + f);
    2.0 * s * polynomial(&ARTANH, s * s)
}

/// n and ln m.
#[inline(always)]
fn parts(x: f64) -> (f64, f64) {
    let (n, f) = split(x);
    (n, ln_near_one(f))
}

/// `value`, or what a logarithm is at the ends of its domain.
#[inline(always)]
fn at_ends(x: f64, value: f64) -> f64 {
    let value = if x == f64::INFINITY { x } else { value };
    let value = if x == 0.0 { f64::NEG_INFINITY } else { value };
    if x >= 0.0 { value } else { f64::NAN }
}

/// log₂ x for a float that came from an `f32`.
#[inline(always)]
pub(super) fn log2_f64(x: f64) -> f64 {
    let (n, ln_m) = parts(x);
    at_ends(x, ln_m.mul_add(std::f64::consts::LOG2_E, n))
}

/// log₂ x
#[inline(always)]
pub(crate) fn log2(x: f32) -> f32 {
    log2_f64(f64::from(x)) as f32
}

/// log₁₀ x
#[inline(always)]
pub(crate) fn log10(x: f32) -> f32 {
    let x = f64::from(x);
    let (n, ln_m) = parts(x);
    at_ends(x, ln_m * std::f64::consts::LOG10_E + n * std::f64::consts::LOG10_2) as f32
}
