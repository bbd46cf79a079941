//! [`Dataset`]: a number of samples that can be fetched by the batch.

use std::sync::Arc;

use chainrule_tensor::Result;

/// Samples numbered `0..len`, fetched by the batch (PyTorch: a map-style `torch.utils.data.Dataset` with
/// `__getitems__`).
///
/// A whole batch is asked for at once, because that is where the time goes: a dataset in memory copies rows
/// straight into the batch, and one that reads files can read them in the order of the disk. A dataset whose
/// samples are made one at a time leaves the stacking to [`collate`](crate::collate):
///
/// ```
/// use chainrule_data::{Dataset, collate};
/// use chainrule_tensor::{Result, Tensor};
///
/// #[derive(Clone)]
/// struct Squares;
///
/// impl Dataset for Squares {
///     type Batch = (Tensor, Tensor);
///
///     fn len(&self) -> usize {
///         100
///     }
///
///     fn get_batch(&self, indices: &[usize]) -> Result<Self::Batch> {
///         collate(indices, |i| Ok((Tensor::new([i as f64]), Tensor::new((i * i) as i64))))
///     }
/// }
///
/// let (x, y) = Squares.get_batch(&[3, 0])?;
/// assert_eq!(x.shape(), &[2, 1]);
/// assert_eq!(y.to_vec::<i64>()?, [9, 0]);
/// # Ok::<(), chainrule_tensor::Error>(())
/// ```
pub trait Dataset: Send + Sync {
    /// What a batch is: a tensor, a tuple of tensors, or anything else that may cross threads.
    type Batch: Send;

    /// The number of samples.
    fn len(&self) -> usize;

    /// The samples with these indices, in this order; an index may come more than once.
    ///
    /// # Errors
    /// When an index is not below [`len`](Dataset::len), or a sample cannot be read.
    fn get_batch(&self, indices: &[usize]) -> Result<Self::Batch>;

    /// As [`get_batch`](Dataset::get_batch), for datasets that change their samples at random: what a
    /// [`DataLoader`](crate::DataLoader) calls.
    ///
    /// `seed` belongs to this batch: it is the loader's base seed of the epoch plus the place of the batch's
    /// first sample in the epoch. A dataset that takes all its random numbers from a
    /// [`Generator`](chainrule_tensor::random::Generator) of this seed gives the same batches for any number of
    /// workers. By default the seed is not used.
    fn get_batch_seeded(&self, indices: &[usize], seed: u64) -> Result<Self::Batch> {
        let _ = seed;
        self.get_batch(indices)
    }

    /// Whether there are no samples.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<D: Dataset + ?Sized> Dataset for Arc<D> {
    type Batch = D::Batch;

    fn len(&self) -> usize {
        (**self).len()
    }

    fn get_batch(&self, indices: &[usize]) -> Result<D::Batch> {
        (**self).get_batch(indices)
    }

    fn get_batch_seeded(&self, indices: &[usize], seed: u64) -> Result<D::Batch> {
        (**self).get_batch_seeded(indices, seed)
    }
}
