//! Draws of categories by weight.

use chainrule_kernels::memory::try_vec;

use super::{Generator, RandomFloat};

impl Generator {
    /// Draws `samples` category indices with probabilities proportional to
    /// `weights`, as `torch.multinomial` does for one row. Each weight is at
    /// least 0, and they need not add up to 1.
    ///
    /// # Errors
    ///
    /// When `samples` is 0, a weight is negative, NaN or infinite, all are
    /// zero, more different categories are asked for than have a weight
    /// greater than 0, or there is not enough memory. Nothing is drawn then.
    pub fn multinomial<T>(
        &mut self,
        weights: &[T],
        samples: usize,
        replacement: bool,
    ) -> Result<Vec<i64>, String>
    where
        T: RandomFloat + PartialOrd + Into<f64>,
    {
        check_samples(samples)?;
        check(weights, samples, replacement)?;
        let mut drawn = try_vec(samples).map_err(|refused| format!("multinomial: {refused}"))?;
        drawn.resize(samples, 0);
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
        sizes: [usize; 3],
        replacement: bool,
    ) -> Result<(), String>
    where
        T: RandomFloat + PartialOrd + Into<f64>,
    {
        let mut scratch = try_vec(sizes[1]).map_err(|refused| format!("multinomial: {refused}"))?;
        self.multinomial_with(&mut scratch, out, weights, sizes, replacement)
    }

    /// As [`multinomial_rows`](Generator::multinomial_rows), with memory for the numbers of one row.
    pub(crate) fn multinomial_with<T>(
        &mut self,
        scratch: &mut Vec<(f64, i64)>,
        out: &mut [i64],
        weights: &[T],
        [rows, width, samples]: [usize; 3],
        replacement: bool,
    ) -> Result<(), String>
    where
        T: RandomFloat + PartialOrd + Into<f64>,
    {
        check_samples(samples)?;
        if width == 0 {
            return Err("multinomial: a weight greater than 0 is needed, got none among 0".into());
        }
        if Some(weights.len()) != rows.checked_mul(width) || Some(out.len()) != rows.checked_mul(samples) {
            return Err(format!(
                "multinomial: {} weights and {} places do not make {rows} rows of {width} weights and {samples} samples",
                weights.len(),
                out.len()
            ));
        }
        for row in weights.chunks(width) {
            check(row, samples, replacement)?;
        }
        for (out, weights) in out.chunks_mut(samples).zip(weights.chunks(width)) {
            scratch.clear();
            // PyTorch draws a single sample by the method without replacement.
            if replacement && samples > 1 {
                self.with_replacement(scratch, out, weights);
            } else {
                self.without_replacement(scratch, out, weights);
            }
        }
        Ok(())
    }

    /// Finds uniform values in the cumulative distribution.
    fn with_replacement<T>(&mut self, scratch: &mut Vec<(f64, i64)>, out: &mut [i64], weights: &[T])
    where
        T: RandomFloat + Into<f64>,
    {
        // Sums are rounded to the weights' type at each step, as PyTorch's are.
        let round = |value: f64| -> f64 { T::from_f64(value).into() };
        let add = |sum: &mut f64, weight: f64| {
            *sum = round(*sum + weight);
            *sum
        };
        let mut sum = 0.0;
        let weight = |i: i64| -> f64 { weights[i as usize].into() };
        let places = 0..weights.len() as i64;
        scratch
            .extend(places.clone().map(|i| (add(&mut sum, weight(i)), i)).filter(|&(_, i)| weight(i) > 0.0));
        if !sum.is_finite() {
            // The same proportions in numbers whose sum fits.
            let scale = 2f64.powi(-64);
            (sum, _) = (0.0, scratch.clear());
            let sums = places.map(|i| (add(&mut sum, weight(i) * scale), i));
            scratch.extend(sums.filter(|&(_, i)| weight(i) > 0.0));
        }
        for (bound, _) in &mut *scratch {
            *bound = round(*bound / sum);
        }
        if let Some((last, _)) = scratch.last_mut() {
            *last = 1.0;
        }
        out.fill_with(|| {
            let uniform = f64::unit(self);
            scratch[scratch.partition_point(|&(bound, _)| bound < uniform)].1
        });
    }

    /// The categories whose weight over an exponential value is greatest
    /// (Efraimidis and Spirakis, 2006), in falling order of that ratio.
    fn without_replacement<T>(&mut self, scratch: &mut Vec<(f64, i64)>, out: &mut [i64], weights: &[T])
    where
        T: RandomFloat + Into<f64>,
    {
        for (&weight, i) in weights.iter().zip(0..) {
            let clock: T = self.exponential_one(1.0);
            // A weight of zero over a clock of zero would be NaN: it is never chosen.
            if weight.into() > 0.0 {
                scratch.push((T::from_f64(weight.into() / clock.into()).into(), i));
            }
        }
        scratch.sort_unstable_by(|(a, i), (b, j)| b.total_cmp(a).then(i.cmp(j)));
        out.iter_mut().zip(scratch).for_each(|(out, (_, i))| *out = *i);
    }
}

fn check_samples(samples: usize) -> Result<(), String> {
    match samples {
        0 => Err("multinomial: the number of samples must be greater than 0".into()),
        _ => Ok(()),
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
