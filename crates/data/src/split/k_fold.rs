//! [`KFold`].

use chainrule_tensor::random::Generator;
use chainrule_tensor::{Result, bail};

use crate::allocate::{too_large, try_filled, try_range, try_vec};
use crate::random_source::RandomSource;
use crate::{Dataset, Subset};

/// Cuts a dataset into `k` folds for cross-validation: each is validated on once and trained on the other times
/// (scikit-learn: `KFold`).
///
/// The first `samples % k` folds have one sample more than the others. Without shuffling a fold is a run of
/// neighbours; with it, a run of a random permutation. The indices of training and validation are in rising order.
///
/// ```
/// use chainrule_data::{Dataset, KFold, TensorDataset};
/// use chainrule_tensor::{Result, Tensor};
///
/// # fn main() -> Result<()> {
/// let dataset = TensorDataset::new(Tensor::arange(10)?)?;
/// for (train, valid) in KFold::new(5).shuffle(true).split(&dataset)? {
///     assert_eq!((train.len(), valid.len()), (8, 2));
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct KFold {
    k: usize,
    shuffle: bool,
    source: RandomSource,
}

impl KFold {
    /// `k` folds, without shuffling.
    pub fn new(k: usize) -> Self {
        KFold { k, shuffle: false, source: RandomSource::default() }
    }

    /// Whether the samples are put into the folds at random; default false. Draws one permutation.
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.shuffle = shuffle;
        self
    }

    /// Takes the random numbers from `generator` instead of the process-wide one.
    pub fn generator(mut self, generator: Generator) -> Self {
        self.source = RandomSource::own(generator);
        self
    }

    /// The folds: what to train on, and what to validate on.
    ///
    /// # Errors
    /// When there are fewer than two folds, or more than samples, or the indices of all folds do not fit in memory.
    #[track_caller]
    pub fn split<D: Dataset + Clone>(&self, dataset: &D) -> Result<Vec<(Subset<D>, Subset<D>)>> {
        let samples = dataset.len();
        check_folds("KFold", self.k, samples)?;
        let mut fold_of = try_filled("KFold", samples, 0)?;
        let order = if self.shuffle {
            self.source.permutation("KFold", samples)?
        } else {
            try_range("KFold", samples)?
        };
        let mut order = order.into_iter();
        for fold in 0..self.k {
            let size = samples / self.k + usize::from(fold < samples % self.k);
            order.by_ref().take(size).for_each(|i| fold_of[i] = fold);
        }
        Ok(folds(dataset, self.k, &fold_of))
    }
}

#[track_caller]
pub(super) fn check_folds(operation: &str, k: usize, samples: usize) -> Result<()> {
    if k < 2 {
        bail!(Value, operation, "at least 2 folds are needed, got {k}");
    }
    if k > samples {
        bail!(Value, operation, "{samples} samples do not make {k} folds");
    }
    // Each fold has the indices of all samples. Asked for at once, and given back: what is made afterwards fits.
    let Some(indices) = k.checked_mul(samples) else {
        return Err(too_large(operation, usize::MAX, size_of::<usize>()));
    };
    try_vec::<usize>(operation, indices)?;
    Ok(())
}

/// Training and validation parts, from the fold of each sample.
pub(super) fn folds<D: Dataset + Clone>(
    dataset: &D,
    k: usize,
    fold_of: &[usize],
) -> Vec<(Subset<D>, Subset<D>)> {
    let part = |fold| {
        let size = fold_of.iter().filter(|&&other| other == fold).count();
        let (mut train, mut valid) = (Vec::with_capacity(fold_of.len() - size), Vec::with_capacity(size));
        for (i, &other) in fold_of.iter().enumerate() {
            if other == fold { valid.push(i) } else { train.push(i) }
        }
        (Subset::of_valid(dataset, train), Subset::of_valid(dataset, valid))
    };
    (0..k).map(part).collect()
}
