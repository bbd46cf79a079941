//! The norm of a slice.

use crate::Float;
use crate::reduce::norms;

/// (Σ |x|ᵖ)^(1/p); the largest |x| for p = ∞, the smallest for p = −∞, the number of elements other than 0 for
/// p = 0 (`torch.linalg.vector_norm`). 0 for an empty slice.
///
/// A NaN in `x` makes the result NaN, unless p = 0, where it counts.
pub fn norm<T: Float>(x: &[T], p: f64) -> f64 {
    let mut out = [0.0];
    norms(x, [1, x.len(), 1], p, &mut out);
    out[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norms_are_those_of_the_definition() {
        let x: Vec<f64> = (0..if cfg!(miri) { 701 } else { 70_001 })
            .map(|i| ((i * 37 + 11) % 101) as f64 / 10.0 - 5.0)
            .collect();
        for p in [2.0, 1.0, 0.5, 3.0, -1.5] {
            let sum: f64 = x.iter().map(|v| v.abs().powf(p)).sum();
            let want = sum.powf(1.0 / p);
            let got = norm(&x, p);
            assert!((got - want).abs() <= 1e-10 * want, "p = {p}: {got} instead of {want}");
        }
        assert_eq!(norm(&x, f64::INFINITY), 5.0);
        assert_eq!(norm(&x, f64::NEG_INFINITY), 0.0);
        assert_eq!(norm(&x, 0.0), x.iter().filter(|v| **v != 0.0).count() as f64);
        assert_eq!(norm::<f32>(&[], 2.0), 0.0);
    }

    #[test]
    fn squares_of_f32_do_not_overflow_and_a_nan_is_not_lost() {
        assert!((norm(&[3e30f32, 4e30], 2.0) / 5e30 - 1.0).abs() < 1e-7);
        let mut x = vec![1f32; if cfg!(miri) { 400 } else { 40_000 }];
        x[7] = f32::NAN;
        for p in [2.0, 1.0, 3.0, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(norm(&x, p).is_nan(), "p = {p}");
        }
    }

    #[test]
    fn powers_beyond_the_range_of_f64_do_not_show() {
        let close =
            |got: f64, want: f64| assert!((got / want - 1.0).abs() < 1e-14, "{got} instead of {want}");
        for size in [1e200, 1e-200, 1e307, 1e-307] {
            close(norm(&[size, -size], 2.0), size * 2f64.sqrt());
            close(norm(&[3.0 * size, 4.0 * size], 2.0), 5.0 * size);
            close(norm(&[size, size], 3.0), size * 2f64.cbrt());
            close(norm(&[size, size], -3.0), size / 2f64.cbrt());
            close(norm(&[size, size], 0.5), 4.0 * size);
        }
        close(norm(&[1e-25f32, 1e-25], 2.0), f64::from(1e-25f32) * 2f64.sqrt());
        close(norm(&[1e30f32, 1e30], 40.0), f64::from(1e30f32) * 2f64.powf(0.025));
        close(norm(&[1e200, 1.0], -2.0), 1.0);
        assert_eq!(norm(&[0.0, 0.0], -2.0), 0.0);
        assert_eq!(norm(&[0.0, f64::INFINITY], 2.0), f64::INFINITY);
    }
}
