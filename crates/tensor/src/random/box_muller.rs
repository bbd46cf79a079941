//! The Box-Muller transform on blocks of sixteen values (Box and Muller, 1958).
//!
//! The `f32` form uses the polynomials of Moshier's Cephes library (`logf`,
//! `sinf`, `cosf`) with fused multiply-adds where PyTorch's vector code has
//! them, and not the platform's functions: the values are then PyTorch's bit
//! for bit, and the same on every machine.

use std::f32::consts::FRAC_1_SQRT_2;
use std::f64::consts::PI;

/// Turns eight pairs (`i`, `i + 8`) of uniform values into normal ones.
pub(super) fn block_f64(block: &mut [f64; 16], mean: f64, std: f64) {
    for i in 0..8 {
        let radius = (-2.0 * (1.0 - block[i]).ln()).sqrt();
        let theta = 2.0 * PI * block[i + 8];
        block[i] = (radius * theta.cos()).mul_add(std, mean);
        block[i + 8] = (radius * theta.sin()).mul_add(std, mean);
    }
}

/// Turns eight pairs (`i`, `i + 8`) of uniform values into normal ones.
pub(super) fn block_f32(block: &mut [f32; 16], mean: f32, std: f32) {
    const TWO_PI: f32 = (2.0 * PI) as f32;
    let (first, second) = block.split_at_mut(8);
    for (first, second) in first.iter_mut().zip(second) {
        let radius = (-2.0 * ln(1.0 - *first)).sqrt();
        let (sin, cos) = sin_cos(TWO_PI * *second);
        *first = multiply_add(radius * cos, std, mean);
        *second = multiply_add(radius * sin, std, mean);
    }
}

/// `a * b + c` with one rounding. The product of two `f32` is exact in `f64`,
/// and this form is fast where the processor's own instruction may not be used.
/// (The sum is rounded twice, which shows once in some 10^9 times.)
#[inline]
fn multiply_add(a: f32, b: f32, c: f32) -> f32 {
    (f64::from(a) * f64::from(b) + f64::from(c)) as f32
}

/// Natural logarithm of a normal positive value (Cephes `logf`).
#[inline]
fn ln(value: f32) -> f32 {
    const COEFFICIENTS: [f32; 9] = [
        7.037_683_6e-2,
        -1.151_461e-1,
        1.167_699_84e-1,
        -1.242_014_1e-1,
        1.424_932_3e-1,
        -1.666_805_8e-1,
        2.000_071_4e-1,
        -2.499_999_4e-1,
        0.333_333_3,
    ];
    // ln 2 in two parts; the high one has few enough bits for exact products.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;

    // value = fraction * 2^exponent with the fraction in [√½, √2), x = fraction - 1.
    let bits = value.to_bits();
    let half = f32::from_bits(bits & 0x007f_ffff | 0x3f00_0000);
    let small = half < FRAC_1_SQRT_2;
    let exponent = ((bits >> 23) as i32 - 126 - i32::from(small)) as f32;
    let x = (half - 1.0) + if small { half } else { 0.0 };

    let z = x * x;
    let mut y = COEFFICIENTS[0];
    for &coefficient in &COEFFICIENTS[1..] {
        y = multiply_add(y, x, coefficient);
    }
    y = multiply_add(y * x, z, exponent * LN_2_LOW) - z * 0.5;
    x + y + exponent * LN_2_HIGH
}

/// Sine and cosine of a value in `[0, 2π]` (Cephes `sinf`, `cosf`).
#[inline]
fn sin_cos(value: f32) -> (f32, f32) {
    const FOUR_OVER_PI: f32 = 1.273_239_5;
    // π/4 in three parts, the first two exact in products with an octant.
    const QUARTER_PI: [f32; 3] = [0.785_156_25, 2.418_756_5e-4, 3.774_895e-8];
    const SIN: [f32; 3] = [-1.951_529_6e-4, 8.332_161e-3, -1.666_665_5e-1];
    const COS: [f32; 3] = [2.443_315_7e-5, -1.388_731_6e-3, 4.166_664_6e-2];

    // The nearest even multiple of π/4, by comparisons because these vectorise.
    let quarters = value * FOUR_OVER_PI;
    let octant = 2 * [1.0, 3.0, 5.0, 7.0].map(|bound| i32::from(quarters >= bound)).iter().sum::<i32>();
    let y = octant as f32;
    let x = value - y * QUARTER_PI[0] - y * QUARTER_PI[1] - y * QUARTER_PI[2];

    let z = x * x;
    let polynomial = |c: &[f32; 3]| multiply_add(multiply_add(c[0], z, c[1]), z, c[2]) * z;
    let odd = multiply_add(polynomial(&SIN), x, x);
    let even = multiply_add(polynomial(&COS), z, -(z * 0.5)) + 1.0;

    let (sin, cos) = if octant & 2 == 0 { (odd, even) } else { (even, odd) };
    let flip = |value: f32, sign: i32| f32::from_bits(value.to_bits() ^ ((sign as u32 & 4) << 29));
    (flip(sin, octant), flip(cos, octant + 2))
}
