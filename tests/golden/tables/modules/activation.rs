//! Activations.

use chainrule::nn::*;

use super::{Entry, Given, layer};
use crate::stop::Stop;

pub(crate) const ENTRIES: &[Entry] = &[
    ("GELU(approximate)", |c| {
        let approximate = match c.optional("approximate")? {
            None => None,
            Some("none") => Some(Approximate::None),
            Some("tanh") => Some(Approximate::Tanh),
            Some(other) => return Err(Stop::Inexpressible(format!("approximate is {other:?}"))),
        };
        layer(GELU::builder().given(approximate, |b, v| b.approximate(v)).build())
    }),
    ("Identity()", |_| layer(Ok(Identity::new()))),
    ("LeakyReLU(negative_slope, inplace)", |c| {
        layer(LeakyReLU::builder().given(c.optional("negative_slope")?, |b, v| b.negative_slope(v)).build())
    }),
    ("LogSoftmax(dim)", |c| layer(Ok(LogSoftmax::new(c.get("dim")?)))),
    ("ReLU(inplace)", |_| layer(Ok(ReLU::new()))),
    ("Sigmoid()", |_| layer(Ok(Sigmoid::new()))),
    ("Softmax(dim)", |c| layer(Ok(Softmax::new(c.get("dim")?)))),
    ("Tanh()", |_| layer(Ok(Tanh::new()))),
];
