//! How many of a number of trials succeed.

use super::factorial::stirling_tail;
use super::{Generator, RandomFloat};

impl Generator {
    /// Fills `out` with the numbers of successes in `counts` trials of these probabilities, as
    /// `torch.binomial(counts, probabilities)` does. Counts that are not whole are rounded down.
    ///
    /// # Errors
    ///
    /// When a count is negative or not finite, a probability is not in `[0, 1]`, or the lengths differ. Nothing is
    /// drawn then.
    pub fn binomial<T>(&mut self, out: &mut [T], counts: &[T], probabilities: &[T]) -> Result<(), String>
    where
        T: RandomFloat + Into<f64>,
    {
        if out.len() != counts.len() || out.len() != probabilities.len() {
            return Err(format!(
                "binomial: as many counts and probabilities as values are needed, got {} and {} for {}",
                counts.len(),
                probabilities.len(),
                out.len()
            ));
        }
        for (&count, &p) in counts.iter().zip(probabilities) {
            let (count, p): (f64, f64) = (count.into(), p.into());
            if !count.is_finite() || count < 0.0 {
                return Err(format!("binomial: a count must be finite and at least 0, got {count}"));
            }
            if !(0.0..=1.0).contains(&p) {
                return Err(format!("binomial: a probability must be between 0 and 1, got {p}"));
            }
        }
        for ((value, &count), &p) in out.iter_mut().zip(counts).zip(probabilities) {
            *value = T::from_f64(self.binomial_one(count.into().floor(), p.into()));
        }
        Ok(())
    }

    fn binomial_one(&mut self, count: f64, p: f64) -> f64 {
        if count == 0.0 || p == 0.0 {
            0.0
        } else if p == 1.0 {
            count
        } else if p > 0.5 {
            count - self.binomial_at_most_half(count, 1.0 - p)
        } else {
            self.binomial_at_most_half(count, p)
        }
    }

    fn binomial_at_most_half(&mut self, count: f64, p: f64) -> f64 {
        if count * p >= 10.0 {
            self.binomial_by_rejection(count, p)
        } else {
            self.binomial_by_waiting(count, p)
        }
    }

    /// Adds up the waiting times from success to success, which are geometric.
    fn binomial_by_waiting(&mut self, count: f64, p: f64) -> f64 {
        let failure = (-p).ln_1p();
        let (mut trials, mut successes) = (0.0, 0.0);
        loop {
            trials += (f64::unit(self).ln() / failure).ceil();
            if trials > count {
                return successes;
            }
            successes += 1.0;
        }
    }

    /// Transformed rejection with squeeze: the algorithm BTRS of Hörmann, "The generation of binomial random
    /// variates", 1993.
    fn binomial_by_rejection(&mut self, count: f64, p: f64) -> f64 {
        let deviation = (count * p * (1.0 - p)).sqrt();
        let b = 1.15 + 2.53 * deviation;
        let a = -0.0873 + 0.0248 * b + 0.01 * p;
        let c = count * p + 0.5;
        let squeeze = 0.92 - 4.2 / b;
        let odds = p / (1.0 - p);
        let alpha = (2.83 + 5.1 / b) * deviation;
        let m = ((count + 1.0) * p).floor();
        loop {
            let u = f64::unit(self) - 0.5;
            let v = f64::unit(self);
            let us = 0.5 - u.abs();
            let k = ((2.0 * a / us + b) * u + c).floor();
            if k < 0.0 || k > count {
                continue;
            }
            if us >= 0.07 && v <= squeeze {
                return k;
            }
            let bound = (m + 0.5) * ((m + 1.0) / (odds * (count - m + 1.0))).ln()
                + (count + 1.0) * ((count - m + 1.0) / (count - k + 1.0)).ln()
                + (k + 0.5) * (odds * (count - k + 1.0) / (k + 1.0)).ln()
                + stirling_tail(m)
                + stirling_tail(count - m)
                - stirling_tail(k)
                - stirling_tail(count - k);
            if (v * alpha / (a / (us * us) + b)).ln() <= bound {
                return k;
            }
        }
    }
}
