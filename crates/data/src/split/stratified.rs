//! [`stratified_split`].

use chainrule_tensor::Result;
use chainrule_tensor::random::{Generator, with_default};

use super::{SplitLength, by_class};
use crate::{Dataset, Subset};

/// Cuts a dataset at random into parts that have the classes in the same shares as the whole; each part keeps the
/// order of the dataset. Draws one permutation for each class from the process-wide generator.
///
/// `labels` has the class of each sample, as anything that has an order: `&[u8]`, `&[i64]`, names. The numbers of
/// samples of the parts are those of [`random_split`](crate::random_split). To meet them, the samples are dealt out
/// class by class, each to the part that is furthest behind its share.
///
/// ```
/// use chainrule_data::{TensorDataset, stratified_split};
/// use chainrule_tensor::{Result, Tensor};
///
/// # fn main() -> Result<()> {
/// let labels = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1];
/// let dataset = TensorDataset::new((Tensor::randn([12, 3])?, Tensor::new(labels)))?;
/// let [train, valid] = stratified_split(&dataset, &labels, [0.75, 0.25])?;
/// let ones = |part: &[usize]| part.iter().filter(|&&i| labels[i] == 1).count();
/// assert_eq!((ones(train.indices()), ones(valid.indices())), (3, 1));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Those of [`random_split`](crate::random_split), and when there is not one label for each sample. Nothing is drawn
/// then.
#[track_caller]
pub fn stratified_split<D: Dataset + Clone, C: Ord, L: SplitLength, const N: usize>(
    dataset: &D,
    labels: &[C],
    lengths: [L; N],
) -> Result<[Subset<D>; N]> {
    let counts = L::counts("stratified_split", lengths, dataset.len())?;
    let classes = by_class("stratified_split", labels, dataset.len())?;
    Ok(with_default(|generator| split(dataset, classes, counts, generator)))
}

/// As [`stratified_split`], with random numbers from `generator`.
///
/// # Errors
/// Those of [`stratified_split`].
#[track_caller]
pub fn stratified_split_with<D: Dataset + Clone, C: Ord, L: SplitLength, const N: usize>(
    dataset: &D,
    labels: &[C],
    lengths: [L; N],
    generator: &mut Generator,
) -> Result<[Subset<D>; N]> {
    let counts = L::counts("stratified_split", lengths, dataset.len())?;
    let classes = by_class("stratified_split", labels, dataset.len())?;
    Ok(split(dataset, classes, counts, generator))
}

fn split<D: Dataset + Clone, const N: usize>(
    dataset: &D,
    classes: Vec<Vec<usize>>,
    counts: [usize; N],
    generator: &mut Generator,
) -> [Subset<D>; N] {
    let samples = counts.iter().sum::<usize>() as i128;
    let mut parts = counts.map(Vec::<usize>::with_capacity);
    let mut dealt = 0i128;
    for class in classes {
        for i in generator.permutation(class.len()) {
            dealt += 1;
            // How far a part is behind, times the number of samples, so that it is an integer.
            let behind = |part: usize| counts[part] as i128 * dealt - parts[part].len() as i128 * samples;
            let open = (0..N).filter(|&part| parts[part].len() < counts[part]);
            // The first of those furthest behind; a part is open while samples are left.
            let next = open.reduce(|a, b| if behind(b) > behind(a) { b } else { a });
            parts[next.unwrap_or_default()].push(class[i as usize]);
        }
    }
    parts.map(|mut part| {
        part.sort_unstable();
        Subset::of_valid(dataset, part)
    })
}
