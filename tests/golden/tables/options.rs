//! Options that several tables read alike.

use crate::call::Call;
use crate::stop::{Outcome, Stop, not_built};
use crate::value::Value;

/// The padding of a convolution, which may be a word.
pub(crate) fn padding<const N: usize>(c: &Call, default: [usize; N]) -> Outcome<[usize; N]> {
    match c.value("padding") {
        Some(Value::Str(word)) if word == "valid" => Ok([0; N]),
        Some(Value::Str(word)) if word == "same" => {
            not_built(format!("option not built: conv{N}d padding='same'"))
        }
        Some(Value::Str(word)) => Err(Stop::Inexpressible(format!("padding is {word:?}"))),
        _ => c.or("padding", default),
    }
}

/// The stride of windows, where it is given.
pub(crate) fn stride<const N: usize>(c: &Call) -> Outcome<Option<[usize; N]>> {
    match c.value("stride") {
        Some(Value::Sequence(items)) if items.is_empty() => Ok(None),
        _ => c.optional("stride"),
    }
}
