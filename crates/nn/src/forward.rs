//! [`Forward`]: what maps a tensor to a tensor.

use std::sync::Arc;

use chainrule_tensor::{Result, Tensor};

use crate::Module;

/// What maps a tensor to a tensor: a layer, or a model of one input and one output. Models with other inputs
/// and outputs have a `forward` of their own.
pub trait Forward {
    /// The output for an input.
    ///
    /// # Errors
    /// Those of the operations inside. Inside a model, an error names the module.
    fn forward(&self, x: &Tensor) -> Result<Tensor>;

    /// The layers of which each takes what the one before gives, where that is all that `forward` does: so that they can
    /// be gone through without recursion.
    #[doc(hidden)]
    fn sequence(&self) -> Option<&[Arc<dyn Layer>]> {
        None
    }
}

impl<F: Forward + ?Sized> Forward for Box<F> {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        at_caller((**self).forward(x))
    }

    fn sequence(&self) -> Option<&[Arc<dyn Layer>]> {
        (**self).sequence()
    }
}

impl<F: Forward + ?Sized> Forward for Arc<F> {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        at_caller((**self).forward(x))
    }

    fn sequence(&self) -> Option<&[Arc<dyn Layer>]> {
        (**self).sequence()
    }
}

/// What [`Sequential`](crate::Sequential) is made of: a module that maps a tensor to a tensor. Every such type
/// that threads can share is one.
pub trait Layer: Module + Forward + Send + Sync {}
impl<L: Module + Forward + Send + Sync> Layer for L {}

/// Names the module in what went wrong inside it, at the caller's place.
#[track_caller]
pub(crate) fn inside<T>(module: &impl Module, result: Result<T>) -> Result<T> {
    at_caller(result.map_err(|error| match module.path() {
        Some(path) => error.in_module(&path),
        None => error,
    }))
}

/// What went wrong in a closure or in a call through `dyn`, where the caller's place is lost: an error that says it
/// happened in the library's own source happened where the caller of the caller is.
#[track_caller]
pub(crate) fn at_caller<T>(result: Result<T>) -> Result<T> {
    match result {
        Ok(value) => Ok(value),
        Err(error) => Err(error.at_caller_of_library()),
    }
}
