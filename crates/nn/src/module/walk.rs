//! Going through a module and all modules inside it.

use chainrule_tensor::{Parameter, Tensor};

use super::{Buffer, Module, Training, Visitor};

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
    Walk { path: String::new(), looking_for: LookingFor::Parameters, found }.all(visit);
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
    found: &'f mut dyn FnMut(&str, Leaf<'_>),
}

impl Walk<'_> {
    fn all(&mut self, visit: Visit<'_>) {
        let before = self.looking_for;
        for kind in [LookingFor::Parameters, LookingFor::Buffers, LookingFor::Modules] {
            self.looking_for = kind;
            visit(self);
        }
        self.looking_for = before;
    }

    /// Does something with a name added to the path.
    fn at(&mut self, name: &str, then: impl FnOnce(&mut Self)) {
        let before = self.path.len();
        if before > 0 {
            self.path.push('.');
        }
        self.path.push_str(name);
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
}

/// The path of a module, from what its first parameter is called within it and within the model.
pub(crate) fn path(visit: Visit<'_>) -> Option<String> {
    let mut path = None;
    walk(visit, &mut |within, leaf| {
        if let (Leaf::Parameter(parameter), None) = (leaf, &path) {
            path = parameter
                .name()
                .and_then(|name| name.strip_suffix(within)?.strip_suffix('.'))
                .map(str::to_string);
        }
    });
    path
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
}
