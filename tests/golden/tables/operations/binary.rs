//! Functions of two tensors, or a tensor and a number, element by element.

use chainrule::{Operand, Tensor};

use super::Entry;
use crate::call::Call;
use crate::output::give;
use crate::stop::{Outcome, not_built};

pub(crate) const ENTRIES: &[Entry] = &[
    ("add", |c| give(c.input()?.add(other(c)?))),
    ("atan2", |c| give(c.input()?.atan2(other(c)?))),
    ("clamp", |c| match [c.optional::<Operand>("min")?, c.optional::<Operand>("max")?] {
        [Some(Operand::Tensor(_)), _] | [_, Some(Operand::Tensor(_))] => {
            not_built("option not built: clamp to tensors")
        }
        _ => give(c.input()?.clamp(c.optional("min")?, c.optional("max")?)),
    }),
    ("div", |c| give(c.input()?.div(other(c)?))),
    ("eq", |c| give(c.input()?.eq(other(c)?))),
    ("ge", |c| give(c.input()?.ge(other(c)?))),
    ("gt", |c| give(c.input()?.gt(other(c)?))),
    ("le", |c| give(c.input()?.le(other(c)?))),
    ("logical_and", |c| give(c.input()?.logical_and(other(c)?))),
    ("logical_or", |c| give(c.input()?.logical_or(other(c)?))),
    ("lt", |c| give(c.input()?.lt(other(c)?))),
    ("maximum", |c| give(c.input()?.maximum(other(c)?))),
    ("minimum", |c| give(c.input()?.minimum(other(c)?))),
    ("mul", |c| give(c.input()?.mul(other(c)?))),
    ("ne", |c| give(c.input()?.ne(other(c)?))),
    ("pow", |c| give(c.input()?.pow(c.get::<Operand>("exponent")?))),
    ("remainder", |c| give(c.input()?.remainder(other(c)?))),
    ("sub", |c| give(c.input()?.sub(other(c)?))),
    ("where", |c| {
        give(Tensor::where_(c.get("condition")?, c.get::<Operand>("input")?, c.get::<Operand>("other")?))
    }),
];

fn other(c: &Call) -> Outcome<Operand<'_>> {
    c.get("other")
}
