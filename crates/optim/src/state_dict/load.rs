//! Reading: everything is checked and made before anything is changed.

use std::collections::{HashMap, HashSet};

use chainrule_kernels::Buffer;
use chainrule_tensor::{FloatElement, InOperation, Result, Shape, StateDict, Tensor, bail};

use super::{ALGORITHM, GROUPS, SavedGroup, SavedParameter, key, repeated};
use crate::Optimizer;
use crate::algorithm::{Algorithm, Role, StateTensor};
use crate::groups::ParamGroup;
use crate::optimizer::value_of;
use crate::slot::{Slot, State, Stored};

impl<A: Algorithm> Optimizer<A> {
    /// Takes over the state, the step counts and the options (the learning rate too) of a state dict.
    ///
    /// Parameters are found by name, so they may be in another order than they were; groups are found by name
    /// where all of them have one, else by their place.
    ///
    /// # Errors
    /// When the state dict is of another algorithm, has other groups, or a group has other parameters; when the
    /// shape or dtype of a parameter or of a state tensor differs; when a tensor is missing or left over, or a
    /// parameter that was updated has not all of its state; when a name occurs twice, in the state dict or in
    /// the optimizer (as with [`state_dict`](Optimizer::state_dict)). The message lists every difference, and
    /// nothing changes.
    #[track_caller]
    pub fn load_state_dict(&mut self, dict: &StateDict) -> Result<()> {
        let metadata = |key| dict.metadata().get(key).map_or("", String::as_str);
        match metadata(ALGORITHM) {
            name if name == A::NAME => {}
            "" => bail!(Data, "load_state_dict", "the state dict is not that of an optimizer"),
            name => {
                bail!(Data, "load_state_dict", "the state dict is of {name}, the optimizer is {}", A::NAME)
            }
        }
        let saved: Vec<SavedGroup<A>> = match serde_json::from_str(metadata(GROUPS)) {
            Ok(saved) => saved,
            Err(error) => bail!(Data, "load_state_dict", "the param_groups cannot be read: {error}"),
        };
        let names = self.names("load_state_dict")?;
        let mut loader = Loader { dict, used: HashSet::new(), problems: Vec::new() };
        loader.check_names(&saved);
        let mut groups = Vec::new();
        for ((group, saved), names) in loader.pair(&self.groups, &saved).into_iter().zip(names) {
            groups.extend(saved.map(|saved| loader.group(group, saved, &names)));
        }
        let unexpected = dict.names().filter(|name| !loader.used.contains(*name));
        loader.problems.extend(unexpected.map(|name| format!("unexpected tensor {name}")));
        if !loader.problems.is_empty() {
            let problems = loader.problems.join("\n  ");
            bail!(Data, "load_state_dict", "the state dict does not fit the optimizer:\n  {problems}");
        }
        self.groups = groups;
        Ok(())
    }
}

struct Loader<'a> {
    dict: &'a StateDict,
    used: HashSet<String>,
    problems: Vec<String>,
}

