//! [`Subset`] and [`random_split`]: parts of a dataset.

use std::sync::Arc;

use chainrule_tensor::random::{Generator, with_default};
use chainrule_tensor::{Result, bail};

use crate::Dataset;
use crate::tensor_dataset::check_indices;

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

    /// The indices in the whole dataset.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }

    fn translate(&self, indices: &[usize]) -> Result<Vec<usize>> {
        check_indices("Subset", indices, self.indices.len())?;
        Ok(indices.iter().map(|&i| self.indices[i]).collect())
    }
}

impl<D: Dataset + Clone> Dataset for Subset<D> {
    type Batch = D::Batch;

    fn len(&self) -> usize {
        self.indices.len()
    }

    fn get_batch(&self, indices: &[usize]) -> Result<D::Batch> {
        self.dataset.get_batch(&self.translate(indices)?)
    }

    fn get_batch_seeded(&self, indices: &[usize], seed: u64) -> Result<D::Batch> {
        self.dataset.get_batch_seeded(&self.translate(indices)?, seed)
    }
}

/// Cuts a dataset at random into parts of the given lengths, which must add up to its own (PyTorch:
/// `torch.utils.data.random_split`). Draws a permutation from the process-wide generator.
///
/// ```
/// use chainrule_data::{Dataset, TensorDataset, random_split};
/// use chainrule_tensor::{Result, Tensor, random::manual_seed};
///
/// # fn main() -> Result<()> {
/// manual_seed(7);
/// let dataset = TensorDataset::new(Tensor::arange(7)?)?;
/// let [train, valid] = random_split(&dataset, [4, 3])?;
/// assert_eq!(train.indices(), [5, 0, 3, 1]);
/// assert_eq!(valid.len(), 3);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the lengths do not add up. Nothing is drawn then.
#[track_caller]
pub fn random_split<D: Dataset + Clone, const N: usize>(
    dataset: &D,
    lengths: [usize; N],
) -> Result<[Subset<D>; N]> {
    check_lengths(dataset, &lengths)?;
    Ok(with_default(|generator| split(dataset, lengths, generator)))
}

/// As [`random_split`], with random numbers from `generator`.
///
/// # Errors
/// Those of [`random_split`].
#[track_caller]
pub fn random_split_with<D: Dataset + Clone, const N: usize>(
    dataset: &D,
    lengths: [usize; N],
    generator: &mut Generator,
) -> Result<[Subset<D>; N]> {
    check_lengths(dataset, &lengths)?;
    Ok(split(dataset, lengths, generator))
}

#[track_caller]
fn check_lengths<D: Dataset>(dataset: &D, lengths: &[usize]) -> Result<()> {
    let sum = lengths.iter().try_fold(0usize, |sum, &n| sum.checked_add(n));
    if sum != Some(dataset.len()) {
        bail!(
            Value,
            "random_split",
            "the lengths {lengths:?} do not add up to the {} samples of the dataset",
            dataset.len()
        );
    }
    Ok(())
}

fn split<D: Dataset + Clone, const N: usize>(
    dataset: &D,
    lengths: [usize; N],
    generator: &mut Generator,
) -> [Subset<D>; N] {
    let mut order = generator.permutation(dataset.len()).into_iter().map(|i| i as usize);
    lengths.map(|n| Subset { dataset: dataset.clone(), indices: order.by_ref().take(n).collect() })
}
