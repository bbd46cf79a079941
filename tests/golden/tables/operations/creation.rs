//! Making tensors.

use chainrule::{DType, Tensor};

use super::Entry;
use crate::call::Call;
use crate::output::give;
use crate::stop::{Outcome, not_built};

pub(crate) const ENTRIES: &[Entry] = &[
    ("arange", |c| match c.has("start") || c.has("step") {
        true => not_built("option not built: arange start"),
        false => {
            only(c, "arange", DType::I64)?;
            give(Tensor::arange(c.get("end")?))
        }
    }),
    ("eye", |c| match c.has("m") {
        true => not_built("option not built: eye m"),
        false => {
            only(c, "eye", DType::F32)?;
            give(Tensor::eye(c.get("n")?))
        }
    }),
    ("full", |c| give(Tensor::full(c.get::<Vec<usize>>("size")?, c.number("fill_value")?, c.get("dtype")?))),
    ("ones", |c| {
        only(c, "ones", DType::F32)?;
        give(Tensor::ones(c.get::<Vec<usize>>("size")?))
    }),
    ("ones_like", |c| {
        only(c, "ones_like", c.input()?.dtype())?;
        give(Tensor::ones_like(c.input()?))
    }),
    ("zeros", |c| {
        only(c, "zeros", DType::F32)?;
        give(Tensor::zeros(c.get::<Vec<usize>>("size")?))
    }),
    ("zeros_like", |c| {
        only(c, "zeros_like", c.input()?.dtype())?;
        give(Tensor::zeros_like(c.input()?))
    }),
];

/// Stops where another dtype is asked for than the function gives.
fn only(c: &Call, function: &str, dtype: DType) -> Outcome<()> {
    match c.or("dtype", dtype)? {
        asked if asked == dtype => Ok(()),
        _ => not_built(format!("option not built: {function} dtype")),
    }
}
