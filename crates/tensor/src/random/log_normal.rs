//! Numbers whose logarithms are normally distributed.

use super::{Generator, RandomFloat};

impl Generator {
    /// Fills `out` with the exponentials of normal values of this mean and standard deviation, as
    /// `Tensor.log_normal_(mean, std)` does: drawn one by one in double precision, whatever the length.
    ///
    /// # Errors
    ///
    /// When `std` is not greater than 0. Nothing is drawn then.
    pub fn log_normal<T: RandomFloat>(&mut self, out: &mut [T], mean: f64, std: f64) -> Result<(), String> {
        if std.is_nan() || std <= 0.0 {
            return Err(format!("log_normal: `std` must be greater than 0, got {std}"));
        }
        out.fill_with(|| T::from_f64(self.standard_normal().mul_add(std, mean).exp()));
        Ok(())
    }
}
