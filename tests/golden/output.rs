//! What a call returns.

use chainrule::{Result, Scalar, Tensor};
use serde_json::Value as Json;

use crate::check::Checker;
use crate::stop::{Outcome, mismatch};
use crate::value::scalar;

/// A result, or several in order.
#[derive(Debug)]
pub(crate) enum Output {
    Tensor(Tensor),
    Several(Vec<Output>),
    Scalar(Scalar),
}

impl From<Tensor> for Output {
    fn from(tensor: Tensor) -> Output {
        Output::Tensor(tensor)
    }
}

impl From<bool> for Output {
    fn from(value: bool) -> Output {
        Output::Scalar(Scalar::Bool(value))
    }
}

impl<T: Into<Output>> From<Vec<T>> for Output {
    fn from(several: Vec<T>) -> Output {
        Output::Several(several.into_iter().map(T::into).collect())
    }
}

impl<A: Into<Output>, B: Into<Output>> From<(A, B)> for Output {
    fn from((a, b): (A, B)) -> Output {
        Output::Several(vec![a.into(), b.into()])
    }
}

impl<A: Into<Output>, B: Into<Output>, C: Into<Output>> From<(A, B, C)> for Output {
    fn from((a, b, c): (A, B, C)) -> Output {
        Output::Several(vec![a.into(), b.into(), c.into()])
    }
}

/// The result of one of our functions as that of a call.
pub(crate) fn give<T: Into<Output>>(result: Result<T>) -> Outcome<Output> {
    Ok(result?.into())
}

impl Output {
    /// Compares with the expected tree; gives the tensors by their names in it.
    pub(crate) fn compare(self, want: &Json, checker: &mut Checker<'_>) -> Outcome<Vec<(String, Tensor)>> {
        let mut tensors = Vec::new();
        self.walk(want, checker, &mut tensors)?;
        Ok(tensors)
    }

    fn walk(self, want: &Json, checker: &mut Checker<'_>, found: &mut Vec<(String, Tensor)>) -> Outcome<()> {
        if let Some(items) = want["tuple"].as_array().or_else(|| want["list"].as_array()) {
            return match self {
                Output::Several(ours) if ours.len() == items.len() => {
                    ours.into_iter().zip(items).try_for_each(|(ours, item)| ours.walk(item, checker, found))
                }
                other => mismatch(format!("{} results expected, not {}", items.len(), other.count())),
            };
        }
        match (self, want["tensor"].as_str()) {
            (Output::Tensor(tensor), Some(name)) => {
                checker.output(name, &tensor)?;
                found.push((name.to_string(), tensor));
                Ok(())
            }
            (Output::Scalar(got), None) if want.get("scalar").is_some() => {
                let expected = scalar(&want["scalar"], want["kind"].as_str().unwrap_or("float"))?;
                if got == expected { Ok(()) } else { mismatch(format!("{got:?} instead of {expected:?}")) }
            }
            (other, _) => mismatch(format!("{} results where {want} is expected", other.count())),
        }
    }

    fn count(&self) -> usize {
        match self {
            Output::Several(several) => several.len(),
            _ => 1,
        }
    }
}
