//! Modules by PyTorch's names, one table for each group.
//!
//! A name comes with the parameters of PyTorch's constructor in their order and, unless there is just `input`,
//! those of `forward`: `"LSTM(input_size, hidden_size) on (input, hx)"`.

mod activation;
mod attention;
mod layer;
mod loss;
mod recurrent;

use std::sync::Arc;

use chainrule::Result;
use chainrule::nn::{Layer, Module};

use crate::call::Call;
use crate::output::{Output, give};
use crate::stop::{Outcome, not_built};

/// A PyTorch signature and our constructor.
pub(crate) type Entry = (&'static str, fn(&Call) -> Outcome<Built>);

const TABLES: &[&[Entry]] =
    &[activation::ENTRIES, attention::ENTRIES, layer::ENTRIES, loss::ENTRIES, recurrent::ENTRIES];

/// What maps the arguments of `forward` to its output.
type Forward = dyn Fn(&Call) -> Outcome<Output>;

/// A module that was built.
pub(crate) struct Built {
    /// What holds its parameters and buffers; losses hold none.
    pub(crate) module: Option<Arc<dyn Module>>,
    /// The names of the arguments of `forward`.
    pub(crate) inputs: Vec<&'static str>,
    /// Calls it.
    pub(crate) forward: Box<Forward>,
}

/// A layer that maps a tensor to a tensor.
pub(crate) fn layer<L: Layer + 'static>(layer: Result<L>) -> Outcome<Built> {
    let layer = Arc::new(layer?);
    let module: Arc<dyn Module> = layer.clone();
    let forward = Box::new(move |c: &Call| give(layer.forward(c.input()?)));
    Ok(Built { module: Some(module), inputs: Vec::new(), forward })
}

/// A function with options: a loss.
pub(crate) fn function(forward: impl Fn(&Call) -> Outcome<Output> + 'static) -> Outcome<Built> {
    Ok(Built { module: None, inputs: Vec::new(), forward: Box::new(forward) })
}

/// An entry found by its name.
pub(crate) struct Found {
    name: &'static str,
    /// The names of the constructor's parameters.
    pub(crate) constructor: Vec<&'static str>,
    forward: Vec<&'static str>,
    build: fn(&Call) -> Outcome<Built>,
}

impl Found {
    /// Builds the module and sees to it that every argument was taken.
    pub(crate) fn build(&self, arguments: &Call) -> Outcome<Built> {
        let built = (self.build)(arguments)?;
        arguments.all_taken(self.name)?;
        Ok(Built { inputs: self.forward.clone(), ..built })
    }
}

/// The entry of a module, such as `nn.Linear`.
pub(crate) fn entry(module: &str) -> Outcome<Found> {
    let wanted = module.trim_start_matches("nn.");
    for &(signature, build) in TABLES.iter().copied().flatten() {
        let (name, parameters) = signature.split_once('(').unwrap_or((signature, ")"));
        if name == wanted {
            let (constructor, forward) = parameters.split_once(" on (").unwrap_or((parameters, "input)"));
            return Ok(Found { name, constructor: names(constructor), forward: names(forward), build });
        }
    }
    not_built(format!("module not built: {wanted}"))
}

fn names(list: &'static str) -> Vec<&'static str> {
    list.trim_end_matches(')').split(", ").collect()
}

/// Options that are set only where they are given, so that our own defaults are on trial too.
pub(crate) trait Given: Sized {
    /// Calls `set` with the value, if there is one.
    fn given<T>(self, value: Option<T>, set: impl FnOnce(Self, T) -> Self) -> Self {
        match value {
            Some(value) => set(self, value),
            None => self,
        }
    }
}

impl<B> Given for B {}
