//! [`DataLoader`]: batches of a dataset, epoch by epoch.

mod epoch;
mod fetch;
mod iter;
mod plan;
mod state;
mod workers;

use std::sync::Arc;

use chainrule_tensor::random::Generator;
use chainrule_tensor::{Result, bail};

use crate::random_source::RandomSource;
use crate::{Dataset, RandomSampler, Sampler, SequentialSampler};
use plan::Plan;

pub use iter::DataLoaderIter;
pub use state::DataLoaderState;
pub(crate) use workers::in_worker;

/// More threads than any machine has use for; systems that are asked for many more end the process.
const MAX_WORKERS: usize = 1024;

/// Batches of a dataset, epoch by epoch (PyTorch: `torch.utils.data.DataLoader`, with the same order of samples
/// for the same seed).
///
/// ```
/// use chainrule_data::{DataLoader, TensorDataset};
/// use chainrule_tensor::{Result, Tensor, random::manual_seed};
///
/// # fn main() -> Result<()> {
/// manual_seed(7);
/// let dataset = TensorDataset::new((Tensor::zeros([7, 10])?, Tensor::arange(7)?))?;
/// let loader = DataLoader::new(&dataset).batch_size(3).shuffle(true);
/// let mut order = Vec::new();
/// for batch in loader.iter() {
///     let (inputs, targets) = batch?;
///     assert_eq!(inputs.shape()[1..], [10]);
///     order.push(targets.to_vec::<i64>()?);
/// }
/// assert_eq!(order, [vec![2, 0, 5], vec![6, 3, 4], vec![1]]);
/// # Ok(())
/// # }
/// ```
///
/// # Options
/// | option | default | |
/// |---|---|---|
/// | [`batch_size`](DataLoader::batch_size) | 1 | samples in a batch, at least 1 |
/// | [`shuffle`](DataLoader::shuffle) | false | a new random order each epoch |
/// | [`sampler`](DataLoader::sampler) | in order | the order of samples; excludes `shuffle` |
/// | [`batch_sampler`](DataLoader::batch_sampler) | by size | the batches; excludes the four around it |
/// | [`drop_last`](DataLoader::drop_last) | false | leave out a last batch that is not full |
/// | [`num_workers`](DataLoader::num_workers) | 0 | threads that make batches in advance, at most 1024 |
/// | [`prefetch_factor`](DataLoader::prefetch_factor) | 2 | batches that each of them makes in advance |
/// | [`generator`](DataLoader::generator) | process-wide | random numbers |
///
/// Options that do not go together are reported by the iterator: it yields one error and ends.
///
/// # Order and random numbers
/// Batches come in the order of the sampler, with the same contents for any number of workers. As in PyTorch,
/// each [`iter`](DataLoader::iter) draws a 64-bit base seed from the process-wide generator (or the loader's own),
/// **even without shuffling**, and the sampler draws when the first batch is asked for. So a seeded script and
/// its PyTorch original see the same random numbers afterwards.
///
/// # Workers
/// Worker threads are started by the first batch of an epoch and end with the iterator; dropping it early waits
/// for no more than the batch that each is working on. For a [`TensorDataset`](crate::TensorDataset) a batch is
/// a copy of a few rows, and no workers is the fastest.
///
/// What a dataset draws from the default generator while it makes a batch (`Tensor::randn` in [`Dataset::map`], in
/// [`Dataset::get_batch`]) comes from a generator of that batch, whose seed follows from the base seed and the batch's
/// place in the epoch. So it does not depend on the workers, nor on what the training draws meanwhile, and
/// [`resume`](DataLoader::resume) goes on with the same numbers. (In PyTorch it comes from a generator of each worker,
/// and changes with their number.) Threads of the dataset's own do not notice, see
/// [`with_seed`](chainrule_tensor::random::with_seed).
///
/// Random changes of single samples have a seed for each sample and epoch, see [`Dataset::get_batch_seeded`]: they do
/// not depend on the size of the batches either.
///
/// An error or a panic in [`Dataset::get_batch`] becomes an error of that batch; the batches after it are
/// still there for a caller who goes on.
pub struct DataLoader<D> {
    dataset: D,
    batch_size: Option<usize>,
    shuffle: bool,
    drop_last: bool,
    num_workers: usize,
    prefetch_factor: Option<usize>,
    sampler: Option<Arc<dyn Sampler>>,
    batch_sampler: Option<Arc<dyn Sampler<Vec<usize>>>>,
    source: Arc<RandomSource>,
}

