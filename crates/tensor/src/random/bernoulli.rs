//! Zeros and ones.

use super::{Generator, RandomFloat};

impl Generator {
    /// Fills `out` with ones of probability `p` and zeros otherwise, as
    /// `Tensor.bernoulli_(p)` does, dropout's draw: one `f64` uniform value for
    /// each, whatever the type of `out`.
    ///
    /// Builds of PyTorch before 2.15 may leave this one call to a vendor library
    /// with a stream of its own; this is the stream of PyTorch's own kernel.
    ///
    /// # Errors
    ///
    /// When `p` is not in `[0, 1]`. Nothing is drawn then.
    pub fn bernoulli<T: From<bool>>(&mut self, out: &mut [T], p: f64) -> Result<(), String> {
        check(p)?;
        out.fill_with(|| T::from(f64::unit(self) < p));
        Ok(())
    }

    /// Fills `out` with ones of the probabilities given, one for each value, as
    /// `torch.bernoulli(probabilities)` does: the uniform values are of the
    /// type of the probabilities, so [`bernoulli`](Generator::bernoulli) with
    /// the same probability throughout gives other values.
    ///
    /// # Errors
    ///
    /// When a probability is not in `[0, 1]`, or the lengths differ. Nothing is
    /// drawn then.
    pub fn bernoulli_each<P, T>(&mut self, out: &mut [T], probabilities: &[P]) -> Result<(), String>
    where
        P: RandomFloat + PartialOrd + Into<f64>,
        T: From<bool>,
    {
        if out.len() != probabilities.len() {
            return Err(format!(
                "bernoulli: as many probabilities as values are needed, got {} for {}",
                probabilities.len(),
                out.len()
            ));
        }
        for &p in probabilities {
            check(p.into())?;
        }
        for (value, &p) in out.iter_mut().zip(probabilities) {
            *value = T::from(P::unit(self) < p);
        }
        Ok(())
    }
}

fn check(p: f64) -> Result<(), String> {
    if (0.0..=1.0).contains(&p) {
        Ok(())
    } else {
        Err(format!("bernoulli: a probability must be between 0 and 1, got {p}"))
    }
}
