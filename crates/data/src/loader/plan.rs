//! [`Plan`]: what chooses the samples of an epoch and cuts them into batches.

use std::sync::Arc;

use chainrule_tensor::random::GeneratorState;
use chainrule_tensor::{Result, bail};

use super::epoch::Cuts;
use crate::Sampler;
use crate::allocate::try_vec;
use crate::location::at_caller;

#[derive(Clone)]
pub(super) enum Plan {
    Samples {
        sampler: Arc<dyn Sampler>,
        /// Whether the sampler was given, and is not the loader's own, which shares its generator.
        given: bool,
        batch_size: usize,
        drop_last: bool,
    },
    Batches(Arc<dyn Sampler<Vec<usize>>>),
}

impl Plan {
    /// The number of batches of an epoch over `n` samples.
    pub(super) fn len(&self, n: usize) -> usize {
        match self {
            Plan::Samples { batch_size: 0, .. } => 0,
            Plan::Samples { sampler, .. } => self.fixed_cuts().batches(0, sampler.len(n)),
            Plan::Batches(sampler) => sampler.len(n),
        }
    }

    /// The samples of the next epoch over `n` samples, and where its batches end.
    #[track_caller]
    pub(super) fn draw(&self, n: usize) -> Result<(Vec<usize>, Cuts)> {
        match self {
            Plan::Samples { sampler, .. } => Ok((at_caller(sampler.indices(n))?, self.fixed_cuts())),
            Plan::Batches(sampler) => {
                let batches = at_caller(sampler.indices(n))?;
                let mut ends = try_vec("DataLoader", batches.len())?;
                let mut end = 0;
                for (i, batch) in batches.iter().enumerate() {
                    if batch.is_empty() {
                        bail!(Value, "DataLoader", "the batch sampler gave no samples for batch {i}");
                    }
                    end += batch.len();
                    ends.push(end);
                }
                Ok((batches.concat(), Cuts::At(ends.into())))
            }
        }
    }

    /// The cuts of an epoch that was saved.
    #[track_caller]
    pub(super) fn saved_cuts(&self, ends: Option<&[usize]>) -> Result<Cuts> {
        match (self, ends) {
            (Plan::Samples { .. }, None) => Ok(self.fixed_cuts()),
            (Plan::Batches(_), Some(ends)) => Ok(Cuts::At(ends.into())),
            (Plan::Samples { .. }, Some(_)) => {
                bail!(
                    Data,
                    "DataLoader.resume",
                    "the state is of a loader with a batch sampler, this is one without"
                )
            }
            (Plan::Batches(_), None) => {
                bail!(
                    Data,
                    "DataLoader.resume",
                    "the state is of a loader without a batch sampler, this is one with"
                )
            }
        }
    }

    pub(super) fn exhausted(&self, n: usize) {
        match self {
            Plan::Samples { sampler, .. } => sampler.exhausted(n),
            Plan::Batches(sampler) => sampler.exhausted(n),
        }
    }

    /// The state of a sampler that was given.
    pub(super) fn state(&self) -> Option<GeneratorState> {
        match self {
            Plan::Samples { given: false, .. } => None,
            Plan::Samples { sampler, .. } => sampler.state(),
            Plan::Batches(sampler) => sampler.state(),
        }
    }

    #[track_caller]
    pub(super) fn set_state(&self, state: Option<&GeneratorState>) -> Result<()> {
        match self {
            Plan::Samples { given: false, .. } => Ok(()),
            Plan::Samples { sampler, .. } => at_caller(sampler.set_state(state)),
            Plan::Batches(sampler) => at_caller(sampler.set_state(state)),
        }
    }

    fn fixed_cuts(&self) -> Cuts {
        match *self {
            Plan::Samples { batch_size, drop_last, .. } => Cuts::Every { batch_size, drop_last },
            Plan::Batches(_) => Cuts::At(Arc::default()),
        }
    }
}
