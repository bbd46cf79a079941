//! [`Epoch`]: which samples make which batch.

use std::collections::HashMap;
use std::sync::Arc;

use chainrule_tensor::Result;

use crate::allocate::{too_large, try_filled, try_vec};
use crate::seeds::{batch_seed, sample_seed};

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
    #[track_caller]
    pub(super) fn new(n: usize, order: Vec<usize>, start: usize, cuts: Cuts, base_seed: i64) -> Result<Self> {
        let batches = cuts.batches(start, order.len());
        Ok(Epoch { repeats: repeats(n, &order)?, order, base_seed, start, cuts, batches })
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

    /// The seed of what is drawn for a batch as a whole: a matter of where it begins in the order, which an epoch that
    /// is resumed keeps.
    pub(super) fn seed(&self, batch: usize) -> u64 {
        batch_seed(self.base_seed as u64, self.position(batch))
    }

    /// The seed of each sample of a batch.
    pub(super) fn seeds(&self, batch: usize) -> Vec<u64> {
        let places = self.position(batch)..self.position(batch + 1);
        places.map(|i| sample_seed(self.base_seed as u64, self.order[i], self.repeats[i])).collect()
    }
}

/// A table of all samples has room for so many of them for each that the epoch visits; where there are more, those
/// that are visited are looked up.
const SPARSE: usize = 8;

/// Indices out of range are left to the dataset to refuse.
#[track_caller]
fn repeats(n: usize, order: &[usize]) -> Result<Vec<u32>> {
    let mut repeats: Vec<u32> = try_vec("DataLoader", order.len())?;
    let visit = |visits: &mut u32| std::mem::replace(visits, visits.wrapping_add(1));
    if n <= order.len().saturating_mul(SPARSE) {
        let mut visits = try_filled("DataLoader", n, 0)?;
        repeats.extend(order.iter().map(|&index| visits.get_mut(index).map_or(0, visit)));
    } else {
        let mut visits = HashMap::new();
        if visits.try_reserve(order.len()).is_err() {
            return Err(too_large("DataLoader", order.len(), size_of::<(usize, u32)>()));
        }
        repeats.extend(order.iter().map(|&index| visit(visits.entry(index).or_insert(0))));
    }
    Ok(repeats)
}
