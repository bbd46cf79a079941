//! [`BatchSampler`].

use chainrule_tensor::random::GeneratorState;
use chainrule_tensor::{Result, bail};

use super::Sampler;
use crate::allocate::try_vec;

/// The samples of another sampler in batches (PyTorch: `BatchSampler`): what a loader makes of its sampler and its
/// batch size by itself.
///
/// As one of one's own, a [`Sampler`] of `Vec<usize>` chooses what goes together into a batch; a loader takes it as
/// [`batch_sampler`](crate::DataLoader::batch_sampler).
///
/// ```
/// use chainrule_data::{BatchSampler, Sampler, SequentialSampler};
///
/// let batches = BatchSampler::new(SequentialSampler, 3, false)?;
/// assert_eq!(batches.indices(7)?, [vec![0, 1, 2], vec![3, 4, 5], vec![6]]);
/// # Ok::<(), chainrule_tensor::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BatchSampler<S> {
    sampler: S,
    batch_size: usize,
    drop_last: bool,
}

impl<S: Sampler> BatchSampler<S> {
    /// Batches of `batch_size` samples; a last one with fewer is left out with `drop_last`.
    ///
    /// # Errors
    /// When the batch size is 0.
    #[track_caller]
    pub fn new(sampler: S, batch_size: usize, drop_last: bool) -> Result<Self> {
        if batch_size == 0 {
            bail!(Value, "BatchSampler", "batch_size must be at least 1, got 0");
        }
        Ok(BatchSampler { sampler, batch_size, drop_last })
    }
}

impl<S: Sampler> Sampler<Vec<usize>> for BatchSampler<S> {
    fn len(&self, n: usize) -> usize {
        let samples = self.sampler.len(n);
        if self.drop_last { samples / self.batch_size } else { samples.div_ceil(self.batch_size) }
    }

    #[track_caller]
    fn indices(&self, n: usize) -> Result<Vec<Vec<usize>>> {
        let samples = self.sampler.indices(n)?;
        let mut batches = try_vec("BatchSampler", samples.len().div_ceil(self.batch_size))?;
        for samples in samples.chunks(self.batch_size) {
            if samples.len() == self.batch_size || !self.drop_last {
                let mut batch = try_vec("BatchSampler", samples.len())?;
                batch.extend_from_slice(samples);
                batches.push(batch);
            }
        }
        Ok(batches)
    }

    fn exhausted(&self, n: usize) {
        self.sampler.exhausted(n);
    }

    fn state(&self) -> Option<GeneratorState> {
        self.sampler.state()
    }

    #[track_caller]
    fn set_state(&self, state: Option<&GeneratorState>) -> Result<()> {
        self.sampler.set_state(state)
    }
}
