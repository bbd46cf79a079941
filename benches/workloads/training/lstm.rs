//! A recurrent network.

use super::{linear, train};
use crate::Step;
use crate::data::{integers, numbers, parameter};
use chainrule::prelude::*;

const BATCH: usize = 32;
const LENGTH: usize = 32;
const INPUTS: usize = 64;
const WIDTH: usize = 128;

#[derive(Module)]
struct Lstm {
    weight_ih: Parameter,
    weight_hh: Parameter,
    bias_ih: Parameter,
    bias_hh: Parameter,
    head: Linear,
}

impl Forward for Lstm {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        // What comes from the inputs, for all times at once: [T, B, 4·width].
        let inputs = x.transpose(0, 1)?.linear(&self.weight_ih.tensor(), Some(&self.bias_ih.tensor()))?;
        let (weight, bias) = (self.weight_hh.tensor(), self.bias_hh.tensor());
        let mut hidden = Tensor::zeros([BATCH, WIDTH])?;
        let mut cell = Tensor::zeros([BATCH, WIDTH])?;
        for input in inputs.unbind(0)? {
            let gates = input.add(&hidden.linear(&weight, Some(&bias))?)?.chunk(4, 1)?;
            let kept = gates[1].sigmoid()?.mul(&cell)?;
            cell = kept.add(&gates[0].sigmoid()?.mul(&gates[2].tanh()?)?)?;
            hidden = gates[3].sigmoid()?.mul(&cell.tanh()?)?;
        }
        self.head.forward(&hidden)
    }
}

/// 64 inputs, 128 units, 32 sequences of 32 times; the last state is classified.
pub(crate) fn lstm() -> Result<Step> {
    let model = Lstm {
        weight_ih: parameter("lstm.w_ih", [4 * WIDTH, INPUTS], WIDTH)?,
        weight_hh: parameter("lstm.w_hh", [4 * WIDTH, WIDTH], WIDTH)?,
        bias_ih: parameter("lstm.b_ih", [4 * WIDTH], WIDTH)?,
        bias_hh: parameter("lstm.b_hh", [4 * WIDTH], WIDTH)?,
        head: linear("lstm.head", WIDTH, 10)?,
    };
    let (x, y) = (numbers("lstm.x", [BATCH, LENGTH, INPUTS])?, integers("lstm.y", [BATCH], 10)?);
    let optimizer = Adam::new(model.parameters(), AdamOptions::default())?;
    train(optimizer, move || CrossEntropyLoss::new().forward(&model.forward(&x)?, &y))
}
