//! Cutting a dataset into parts.

mod k_fold;
mod lengths;
mod random;
mod stratified;
mod stratified_k_fold;

pub use k_fold::KFold;
pub use lengths::SplitLength;
pub use random::{random_split, random_split_with};
pub use stratified::{stratified_split, stratified_split_with};
pub use stratified_k_fold::StratifiedKFold;

use chainrule_tensor::{Result, bail};

/// The samples of each class in their own order, the classes in theirs.
#[track_caller]
fn by_class<L: Ord>(operation: &str, labels: &[L], samples: usize) -> Result<Vec<Vec<usize>>> {
    if labels.len() != samples {
        bail!(Value, operation, "there are {} labels for the {samples} samples of the dataset", labels.len());
    }
    let mut order: Vec<usize> = (0..samples).collect();
    order.sort_by(|&a, &b| labels[a].cmp(&labels[b]));
    Ok(order.chunk_by(|&a, &b| labels[a] == labels[b]).map(<[usize]>::to_vec).collect())
}
