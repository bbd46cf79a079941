//! [`Module`]: what holds parameters.

mod buffer;
mod containers;
mod field;
mod load;
mod training;
mod walk;

use std::sync::Arc;

use chainrule_tensor::{Parameter, Result, StateDict};

pub use buffer::Buffer;
pub use field::Field;
pub use load::{LoadOptions, LoadReport};
pub use training::Training;
use walk::{Leaf, walk};

use crate::Layer;

/// What holds parameters and buffers, itself or in modules inside it (PyTorch: `torch.nn.Module`).
///
/// Derive it: a struct whose fields are layers, parameters, buffers and plain configuration needs
/// `#[derive(Module)]` and nothing else.
///
/// ```
/// use chainrule_nn::{Buffer, Linear, Module, Training};
/// use chainrule_tensor::{Parameter, Result, Tensor};
///
/// #[derive(Module)]
/// struct Block {
///     project: Linear,
///     branches: Vec<Linear>,       // branches.0, branches.1, …
///     scale: Option<Parameter>,
///     calls: Buffer,               // saved, not trained
///     mode: Training,              // flipped by train() and eval()
///     width: usize,                // configuration
///     #[module(skip)]
///     cache: std::cell::RefCell<Vec<Tensor>>,
/// }
///
/// # fn main() -> Result<()> {
/// let block = Block {
///     project: Linear::new(4, 4)?,
///     branches: vec![Linear::new(4, 1)?, Linear::builder(4, 1).bias(false).build()?],
///     scale: Some(Parameter::new(Tensor::new(1.0))?),
///     calls: Buffer::new(&Tensor::new(0)),
///     mode: Training::new(),
///     width: 4,
///     cache: Default::default(),
/// };
/// let state = block.state_dict()?;
/// let names: Vec<&str> = state.names().collect();
/// assert_eq!(
///     names,
///     ["scale", "calls", "project.weight", "project.bias", "branches.0.weight", "branches.0.bias", "branches.1.weight"]
/// );
/// assert_eq!(block.num_parameters(), 1 + 20 + 5 + 4);
/// # Ok(())
/// # }
/// ```
///
/// A field that is none of these does not compile:
///
/// ```compile_fail,E0277
/// use chainrule_nn::{Linear, Module};
///
/// struct Head { fc: Linear } // no derive
///
/// #[derive(Module)]
/// struct Model { head: Head }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a module nor anything else that a module can hold",
    label = "not a parameter, buffer, module or plain configuration",
    note = "derive `Module` for `{Self}`, or mark the field `#[module(skip)]`",
    note = "a constant `Tensor` belongs into a `Buffer` (saved) or a field marked `#[module(skip)]` (not saved)"
)]
pub trait Module {
    /// Shows the visitor every parameter, buffer, training flag and module that this module holds itself, not
    /// what is inside those modules. A visit has no side effects, and shows the same things every time.
    fn visit(&self, visitor: &mut dyn Visitor);

    /// The parameters, those of a module before those of the modules inside it. One that is used in several
    /// places is listed once.
    fn parameters(&self) -> Vec<Parameter> {
        self.named_parameters().into_iter().map(|(_, parameter)| parameter).collect()
    }

    /// The parameters with their dotted paths, such as `encoder.layers.3.weight`. One that is used in several
    /// places is listed once, by its first path.
    ///
    /// Here parameters learn their names ([`Parameter::name`]), which errors and the state dicts of optimizers
    /// use. A part of a model that is asked first gives them names of its own, which the model then replaces by
    /// the longer ones; a part that is asked later does not take them away.
    fn named_parameters(&self) -> Vec<(String, Parameter)> {
        let parameters = walk::parameters(&|visitor| self.visit(visitor)).into_iter();
        parameters.filter_map(|(paths, parameter)| Some((paths.into_iter().next()?, parameter))).collect()
    }

    /// The buffers with their dotted paths. One that is used in several places is listed once.
    fn named_buffers(&self) -> Vec<(String, Buffer)> {
        let mut buffers: Vec<(String, Buffer)> = Vec::new();
        walk(&|visitor| self.visit(visitor), &mut |path, leaf| {
            if let Leaf::Buffer(buffer) = leaf
                && !buffers.iter().any(|(_, b)| b.is_same(buffer))
            {
                buffers.push((path.to_string(), buffer.clone()));
            }
        });
        buffers
    }

