//! [`StratifiedKFold`].

use chainrule_tensor::random::Generator;
use chainrule_tensor::{Result, bail};

use super::by_class;
use super::k_fold::{check_folds, folds};
use crate::random_source::RandomSource;
use crate::{Dataset, Subset};

/// As [`KFold`](crate::KFold), with the classes in every fold in the same shares as in the whole, up to one sample
/// (scikit-learn: `StratifiedKFold`).
///
/// Classes are taken in the order in which they first occur. Without shuffling, the first samples of a class are in
/// the first fold, and so on; with it, its samples are put into the folds at random.
///
/// ```
/// use chainrule_data::{StratifiedKFold, TensorDataset};
/// use chainrule_tensor::{Result, Tensor};
///
/// # fn main() -> Result<()> {
/// let labels = ["cat", "cat", "dog", "cat", "dog", "cat"];
/// let dataset = TensorDataset::new(Tensor::arange(6)?)?;
/// let folds = StratifiedKFold::new(2).split(&dataset, &labels)?;
/// assert_eq!(folds[0].1.indices(), [0, 1, 2]);
/// assert_eq!(folds[1].1.indices(), [3, 4, 5]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct StratifiedKFold {
    k: usize,
    shuffle: bool,
    source: RandomSource,
}

impl StratifiedKFold {
    /// `k` folds, without shuffling.
    pub fn new(k: usize) -> Self {
        StratifiedKFold { k, shuffle: false, source: RandomSource::default() }
    }

    /// Whether the samples of a class are put into the folds at random; default false. Draws one permutation for
    /// each class.
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.shuffle = shuffle;
        self
    }

    /// Takes the random numbers from `generator` instead of the process-wide one.
    pub fn generator(mut self, generator: Generator) -> Self {
        self.source = RandomSource::own(generator);
        self
    }

    /// The folds: what to train on, and what to validate on. `labels` has the class of each sample, as anything that
    /// has an order.
    ///
    /// # Errors
    /// When there are fewer than two folds, or more than samples, there is not one label for each sample, or every
    /// class has fewer samples than there are folds.
    #[track_caller]
    pub fn split<D: Dataset + Clone, C: Ord>(
        &self,
        dataset: &D,
        labels: &[C],
    ) -> Result<Vec<(Subset<D>, Subset<D>)>> {
        check_folds("StratifiedKFold", self.k, dataset.len())?;
        let mut classes = by_class("StratifiedKFold", labels, dataset.len())?;
        if classes.iter().all(|class| class.len() < self.k) {
            bail!(Value, "StratifiedKFold", "no class has as many as {} samples", self.k);
        }
        classes.sort_by_key(|class| class[0]);
        let mut fold_of = vec![0; dataset.len()];
        let mut start = 0;
        for class in classes {
            // Class by class in a row, every k-th place belongs to the same fold: so many of this class fall to each.
            let end = start + class.len();
            let mut places: Vec<usize> = (start..end).map(|place| place % self.k).collect();
            places.sort_unstable();
            start = end;
            if self.shuffle {
                let order = self.source.with(|generator| generator.permutation(class.len()));
                places = order.into_iter().map(|i| places[i as usize]).collect();
            }
            class.iter().zip(places).for_each(|(&sample, fold)| fold_of[sample] = fold);
        }
        Ok(folds(dataset, self.k, &fold_of))
    }
}
