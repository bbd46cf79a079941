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
        let mut drawn = vec![0; samples];
        self.multinomial_rows(&mut drawn, weights, [1, weights.len(), samples], replacement)?;
        Ok(drawn)
    }

    /// Draws for several rows of weights at once, as `torch.multinomial` does for a matrix: `out` has a row of
    /// `samples` for each of `rows` rows of `width` weights.
    ///
    /// # Errors
    ///
    /// As [`multinomial`](Generator::multinomial), for each row, and when the lengths do not fit.
    pub fn multinomial_rows<T>(
        &mut self,
        out: &mut [i64],
        weights: &[T],
        [rows, width, samples]: [usize; 3],
        replacement: bool,
    ) -> Result<(), String>
    where
        T: RandomFloat + PartialOrd + Into<f64>,
    {
        if samples == 0 {
            return Err("multinomial: the number of samples must be greater than 0".into());
        }
        if width == 0 {
            return Err("multinomial: a weight greater than 0 is needed, got none among 0".into());
        }
        if weights.len() != rows * width || out.len() != rows * samples {
            return Err(format!(
                "multinomial: {} weights and {} places do not make {rows} rows of {width} weights and {samples} samples",
                weights.len(),
                out.len()
            ));
        }
        for row in weights.chunks(width) {
            check(row, samples, replacement)?;
        }
        let pairs = out.chunks_mut(samples).zip(weights.chunks(width));
        // PyTorch draws a single sample by the method without replacement.
        if replacement && samples > 1 {
            pairs.for_each(|(out, weights)| self.with_replacement(out, weights));
        } else {
            pairs.for_each(|(out, weights)| self.without_replacement(out, weights));
        }
        Ok(())
    }

    /// Finds uniform values in the cumulative distribution.
    fn with_replacement<T: RandomFloat + Into<f64>>(&mut self, out: &mut [i64], weights: &[T]) {
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
        out.fill_with(|| {
            let uniform = f64::unit(self);
            cumulative.partition_point(|&bound| bound < uniform) as i64
        });
    }

    /// The categories whose weight over an exponential value is greatest
    /// (Efraimidis and Spirakis, 2006), in falling order of that ratio.
    fn without_replacement<T: RandomFloat + Into<f64>>(&mut self, out: &mut [i64], weights: &[T]) {
        let clocks: Vec<T> = weights.iter().map(|_| self.exponential_one(1.0)).collect();
        let ratio = |i: usize| -> f64 { T::from_f64(weights[i].into() / clocks[i].into()).into() };
        // A weight of zero over a clock of zero would be NaN: it is never chosen.
        let mut order: Vec<usize> = (0..weights.len()).filter(|&i| weights[i].into() > 0.0).collect();
        order.sort_by(|&a, &b| ratio(b).total_cmp(&ratio(a)));
        out.iter_mut().zip(order).for_each(|(out, i)| *out = i as i64);
    }
}

fn check<T: RandomFloat + Into<f64>>(weights: &[T], samples: usize, replacement: bool) -> Result<(), String> {
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
            "multinomial: without replacement at most as many samples as weights greater than 0 can be drawn, got \
             {samples} samples and {positive} such weights"
        ));
    }
    Ok(())
}
