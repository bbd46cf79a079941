//! [`RunningMean`]: the mean over an epoch of what is known batch by batch.

/// The mean over samples of a number that is known batch by batch, such as the loss of an epoch.
///
/// A loss whose reduction is the mean is that of one batch. The mean of these over the batches is not the mean
/// over the samples where the last batch is smaller; so each counts as often as its batch has samples:
/// `running_loss += loss.item() * inputs.size(0)`, divided by the number of samples in the end. Where the loss ignores
/// some targets, its mean is that over the others, and each batch counts as often as it has of those:
/// [`num_targets`](crate::num_targets).
///
/// It takes plain numbers: collecting loss tensors would keep the graph of every batch alive.
///
/// ```
/// use chainrule_train::RunningMean;
///
/// let mut loss = RunningMean::new();
/// loss.update(0.5, 64); // loss.item()?, inputs.size(0)?
/// loss.update(0.2, 32);
/// assert!((loss.mean() - 0.4).abs() < 1e-12);
/// assert_eq!(loss.samples(), 96);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunningMean {
    sum: f64,
    samples: usize,
}

impl RunningMean {
    /// Of no samples.
    pub fn new() -> RunningMean {
        RunningMean::default()
    }

    /// Adds a batch of so many samples, given their mean. An empty batch changes nothing, even where its mean
    /// is NaN.
    pub fn update(&mut self, mean: f64, batch_size: usize) {
        if batch_size > 0 {
            self.update_sum(mean * batch_size as f64, batch_size);
        }
    }

    /// Adds a batch of so many samples, given their sum: of losses reduced by their sum, or a number of correct
    /// predictions.
    pub fn update_sum(&mut self, sum: f64, batch_size: usize) {
        self.sum += sum;
        self.samples = self.samples.saturating_add(batch_size);
    }

    /// The mean over all samples so far; NaN where there are none.
    pub fn mean(&self) -> f64 {
        self.sum / self.samples as f64
    }

    /// The sum over all samples so far.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// How many samples there were.
    pub fn samples(&self) -> usize {
        self.samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weighs_batches_by_their_size() {
        let mut mean = RunningMean::new();
        mean.update(1.0, 3);
        mean.update(5.0, 1);
        mean.update(f64::NAN, 0);
        assert_eq!((mean.mean(), mean.sum(), mean.samples()), (2.0, 8.0, 4));
    }

    #[test]
    fn counts_do_not_overflow() {
        let mut mean = RunningMean::new();
        mean.update(2.0, usize::MAX);
        mean.update(2.0, usize::MAX);
        assert_eq!(mean.samples(), usize::MAX);
    }

    #[test]
    fn counts_what_is_correct_exactly() {
        // A third of 3 samples again and again: sums of whole numbers have no rounding.
        let mut accuracy = RunningMean::new();
        (0..1000).for_each(|_| accuracy.update_sum(1.0, 3));
        assert_eq!(accuracy.mean(), 1.0 / 3.0);
    }

    #[test]
    fn of_nothing_is_nan() {
        assert!(RunningMean::new().mean().is_nan());
    }

    #[test]
    fn a_nan_is_not_hidden() {
        let mut mean = RunningMean::new();
        mean.update(f64::NAN, 4);
        mean.update(1.0, 4);
        assert!(mean.mean().is_nan());
    }
}
