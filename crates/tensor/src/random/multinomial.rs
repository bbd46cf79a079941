//! Draws of categories by weight.

use super::{Generator, RandomFloat};

impl Generator {
    /// Draws `samples` category indices with probabilities proportional to
    /// `weights`, as `torch.multinomial` does for one row. Each weight is at
    /// least 0, and they need not add up to 1.
    ///
    /// # Errors
    ///
    /// When `samples` is 0, a weight is negative, NaN or infinite, all are
    /// zero, or more different categories are asked for than have a weight
    /// greater than 0. Nothing is drawn then.
    pub fn multinomial<T>(
        &mut self,
        weights: &[T],
        samples: usize,
        replacement: bool,
    ) -> Result<Vec<i64>, String>
    where
        T: RandomFloat + PartialOrd + Into<f64>,
    {
        if samples == 0 {
            return Err("multinomial: the number of samples must be greater than 0".into());
        }
        for (i, &weight) in weights.iter().enumerate() {
            let weight: f64 = weight.into();
            if !weight.is_finite() || weight < 0.0 {
                return Err(format!(
                    "multinomial: weights must be finite and at least 0, got {weight} at index {i}"
                ));
            }
        }
        let positive = weights.iter().filter(|&&weight| weight.into() > 0.0).count();
        if positive == 0 {
            return Err(format!(
                "multinomial: a weight greater than 0 is needed, got none among {}",
                weights.len()
            ));
        }
        if !replacement && samples > positive {
            return Err(format!(
                "multinomial: without replacement at most as many samples as weights greater than 0 can be \
                 drawn, got {samples} samples and {positive} such weights"
            ));
        }
        // PyTorch draws a single sample by the method without replacement.
        if replacement && samples > 1 {
            Ok(self.with_replacement(weights, samples))
        } else {
            self.without_replacement(weights, samples)
        }
    }

    /// Finds uniform values in the cumulative distribution.
    fn with_replacement<T: RandomFloat + Into<f64>>(&mut self, weights: &[T], samples: usize) -> Vec<i64> {
        // Sums are rounded to the weights' type at each step, as PyTorch's are.
        let round = |value: f64| -> f64 { T::from_f64(value).into() };
        let mut sum = 0.0;
        let mut cumulative: Vec<f64> = Vec::with_capacity(weights.len());
        for &weight in weights {
            sum = round(sum + weight.into());
            cumulative.push(sum);
        }
        for value in &mut cumulative {
            *value = round(*value / sum);
        }
        if let Some(last) = cumulative.last_mut() {
            *last = 1.0;
        }
        (0..samples)
            .map(|_| {
                let uniform = f64::unit(self);
                cumulative.partition_point(|&bound| bound < uniform) as i64
            })
            .collect()
    }

    /// The categories whose weight over an exponential value is greatest
    /// (Efraimidis and Spirakis, 2006), in falling order of that ratio.
    fn without_replacement<T>(&mut self, weights: &[T], samples: usize) -> Result<Vec<i64>, String>
    where
        T: RandomFloat + Into<f64>,
    {
        let mut clocks = vec![T::from_f64(0.0); weights.len()];
        self.exponential(&mut clocks, 1.0)?;
        let ratio = |i: usize| -> f64 { T::from_f64(weights[i].into() / clocks[i].into()).into() };
        // A weight of zero over a clock of zero would be NaN: it is never chosen.
        let mut order: Vec<usize> = (0..weights.len()).filter(|&i| weights[i].into() > 0.0).collect();
        order.sort_by(|&a, &b| ratio(b).total_cmp(&ratio(a)));
        Ok(order.into_iter().take(samples).map(|i| i as i64).collect())
    }
}
