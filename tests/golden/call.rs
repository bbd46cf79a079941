//! [`Call`]: the arguments of a PyTorch call, taken by name.

use std::cell::RefCell;

use chainrule::{DType, Scalar, Tensor};
use serde_json::Value as Json;

use crate::directory::strings;
use crate::stop::{Outcome, Stop, mismatch, not_built};
use crate::take::Take;
use crate::value::{Leaves, Value};

/// The arguments of a call. Each is taken by its name and as the type that our function wants; what nobody took
/// is an option that is not built, so that nothing is ever silently left out.
pub(crate) struct Call {
    arguments: Vec<Argument>,
    taken: RefCell<Vec<bool>>,
    changed: RefCell<Vec<(String, Tensor)>>,
    /// What parameters are made in: an option of every module.
    pub(crate) dtype: DType,
}

/// What a positional argument goes by where the case has no name for it.
fn unnamed(position: usize) -> String {
    format!("argument {position}")
}

#[derive(Clone)]
struct Argument {
    name: String,
    value: Value,
}

impl Call {
    /// Positional arguments, whose names are given (or, for variadic functions, are not), and named ones.
    pub(crate) fn new(leaves: &mut Leaves<'_>, args: &Json, names: &[&str], kwargs: &Json) -> Outcome<Call> {
        let mut arguments = Vec::new();
        for (i, value) in args.as_array().into_iter().flatten().enumerate() {
            let name = names.get(i).map_or_else(|| unnamed(i), |name| name.to_string());
            arguments.push(Argument { name, value: leaves.decode(value)? });
        }
        let named = leaves.named(kwargs)?;
        arguments.extend(named.into_iter().map(|(name, value)| Argument { name, value }));
        Ok(Call::of(arguments))
    }

    /// The arguments of an operation's case.
    pub(crate) fn of_case(leaves: &mut Leaves<'_>, json: &Json) -> Outcome<Call> {
        Call::new(leaves, &json["args"], &strings(&json["names"]), &json["kwargs"])
    }

    fn of(arguments: Vec<Argument>) -> Call {
        let taken = RefCell::new(vec![false; arguments.len()]);
        Call { arguments, taken, changed: RefCell::new(Vec::new()), dtype: DType::F32 }
    }

    /// The same call with arguments added, which take the place of those of the same name.
    pub(crate) fn with(&self, more: Vec<(String, Value)>) -> Call {
        let kept = self.arguments.iter().filter(|a| more.iter().all(|(name, _)| *name != a.name)).cloned();
        let more = more.iter().map(|(name, value)| Argument { name: name.clone(), value: value.clone() });
        Call::of(kept.chain(more).collect())
    }

