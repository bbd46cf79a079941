//! [`Epoch`]: which samples make which batch.

use super::Options;

/// The samples of an epoch in order, cut into batches. Knows nothing of workers.
#[derive(Debug)]
pub(super) struct Epoch {
    pub(super) order: Vec<usize>,
    pub(super) base_seed: i64,
    /// Samples of the order that were already handed out before the first batch.
    start: usize,
    batch_size: usize,
    batches: usize,
}

impl Epoch {
    pub(super) fn new(order: Vec<usize>, start: usize, base_seed: i64, options: &Options) -> Self {
        let batches = options.batches(order.len() - start);
        Epoch { order, base_seed, start, batch_size: options.batch_size, batches }
    }

    /// The number of batches.
    pub(super) fn len(&self) -> usize {
        self.batches
    }

    /// How many samples of the order come before a batch.
    pub(super) fn position(&self, batch: usize) -> usize {
        (self.start + batch * self.batch_size).min(self.order.len())
    }

    /// The samples of a batch.
    pub(super) fn samples(&self, batch: usize) -> &[usize] {
        &self.order[self.position(batch)..self.position(batch + 1)]
    }

    /// The seed of a batch's own random numbers.
    pub(super) fn seed(&self, batch: usize) -> u64 {
        (self.base_seed as u64).wrapping_add(self.position(batch) as u64)
    }
}
