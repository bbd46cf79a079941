//! [`Take`]: a Python value as the Rust type that our function wants.

use chainrule::loss::Reduction;
use chainrule::{DType, Operand, Scalar, Tensor};
use serde_json::Value as Json;

use crate::stop::{Outcome, Stop};
use crate::value::{Value, dtype};

/// What can be made of a Python value. A value that the type has no room for (a tensor for a number, -1 for a
/// size) makes the call inexpressible.
pub(crate) trait Take<'a>: Sized {
    fn take(value: &'a Value) -> Outcome<Self>;
}

fn cannot<T>(value: &Value, wanted: &str) -> Outcome<T> {
    let what = match value {
        Value::Tensor(..) => "a tensor".to_string(),
        Value::Scalar(Scalar::Int(x)) => x.to_string(),
        Value::Scalar(Scalar::Float(x)) => format!("{x:?}"),
        Value::Scalar(Scalar::Bool(x)) => x.to_string(),
        Value::Str(text) => format!("{text:?}"),
        Value::None => "None".to_string(),
        Value::Sequence(items) => format!("a sequence of {}", items.len()),
        other => format!("{other:?}"),
    };
    Err(Stop::Inexpressible(format!("is {what}, where {wanted} is taken")))
}

impl<'a> Take<'a> for &'a Tensor {
    fn take(value: &'a Value) -> Outcome<Self> {
        match value {
            Value::Tensor(tensor, _) => Ok(tensor),
            other => cannot(other, "a tensor"),
        }
    }
}

impl<'a> Take<'a> for Operand<'a> {
    fn take(value: &'a Value) -> Outcome<Self> {
        match value {
            Value::Tensor(tensor, _) => Ok(tensor.into()),
            Value::Scalar(scalar) => Ok((*scalar).into()),
            other => cannot(other, "a tensor or number"),
        }
    }
}

impl Take<'_> for Scalar {
    fn take(value: &Value) -> Outcome<Self> {
        match value {
            Value::Scalar(scalar) => Ok(*scalar),
            other => cannot(other, "a number"),
        }
    }
}

impl Take<'_> for f64 {
    fn take(value: &Value) -> Outcome<Self> {
        match value {
            Value::Scalar(Scalar::Float(x)) => Ok(*x),
            Value::Scalar(Scalar::Int(x)) => Ok(*x as f64),
            other => cannot(other, "a number"),
        }
    }
}

macro_rules! integers {
    ($($t:ty),+) => {
        $(impl Take<'_> for $t {
            fn take(value: &Value) -> Outcome<Self> {
                match value {
                    Value::Scalar(Scalar::Int(x)) => {
                        (*x).try_into().or_else(|_| cannot(value, concat!("a ", stringify!($t))))
                    }
                    other => cannot(other, concat!("a ", stringify!($t))),
                }
            }
        })+
    };
}
integers!(i64, isize, usize, u32, u64);

impl Take<'_> for bool {
    fn take(value: &Value) -> Outcome<Self> {
        match value {
            Value::Scalar(Scalar::Bool(x)) => Ok(*x),
            other => cannot(other, "a truth value"),
        }
    }
}

impl<'a> Take<'a> for &'a str {
    fn take(value: &'a Value) -> Outcome<Self> {
        match value {
            Value::Str(text) | Value::Function(text) => Ok(text),
            other => cannot(other, "a name"),
        }
    }
}

impl Take<'_> for DType {
    fn take(value: &Value) -> Outcome<Self> {
        match value {
            Value::DType(name) => dtype(name),
            other => cannot(other, "a dtype"),
        }
    }
}

impl Take<'_> for Reduction {
    fn take(value: &Value) -> Outcome<Self> {
        match value {
            Value::Str(text) if text == "none" => Ok(Reduction::None),
            Value::Str(text) if text == "mean" => Ok(Reduction::Mean),
            Value::Str(text) if text == "sum" => Ok(Reduction::Sum),
            other => cannot(other, "a reduction"),
        }
    }
}

/// One value stands for a list of one, as for PyTorch's dimensions and sizes.
impl<'a, T: Take<'a>> Take<'a> for Vec<T> {
    fn take(value: &'a Value) -> Outcome<Self> {
        match value {
            Value::Sequence(items) => items.iter().map(T::take).collect(),
            other => T::take(other).map(|one| vec![one]),
        }
    }
}

/// One value stands for `N` equal ones, as for the sizes of windows.
impl<'a, T: Take<'a> + Copy, const N: usize> Take<'a> for [T; N] {
    fn take(value: &'a Value) -> Outcome<Self> {
        let items = Vec::<T>::take(value)?;
        match items.as_slice() {
            &[one] => Ok([one; N]),
            several => several.try_into().or_else(|_| cannot(value, &format!("a list of {N}"))),
        }
    }
}

impl<'a, A: Take<'a>, B: Take<'a>> Take<'a> for (A, B) {
    fn take(value: &'a Value) -> Outcome<Self> {
        match value {
            Value::Sequence(items) if items.len() == 2 => Ok((A::take(&items[0])?, B::take(&items[1])?)),
            other => cannot(other, "a pair"),
        }
    }
}

/// A value as JSON; numbers that JSON cannot hold are inexpressible.
pub(crate) fn json(value: &Value) -> Outcome<Json> {
    Ok(match value {
        Value::Scalar(Scalar::Float(x)) if x.is_finite() => Json::from(*x),
        Value::Scalar(Scalar::Int(x)) => Json::from(*x),
        Value::Scalar(Scalar::Bool(x)) => Json::from(*x),
        Value::Str(text) => Json::from(text.as_str()),
        Value::None => Json::Null,
        Value::Sequence(items) => Json::Array(items.iter().map(json).collect::<Outcome<_>>()?),
        other => return cannot(other, "an option"),
    })
}
