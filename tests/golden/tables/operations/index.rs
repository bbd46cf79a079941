//! Picking and placing elements.

use chainrule::{Scalar, Tensor};

use super::Entry;
use crate::call::Call;
use crate::output::give;
use crate::stop::{Outcome, not_built};
use crate::value::Value;

pub(crate) const ENTRIES: &[Entry] = &[
    ("Tensor.__getitem__", |c| match c.value("index") {
        Some(&Value::Slice([start, end, None | Some(1)])) => {
            let bound = |bound: Option<i64>, default| bound.map_or(default, |b| b as isize);
            give(c.input()?.slice(0, bound(start, 0)..bound(end, isize::MAX)))
        }
        _ => not_built("operation not built: Tensor.__getitem__ with other than one slice"),
    }),
    ("embedding", |c| give(c.input()?.embedding(c.get("weight")?, c.optional("padding_idx")?))),
    ("gather", |c| give(c.input()?.gather(c.get("dim")?, c.get("index")?))),
    ("index_add", |c| give(c.input()?.index_add(c.get("dim")?, c.get("index")?, c.get("source")?))),
    ("index_select", |c| give(c.input()?.index_select(c.get("dim")?, c.get("index")?))),
    ("masked_fill", |c| give(c.input()?.masked_fill(c.get("mask")?, number(c, "masked_fill value")?))),
    ("one_hot", |c| give(c.input()?.one_hot(c.get("num_classes")?))),
    ("scatter_add", |c| give(c.input()?.scatter_add(c.get("dim")?, c.get("index")?, c.get("src")?))),
    ("take_along_dim", |c| match c.has("dim") {
        true => give(c.input()?.take_along_dim(c.get("indices")?, c.get("dim")?)),
        false => not_built("option not built: take_along_dim without dim"),
    }),
];

fn number(c: &Call, option: &str) -> Outcome<Scalar> {
    match c.optional::<&Tensor>("value") {
        Ok(Some(_)) => not_built(format!("option not built: {option} as a tensor")),
        _ => c.get("value"),
    }
}
