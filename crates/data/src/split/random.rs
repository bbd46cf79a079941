//! [`random_split`].

use chainrule_tensor::Result;
use chainrule_tensor::random::{Generator, with_default};

use super::SplitLength;
use crate::allocate::try_filled;
use crate::{Dataset, Subset};

/// Cuts a dataset at random into parts, given by their numbers of samples or by their fractions (PyTorch:
/// `torch.utils.data.random_split`, with the same random numbers). Draws a permutation from the process-wide
/// generator.
///
/// Fractions are rounded down, and the samples that are left over go to the first parts, one each.
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
/// let [train, valid] = random_split(&dataset, [0.8, 0.2])?;
/// assert_eq!((train.len(), valid.len()), (6, 1));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the lengths do not add up to the number of samples, or the fractions to 1 (to within 1e-9 below, and to within
/// rounding above), or so many indices do not fit in memory. Nothing is drawn then.
#[track_caller]
pub fn random_split<D: Dataset + Clone, L: SplitLength, const N: usize>(
    dataset: &D,
    lengths: [L; N],
) -> Result<[Subset<D>; N]> {
    let counts = L::counts("random_split", lengths, dataset.len())?;
    let memory = try_filled("random_split", dataset.len(), 0)?;
    Ok(with_default(|generator| split(dataset, counts, memory, generator)))
}

/// As [`random_split`], with random numbers from `generator`.
///
/// # Errors
/// Those of [`random_split`].
#[track_caller]
pub fn random_split_with<D: Dataset + Clone, L: SplitLength, const N: usize>(
    dataset: &D,
    lengths: [L; N],
    generator: &mut Generator,
) -> Result<[Subset<D>; N]> {
    let counts = L::counts("random_split", lengths, dataset.len())?;
    let memory = try_filled("random_split", dataset.len(), 0)?;
    Ok(split(dataset, counts, memory, generator))
}

fn split<D: Dataset + Clone, const N: usize>(
    dataset: &D,
    counts: [usize; N],
    mut order: Vec<i64>,
    generator: &mut Generator,
) -> [Subset<D>; N] {
    generator.permute(&mut order);
    let mut order = order.into_iter().map(|i| i as usize);
    counts.map(|n| Subset::of_valid(dataset, order.by_ref().take(n).collect::<Vec<_>>()))
}
