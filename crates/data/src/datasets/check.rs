//! What datasets refuse alike.

use chainrule_tensor::{Result, Tensor, bail};

/// An error unless all indices are below `len`.
#[track_caller]
pub(crate) fn check_indices(dataset: &str, indices: &[usize], len: usize) -> Result<()> {
    if let Some(index) = indices.iter().find(|&&i| i >= len) {
        bail!(Index, dataset, "sample {index} is out of range: there are {len} samples");
    }
    Ok(())
}

/// An error unless there is a seed for each index.
#[track_caller]
pub(crate) fn check_seeds(dataset: &str, indices: &[usize], seeds: &[u64]) -> Result<()> {
    if seeds.len() != indices.len() {
        bail!(Value, dataset, "there are {} seeds for {} samples", seeds.len(), indices.len());
    }
    Ok(())
}

/// An error unless a batch that a dataset gave has as many samples as it was asked for.
#[track_caller]
pub(crate) fn check_rows(operation: &str, batch: &Tensor, samples: usize) -> Result<()> {
    let shape = batch.shape();
    if shape.first() != Some(&samples) {
        bail!(
            Shape,
            operation,
            "the dataset gave a tensor of shape {shape} for a batch of {samples} samples"
        );
    }
    Ok(())
}
