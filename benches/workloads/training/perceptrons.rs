//! Linear layers.

use super::{linear, train};
use crate::Step;
use crate::data::{integers, numbers, uniform};
use chainrule::prelude::*;

/// One layer of 10 inputs and 2 outputs on 10 samples.
pub(crate) fn tiny() -> Result<Step> {
    let model = linear("tiny.l", 10, 2)?;
    let (x, y) = (numbers("tiny.x", [10, 10])?, integers("tiny.y", [10], 2)?);
    let optimizer = Sgd::new(model.parameters(), SgdOptions { lr: 0.01, ..Default::default() })?;
    train(optimizer, move || CrossEntropyLoss::new().forward(&model.forward(&x)?, &y))
}

/// 784-512-256-10 on 64 samples.
pub(crate) fn mlp() -> Result<Step> {
    let model = Sequential::new()
        .push(linear("mlp.l1", 784, 512)?)
        .push(ReLU::new())
        .push(linear("mlp.l2", 512, 256)?)
        .push(ReLU::new())
        .push(linear("mlp.l3", 256, 10)?);
    let (x, y) = (uniform("mlp.x", [64, 784], 0.0, 1.0)?, integers("mlp.y", [64], 10)?);
    let options = SgdOptions { lr: 0.01, momentum: 0.9, ..Default::default() };
    let optimizer = Sgd::new(model.parameters(), options)?;
    train(optimizer, move || CrossEntropyLoss::new().forward(&model.forward(&x)?, &y))
}