    /// Sets training mode: dropout drops, batch normalisation uses and follows the statistics of the batch.
    /// New modules are in training mode.
    fn train(&self) {
        set_training(&|visitor| self.visit(visitor), true);
    }

    /// Sets evaluation mode: dropout does nothing, batch normalisation uses its running statistics.
    fn eval(&self) {
        set_training(&|visitor| self.visit(visitor), false);
    }

    /// Forgets all gradients (PyTorch: `zero_grad()` with its default `set_to_none=True`).
    fn zero_grad(&self) {
        self.parameters().iter().for_each(Parameter::zero_grad);
    }

    /// Freezes (`false`) or thaws all parameters, for graphs recorded from now on. Gradients that were collected before
    /// stay, and optimizers go on using them: see [`Parameter::requires_grad_`].
    fn requires_grad_(&self, requires_grad: bool) {
        for parameter in self.parameters() {
            parameter.requires_grad_(requires_grad);
        }
    }

    /// The number of trained and frozen values, those of tied parameters counted once.
    fn num_parameters(&self) -> usize {
        self.parameters().iter().map(Parameter::numel).sum()
    }

    /// The values of all parameters and buffers, by PyTorch's names; tied ones under each of their names.
    /// No numbers are copied, and later training does not change them.
    ///
    /// # Errors
    /// When two things in the module have the same path.
    #[track_caller]
    fn state_dict(&self) -> Result<StateDict> {
        let mut state = StateDict::new();
        for (path, leaf) in load::entries(&|visitor| self.visit(visitor)) {
            state.insert(path, leaf.value())?;
        }
        Ok(state)
    }

    /// Takes all values from a state dict.
    ///
    /// # Errors
    /// When a name is missing in the state dict or in the module, or a shape or dtype differs. The error lists
    /// all that is wrong; nothing has changed then.
    #[track_caller]
    fn load_state_dict(&self, state: &StateDict) -> Result<()> {
        self.load_state_dict_with(state, LoadOptions::default())?;
        Ok(())
    }

    /// As [`load_state_dict`](Module::load_state_dict), with options: names may differ, values may be of another dtype.
    ///
    /// ```
    /// # use chainrule_nn::{Linear, LoadOptions, Module};
    /// # use chainrule_tensor::{DType, Result};
    /// # fn main() -> Result<()> {
    /// let doubles = Linear::builder(2, 1).dtype(DType::F64).build()?.state_dict()?;
    /// let layer = Linear::new(2, 1)?;
    /// assert!(layer.load_state_dict(&doubles).is_err());
    /// layer.load_state_dict_with(&doubles, LoadOptions { cast: true, ..Default::default() })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When a shape differs, and, as the options have it, when a dtype or names do. Nothing has changed then.
    #[track_caller]
    fn load_state_dict_with(&self, state: &StateDict, options: LoadOptions) -> Result<LoadReport> {
        load::load(&|visitor| self.visit(visitor), state, options)
    }

    /// The dotted path by which a model knows this module, once it was asked for its parameters; `None` for a
    /// module that was never part of one, is the model itself, or holds no parameters but some that it shares
    /// with another module.
    fn path(&self) -> Option<String> {
        walk::path(&|visitor| self.visit(visitor))
    }
}

/// What [`Module::visit`] shows things to.
pub trait Visitor {
    /// A parameter of the module.
    fn parameter(&mut self, name: &str, parameter: &Parameter);

    /// A buffer of the module.
    fn buffer(&mut self, name: &str, buffer: &Buffer);

    /// A training flag of the module.
    fn training(&mut self, training: &Training);

    /// A module inside the module. The visitor decides whether to go in.
    fn module(&mut self, name: &str, module: &dyn Module);

    /// A module inside the module, by a handle that a visitor may keep, so as to go in later: containers may be nested to
    /// any depth.
    fn layer(&mut self, name: &str, layer: &Arc<dyn Layer>) {
        self.module(name, &**layer);
    }
}

fn set_training(visit: walk::Visit<'_>, training: bool) {
    each_training(visit, |flag| flag.set(training));
}

/// Calls `f` for the flag of each module that has one, always in the same order.
pub(crate) fn each_training(visit: walk::Visit<'_>, mut f: impl FnMut(&Training)) {
    walk(visit, &mut |_, leaf| {
        if let Leaf::Training(flag) = leaf {
            f(flag);
        }
    });
}
