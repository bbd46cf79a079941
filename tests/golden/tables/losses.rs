//! The options of losses, which the functions and the modules share.

use chainrule::Tensor;
use chainrule::loss::*;

use crate::call::Call;
use crate::stop::Outcome;

pub(crate) fn binary_cross_entropy(c: &Call) -> Outcome<BCELoss> {
    Ok(BCELoss { weight: tensor(c, "weight")?, reduction: reduction(c)? })
}

pub(crate) fn cross_entropy(c: &Call) -> Outcome<CrossEntropyLoss> {
    let d = CrossEntropyLoss::default();
    Ok(CrossEntropyLoss {
        weight: tensor(c, "weight")?,
        ignore_index: c.or("ignore_index", d.ignore_index)?,
        reduction: reduction(c)?,
        label_smoothing: c.or("label_smoothing", d.label_smoothing)?,
    })
}

pub(crate) fn l1_loss(c: &Call) -> Outcome<L1Loss> {
    Ok(L1Loss { reduction: reduction(c)? })
}

pub(crate) fn mse_loss(c: &Call) -> Outcome<MSELoss> {
    Ok(MSELoss { reduction: reduction(c)? })
}

fn reduction(c: &Call) -> Outcome<Reduction> {
    c.or("reduction", Reduction::default())
}

fn tensor(c: &Call, name: &str) -> Outcome<Option<Tensor>> {
    Ok(c.optional::<&Tensor>(name)?.cloned())
}
