//! Optimizers by PyTorch's names. Options are read with serde, whose names are PyTorch's.

use chainrule::optim::*;
use chainrule::{Parameter, Result, StateDict};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::call::Call;
use crate::replay::Group;
use crate::stop::{Outcome, Stop, mismatch, not_built};

/// A PyTorch name and our constructor.
type Entry = (&'static str, Constructor);

type Constructor = fn(&[Group]) -> Outcome<Box<dyn AnyOptimizer>>;

const ENTRIES: &[Entry] = &[
    ("ASGD", optimizer::<AsgdOptions>),
    ("Adadelta", optimizer::<AdadeltaOptions>),
    ("Adafactor", optimizer::<AdafactorOptions>),
    ("Adagrad", optimizer::<AdagradOptions>),
    ("Adam", optimizer::<AdamOptions>),
    ("AdamW", optimizer::<AdamWOptions>),
    ("Adamax", optimizer::<AdamaxOptions>),
    ("Muon", optimizer::<MuonOptions>),
    ("NAdam", optimizer::<NAdamOptions>),
    ("RAdam", optimizer::<RAdamOptions>),
    ("RMSprop", optimizer::<RmsPropOptions>),
    ("Rprop", optimizer::<RpropOptions>),
    ("SGD", optimizer::<SgdOptions>),
    ("SparseAdam", optimizer::<SparseAdamOptions>),
];

/// The constructor of an optimizer.
pub(crate) fn entry(name: &str) -> Outcome<Constructor> {
    match ENTRIES.iter().find(|(other, _)| *other == name) {
        Some((_, construct)) => Ok(*construct),
        None => not_built(format!("optimizer not built: {name}")),
    }
}

/// An optimizer of any algorithm.
pub(crate) trait AnyOptimizer: Hyperparameters {
    fn step(&mut self) -> Result<StepReport>;
    fn state_dict(&self) -> Result<StateDict>;
    /// What schedulers see of it.
    fn hyperparameters(&mut self) -> &mut dyn Hyperparameters;
}

impl<A: Algorithm> AnyOptimizer for Optimizer<A> {
    fn step(&mut self) -> Result<StepReport> {
        Optimizer::step(self)
    }
    fn state_dict(&self) -> Result<StateDict> {
        Optimizer::state_dict(self)
    }
    fn hyperparameters(&mut self) -> &mut dyn Hyperparameters {
        self
    }
}

fn optimizer<A: Algorithm + 'static>(groups: &[Group]) -> Outcome<Box<dyn AnyOptimizer>> {
    let mut ours = Vec::new();
    for (parameters, options) in groups {
        let options: A = read(A::NAME, options)?;
        ours.push(ParamGroup::new(parameters.clone(), options));
    }
    Ok(Box::new(Optimizer::with_groups(ours)?))
}

/// LBFGS, whose steps are given a closure.
pub(crate) fn lbfgs(parameters: Vec<Parameter>, options: &Call) -> Outcome<Lbfgs> {
    Ok(Lbfgs::new(parameters, read("LBFGS", options)?)?)
}

fn read<T: DeserializeOwned>(name: &str, options: &Call) -> Outcome<T> {
    serde_json::from_value(options.options()?)
        .map_err(|error| Stop::NotBuilt(format!("option not built: {name}: {error}")))
}

/// How often a parameter was updated, from a state dict.
pub(crate) fn steps(state: &StateDict, parameter: &str) -> Outcome<f64> {
    let groups = state.metadata().get("param_groups").map_or("[]", String::as_str);
    let groups: Json = serde_json::from_str(groups).unwrap_or_default();
    let mut parameters =
        groups.as_array().into_iter().flatten().flat_map(|g| g["parameters"].as_array()).flatten();
    let found = parameters.find(|p| p["name"] == parameter).and_then(|p| p["steps"].as_f64());
    found.map_or_else(|| mismatch(format!("no count of steps of {parameter}")), Ok)
}
