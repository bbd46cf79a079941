//! [`Forward`]: what maps a tensor to a tensor.

use std::panic::Location;
use std::path::Path;
use std::sync::Arc;

use chainrule_tensor::{Error, Result, Tensor};

use crate::Module;

/// What maps a tensor to a tensor: a layer, or a model of one input and one output. Models with other inputs
/// and outputs have a `forward` of their own.
pub trait Forward {
    /// The output for an input.
    ///
    /// # Errors
    /// Those of the operations inside. Inside a model, an error names the module.
    fn forward(&self, x: &Tensor) -> Result<Tensor>;
}

impl<F: Forward + ?Sized> Forward for Box<F> {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        (**self).forward(x)
    }
}

impl<F: Forward + ?Sized> Forward for Arc<F> {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        (**self).forward(x)
    }
}

/// What [`Sequential`](crate::Sequential) is made of: a module that maps a tensor to a tensor. Every such type
/// that threads can share is one.
pub trait Layer: Module + Forward + Send + Sync {}
impl<L: Module + Forward + Send + Sync> Layer for L {}

/// Names the module in what went wrong inside it.
pub(crate) fn inside<T>(module: &impl Module, result: Result<T>) -> Result<T> {
    result.map_err(|error| match module.path() {
        Some(path) => error.in_module(&path),
        None => error,
    })
}

/// What went wrong in a call through `dyn`, which loses the caller's place: an error that says it happened in
/// this crate's own source happened where the caller of the caller is.
#[track_caller]
pub(crate) fn at_caller(error: Error) -> Error {
    let this_crate = Path::new(file!()).parent();
    let ours =
        |place: &Location<'_>| this_crate.is_some_and(|ours| Path::new(place.file()).starts_with(ours));
    if !error.location().is_some_and(ours) {
        return error;
    }
    error.at_caller()
}
