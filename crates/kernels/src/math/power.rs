//! xʸ in `f32`, as 2 to the power of y·log₂|x|.

use super::exponential::exp_f64;
use super::logarithm_f64::log2_f64;

/// xʸ, with the special cases of IEEE 754: 1 where y is 0 or x is 1, also with a NaN; NaN for a negative number to
/// a power that is not an integer; zeros and infinities with the sign of an odd power.
#[inline(always)]
pub(crate) fn powf(x: f32, y: f32) -> f32 {
    let (wide, power) = (f64::from(x), f64::from(y));
    let size = wide.abs();
    let exponent = power * log2_f64(size);
    let value = exp_f64(exponent * std::f64::consts::LN_2);
    // 1 to an infinite power: 0·∞ is not what is meant.
    let value = if size == 1.0 && !power.is_nan() { 1.0 } else { value };
    // From 2²⁴ on every float is an even integer.
    let (integer, odd) = integer(power);
    let value = if odd { value.copysign(wide) } else { value };
    let value = if wide < 0.0 && !integer && size < f64::INFINITY { f64::NAN } else { value };
    if power == 0.0 || wide == 1.0 { 1.0 } else { value as f32 }
}

/// Whether this is an integer (infinities count), and whether it is odd.
#[inline(always)]
fn integer(y: f64) -> (bool, bool) {
    let nearest = |v: f64| (v + super::ROUND) - super::ROUND;
    let large = y.abs() >= 16_777_216.0;
    let integer = large | (nearest(y) == y);
    (integer, integer & !large & (nearest(0.5 * y) != 0.5 * y))
}
