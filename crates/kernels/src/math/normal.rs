//! The normal distribution: what gelu is made of.
//!
//! Far from 0 the distribution function falls like an exponential of a square, so in `f32` it is found as an exponential,
//! and nothing cancels far below zero (in `f64`, where it is ½ − ½·erf, it does):
//!
//! Φ(−a) = exp(−a · Q(a)) / 2 for a ≥ 0, where a polynomial of degree 7 follows Q, or, where the density is wanted too,
//! Φ(−a) = exp(−a²/2) · M(a), with M, the Mills ratio by a factor, a polynomial of degree 12: one exponential for both.

use super::exponential::exp_of_negative;
use super::{erf, polynomial};

/// M(a) by a − 1 on 0 ≤ a ≤ 5, constant term first; Φ(−a) is off by less than 10⁻⁸.
const MILLS: [f64; 13] = [
    0.261_578_298_149_924_17,
    -0.137_363_998_062_111_55,
    0.062_106_894_568_812_52,
    -0.025_085_571_969_671_292,
    0.009_256_923_849_516_97,
    -0.003_166_348_067_314_895_7,
    0.001_011_750_023_848_555,
    -0.000_305_951_853_244_396_7,
    9.086_170_233_677_85e-5,
    -2.619_588_774_040_902e-5,
    6.204_681_099_427_465e-6,
    -9.348_658_817_265_309e-7,
    6.235_809_668_403_216e-8,
];

/// Q(a) = −ln(2·Φ(−a))/a on 0 ≤ a ≤ 5.5, constant term first; Φ(−a) is off by less than 4·10⁻⁹ or
/// 10⁻⁷ of itself. Beyond,
/// a·Q(a) goes on to rise, so that Φ(−a) goes on to fall.
const LOGARITHM: [f64; 8] = [
    0.797_887_327_113_23,
    0.318_279_527_825_098_55,
    0.036_449_281_499_867_8,
    -0.004_987_091_236_378_332,
    0.000_165_169_163_437_720_5,
    9.996_158_247_062_992e-5,
    -2.119_359_985_801_850_3e-5,
    1.458_325_192_404_16e-6,
];

/// Φ(−|x|)
#[inline(always)]
pub(crate) fn normal_tail_f32(x: f32) -> f32 {
    let a = x.abs();
    // From 14 on the tail is 0; the polynomial of infinity would be none.
    let a = if a > 14.0 { 14.0 } else { a };
    0.5 * exp_of_negative(-a * polynomial(&LOGARITHM, a))
}

/// Φ(−|x|) and exp(−x²/2), by which the density is known.
#[inline(always)]
pub(crate) fn normal_tail_and_power_f32(x: f32) -> (f32, f32) {
    let a = x.abs();
    let power = exp_of_negative(-0.5 * (x * x));
    // Beyond 5 less than 10⁻⁶ is left to be followed.
    let near = if a > 5.0 { 5.0 } else { a };
    (power * polynomial(&MILLS, near - 1.0), power)
}

/// [`normal_tail_f32`] in double precision.
#[inline(always)]
pub(crate) fn normal_tail(x: f64) -> f64 {
    0.5 - 0.5 * erf(x.abs() * std::f64::consts::FRAC_1_SQRT_2)
}

/// [`normal_tail_and_power_f32`] in double precision.
#[inline(always)]
pub(crate) fn normal_tail_and_power(x: f64) -> (f64, f64) {
    (normal_tail(x), (-0.5 * (x * x)).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_precision_agrees_with_double() {
        for i in (0..=400_000).step_by(if cfg!(miri) { 4001 } else { 1 }) {
            let x = i as f32 * 1.5e-5 - 3.0;
            let ((tail, power), (want_tail, want_power)) =
                (normal_tail_and_power_f32(x), normal_tail_and_power(f64::from(x)));
            for tail in [tail, normal_tail_f32(x)] {
                assert!((f64::from(tail) - want_tail).abs() < 1e-7, "{x}: {tail}, not {want_tail}");
                assert!((f64::from(tail) / want_tail - 1.0).abs() < 2e-6, "{x}: {tail}, not {want_tail}");
            }
            assert!((f64::from(power) / want_power - 1.0).abs() < 1e-6, "{x}: {power}, not {want_power}");
        }
        for x in [5.0, 6.0, 13.0, 14.0, 1e10, f32::MAX, f32::INFINITY] {
            let (tail, power) = normal_tail_and_power_f32(x);
            assert!((0.0..1e-6).contains(&tail) && (0.0..1e-5).contains(&power), "{x}: {tail}, {power}");
            assert!((0.0..1e-6).contains(&normal_tail_f32(x)), "{x}: {}", normal_tail_f32(x));
            assert_eq!(normal_tail_and_power_f32(-x), (tail, power));
        }
        assert_eq!(normal_tail_and_power_f32(f32::INFINITY), (0.0, 0.0));
        assert_eq!((normal_tail_f32(14.0), normal_tail_f32(f32::INFINITY)), (0.0, 0.0));
        assert!(
            normal_tail_and_power_f32(f32::NAN).0.is_nan() && normal_tail_and_power_f32(f32::NAN).1.is_nan()
        );
        assert!(normal_tail_f32(f32::NAN).is_nan());
    }

    #[test]
    fn the_tail_falls_for_ever() {
        let tails: Vec<f32> = (0..10_000)
            .step_by(if cfg!(miri) { 101 } else { 1 })
            .map(|i| normal_tail_f32(i as f32 * 2e-3))
            .collect();
        assert!(tails.is_sorted_by(|a, b| a > b || (*a == 0.0 && *b == 0.0)));
    }
}
