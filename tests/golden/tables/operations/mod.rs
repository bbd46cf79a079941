//! Operations by PyTorch's names, one table for each group.
//!
//! A name stands for the function `torch.NAME`, and for those of `torch.nn.functional`, of `torch.special` and
//! of `torch.Tensor` unless a table has them under their full name.

mod activation;
mod binary;
mod convolution;
mod creation;
mod index;
mod linalg;
mod loss;
mod normalization;
mod pooling;
mod reduction;
mod shape;
mod unary;

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::call::Call;
use crate::output::Output;
use crate::stop::{Outcome, mismatch, not_built};

/// A PyTorch name and our call.
pub(crate) type Entry = (&'static str, Function);

type Function = fn(&Call) -> Outcome<Output>;

const TABLES: &[&[Entry]] = &[
    activation::ENTRIES,
    binary::ENTRIES,
    convolution::ENTRIES,
    creation::ENTRIES,
    index::ENTRIES,
    linalg::ENTRIES,
    loss::ENTRIES,
    normalization::ENTRIES,
    pooling::ENTRIES,
    reduction::ENTRIES,
    shape::ENTRIES,
    unary::ENTRIES,
];

static ENTRIES: LazyLock<HashMap<&str, Function>> = LazyLock::new(|| {
    let mut entries = HashMap::new();
    for (name, call) in TABLES.concat() {
        assert!(entries.insert(name, call).is_none(), "{name} is in the tables twice");
    }
    entries
});

/// Calls our function for a PyTorch function, and sees to it that every argument was taken.
pub(crate) fn call(function: &str, call: &Call) -> Outcome<Output> {
    let name = function.strip_prefix("torch.").unwrap_or(function);
    let short = ["nn.functional.", "special.", "Tensor."].iter().find_map(|space| name.strip_prefix(space));
    let entry = ENTRIES.get(name).or_else(|| short.and_then(|short| ENTRIES.get(short)));
    let Some(entry) = entry else {
        // Whoever adds a row to the table of operations is reminded of this one.
        return match chainrule::table::rows().iter().find(|row| row.torch == function) {
            Some(row) => {
                mismatch(format!("{} is built, but {function} is not in the driver's tables", row.name))
            }
            None => not_built(format!("operation not built: {name}")),
        };
    };
    let output = entry(call)?;
    call.all_taken(name)?;
    Ok(output)
}
