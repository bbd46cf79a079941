//! Powers of two that bring numbers near 1: for the passes that would leave the range of their type otherwise.
//!
//! Multiplied by them nothing is rounded, so results are those of arithmetic whose exponents have no bounds.

use crate::Float;

/// The power of two that brings `largest` to between 1 and 2, as far as `T` holds it and its reciprocal; 1 where
/// `largest` is no positive number.
pub fn near_one<T: Float>(largest: f64) -> f64 {
    if !(largest > 0.0 && largest.is_finite()) {
        return 1.0;
    }
    let bound = if size_of::<T>() == 4 { 126 } else { 1020 };
    power_of_two((-exponent(largest)).clamp(-bound, bound))
}

/// The exponent e of a number 2^e · m with 1 ≤ m < 2, which must be neither 0 nor infinite nor NaN.
fn exponent(x: f64) -> i32 {
    let field = |x: f64| (x.to_bits() >> 52 & 0x7ff) as i32;
    if x.abs() < f64::MIN_POSITIVE { field(x * power_of_two(64)) - 1023 - 64 } else { field(x) - 1023 }
}

/// 2^e for −1022 ≤ e ≤ 1023.
#[inline(always)]
pub(crate) fn power_of_two(e: i32) -> f64 {
    f64::from_bits(((1023 + e) as u64) << 52)
}

/// The sum of two numbers, and what rounding took from it (Knuth).
#[inline(always)]
pub(crate) fn two_sum(a: f64, b: f64) -> [f64; 2] {
    let sum = a + b;
    let of_b = sum - a;
    [sum, (a - (sum - of_b)) + (b - of_b)]
}

/// A sum of squares that rounding has made negative is 0; a NaN stays.
#[inline(always)]
pub(crate) fn not_negative(x: f64) -> f64 {
    if x < 0.0 { 0.0 } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_to_between_1_and_2() {
        for x in [1.0, 1.5, 2.0, 3e38, 1e-45, 1e-38, 7e306, 1e-300, 1e-12] {
            let scaled = x * near_one::<f64>(x);
            assert!((1.0..2.0).contains(&scaled), "{x}: {scaled}");
        }
        assert_eq!(near_one::<f64>(5e-324), power_of_two(1020));
        assert_eq!(near_one::<f32>(3e38), power_of_two(-126));
        assert_eq!(near_one::<f32>(1e-45), power_of_two(126));
        for x in [0.0, f64::INFINITY, f64::NAN] {
            assert_eq!(near_one::<f32>(x), 1.0);
        }
    }

    #[test]
    fn the_rest_of_a_sum_is_what_it_lacks() {
        assert_eq!(two_sum(1e16, 1.0), [1e16, 1.0]);
        assert_eq!(two_sum(1.0, 1e16), [1e16, 1.0]);
        assert_eq!(two_sum(0.5, 0.25), [0.75, 0.0]);
    }
}
