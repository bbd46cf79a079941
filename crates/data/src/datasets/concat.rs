//! [`ConcatDataset`]: datasets one after the other.

use std::sync::Arc;

use chainrule_tensor::{Result, bail};

use super::check::{check_indices, check_rows, check_seeds};
use crate::location::at_caller;
use crate::{Dataset, Tensors, collate};

/// The samples of several datasets, one after the other (PyTorch: `torch.utils.data.ConcatDataset`).
///
/// Datasets of different types go in as `Arc<dyn Dataset<Batch = …>>`. Samples that are alike in shape and dtype go
/// together; a batch with samples of several datasets is put together from their rows.
///
/// ```
/// use chainrule_data::{ConcatDataset, Dataset, TensorDataset};
/// use chainrule_tensor::{Result, Tensor};
///
/// # fn main() -> Result<()> {
/// let first = TensorDataset::new(Tensor::new([10, 11]))?;
/// let second = TensorDataset::new(Tensor::new([20, 21, 22]))?;
/// let both = ConcatDataset::new([first, second])?;
/// assert_eq!(both.len(), 5);
/// assert_eq!(both.get_batch(&[4, 0, 2])?.to_vec::<i64>()?, [22, 10, 20]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ConcatDataset<D> {
    datasets: Arc<[D]>,
    /// For each dataset, how many samples it and those before it have.
    ends: Arc<[usize]>,
}

impl<D: Dataset> ConcatDataset<D>
where
    D::Batch: Tensors,
{
    /// The samples of these datasets in order.
    ///
    /// # Errors
    /// When there is no dataset.
    #[track_caller]
    pub fn new(datasets: impl IntoIterator<Item = D>) -> Result<Self> {
        let datasets: Arc<[D]> = datasets.into_iter().collect();
        if datasets.is_empty() {
            bail!(Value, "ConcatDataset", "at least one dataset is needed");
        }
        let mut end = 0usize;
        let mut ends = Vec::with_capacity(datasets.len());
        for dataset in datasets.iter() {
            match end.checked_add(dataset.len()) {
                Some(sum) => end = sum,
                None => bail!(Value, "ConcatDataset", "there are more samples than can be counted"),
            }
            ends.push(end);
        }
        Ok(ConcatDataset { datasets, ends: ends.into() })
    }

    /// The datasets.
    pub fn datasets(&self) -> &[D] {
        &self.datasets
    }

    /// The dataset that has a sample, and the sample's index in it.
    fn locate(&self, index: usize) -> (usize, usize) {
        let dataset = self.ends.partition_point(|&end| end <= index);
        let start = if dataset == 0 { 0 } else { self.ends[dataset - 1] };
        (dataset, index - start)
    }

    /// `fetch` has a dataset's batch for indices in it and places in the whole batch.
    fn gather(
        &self,
        indices: &[usize],
        fetch: impl Fn(&D, &[usize], &[usize]) -> Result<D::Batch>,
    ) -> Result<D::Batch> {
        check_indices("ConcatDataset", indices, self.len())?;
        let mut parts = vec![(Vec::new(), Vec::new()); self.datasets.len()];
        let mut rows = Vec::with_capacity(indices.len());
        for (place, &index) in indices.iter().enumerate() {
            let (dataset, inner) = self.locate(index);
            let (inners, places) = &mut parts[dataset];
            rows.push((dataset, inners.len()));
            inners.push(inner);
            places.push(place);
        }
        // With all samples from one dataset, or none at all, its batch is the batch.
        let whole = parts.iter().position(|(inners, _)| inners.len() == indices.len());
        if let Some(dataset) = whole {
            let (inners, places) = &parts[dataset];
            return fetch(&self.datasets[dataset], inners, places);
        }
        let mut batches = Vec::with_capacity(parts.len());
        for (dataset, (inners, places)) in self.datasets.iter().zip(&parts) {
            if inners.is_empty() {
                batches.push(None);
                continue;
            }
            let batch = fetch(dataset, inners, places)?;
            for tensor in batch.tensors() {
                check_rows("ConcatDataset", tensor, inners.len())?;
            }
            batches.push(Some(batch));
        }
        let mut rows = rows.into_iter();
        collate(indices, |_| {
            let (dataset, row) = rows.next().expect("collate asks once for each index");
            let batch = batches[dataset].as_ref().expect("a dataset with a row has a batch");
            batch.try_map(|tensor| tensor.select(0, row as isize))
        })
    }
}

impl<D: Dataset> Dataset for ConcatDataset<D>
where
    D::Batch: Tensors,
{
    type Batch = D::Batch;

    fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or_default()
    }

    // The parts are asked for in a closure, where the caller's line is lost.
    #[track_caller]
    fn get_batch(&self, indices: &[usize]) -> Result<D::Batch> {
        at_caller(self.gather(indices, |dataset, indices, _| dataset.get_batch(indices)))
    }

    #[track_caller]
    fn get_batch_seeded(&self, indices: &[usize], seeds: &[u64]) -> Result<D::Batch> {
        check_seeds("ConcatDataset", indices, seeds)?;
        at_caller(self.gather(indices, |dataset, indices, places| {
            let seeds: Vec<u64> = places.iter().map(|&place| seeds[place]).collect();
            dataset.get_batch_seeded(indices, &seeds)
        }))
    }
}
