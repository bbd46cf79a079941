//! [`DataLoaderIter`]: the batches of one epoch.

use std::iter::FusedIterator;
use std::sync::Arc;

use chainrule_tensor::{Error, Result};

use super::epoch::Epoch;
use super::fetch::fetch;
use super::plan::Plan;
use super::workers::Workers;
use super::{DataLoader, DataLoaderState};
use crate::Dataset;
use crate::random_source::RandomSource;

/// The batches of one epoch, in order; made by [`DataLoader::iter`].
pub struct DataLoaderIter<D: Dataset> {
    dataset: D,
    plan: Plan,
    num_workers: usize,
    prefetch_factor: usize,
    source: Arc<RandomSource>,
    phase: Phase<D::Batch>,
}

enum Phase<B> {
    /// Nothing has been drawn but the base seed.
    Waiting { base_seed: i64 },
    /// `next` is the next batch; without workers the caller makes it.
    Running { epoch: Arc<Epoch>, next: usize, workers: Option<Workers<B>> },
    /// The options did not go together.
    Failed(Option<Error>),
    /// All batches, or an error that ends the epoch, have been handed out.
    Done { epoch: Option<Arc<Epoch>> },
}

impl<D: Dataset + Clone + 'static> DataLoaderIter<D> {
    pub(super) fn new(loader: &DataLoader<D>, base_seed: i64) -> Self {
        DataLoaderIter::in_phase(loader, Phase::Waiting { base_seed })
    }

    pub(super) fn failed(loader: &DataLoader<D>, error: Error) -> Self {
        DataLoaderIter::in_phase(loader, Phase::Failed(Some(error)))
    }

    #[track_caller]
    pub(super) fn resumed(loader: &DataLoader<D>, state: &DataLoaderState) -> Result<Self> {
        let plan = loader.plan();
        state.check(loader.dataset.len())?;
        let Some(order) = &state.order else {
            state.restore(&loader.source, &plan)?;
            return Ok(DataLoaderIter::new(loader, state.base_seed));
        };
        let cuts = plan.saved_cuts(state.ends.as_deref())?;
        let n = loader.dataset.len();
        let epoch = Arc::new(Epoch::new(n, order.clone(), state.position, cuts, state.base_seed)?);
        state.restore(&loader.source, &plan)?;
        Ok(DataLoaderIter::in_phase(loader, Phase::Running { epoch, next: 0, workers: None }))
    }

    fn in_phase(loader: &DataLoader<D>, phase: Phase<D::Batch>) -> Self {
        DataLoaderIter {
            dataset: loader.dataset.clone(),
            plan: loader.plan(),
            num_workers: loader.num_workers,
            prefetch_factor: loader.prefetch_factor.unwrap_or(2),
            source: loader.source.clone(),
            phase,
        }
    }

    /// Where the epoch stands, to be given to [`DataLoader::resume`]: the batches that were not handed out yet
    /// follow then, whether or not a worker had made them in advance.
    pub fn state(&self) -> DataLoaderState {
        let (epoch, base_seed, next) = match &self.phase {
            Phase::Waiting { base_seed } => (None, *base_seed, 0),
            Phase::Running { epoch, next, .. } => (Some(epoch), epoch.base_seed, *next),
            Phase::Done { epoch: Some(epoch) } => (Some(epoch), epoch.base_seed, epoch.len()),
            Phase::Failed(_) | Phase::Done { epoch: None } => (None, 0, 0),
        };
        DataLoaderState {
            order: epoch.map(|epoch| epoch.order.clone()),
            ends: epoch.and_then(|epoch| epoch.ends()).map(<[usize]>::to_vec),
            position: epoch.map_or(0, |epoch| epoch.position(next)),
            base_seed,
            generator: self.source.state(),
            sampler: self.plan.state(),
        }
    }

    /// Draws the order and starts the workers, unless that has been done.
    #[track_caller]
    fn start(&mut self) -> Result<()> {
        if let Phase::Waiting { base_seed } = self.phase {
            let (order, cuts) = self.plan.draw(self.dataset.len())?;
            let epoch = Arc::new(Epoch::new(self.dataset.len(), order, 0, cuts, base_seed)?);
            self.phase = Phase::Running { epoch, next: 0, workers: None };
        }
        if let Phase::Running { epoch, workers: workers @ None, .. } = &mut self.phase
            && self.num_workers > 0
        {
            *workers = Some(Workers::start(&self.dataset, epoch, self.num_workers, self.prefetch_factor)?);
        }
        Ok(())
    }
}

impl<D: Dataset + Clone + 'static> Iterator for DataLoaderIter<D> {
    type Item = Result<D::Batch>;

    #[track_caller]
    fn next(&mut self) -> Option<Self::Item> {
        if let Err(error) = self.start() {
            self.phase = Phase::Done { epoch: None };
            return Some(Err(error));
        }
        let (epoch, next, workers) = match &mut self.phase {
            Phase::Running { epoch, next, workers } => (epoch, next, workers),
            Phase::Failed(error) => return error.take().map(Err),
            Phase::Waiting { .. } | Phase::Done { .. } => return None,
        };
        if *next == epoch.len() {
            self.plan.exhausted(self.dataset.len());
            self.phase = Phase::Done { epoch: Some(epoch.clone()) };
            return None;
        }
        let batch = *next;
        *next += 1;
        let fetched = match workers {
            Some(workers) => workers.receive(batch),
            None => fetch(&self.dataset, epoch, batch),
        };
        Some(fetched.into_result(epoch, batch))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = match &self.phase {
            Phase::Waiting { .. } => self.plan.len(self.dataset.len()),
            Phase::Running { epoch, next, .. } => epoch.len() - next,
            Phase::Failed(error) => usize::from(error.is_some()),
            Phase::Done { .. } => 0,
        };
        (left, Some(left))
    }
}

impl<D: Dataset + Clone + 'static> ExactSizeIterator for DataLoaderIter<D> {}

impl<D: Dataset + Clone + 'static> FusedIterator for DataLoaderIter<D> {}
