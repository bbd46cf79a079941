//! Whole training steps: gradients away, forward, loss, backward, update.

mod gpt;
mod images;
mod lstm;
mod perceptrons;

use chainrule::optim::{Algorithm, Optimizer};
use chainrule::prelude::*;

use crate::data::parameter;
use crate::{Step, Workload};

pub(crate) const WORKLOADS: &[Workload] = &[
    ("tiny_mlp", perceptrons::tiny),
    ("mlp", perceptrons::mlp),
    ("cnn", images::cnn),
    ("resblock", images::resblock),
    ("gpt", gpt::gpt),
    ("lstm", lstm::lstm),
];

/// A training loop's body.
fn train<A: Algorithm + 'static>(
    mut optimizer: Optimizer<A>,
    loss: impl Fn() -> Result<Tensor> + 'static,
) -> Result<Step> {
    Ok(Box::new(move |check| {
        optimizer.zero_grad();
        let loss = loss()?;
        loss.backward()?;
        optimizer.step()?;
        Ok(if check { vec![loss.detach()] } else { Vec::new() })
    }))
}

/// A linear layer with the weights that go by a name.
fn linear(name: &str, inputs: usize, outputs: usize) -> Result<Linear> {
    Ok(Linear {
        weight: parameter(&format!("{name}.w"), [outputs, inputs], inputs)?,
        bias: Some(parameter(&format!("{name}.b"), [outputs], inputs)?),
    })
}

/// A 3×3 convolution that keeps the size, with the weights that go by a name.
fn convolution(name: &str, inputs: usize, outputs: usize, bias: bool) -> Result<Conv2d> {
    let layer = Conv2d::builder(inputs, outputs, 3).padding(1).bias(bias).build()?;
    layer.weight.set(&parameter(&format!("{name}.w"), [outputs, inputs, 3, 3], 9 * inputs)?.tensor())?;
    if let Some(bias) = &layer.bias {
        bias.set(&parameter(&format!("{name}.b"), [outputs], 9 * inputs)?.tensor())?;
    }
    Ok(layer)
}
