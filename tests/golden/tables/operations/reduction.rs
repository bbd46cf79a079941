//! Reductions, and what goes along a dimension.

use super::Entry;
use crate::call::Call;
use crate::output::{Output, give};
use crate::stop::{Outcome, not_built};

pub(crate) const ENTRIES: &[Entry] = &[
    ("all", |c| match c.has("dim") {
        true => give(c.input()?.all_dim(dims(c)?, keepdim(c)?)),
        false => give(c.input()?.all()),
    }),
    ("amax", |c| give(c.input()?.amax(dims(c)?, keepdim(c)?))),
    ("amin", |c| give(c.input()?.amin(dims(c)?, keepdim(c)?))),
    ("any", |c| match c.has("dim") {
        true => give(c.input()?.any_dim(dims(c)?, keepdim(c)?)),
        false => give(c.input()?.any()),
    }),
    ("argmax", |c| match c.has("dim") {
        true => give(c.input()?.argmax_dim(c.get("dim")?, keepdim(c)?)),
        false => give(c.input()?.argmax()),
    }),
    ("argmin", |c| match c.has("dim") {
        true => give(c.input()?.argmin_dim(c.get("dim")?, keepdim(c)?)),
        false => give(c.input()?.argmin()),
    }),
    ("cumsum", |c| give(c.cast("input")?.cumsum(c.get("dim")?))),
    ("logsumexp", |c| give(c.input()?.logsumexp(dims(c)?, keepdim(c)?))),
    ("max", |c| match (c.has("other"), c.has("dim")) {
        (true, _) => give(c.input()?.maximum(c.get::<chainrule::Operand>("other")?)),
        (_, true) => give(c.input()?.max_dim(c.get("dim")?, keepdim(c)?)),
        _ => give(c.input()?.max()),
    }),
    ("mean", |c| give(c.cast("input")?.mean_dim(dims(c)?, keepdim(c)?))),
    ("min", |c| match (c.has("other"), c.has("dim")) {
        (true, _) => give(c.input()?.minimum(c.get::<chainrule::Operand>("other")?)),
        (_, true) => give(c.input()?.min_dim(c.get("dim")?, keepdim(c)?)),
        _ => give(c.input()?.min()),
    }),
    ("norm", |c| norm(c, "p")),
    ("linalg.vector_norm", |c| norm(c, "ord")),
    ("linalg.norm", |c| match (c.has("ord"), c.has("dim"), c.input()?.rank()) {
        (false, ..) | (true, false, 1) => norm(c, "ord"),
        _ => not_built("operation not built: linalg.matrix_norm"),
    }),
    ("prod", |c| match c.has("dim") {
        true => give(c.cast("input")?.prod_dim(c.get("dim")?, keepdim(c)?)),
        false => give(c.cast("input")?.prod()),
    }),
    ("std", |c| give(c.input()?.std_dim(dims(c)?, correction(c)?, keepdim(c)?))),
    ("sum", |c| give(c.cast("input")?.sum_dim(dims(c)?, keepdim(c)?))),
    ("var", |c| give(c.input()?.var_dim(dims(c)?, correction(c)?, keepdim(c)?))),
];

/// The dimensions; none for all.
fn dims(c: &Call) -> Outcome<Vec<isize>> {
    c.or("dim", Vec::new())
}

fn keepdim(c: &Call) -> Outcome<bool> {
    c.or("keepdim", false)
}

/// What is taken off the number of elements, by either of its names.
fn correction(c: &Call) -> Outcome<f64> {
    let unbiased = c.or("unbiased", true)?;
    c.or("correction", if unbiased { 1.0 } else { 0.0 })
}

/// The norm whose exponent has the given name.
fn norm(c: &Call, exponent: &str) -> Outcome<Output> {
    let p = match c.optional::<&str>(exponent) {
        Ok(Some("fro")) => 2.0,
        Ok(Some(name)) => return not_built(format!("option not built: norm {name}")),
        _ => c.or(exponent, 2.0)?,
    };
    give(c.cast("input")?.norm_dim(p, dims(c)?, keepdim(c)?))
}
