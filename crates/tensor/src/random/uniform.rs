//! Uniform real numbers.

use super::{Generator, RandomFloat};

impl Generator {
    /// Fills `out` with uniform values in `[from, to)`, as
    /// `Tensor.uniform_(from, to)` does; `from` 0 and `to` 1 is `torch.rand`.
    ///
    /// A value that rounds to `to` becomes `from`. Where `from == to`, every
    /// value is `from`, and numbers are drawn all the same.
    ///
    /// # Errors
    ///
    /// When `from > to`, a bound is NaN or infinite in the type of `out`, or
    /// `to - from` overflows it. Nothing is drawn then.
    pub fn uniform<T: RandomFloat>(&mut self, out: &mut [T], from: f64, to: f64) -> Result<(), String> {
        if from > to || from.is_nan() || to.is_nan() {
            return Err(format!("uniform: `from` must not exceed `to`, got from = {from} and to = {to}"));
        }
        if from < -T::MAX || to > T::MAX || to - from > T::MAX {
            return Err(format!(
                "uniform: `from`, `to` and `to - from` must be finite in the type drawn, got from = {from} and to = {to}"
            ));
        }
        let (from, to) = (T::from_f64(from), T::from_f64(to));
        out.fill_with(|| {
            let value = T::unit(self).stretch(from, to);
            if value == to { from } else { value }
        });
        Ok(())
    }
}
