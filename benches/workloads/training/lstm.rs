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
struct Classifier {
    lstm: LSTM,
    head: Linear,
}

impl Forward for Classifier {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (_, (hidden, _)) = self.lstm.forward(x, None)?;
        self.head.forward(&hidden.select(0, -1)?)
    }
}

/// 64 inputs, 128 units, 32 sequences of 32 times; the last state is classified.
pub(crate) fn lstm() -> Result<Step> {
    let model = Classifier {
        lstm: LSTM::builder(INPUTS, WIDTH).batch_first(true).build()?,
        head: linear("lstm.head", WIDTH, 10)?,
    };
    let mut state = StateDict::new();
    let values = [
        ("weight_ih_l0", parameter("lstm.w_ih", [4 * WIDTH, INPUTS], WIDTH)?),
        ("weight_hh_l0", parameter("lstm.w_hh", [4 * WIDTH, WIDTH], WIDTH)?),
        ("bias_ih_l0", parameter("lstm.b_ih", [4 * WIDTH], WIDTH)?),
        ("bias_hh_l0", parameter("lstm.b_hh", [4 * WIDTH], WIDTH)?),
    ];
    for (name, value) in values {
        state.insert(name, value.tensor().detach())?;
    }
    model.lstm.load_state_dict(&state)?;
    let (x, y) = (numbers("lstm.x", [BATCH, LENGTH, INPUTS])?, integers("lstm.y", [BATCH], 10)?);
    let optimizer = Adam::new(model.parameters(), AdamOptions::default())?;
    train(optimizer, move || CrossEntropyLoss::new().forward(&model.forward(&x)?, &y))
}