impl Loader<'_> {
    fn report(&mut self, problem: String) {
        self.problems.push(problem);
    }

    /// Names that occur twice would let one thing be taken for another.
    fn check_names<A>(&mut self, saved: &[SavedGroup<A>]) {
        if let Some(name) = repeated(saved.iter().filter_map(|group| group.name.as_deref())) {
            self.report(format!("two parameter groups are called {name:?}"));
        }
        let parameters = || saved.iter().flat_map(|group| &group.parameters);
        if let Some(name) = repeated(parameters().map(|parameter| &parameter.name)) {
            self.report(format!("two parameters are called {name}"));
        }
        for parameter in parameters() {
            if let Some(state) = repeated(&parameter.state) {
                self.report(format!("{} lists {state} twice", parameter.name));
            }
        }
    }

    /// Finds the saved group of each group.
    fn pair<'g, A>(
        &mut self,
        groups: &'g [ParamGroup<A>],
        saved: &'g [SavedGroup<A>],
    ) -> Vec<(&'g ParamGroup<A>, Option<&'g SavedGroup<A>>)> {
        if groups.len() != saved.len() {
            self.report(format!("{} parameter groups instead of {}", saved.len(), groups.len()));
            return Vec::new();
        }
        let named = groups.iter().all(|g| g.name.is_some()) && saved.iter().all(|g| g.name.is_some());
        let mut pairs = Vec::new();
        for (place, group) in groups.iter().enumerate() {
            let found = match named {
                true => saved.iter().find(|s| s.name == group.name),
                false => saved.get(place),
            };
            if found.is_none() {
                let name = group.name.as_deref().unwrap_or_default();
                self.report(format!("missing parameter group {name:?}"));
            }
            pairs.push((group, found));
        }
        pairs
    }

    /// A group with what was saved of it.
    fn group<A: Algorithm>(
        &mut self,
        group: &ParamGroup<A>,
        saved: &SavedGroup<A>,
        names: &[String],
    ) -> ParamGroup<A> {
        let wanted = saved.options.state();
        let mut rest: HashMap<&str, &SavedParameter> =
            saved.parameters.iter().map(|parameter| (parameter.name.as_str(), parameter)).collect();
        let mut slots = Vec::new();
        for (slot, name) in group.slots.iter().zip(names) {
            match rest.remove(name.as_str()) {
                Some(saved) => slots.push(self.slot(slot, saved, &wanted)),
                None => self.report(format!("missing parameter {name}")),
            }
        }
        for parameter in saved.parameters.iter().filter(|p| rest.contains_key(p.name.as_str())) {
            self.report(format!("unexpected parameter {}", parameter.name));
            self.used.extend(parameter.state.iter().map(|state| key(&parameter.name, state)));
        }
        let mut options = saved.options.clone();
        // Such as a scheduler left it: else it could not have been saved.
        let scheduled_lr = value_of(&mut options, Role::LearningRate).copied();
        let name = group.name.clone();
        let group = ParamGroup { options, name, initial_lr: saved.initial_lr, scheduled_lr, slots };
        if let Err(error) = group.check() {
            self.report(error.message().to_string());
        }
        group
    }

    /// A parameter with what was saved of it.
    fn slot(&mut self, slot: &Slot, saved: &SavedParameter, wanted: &[StateTensor]) -> Slot {
        let (shape, dtype) = (&slot.shape, slot.parameter.dtype());
        if shape[..] != saved.shape[..] || dtype != saved.dtype {
            self.report(format!(
                "{} has shape {} ({}) instead of {shape} ({dtype})",
                saved.name,
                Shape::from(&saved.shape[..]),
                saved.dtype
            ));
        }
        let has = |name: &str| saved.state.iter().chain(&saved.pending).any(|s| s == name);
        let due = |tensor: &&StateTensor| saved.steps > 0 && (tensor.applies)(shape);
        for tensor in wanted.iter().filter(due).filter(|tensor| !has(tensor.name)) {
            self.report(format!("{} has {} steps but no {}", saved.name, saved.steps, tensor.name));
        }
        let state = match &slot.state {
            State::F32(_) => State::F32(self.state(shape, saved, wanted)),
            State::F64(_) => State::F64(self.state(shape, saved, wanted)),
        };
        let parameter = slot.parameter.clone();
        let (shape, numel, steps) = (shape.clone(), slot.numel, saved.steps);
        Slot { parameter, shape, numel, steps, fresh: false, state }
    }

    /// The saved state tensors of a parameter.
    fn state<T: FloatElement>(
        &mut self,
        shape: &Shape,
        saved: &SavedParameter,
        wanted: &[StateTensor],
    ) -> Vec<Stored<T>> {
        let mut state = Vec::new();
        for name in &saved.state {
            let key = key(&saved.name, name);
            let Some(tensor) = self.dict.get(&key) else {
                self.report(format!("missing tensor {key}"));
                continue;
            };
            self.used.insert(key.clone());
            let shape = wanted.iter().find(|w| w.name == name).map(|w| (w.shape)(shape));
            if let Some(shape) = shape.filter(|shape| shape != tensor.shape()) {
                self.report(format!("{key} has shape {} instead of {shape}", tensor.shape()));
            }
            if tensor.dtype() != T::DTYPE {
                self.report(format!("{key} holds {} instead of {}", tensor.dtype(), T::DTYPE));
                continue;
            }
            match copy_of(tensor) {
                Ok(values) => {
                    state.push(Stored { name: name.clone(), shape: tensor.shape().clone(), values })
                }
                Err(error) => self.report(format!("{key}: {}", error.message())),
            }
        }
        state
    }
}

/// The values of a tensor in memory of their own.
#[track_caller]
fn copy_of<T: FloatElement>(tensor: &Tensor) -> Result<Buffer<T>> {
    let tensor = tensor.detach().contiguous()?;
    Buffer::try_copy_of(tensor.as_slice::<T>()?).in_operation("load_state_dict")
}
