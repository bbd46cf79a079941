//! Activations.

use super::Entry;
use crate::output::give;
use crate::stop::Stop;

pub(crate) const ENTRIES: &[Entry] = &[
    ("elu", |c| give(c.input()?.elu(c.or("alpha", 1.0)?))),
    ("gelu", |c| match c.or("approximate", "none")? {
        "none" => give(c.input()?.gelu()),
        "tanh" => give(c.input()?.gelu_tanh()),
        other => Err(Stop::Inexpressible(format!("approximate is {other:?}"))),
    }),
    ("leaky_relu", |c| give(c.input()?.leaky_relu(c.or("negative_slope", 0.01)?))),
    ("log_softmax", |c| give(c.cast("input")?.log_softmax(c.get("dim")?))),
    ("relu", |c| give(c.input()?.relu())),
    ("silu", |c| give(c.input()?.silu())),
    ("softmax", |c| give(c.cast("input")?.softmax(c.get("dim")?))),
    ("softplus", |c| give(c.input()?.softplus(c.or("beta", 1.0)?, c.or("threshold", 20.0)?))),
];
