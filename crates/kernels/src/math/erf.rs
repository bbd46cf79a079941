//! The error function.
//!
//! Below 1, erf x / x is a polynomial in x². From 1 on, erf x = 1 − erfc x, and erfc x is exp(−x²) times a function
//! that a polynomial follows well; there erfc is so much smaller than 1 that its own rounding hardly shows.
//! Both are evaluated and one is chosen, so that loops vectorise.

use super::{exp, polynomial};

/// erf √t / √t − 1 on 0 ≤ t ≤ 1, constant term first; off by less than 10⁻¹⁷.
const BELOW_ONE: [f64; 12] = [
    0.12837916709551256,
    -0.37612638903183543,
    0.11283791670945006,
    -0.02686617064323777,
    0.0052239776071164225,
    -0.0008548325975389692,
    0.00012055294904839707,
    -1.492473690741966e-05,
    1.6447424703317362e-06,
    -1.6208483801871705e-07,
    1.3720064546777686e-08,
    -7.795898827002142e-10,
];

/// The same on 0 ≤ t ≤ 1, for single precision: off by less than 2⁻²⁹ of erf.
const BELOW_ONE_F32: [f64; 7] = [
    0.12837916572676647,
    -0.37612625824338325,
    0.1128358514909717,
    -0.02685381194051053,
    0.005188327676562096,
    -0.0008010193414866168,
    7.853860297964838e-05,
];

/// exp(x²) · erfc x by t = x − 2.5 on 1 ≤ x ≤ 4, for single precision; erfc is off by less than 2⁻²⁶.
const ABOVE_ONE_F32: [f64; 8] = [
    0.21080655357366873,
    -0.07429970480326552,
    0.025157802685610957,
    -0.007804341436666335,
    0.0019660871755815793,
    -0.0019623295413388666,
    -0.0008003511710500526,
    -0.0003888849749425945,
];

/// exp(x²) · erfc x · (x + 3) by t = (x − 3)/(x + 3) on 1 ≤ x ≤ 6; erfc is off by less than 10⁻¹⁶.
const ABOVE_ONE: [f64; 14] = [
    1.074006907088339,
    -0.8833944531698927,
    0.5902283571045226,
    -0.31046726189833945,
    0.11952776124892059,
    -0.02682723479136482,
    -0.0012124153990412815,
    0.003034067457513683,
    -0.0005483255769127654,
    -0.0002768639909744932,
    0.00010761632876041217,
    3.103434972846687e-05,
    -1.7043597992231913e-05,
    -6.39885695985699e-06,
];

/// erf x = 2/√π ∫₀ˣ exp(−t²) dt, to 2 units in the last place.
#[inline(always)]
pub(crate) fn erf(x: f64) -> f64 {
    let a = x.abs();
    let below = a.mul_add(polynomial(&BELOW_ONE, a * a), a);
    // From 6 on erf is 1 to the last bit. A NaN stays: it compares false.
    let a = if a > 6.0 { 6.0 } else { a };
    let r = 1.0 / (a + 3.0);
    let above = 1.0 - (-(a * a)).exp() * (polynomial(&ABOVE_ONE, (a - 3.0) * r) * r);
    let y = if a < 1.0 { below } else { above };
    if x < 0.0 { -y } else { y }
}

/// [`erf`] in single precision.
#[inline(always)]
pub(crate) fn erf_f32(x: f32) -> f32 {
    let a = x.abs();
    let square = x * x;
    let below = a.mul_add(polynomial(&BELOW_ONE_F32, square), a);
    // From 4 on erf is 1 to the last bit. The exponential is that of the density, so that who needs both computes it
    // once.
    let near = if a > 4.0 { 4.0 } else { a };
    let above = exp(-square).mul_add(-polynomial(&ABOVE_ONE_F32, near - 2.5), 1.0);
    let y = if a < 1.0 { below } else { above };
    y.copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// torch.special.erf in float64.
    const TORCH: [(f64, f64); 27] = [
        (1e-300, 1.1283791670955126e-300),
        (1e-20, 1.1283791670955125e-20),
        (1e-05, 1.1283791670579e-05),
        (0.01, 0.011283415555849618),
        (0.1, 0.1124629160182849),
        (0.3, 0.3286267594591274),
        (0.5, 0.5204998778130465),
        (0.7, 0.6778011938374184),
        (0.9, 0.7969082124228322),
        (0.9999999, 0.842700751438961),
        (1.0, 0.8427007929497149),
        (1.0000001, 0.8427008344604605),
        (1.1, 0.8802050695740817),
        (1.3, 0.9340079449406524),
        (1.5, 0.9661051464753108),
        (1.7, 0.9837904585907745),
        (2.0, 0.9953222650189527),
        (2.5, 0.999593047982555),
        (3.0, 0.9999779095030014),
        (3.5, 0.9999992569016276),
        (4.0, 0.9999999845827421),
        (4.7, 0.9999999999700474),
        (5.3, 0.9999999999999338),
        (5.8, 0.9999999999999998),
        (5.95, 1.0),
        (6.1, 1.0),
        (30.0, 1.0),
    ];

    #[test]
    fn agrees_with_torch_to_two_units_in_the_last_place() {
        for (x, want) in TORCH {
            let got = erf(x);
            assert!(got.to_bits().abs_diff(want.to_bits()) <= 2, "erf {x}: {got} instead of {want}");
            assert_eq!(erf(-x), -got);
            // In single precision the argument is rounded too: the derivative is at most 2/√π.
            let (got, want) = (erf_f32(x as f32), want as f32);
            let slack = (x as f32 * f32::EPSILON).min(want * f32::EPSILON);
            assert!(
                (got - want).abs() <= slack + 2.0 * f32::EPSILON * want,
                "erf {x}: {got} instead of {want}"
            );
        }
    }

    #[test]
    fn the_ends_are_one_and_nan_stays() {
        assert_eq!(erf(f64::INFINITY), 1.0);
        assert_eq!(erf_f32(f32::NEG_INFINITY), -1.0);
        assert!(erf_f32(f32::NAN).is_nan());
        assert!(erf_f32(-0.0).to_bits() == (-0.0f32).to_bits());
        assert!(erf(f64::NAN).is_nan());
        assert_eq!(erf(0.0f64), 0.0);
        assert!(erf(-0.0f64) == 0.0);
    }
}
