//! Losses of single elements whose mean is weighted.

use crate::elementwise::{ElementwiseLoss, elementwise};
use crate::{Reduction, check};
use chainrule_tensor::{Result, Tensor};

/// As [`elementwise`], but with a weight the mean divides by the sum of the weights.
#[track_caller]
pub(crate) fn weighted<L: ElementwiseLoss>(
    loss: L,
    operands: [&Tensor; 2],
    weight: Option<&Tensor>,
    reduction: Reduction,
) -> Result<Tensor> {
    let is_mean = matches!(reduction, Reduction::Mean | Reduction::MeanOrZero);
    let Some(weight) = weight.filter(|_| is_mean) else {
        return elementwise(loss, operands, weight, reduction);
    };
    let weight = check::expanded(L::NAME, operands[0], "weight", weight)?;
    let sum = elementwise(loss, operands, Some(&weight), Reduction::Sum)?;
    let total = weight.sum()?;
    if reduction == Reduction::MeanOrZero && total.item()? == 0.0 {
        return sum.mul(0.0);
    }
    if (1e-30..1e37).contains(&sum.item()?.abs()) || total.item()? == 0.0 {
        return sum.div(&total);
    }
    // The sum may be too large or too small for the type of a mean that is not.
    elementwise(loss, operands, Some(&weight.div(&total)?), Reduction::Sum)
}
