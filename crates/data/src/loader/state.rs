//! [`DataLoaderState`]: where an epoch stands.

use serde::{Deserialize, Serialize};

use chainrule_tensor::random::GeneratorState;
use chainrule_tensor::{Error, ErrorKind, Result, bail};

use crate::random_source::RandomSource;

/// Where an epoch stands, for a checkpoint; made by [`DataLoaderIter::state`](crate::DataLoaderIter::state).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataLoaderState {
    /// The samples of the epoch in order; none before the first batch was asked for.
    pub order: Option<Vec<usize>>,
    /// How many of them have been handed out.
    pub position: usize,
    /// What the seeds of the batches are counted from.
    pub base_seed: i64,
    /// The loader's own generator, where it has one.
    pub generator: Option<GeneratorState>,
}

impl DataLoaderState {
    /// Checks the state against a dataset of `len` samples and puts its generator into `source`.
    #[track_caller]
    pub(super) fn check(&self, len: usize, source: &RandomSource) -> Result<()> {
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
        match source.set_state(self.generator.as_ref()) {
            Ok(()) => Ok(()),
            Err(message) => Err(Error::new(ErrorKind::Data, "DataLoader.resume", message)),
        }
    }
}
