//! [`MapDataset`]: a dataset whose batches are changed when they are fetched.

use std::sync::Arc;

use chainrule_tensor::Result;
use chainrule_tensor::random::Generator;

use super::check::{check_rows, check_seeds};
use crate::location::at_caller;
use crate::seeds::{seeds_without_epoch, with_sample};
use crate::{Dataset, Tensors, collate};

/// A change of a batch, given the samples' indices and seeds.
type Change<A, B> = dyn Fn(A, &[usize], &[u64]) -> Result<B> + Send + Sync;

/// The samples of another dataset, changed when they are fetched; made by [`Dataset::map`],
/// [`Dataset::map_samples`] and [`Dataset::transform`].
///
/// A [`DataLoader`](crate::DataLoader) makes random changes anew in each epoch. Where the dataset is asked itself,
/// by [`get_batch`](Dataset::get_batch), a sample is changed in the same way each time.
pub struct MapDataset<D: Dataset, B> {
    dataset: D,
    change: Arc<Change<D::Batch, B>>,
}

impl<D: Dataset + Clone, B: Send> MapDataset<D, B> {
    pub(crate) fn new(
        dataset: &D,
        change: impl Fn(D::Batch, &[usize], &[u64]) -> Result<B> + Send + Sync + 'static,
    ) -> Self {
        MapDataset { dataset: dataset.clone(), change: Arc::new(change) }
    }
}

impl<D: Dataset + Clone, S: Tensors> MapDataset<D, S>
where
    D::Batch: Tensors,
{
    pub(crate) fn of_samples(
        dataset: &D,
        change: impl Fn(D::Batch, &mut Generator) -> Result<S> + Send + Sync + 'static,
    ) -> Self {
        MapDataset::new(dataset, move |batch: D::Batch, indices, seeds| {
            for tensor in batch.tensors() {
                check_rows("map_samples", tensor, indices.len())?;
            }
            let mut rows = seeds.iter().enumerate();
            collate(indices, |_| {
                let (row, &seed) = rows.next().expect("collate asks once for each index");
                let sample = batch.try_map(|tensor| tensor.select(0, row as isize))?;
                with_sample(seed, || change(sample, &mut Generator::new(seed)))
            })
        })
    }
}

impl<D: Dataset, B> MapDataset<D, B> {
    /// The dataset whose samples are changed.
    pub fn dataset(&self) -> &D {
        &self.dataset
    }
}

impl<D: Dataset, B: Send> Dataset for MapDataset<D, B> {
    type Batch = B;

    fn len(&self) -> usize {
        self.dataset.len()
    }

    #[track_caller]
    fn get_batch(&self, indices: &[usize]) -> Result<B> {
        self.get_batch_seeded(indices, &seeds_without_epoch(indices))
    }

    #[track_caller]
    fn get_batch_seeded(&self, indices: &[usize], seeds: &[u64]) -> Result<B> {
        check_seeds("MapDataset", indices, seeds)?;
        let batch = self.dataset.get_batch_seeded(indices, seeds)?;
        at_caller((self.change)(batch, indices, seeds))
    }
}

impl<D: Dataset + Clone, B> Clone for MapDataset<D, B> {
    fn clone(&self) -> Self {
        MapDataset { dataset: self.dataset.clone(), change: self.change.clone() }
    }
}

impl<D: Dataset + std::fmt::Debug, B> std::fmt::Debug for MapDataset<D, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MapDataset").field("dataset", &self.dataset).finish_non_exhaustive()
    }
}
