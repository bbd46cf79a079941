//! Numbers of a Cauchy distribution.

use std::f64::consts::PI;

use super::{Generator, RandomFloat};

impl Generator {
    /// Fills `out` with values of the Cauchy distribution, as `Tensor.cauchy_(median, sigma)` does: one `f64` uniform
    /// value for each, whatever the type of `out`.
    ///
    /// # Errors
    ///
    /// When `sigma` is not greater than 0. Nothing is drawn then.
    pub fn cauchy<T: RandomFloat>(&mut self, out: &mut [T], median: f64, sigma: f64) -> Result<(), String> {
        if sigma.is_nan() || sigma <= 0.0 {
            return Err(format!("cauchy: `sigma` must be greater than 0, got {sigma}"));
        }
        out.fill_with(|| T::from_f64(median + sigma * (PI * (f64::unit(self) - 0.5)).tan()));
        Ok(())
    }
}