impl<D: Dataset + Clone + 'static> DataLoader<D> {
    /// A loader of single samples in order.
    ///
    /// It holds a clone of the dataset, as does each iterator and worker. Datasets are therefore cheap handles:
    /// a [`TensorDataset`](crate::TensorDataset) shares its memory with its clones, and an
    /// [`Arc`] of any dataset is a dataset too (`DataLoader::new(&Arc::new(dataset))`).
    pub fn new(dataset: &D) -> Self {
        DataLoader {
            dataset: dataset.clone(),
            batch_size: None,
            shuffle: false,
            drop_last: false,
            num_workers: 0,
            prefetch_factor: None,
            sampler: None,
            batch_sampler: None,
            source: Arc::default(),
        }
    }

    /// How many samples a batch has; the last one may have fewer.
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = Some(batch_size);
        self
    }

    /// Whether each epoch has a random order of its own.
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.shuffle = shuffle;
        self
    }

    /// Chooses samples and their order.
    pub fn sampler(mut self, sampler: impl Sampler + 'static) -> Self {
        self.sampler = Some(Arc::new(sampler));
        self
    }

    /// Chooses the samples of each batch, see [`BatchSampler`](crate::BatchSampler).
    ///
    /// ```
    /// use chainrule_data::{DataLoader, Sampler, TensorDataset};
    /// use chainrule_tensor::{Result, Tensor};
    ///
    /// /// Batches of one class each.
    /// struct ByClass(Vec<i64>);
    ///
    /// impl Sampler<Vec<usize>> for ByClass {
    ///     fn len(&self, _: usize) -> usize {
    ///         2
    ///     }
    ///
    ///     fn indices(&self, n: usize) -> Result<Vec<Vec<usize>>> {
    ///         Ok([0, 1].map(|class| (0..n).filter(|&i| self.0[i] == class).collect()).into())
    ///     }
    /// }
    ///
    /// # fn main() -> Result<()> {
    /// let dataset = TensorDataset::new(Tensor::arange(5)?)?;
    /// let loader = DataLoader::new(&dataset).batch_sampler(ByClass(vec![0, 1, 1, 0, 1]));
    /// let batches: Vec<_> = loader.iter().map(|batch| batch?.to_vec::<i64>()).collect::<Result<_>>()?;
    /// assert_eq!(batches, [vec![0, 3], vec![1, 2, 4]]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn batch_sampler(mut self, batch_sampler: impl Sampler<Vec<usize>> + 'static) -> Self {
        self.batch_sampler = Some(Arc::new(batch_sampler));
        self
    }

    /// Whether to leave out a last batch with fewer samples than the others.
    pub fn drop_last(mut self, drop_last: bool) -> Self {
        self.drop_last = drop_last;
        self
    }

    /// How many threads make batches while the caller works on others, at most 1024; with 0 the caller makes them.
    pub fn num_workers(mut self, num_workers: usize) -> Self {
        self.num_workers = num_workers;
        self
    }

    /// How many batches each worker makes in advance, at least 1. Only with workers. Memory is taken for batches that
    /// are made, not for those that might be.
    pub fn prefetch_factor(mut self, prefetch_factor: usize) -> Self {
        self.prefetch_factor = Some(prefetch_factor);
        self
    }

    /// Takes the base seeds and the shuffling from `generator` instead of the process-wide one. A
    /// [`sampler`](DataLoader::sampler) keeps its own.
    pub fn generator(mut self, generator: Generator) -> Self {
        self.source = Arc::new(RandomSource::own(generator));
        self
    }

    /// The number of batches of an epoch; 0 if the batch size is 0.
    pub fn len(&self) -> usize {
        self.plan().len(self.dataset.len())
    }

    /// Whether an epoch has no batches.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The dataset.
    pub fn dataset(&self) -> &D {
        &self.dataset
    }

    /// The batches of a new epoch.
    #[track_caller]
    pub fn iter(&self) -> DataLoaderIter<D> {
        match self.check() {
            Ok(()) => {
                let base_seed = self.source.with(Generator::random_i64);
                DataLoaderIter::new(self, base_seed)
            }
            Err(error) => DataLoaderIter::failed(self, error),
        }
    }

    /// The rest of an epoch that was saved with [`DataLoaderIter::state`]. Draws nothing; a loader with a
    /// generator of its own goes on with its saved state.
    ///
    /// The dataset and the options that choose samples must be those of the saved loader; the number of workers
    /// may differ. The state has the generators of the loader and of its sampler, where they have some of their own;
    /// the process-wide generator is not part of it.
    ///
    /// # Errors
    /// When the state does not fit the dataset or the loader's generator, or the options do not go together.
    #[track_caller]
    pub fn resume(&self, state: &DataLoaderState) -> Result<DataLoaderIter<D>> {
        self.check()?;
        DataLoaderIter::resumed(self, state)
    }

    fn plan(&self) -> Plan {
        if let Some(batch_sampler) = &self.batch_sampler {
            return Plan::Batches(batch_sampler.clone());
        }
        let sampler: Arc<dyn Sampler> = match &self.sampler {
            Some(sampler) => sampler.clone(),
            None if self.shuffle => Arc::new(RandomSampler::from_source(self.source.clone())),
            None => Arc::new(SequentialSampler),
        };
        let batch_size = self.batch_size.unwrap_or(1);
        Plan::Samples { sampler, given: self.sampler.is_some(), batch_size, drop_last: self.drop_last }
    }

    #[track_caller]
    fn check(&self) -> Result<()> {
        let DataLoader { batch_size, shuffle, drop_last, num_workers, .. } = *self;
        if batch_size == Some(0) {
            bail!(Value, "DataLoader", "batch_size must be at least 1, got 0");
        }
        if shuffle && self.sampler.is_some() {
            bail!(Value, "DataLoader", "shuffle and sampler exclude each other: a sampler chooses the order");
        }
        if self.batch_sampler.is_some()
            && (batch_size.is_some() || shuffle || drop_last || self.sampler.is_some())
        {
            bail!(
                Value,
                "DataLoader",
                "batch_sampler excludes batch_size, shuffle, sampler and drop_last: it chooses the batches"
            );
        }
        if num_workers > MAX_WORKERS {
            bail!(Value, "DataLoader", "num_workers must be at most {MAX_WORKERS}, got {num_workers}");
        }
        match self.prefetch_factor {
            Some(0) => bail!(Value, "DataLoader", "prefetch_factor must be at least 1, got 0"),
            Some(n) if num_workers == 0 => {
                bail!(Value, "DataLoader", "prefetch_factor {n} needs workers, but num_workers is 0")
            }
            _ => Ok(()),
        }
    }
}

impl<D: Dataset + Clone + 'static> IntoIterator for &DataLoader<D> {
    type Item = Result<D::Batch>;
    type IntoIter = DataLoaderIter<D>;

    #[track_caller]
    fn into_iter(self) -> DataLoaderIter<D> {
        self.iter()
    }
}

impl<D: std::fmt::Debug> std::fmt::Debug for DataLoader<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DataLoader")
            .field("dataset", &self.dataset)
            .field("batch_size", &self.batch_size)
            .field("shuffle", &self.shuffle)
            .field("drop_last", &self.drop_last)
            .field("num_workers", &self.num_workers)
            .finish_non_exhaustive()
    }
}
