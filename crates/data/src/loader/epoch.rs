//! [`Epoch`]: which samples make which batch.

use std::sync::Arc;

use crate::seeds::sample_seed;

/// The samples of an epoch in order, cut into batches. Knows nothing of workers.
#[derive(Debug)]
pub(super) struct Epoch {
    pub(super) order: Vec<usize>,
    pub(super) base_seed: i64,
    /// For each place in the order, how often its sample came before.
    repeats: Vec<u32>,
    /// Samples of the order that were already handed out before the first batch.
    start: usize,
    cuts: Cuts,
    batches: usize,
}

/// Where the batches of an epoch end.
#[derive(Clone, Debug)]
pub(super) enum Cuts {
    /// After so many samples each, counted from the first batch.
    Every { batch_size: usize, drop_last: bool },
    /// After these places of the order, which rise to its end.
    At(Arc<[usize]>),
}

impl Cuts {
    /// The number of batches from place `start` to place `end` of the order.
    pub(super) fn batches(&self, start: usize, end: usize) -> usize {
        match self {
            Cuts::Every { batch_size, drop_last: true } => (end - start) / batch_size,
            Cuts::Every { batch_size, drop_last: false } => (end - start).div_ceil(*batch_size),
            Cuts::At(ends) => ends.len() - ends.partition_point(|&cut| cut <= start),
        }
    }
}

impl Epoch {
    /// The rest of an order over `n` samples, from place `start` on.
    pub(super) fn new(n: usize, order: Vec<usize>, start: usize, cuts: Cuts, base_seed: i64) -> Self {
        let batches = cuts.batches(start, order.len());
        Epoch { repeats: repeats(n, &order), order, base_seed, start, cuts, batches }
    }

    /// The number of batches.
    pub(super) fn len(&self) -> usize {
        self.batches
    }

    /// How many samples of the order come before a batch.
    pub(super) fn position(&self, batch: usize) -> usize {
        match &self.cuts {
            _ if batch == 0 => self.start,
            Cuts::Every { batch_size, .. } => {
                batch.saturating_mul(*batch_size).saturating_add(self.start).min(self.order.len())
            }
            Cuts::At(ends) => ends[ends.len() - self.batches + batch - 1],
        }
    }

    /// Where the batches end, if that does not follow from their size.
    pub(super) fn ends(&self) -> Option<&[usize]> {
        match &self.cuts {
            Cuts::Every { .. } => None,
            Cuts::At(ends) => Some(ends),
        }
    }

    /// The samples of a batch.
    pub(super) fn samples(&self, batch: usize) -> &[usize] {
        &self.order[self.position(batch)..self.position(batch + 1)]
    }

    /// The seed of each sample of a batch.
    pub(super) fn seeds(&self, batch: usize) -> Vec<u64> {
        let places = self.position(batch)..self.position(batch + 1);
        places.map(|i| sample_seed(self.base_seed as u64, self.order[i], self.repeats[i])).collect()
    }
}

/// Indices out of range are left to the dataset to refuse.
fn repeats(n: usize, order: &[usize]) -> Vec<u32> {
    let mut visits = vec![0u32; n];
    let mut repeat = |&index: &usize| {
        let visits = visits.get_mut(index)?;
        let before = *visits;
        *visits = before.wrapping_add(1);
        Some(before)
    };
    order.iter().map(|index| repeat(index).unwrap_or_default()).collect()
}
