//! [`Subset`]: some samples of a dataset.

use std::sync::Arc;

use chainrule_tensor::Result;

use super::check::check_indices;
use crate::Dataset;
use crate::allocate::try_vec;

/// Some samples of a dataset, in an order of their own (PyTorch: `torch.utils.data.Subset`).
#[derive(Clone, Debug)]
pub struct Subset<D> {
    dataset: D,
    indices: Arc<[usize]>,
}

impl<D: Dataset + Clone> Subset<D> {
    /// The samples of `dataset` with these indices; sample `i` of the subset is sample `indices[i]`. Holds a
    /// clone of the dataset, see [`DataLoader::new`](crate::DataLoader::new).
    ///
    /// # Errors
    /// When an index is out of range.
    #[track_caller]
    pub fn new(dataset: &D, indices: impl Into<Arc<[usize]>>) -> Result<Self> {
        let indices = indices.into();
        check_indices("Subset", &indices, dataset.len())?;
        Ok(Subset { dataset: dataset.clone(), indices })
    }

    /// For indices that are known to be in range.
    pub(crate) fn of_valid(dataset: &D, indices: impl Into<Arc<[usize]>>) -> Self {
        Subset { dataset: dataset.clone(), indices: indices.into() }
    }
}

impl<D> Subset<D> {
    /// The whole dataset.
    pub fn dataset(&self) -> &D {
        &self.dataset
    }

    /// The indices in the whole dataset.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }

    #[track_caller]
    fn translate(&self, indices: &[usize]) -> Result<Vec<usize>> {
        check_indices("Subset", indices, self.indices.len())?;
        let mut translated = try_vec("Subset", indices.len())?;
        translated.extend(indices.iter().map(|&i| self.indices[i]));
        Ok(translated)
    }
}

impl<D: Dataset> Dataset for Subset<D> {
    type Batch = D::Batch;

    fn len(&self) -> usize {
        self.indices.len()
    }

    #[track_caller]
    fn get_batch(&self, indices: &[usize]) -> Result<D::Batch> {
        self.dataset.get_batch(&self.translate(indices)?)
    }

    #[track_caller]
    fn get_batch_seeded(&self, indices: &[usize], seeds: &[u64]) -> Result<D::Batch> {
        self.dataset.get_batch_seeded(&self.translate(indices)?, seeds)
    }
}
