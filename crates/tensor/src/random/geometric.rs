//! How often one tries until the first success.

use super::{Generator, RandomFloat};

impl Generator {
    /// Fills `out` with numbers of trials, from 1 on, until one of probability `p` succeeds, as
    /// `Tensor.geometric_(p)` does: one `f64` uniform value for each, whatever the type of `out`.
    ///
    /// # Errors
    ///
    /// When `p` is not strictly between 0 and 1. Nothing is drawn then.
    pub fn geometric<T: RandomFloat>(&mut self, out: &mut [T], p: f64) -> Result<(), String> {
        if !(p > 0.0 && p < 1.0) {
            return Err(format!("geometric: `p` must be between 0 and 1, both excluded, got {p}"));
        }
        let failure = (-p).ln_1p();
        out.fill_with(|| T::from_f64((f64::unit(self).ln() / failure).ceil()));
        Ok(())
    }
}
