//! Going through a module and all modules inside it.

use std::collections::HashMap;
use std::sync::Arc;

use chainrule_tensor::{Parameter, Result, Tensor};

use super::{Buffer, Module, Training, Visitor};
use crate::Layer;

/// A module's `visit`. (A module of unknown size cannot be made a `&dyn Module`; this it can.)
pub(crate) type Visit<'a> = &'a dyn Fn(&mut dyn Visitor);

/// What is found on the way.
pub(crate) enum Leaf<'a> {
    Parameter(&'a Parameter),
    Buffer(&'a Buffer),
    Training(&'a Training),
}

/// Calls `found` for everything in a module and in the modules inside it, with its dotted path, in PyTorch's
/// order whatever the order of the fields: a module's own parameters, its buffers, then module by module.
pub(crate) fn walk(visit: Visit<'_>, found: &mut dyn FnMut(&str, Leaf<'_>)) {
    Walk { path: String::new(), looking_for: LookingFor::Parameters, layers: Vec::new(), found }.all(visit);
}

#[derive(Clone, Copy, PartialEq)]
enum LookingFor {
    Parameters,
    Buffers,
    Modules,
}

struct Walk<'f> {
    path: String,
    looking_for: LookingFor,
    /// Layers of a `Sequential` that are still to be gone into, the next one last, each with its name and the length of
    /// the path around it. So containers in containers, any number deep, are not gone into by recursion.
    layers: Vec<(usize, String, Arc<dyn Layer>)>,
    found: &'f mut dyn FnMut(&str, Leaf<'_>),
}

impl Walk<'_> {
    /// Everything in a module, and in the modules inside it.
    fn all(&mut self, visit: Visit<'_>) {
        let (path, rest) = (self.path.len(), self.layers.len());
        self.one(visit);
        while self.layers.len() > rest
            && let Some((around, name, layer)) = self.layers.pop()
        {
            self.path.truncate(around);
            self.enter(&name);
            self.one(&|visitor| layer.visit(visitor));
        }
        self.path.truncate(path);
    }

    /// As [`all`](Walk::all), but for the layers of a `Sequential`, which are put into the list.
    fn one(&mut self, visit: Visit<'_>) {
        let (before, rest) = (self.looking_for, self.layers.len());
        for kind in [LookingFor::Parameters, LookingFor::Buffers, LookingFor::Modules] {
            self.looking_for = kind;
            visit(self);
        }
        self.looking_for = before;
        self.layers[rest..].reverse();
    }

    /// Adds a name to the path.
    fn enter(&mut self, name: &str) {
        if !self.path.is_empty() {
            self.path.push('.');
        }
        self.path.push_str(name);
    }

    /// Does something with a name added to the path.
    fn at(&mut self, name: &str, then: impl FnOnce(&mut Self)) {
        let before = self.path.len();
        self.enter(name);
        then(self);
        self.path.truncate(before);
    }
}

impl Visitor for Walk<'_> {
    fn parameter(&mut self, name: &str, parameter: &Parameter) {
        if self.looking_for == LookingFor::Parameters {
            self.at(name, |this| (this.found)(&this.path, Leaf::Parameter(parameter)));
        }
    }

    fn buffer(&mut self, name: &str, buffer: &Buffer) {
        if self.looking_for == LookingFor::Buffers {
            self.at(name, |this| (this.found)(&this.path, Leaf::Buffer(buffer)));
        }
    }

    fn training(&mut self, training: &Training) {
        if self.looking_for == LookingFor::Buffers {
            (self.found)(&self.path, Leaf::Training(training));
        }
    }

    fn module(&mut self, name: &str, module: &dyn Module) {
        if self.looking_for == LookingFor::Modules {
            self.at(name, |this| this.all(&|visitor| module.visit(visitor)));
        }
    }

    fn layer(&mut self, name: &str, layer: &Arc<dyn Layer>) {
        if self.looking_for == LookingFor::Modules {
            self.layers.push((self.path.len(), name.to_string(), layer.clone()));
        }
    }
}

/// The parameters with all of their paths, in the order of the first ones. They learn their names here.
pub(crate) fn parameters(visit: Visit<'_>) -> Vec<(Vec<String>, Parameter)> {
    let mut places = HashMap::new();
    let mut parameters: Vec<(Vec<String>, Parameter)> = Vec::new();
    walk(visit, &mut |path, leaf| {
        if let Leaf::Parameter(parameter) = leaf {
            let place = *places.entry(parameter.id()).or_insert(parameters.len());
            if place == parameters.len() {
                parameters.push((Vec::new(), parameter.clone()));
            }
            parameters[place].0.push(path.to_string());
        }
    });
    parameters.iter().for_each(|(paths, parameter)| parameter.learn_names(paths));
    parameters
}

/// The path of a module, from what its parameters are called within it and within the model. Tied weights have
/// several names there: the path is the one that all parameters agree on.
pub(crate) fn path(visit: Visit<'_>) -> Option<String> {
    let mut paths: Option<Vec<String>> = None;
    walk(visit, &mut |within, leaf| {
        if let Leaf::Parameter(parameter) = leaf {
            let names = parameter.names();
            let outer = names.iter().filter_map(|name| name.strip_suffix(within)?.strip_suffix('.'));
            match &mut paths {
                Some(paths) => {
                    let outer: Vec<&str> = outer.collect();
                    paths.retain(|path| outer.contains(&path.as_str()));
                }
                None => paths = Some(outer.map(str::to_string).collect()),
            }
        }
    });
    paths.filter(|paths| paths.len() == 1)?.pop()
}

/// A parameter or a buffer: what has a value.
pub(crate) enum Stored {
    Parameter(Parameter),
    Buffer(Buffer),
}

impl Stored {
    pub(crate) fn value(&self) -> Tensor {
        match self {
            Stored::Parameter(parameter) => parameter.tensor().detach(),
            Stored::Buffer(buffer) => buffer.tensor(),
        }
    }

    #[track_caller]
    pub(crate) fn set(&self, value: &Tensor) -> Result<()> {
        match self {
            Stored::Parameter(parameter) => parameter.set(value),
            Stored::Buffer(buffer) => buffer.set(value),
        }
    }
}
