//! Exponentially distributed numbers.

use super::{Generator, RandomFloat};

impl Generator {
    /// Fills `out` with exponential values of rate `lambda`, as
    /// `Tensor.exponential_(lambda)` does: one `f64` uniform value for each,
    /// whatever the type of `out`.
    ///
    /// # Errors
    ///
    /// When `lambda` is not greater than 0. Nothing is drawn then.
    pub fn exponential<T: RandomFloat>(&mut self, out: &mut [T], lambda: f64) -> Result<(), String> {
        if lambda.is_nan() || lambda <= 0.0 {
            return Err(format!("exponential: `lambda` must be greater than 0, got {lambda}"));
        }
        out.fill_with(|| self.exponential_one(lambda));
        Ok(())
    }

    pub(super) fn exponential_one<T: RandomFloat>(&mut self, lambda: f64) -> T {
        T::from_f64(-1.0 / lambda * (-f64::unit(self)).ln_1p())
    }
}
