//! [`DataLoaderState`]: where an epoch stands.

use serde::{Deserialize, Serialize};

use chainrule_tensor::random::GeneratorState;
use chainrule_tensor::{Result, bail};

use super::plan::Plan;
use crate::random_source::RandomSource;

/// Where an epoch stands, for a checkpoint; made by [`DataLoaderIter::state`](crate::DataLoaderIter::state).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataLoaderState {
    /// The samples of the epoch in order; none before the first batch was asked for.
    pub order: Option<Vec<usize>>,
    /// Where the batches end in the order; only with a batch sampler.
    #[serde(default)]
    pub ends: Option<Vec<usize>>,
    /// How many samples of the order have been handed out.
    pub position: usize,
    /// What the seeds of the samples follow from.
    pub base_seed: i64,
    /// The loader's own generator, where it has one.
    pub generator: Option<GeneratorState>,
    /// The generator of the sampler that the loader was given, where that has one of its own.
    #[serde(default)]
    pub sampler: Option<GeneratorState>,
}

impl DataLoaderState {
    /// Checks the state against a dataset of `len` samples.
    #[track_caller]
    pub(super) fn check(&self, len: usize) -> Result<()> {
        let order = self.order.as_deref().unwrap_or_default();
        if let Some(index) = order.iter().find(|&&i| i >= len) {
            bail!(
                Data,
                "DataLoader.resume",
                "the state has a sample {index}, but the dataset has {len} samples"
            );
        }
        if self.position > order.len() {
            bail!(
                Data,
                "DataLoader.resume",
                "the state stands at sample {} of an epoch of {}",
                self.position,
                order.len()
            );
        }
        let Some(ends) = &self.ends else {
            return Ok(());
        };
        let rising = std::iter::once(&0).chain(ends).is_sorted_by(|a, b| a < b);
        if !rising || ends.last().copied().unwrap_or_default() != order.len() {
            bail!(Data, "DataLoader.resume", "the state's batches do not make up its epoch");
        }
        if self.position != 0 && ends.binary_search(&self.position).is_err() {
            bail!(Data, "DataLoader.resume", "the state stands at sample {}, within a batch", self.position);
        }
        Ok(())
    }

    /// Puts the generators of the state into the loader and its sampler.
    #[track_caller]
    pub(super) fn restore(&self, source: &RandomSource, plan: &Plan) -> Result<()> {
        let before = source.state();
        source.set_state("DataLoader.resume", self.generator.as_ref())?;
        let restored = plan.set_state(self.sampler.as_ref());
        if restored.is_err() {
            // What fails changes nothing; the loader's own state is good.
            let _ = source.set_state("DataLoader.resume", before.as_ref());
        }
        restored
    }
}
