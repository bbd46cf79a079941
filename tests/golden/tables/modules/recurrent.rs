//! Recurrent layers.

use std::sync::Arc;

use chainrule::nn::{GRU, LSTM, Module, RNN, RNNNonlinearity, RecurrentBuilder};
use chainrule::{Result, Tensor};

use super::{Built, Entry, Given};
use crate::call::Call;
use crate::output::{Output, give};
use crate::stop::{Outcome, not_built};

pub(crate) const ENTRIES: &[Entry] = &[
    (
        "LSTM(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size) on (input, hx)",
        |c| {
            if c.or("proj_size", 0usize)? != 0 {
                return not_built("option not built: LSTM proj_size");
            }
            let layer = LSTM::builder(c.get("input_size")?, c.get("hidden_size")?);
            built(options(c, layer)?.build(), |layer, c| {
                give(layer.forward(c.input()?, c.optional::<(&Tensor, &Tensor)>("hx")?))
            })
        },
    ),
    (
        "GRU(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional) on (input, hx)",
        |c| {
            let layer = GRU::builder(c.get("input_size")?, c.get("hidden_size")?);
            built(options(c, layer)?.build(), |layer, c| {
                give(layer.forward(c.input()?, c.optional::<&Tensor>("hx")?))
            })
        },
    ),
    (
        "RNN(input_size, hidden_size, num_layers, nonlinearity, bias, batch_first, dropout, bidirectional) on (input, hx)",
        |c| {
            let nonlinearity = match c.or("nonlinearity", "tanh")? {
                "relu" => RNNNonlinearity::ReLU,
                _ => RNNNonlinearity::Tanh,
            };
            let layer = RNN::builder(c.get("input_size")?, c.get("hidden_size")?).nonlinearity(nonlinearity);
            built(options(c, layer)?.build(), |layer, c| {
                give(layer.forward(c.input()?, c.optional::<&Tensor>("hx")?))
            })
        },
    ),
];

/// The options that all of them have.
fn options<L>(c: &Call, layer: RecurrentBuilder<L>) -> Outcome<RecurrentBuilder<L>> {
    Ok(layer
        .dtype(c.dtype)
        .given(c.optional("num_layers")?, |b, v| b.num_layers(v))
        .given(c.optional("bias")?, |b, v| b.bias(v))
        .given(c.optional("batch_first")?, |b, v| b.batch_first(v))
        .given(c.optional("dropout")?, |b, v| b.dropout(v))
        .given(c.optional("bidirectional")?, |b, v| b.bidirectional(v)))
}

/// A module whose `forward` gives states too.
fn built<L: Module + 'static>(
    layer: Result<L>,
    forward: impl Fn(&L, &Call) -> Outcome<Output> + 'static,
) -> Outcome<Built> {
    let layer = Arc::new(layer?);
    let module: Arc<dyn Module> = layer.clone();
    Ok(Built {
        module: Some(module),
        inputs: Vec::new(),
        forward: Box::new(move |c: &Call| forward(&layer, c)),
    })
}
