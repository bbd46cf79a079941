//! [`DataLoaderIter`]: the batches of one epoch.

use std::iter::FusedIterator;
use std::sync::Arc;

use chainrule_tensor::{Error, Result};

use super::epoch::Epoch;
use super::fetch::fetch;
use super::workers::Workers;
use super::{DataLoader, DataLoaderState, Options};
use crate::random_source::RandomSource;
use crate::{Dataset, Sampler};

/// The batches of one epoch, in order; made by [`DataLoader::iter`].
pub struct DataLoaderIter<D: Dataset> {
    dataset: D,
    options: Options,
    sampler: Arc<dyn Sampler>,
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

    pub(super) fn resumed(loader: &DataLoader<D>, state: &DataLoaderState) -> Self {
        let Some(order) = &state.order else {
            return DataLoaderIter::new(loader, state.base_seed);
        };
        let epoch = Epoch::new(order.clone(), state.position, state.base_seed, &loader.options);
        let running = Phase::Running { epoch: Arc::new(epoch), next: 0, workers: None };
        DataLoaderIter::in_phase(loader, running)
    }

    fn in_phase(loader: &DataLoader<D>, phase: Phase<D::Batch>) -> Self {
        DataLoaderIter {
            dataset: loader.dataset.clone(),
            options: loader.options,
            sampler: loader.order(),
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
            position: epoch.map_or(0, |epoch| epoch.position(next)),
            base_seed,
            generator: self.source.state(),
        }
    }

    /// Draws the order and starts the workers, unless that has been done.
    #[track_caller]
    fn start(&mut self) -> Result<()> {
        if let Phase::Waiting { base_seed } = self.phase {
            let order = self.sampler.indices(self.dataset.len())?;
            let epoch = Arc::new(Epoch::new(order, 0, base_seed, &self.options));
            self.phase = Phase::Running { epoch, next: 0, workers: None };
        }
        if let Phase::Running { epoch, workers: workers @ None, .. } = &mut self.phase
            && self.options.num_workers > 0
        {
            let prefetch = self.options.prefetch_factor.unwrap_or(2);
            *workers = Some(Workers::start(&self.dataset, epoch, self.options.num_workers, prefetch)?);
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
            self.sampler.exhausted(self.dataset.len());
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
            Phase::Waiting { .. } => self.options.batches(self.sampler.len(self.dataset.len())),
            Phase::Running { epoch, next, .. } => epoch.len() - next,
            Phase::Failed(error) => usize::from(error.is_some()),
            Phase::Done { .. } => 0,
        };
        (left, Some(left))
    }
}

impl<D: Dataset + Clone + 'static> ExactSizeIterator for DataLoaderIter<D> {}

impl<D: Dataset + Clone + 'static> FusedIterator for DataLoaderIter<D> {}
