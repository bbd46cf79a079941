//! Natural logarithms in `f32`.
//!
//! x = 2ⁿ·m with m between √½ and √2, and with f = m − 1 and s = f/(2 + f): ln m = 2·artanh s =
//! f − (f²/2 − s·(f²/2 + R)), where R is s² times a polynomial in s². So f, which is exact, is the largest term, and
//! the errors of the others hardly show.

use super::polynomial;

/// (2·artanh s − 2s)/s³ by t = s² on 0 ≤ t ≤ ((√2 − 1)/(√2 + 1))², constant term first; off by less than 2⁻²⁹ of
/// its value.
const ARTANH: [f64; 4] = [0.6666666655404201, 0.4000012221181065, 0.28550778633191964, 0.23331614471843498];

/// ln 2 in two parts: a product of the first, of 15 bits, and an exponent is exact.
const LN_2_FIRST: f32 = 0.693_145_75;
const LN_2_SECOND: f32 = 1.428_606_8e-6;

const SQRT_HALF: u32 = std::f32::consts::FRAC_1_SQRT_2.to_bits();
const TWO_23: f32 = 8_388_608.0;

/// n, and m − 1, of a positive normal number.
#[inline(always)]
fn split(x: f32) -> (f32, f32) {
    // Counted from √½: the bits above the mantissa then step where m does.
    let steps = x.to_bits().wrapping_sub(SQRT_HALF) >> 23;
    let m = f32::from_bits(x.to_bits().wrapping_sub(steps << 23));
    // Below √½ the steps are negative: 9 bits of two's complement, made a float by way of the mantissa.
    let signed = (steps ^ 0x100) | TWO_23.to_bits();
    (f32::from_bits(signed) - (TWO_23 + 256.0), m - 1.0)
}

/// n·ln 2 + ln(1 + f), and `correction` on top, which is small.
#[inline(always)]
fn combine(n: f32, f: f32, correction: f32) -> f32 {
    let s = f / (2.0 + f);
    let t = s * s;
    let half = 0.5 * f * f;
    let small = s.mul_add(t.mul_add(polynomial(&ARTANH, t), half), n.mul_add(LN_2_SECOND, correction));
    n.mul_add(LN_2_FIRST, f - (half - small))
}

/// `value`, or what a logarithm is at the ends of its domain.
#[inline(always)]
fn at_ends(x: f32, value: f32) -> f32 {
    let value = if x == f32::INFINITY { x } else { value };
    let value = if x == 0.0 { f32::NEG_INFINITY } else { value };
    if x >= 0.0 { value } else { f32::NAN }
}

/// ln x
#[inline(always)]
pub(crate) fn ln(x: f32) -> f32 {
    // Numbers without a full mantissa are scaled first.
    let small = x < f32::MIN_POSITIVE;
    let scaled = if small { x * TWO_23 } else { x };
    let (n, f) = split(scaled);
    let n = if small { n - 23.0 } else { n };
    at_ends(x, combine(n, f, 0.0))
}

/// ln(1 + x)
#[inline(always)]
pub(crate) fn ln_1p(x: f32) -> f32 {
    let sum = 1.0 + x;
    let (n, f) = split(sum);
    // What the sum has lost, brought back where it counts; the exponent of a larger sum makes it vanish.
    let lost = if x < 1.0 { x - (sum - 1.0) } else { 1.0 - (sum - x) };
    let y = at_ends(sum, combine(n, f, lost / sum));
    let y = if n == 0.0 { combine(0.0, x, 0.0) } else { y };
    // Keeps the sign of a zero.
    if x == 0.0 { x } else { y }
}
