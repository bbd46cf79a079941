//! [`Dataset`]: a number of samples that can be fetched by the batch.

use std::sync::Arc;

use chainrule_tensor::random::Generator;
use chainrule_tensor::{Result, Tensor};

use crate::allocate::try_range;
use crate::location::at_caller;
use crate::transforms::Transform;
use crate::{MapDataset, Tensors};

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
    /// Numbers that it draws from the default generator (`Tensor::randn` and its like) are the same for any number of
    /// workers where a [`DataLoader`](crate::DataLoader) calls it: there each batch has a generator of its own.
    ///
    /// # Errors
    /// When an index is not below [`len`](Dataset::len), or a sample cannot be read.
    #[track_caller]
    fn get_batch(&self, indices: &[usize]) -> Result<Self::Batch>;

    /// As [`get_batch`](Dataset::get_batch), for datasets that change their samples at random: what a
    /// [`DataLoader`](crate::DataLoader) calls.
    ///
    /// There is one seed for each index. It follows from the loader's base seed of the epoch, the sample, and how
    /// often the epoch has visited it before. A dataset that takes the random numbers of a sample from a
    /// [`Generator`] of its seed gives the same samples for any number of workers, any batch size and any order.
    /// By default the seeds are not used. Datasets that wrap others pass them on.
    ///
    /// # Errors
    /// Those of [`get_batch`](Dataset::get_batch).
    #[track_caller]
    fn get_batch_seeded(&self, indices: &[usize], seeds: &[u64]) -> Result<Self::Batch> {
        let _ = seeds;
        self.get_batch(indices)
    }

    /// All samples as one batch: `get_batch` of `0..len`.
    ///
    /// ```
    /// use chainrule_data::{Dataset, Subset, TensorDataset};
    /// use chainrule_tensor::{Result, Tensor};
    ///
    /// # fn main() -> Result<()> {
    /// let dataset = TensorDataset::new((Tensor::randn([4, 3])?, Tensor::new([5, 6, 7, 8])))?;
    /// let (_, labels) = Subset::new(&dataset, [3, 1])?.get_all()?;
    /// assert_eq!(labels.to_vec::<i64>()?, [8, 6]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`get_batch`](Dataset::get_batch), and when so many indices do not fit in memory.
    #[track_caller]
    fn get_all(&self) -> Result<Self::Batch> {
        self.get_batch(&try_range("Dataset.get_all", self.len())?)
    }

    /// Whether there are no samples.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same samples, each batch changed by `change`, when it is fetched. Holds a clone of the dataset.
    ///
    /// `change` may draw random numbers in the usual way, such as `x.add(&Tensor::randn(x.shape())?)`. A
    /// [`DataLoader`](crate::DataLoader) gives each batch of each epoch a generator of its own for that, so that they do
    /// not depend on the workers; they do on the size and the order of the batches, where those of
    /// [`map_samples`](Dataset::map_samples) are the samples' own. Without a loader they come from the process-wide
    /// generator.
    ///
    /// ```
    /// use chainrule_data::{Dataset, TensorDataset};
    /// use chainrule_tensor::{Result, Tensor};
    ///
    /// # fn main() -> Result<()> {
    /// let dataset = TensorDataset::new((Tensor::zeros([6, 1, 28, 28])?, Tensor::new([0, 1, 2, 2, 1, 0])))?;
    /// let flat = dataset.map(|(x, y)| Ok((x.flatten(1, -1)?, y.one_hot(3)?)));
    /// let (x, y) = flat.get_batch(&[0, 5])?;
    /// assert_eq!((x.shape(), y.shape()), (&[2, 784].into(), &[2, 3].into()));
    /// # Ok(())
    /// # }
    /// ```
    fn map<B: Send>(
        &self,
        change: impl Fn(Self::Batch) -> Result<B> + Send + Sync + 'static,
    ) -> MapDataset<Self, B>
    where
        Self: Sized + Clone,
    {
        MapDataset::new(self, move |batch, _, _| change(batch))
    }

    /// The same samples, each changed by `change`, when it is fetched, and stacked again (see
    /// [`collate`](crate::collate)). Holds a clone of the dataset.
    ///
    /// `change` is given the sample without the dimension of the batch, and a generator of its own for random
    /// numbers: see [`get_batch_seeded`](Dataset::get_batch_seeded). What it draws in the usual way, as by
    /// `Tensor::randn`, is the sample's own as well. Changing whole batches with [`map`](Dataset::map) is faster.
    ///
    /// ```
    /// use chainrule_data::{Dataset, TensorDataset};
    /// use chainrule_tensor::{Result, Tensor};
    ///
    /// # fn main() -> Result<()> {
    /// let dataset = TensorDataset::new(Tensor::arange(6)?)?;
    /// let rolled = dataset.map_samples(|x, random| {
    ///     let dice = Tensor::new(1 + i64::from(random.random() % 6));
    ///     Ok((x, dice))
    /// });
    /// let (x, dice) = rolled.get_batch(&[4, 2])?;
    /// assert_eq!(x.to_vec::<i64>()?, [4, 2]);
    /// assert!(dice.to_vec::<i64>()?.iter().all(|d| (1..=6).contains(d)));
    /// # Ok(())
    /// # }
    /// ```
    fn map_samples<S: Tensors>(
        &self,
        change: impl Fn(Self::Batch, &mut Generator) -> Result<S> + Send + Sync + 'static,
    ) -> MapDataset<Self, S>
    where
        Self: Sized + Clone,
        Self::Batch: Tensors,
    {
        MapDataset::of_samples(self, change)
    }

    /// The same samples, the first tensor of each (the image, `[C, H, W]` of `f32`) changed by `transform`, see
    /// [`transforms`](crate::transforms). Holds a clone of the dataset.
    ///
    /// ```
    /// use chainrule_data::transforms::{Compose, Normalize, RandomCrop, RandomHorizontalFlip};
    /// use chainrule_data::{DataLoader, Dataset, TensorDataset};
    /// use chainrule_tensor::{Result, Tensor};
    ///
    /// # fn main() -> Result<()> {
    /// let dataset = TensorDataset::new((Tensor::zeros([6, 1, 28, 28])?, Tensor::arange(6)?))?;
    /// let augment = Compose::new()
    ///     .then(RandomCrop::new(28).padding(2))
    ///     .then(RandomHorizontalFlip::new())
    ///     .then(Normalize::new([0.5], [0.5]));
    /// for batch in &DataLoader::new(&dataset.transform(augment)).batch_size(4).shuffle(true) {
    ///     let (images, labels) = batch?;
    ///     assert_eq!(images.shape()[1..], [1, 28, 28]);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    fn transform(&self, transform: impl Transform + 'static) -> MapDataset<Self, Self::Batch>
    where
        Self: Sized + Clone,
        Self::Batch: Tensors,
    {
        MapDataset::new(self, move |batch: Self::Batch, _, seeds| {
            let mut first = true;
            batch.try_map(|tensor: &Tensor| match std::mem::take(&mut first) {
                true => crate::transforms::apply_to_batch(&transform, tensor, seeds),
                false => Ok(tensor.clone()),
            })
        })
    }
}

impl<D: Dataset + ?Sized> Dataset for Arc<D> {
    type Batch = D::Batch;

    fn len(&self) -> usize {
        (**self).len()
    }

    // Behind a `dyn`, the caller's line is lost on the way.
    #[track_caller]
    fn get_batch(&self, indices: &[usize]) -> Result<D::Batch> {
        at_caller((**self).get_batch(indices))
    }

    #[track_caller]
    fn get_batch_seeded(&self, indices: &[usize], seeds: &[u64]) -> Result<D::Batch> {
        at_caller((**self).get_batch_seeded(indices, seeds))
    }

    #[track_caller]
    fn get_all(&self) -> Result<D::Batch> {
        at_caller((**self).get_all())
    }
}