    /// The argument of this name, if there is one.
    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        let at = self.arguments.iter().position(|argument| argument.name == name)?;
        self.taken.borrow_mut()[at] = true;
        Some(&self.arguments[at].value)
    }

    /// An argument that must be there: the one of this name, or the next of those without names.
    pub(crate) fn get<'a, T: Take<'a>>(&'a self, name: &str) -> Outcome<T> {
        match self.value(name).or_else(|| self.next_unnamed()) {
            Some(value) => take(name, value),
            None => mismatch(format!("the case has no argument {name}")),
        }
    }

    /// The first argument without a name that nobody has taken: of calls without tensors no names are recorded.
    fn next_unnamed(&self) -> Option<&Value> {
        let unnamed = (0..).map(unnamed).take_while(|name| self.arguments.iter().any(|a| a.name == *name));
        let untaken = |name: &String| {
            self.arguments.iter().zip(&*self.taken.borrow()).any(|(a, &taken)| a.name == *name && !taken)
        };
        self.value(&unnamed.into_iter().find(untaken)?)
    }

    /// An argument that may be absent or `None`.
    pub(crate) fn optional<'a, T: Take<'a>>(&'a self, name: &str) -> Outcome<Option<T>> {
        match self.value(name) {
            None | Some(Value::None) => Ok(None),
            Some(value) => take(name, value).map(Some),
        }
    }

    /// An argument with a default.
    pub(crate) fn or<'a, T: Take<'a>>(&'a self, name: &str, default: T) -> Outcome<T> {
        Ok(self.optional(name)?.unwrap_or(default))
    }

    /// The first argument of most functions.
    pub(crate) fn input(&self) -> Outcome<&Tensor> {
        self.get("input")
    }

    /// A tensor, converted to the dtype that the call asks for.
    pub(crate) fn cast(&self, name: &str) -> Outcome<Tensor> {
        let tensor = self.get::<&Tensor>(name)?;
        match self.optional::<DType>("dtype")? {
            Some(DType::Bool) => not_built("option not built: dtype=torch.bool"),
            Some(dtype) => Ok(tensor.to_dtype(dtype)?),
            None => Ok(tensor.clone()),
        }
    }

    /// Integers, as a tensor, which may be written down as a list.
    pub(crate) fn integers(&self, name: &str) -> Outcome<Tensor> {
        match self.value(name) {
            Some(Value::Tensor(tensor, _)) => Ok(tensor.clone()),
            _ => {
                let values = self.get::<Vec<i64>>(name)?;
                let len = values.len();
                Ok(Tensor::from_vec(values, [len])?)
            }
        }
    }

    /// A number of any kind.
    pub(crate) fn number(&self, name: &str) -> Outcome<f64> {
        Ok(self.get::<Scalar>(name)?.to_f64())
    }

    /// Whether an argument is there and is not `None`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.arguments.iter().any(|a| a.name == name && !matches!(a.value, Value::None))
    }

    /// Whether an argument asks for a memory format, which results do not depend on but errors do.
    pub(crate) fn has_memory_format(&self) -> bool {
        self.arguments.iter().any(|argument| matches!(argument.value, Value::MemoryFormat))
    }

    /// The arguments without names.
    #[allow(dead_code, reason = "no variadic function is built yet")]
    pub(crate) fn rest<'a, T: Take<'a>>(&'a self) -> Outcome<Vec<T>> {
        (0..).map(unnamed).map_while(|name| self.value(&name).map(|value| take(&name, value))).collect()
    }

    /// Every argument as JSON, for options that are read with serde.
    pub(crate) fn options(&self) -> Outcome<Json> {
        let mut options = serde_json::Map::new();
        for argument in &self.arguments {
            self.value(&argument.name);
            options.insert(argument.name.clone(), crate::take::json(&argument.value)?);
        }
        Ok(Json::Object(options))
    }

    /// Notes that PyTorch's function changes the argument in place, and what our function returned for it.
    #[allow(dead_code, reason = "nothing that PyTorch changes in place is built as a function yet")]
    pub(crate) fn changes(&self, name: &str, new: Tensor) {
        if let Some(Value::Tensor(_, leaf)) = self.value(name) {
            self.changed.borrow_mut().push((leaf.clone(), new));
        }
    }

    /// What a leaf was changed to.
    pub(crate) fn changed(&self, leaf: &str) -> Option<Tensor> {
        self.changed.borrow().iter().find(|(name, _)| name == leaf).map(|(_, new)| new.clone())
    }

    /// Stops the case when an argument was not taken.
    pub(crate) fn all_taken(&self, function: &str) -> Outcome<()> {
        let taken = self.taken.borrow();
        let ignored = self.arguments.iter().zip(&*taken).find(|(argument, taken)| {
            !**taken && !matches!(argument.value, Value::None | Value::MemoryFormat)
        });
        match ignored {
            Some((argument, _)) => not_built(format!("option not built: {function} {}", argument.name)),
            None => Ok(()),
        }
    }
}

fn take<'a, T: Take<'a>>(name: &str, value: &'a Value) -> Outcome<T> {
    T::take(value).map_err(|stop| match stop {
        Stop::Inexpressible(what) => Stop::Inexpressible(format!("{name} {what}")),
        other => other,
    })
}
