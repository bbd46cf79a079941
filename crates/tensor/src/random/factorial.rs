//! Logarithms of factorials.

use std::f64::consts::TAU;

/// ln k! for a whole k ≥ 0: a product for small ones, Stirling's series for others, good to the last places.
pub(super) fn ln_factorial(k: f64) -> f64 {
    if k < 20.0 {
        return ((2..=k as u64).product::<u64>() as f64).ln();
    }
    let n = k + 1.0;
    (n - 0.5) * n.ln() - n + 0.5 * TAU.ln() + stirling_tail(k)
}

/// ln k! less the closed part of Stirling's formula, (k + ½) ln(k + 1) − (k + 1) + ½ ln 2π.
pub(super) fn stirling_tail(k: f64) -> f64 {
    const SMALL: usize = 10;
    let n = k + 1.0;
    if k < SMALL as f64 {
        let factorial = (2..=k as u64).product::<u64>() as f64;
        return factorial.ln() - ((k + 0.5) * n.ln() - n + 0.5 * TAU.ln());
    }
    let z = 1.0 / (n * n);
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - z / 1680.0) * z) * z) / n
}
