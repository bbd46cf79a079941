//! Numbers of events of a Poisson process.

use super::factorial::ln_factorial;
use super::{Generator, RandomFloat};

impl Generator {
    /// Fills `out` with Poisson-distributed numbers of these rates, one for each, as `torch.poisson(rates)` does.
    ///
    /// # Errors
    ///
    /// When a rate is negative or NaN, or the lengths differ. Nothing is drawn then.
    pub fn poisson<T>(&mut self, out: &mut [T], rates: &[T]) -> Result<(), String>
    where
        T: RandomFloat + Into<f64>,
    {
        if out.len() != rates.len() {
            return Err(format!(
                "poisson: as many rates as values are needed, got {} for {}",
                rates.len(),
                out.len()
            ));
        }
        for &rate in rates {
            let rate: f64 = rate.into();
            if rate.is_nan() || rate < 0.0 || rate.is_infinite() {
                return Err(format!("poisson: a rate must be finite and at least 0, got {rate}"));
            }
        }
        for (value, &rate) in out.iter_mut().zip(rates) {
            *value = T::from_f64(self.poisson_one(rate.into()));
        }
        Ok(())
    }

    fn poisson_one(&mut self, rate: f64) -> f64 {
        match rate {
            0.0 => 0.0,
            _ if rate < 10.0 => self.poisson_by_products(rate),
            _ => self.poisson_by_rejection(rate),
        }
    }

    /// Multiplies uniform values until the product is below e^-rate (Knuth).
    fn poisson_by_products(&mut self, rate: f64) -> f64 {
        let limit = (-rate).exp();
        let (mut events, mut product) = (0.0, 1.0);
        loop {
            product *= f64::unit(self);
            if product <= limit {
                return events;
            }
            events += 1.0;
        }
    }

    /// Transformed rejection with squeeze: the algorithm PTRS of Hörmann, "The transformed rejection method for
    /// generating Poisson random variables", 1993.
    fn poisson_by_rejection(&mut self, rate: f64) -> f64 {
        let ln_rate = rate.ln();
        let b = 0.931 + 2.53 * rate.sqrt();
        let a = -0.059 + 0.02483 * b;
        let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
        let squeeze = 0.9277 - 3.6224 / (b - 2.0);
        loop {
            let u = f64::unit(self) - 0.5;
            let v = f64::unit(self);
            let us = 0.5 - u.abs();
            let k = ((2.0 * a / us + b) * u + rate + 0.43).floor();
            if us >= 0.07 && v <= squeeze {
                return k;
            }
            if k < 0.0 || (us < 0.013 && v > us) {
                continue;
            }
            let density = -rate + k * ln_rate - ln_factorial(k);
            if v.ln() + inverse_alpha.ln() - (a / (us * us) + b).ln() <= density {
                return k;
            }
        }
    }
}
