//! Samples that the rows of many losses have.

use crate::Reduction;
use chainrule_tensor::table::Sample;
use chainrule_tensor::{Result, Tensor};

/// A sample for each reduction.
pub(crate) fn reductions(inputs: &[Tensor], call: fn(&[Tensor], Reduction) -> Result<Tensor>) -> Vec<Sample> {
    let reductions = [
        ("none", Reduction::None),
        ("mean", Reduction::Mean),
        ("mean or zero", Reduction::MeanOrZero),
        ("batch mean", Reduction::BatchMean),
        ("sum", Reduction::Sum),
    ];
    let sample = |(label, reduction)| Sample::new(label, inputs.to_vec(), move |x| call(x, reduction));
    reductions.map(sample).into()
}
