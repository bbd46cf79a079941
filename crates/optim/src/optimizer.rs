//! [`Optimizer`]: the engine around an algorithm.

use std::collections::HashSet;

use chainrule_kernels::parallel;
use chainrule_tensor::{Parameter, Result, bail};

use crate::algorithm::{Algorithm, Role};
use crate::groups::{Hyperparameters, ParamGroup};
use crate::rows::Incoming;
use crate::slot::Slot;

/// Parameters with fewer values than this are updated several in a task; larger ones are shared among threads
/// one after the other.
const SMALL: usize = 32_768;
/// Small parameters in a task.
const BATCH: usize = 8;

/// Updates parameters by their gradients, by the algorithm `A`.
///
/// Parameters are in groups, each with options of its own. State is made for a parameter at its first update. A
/// parameter without a gradient is left alone, keeps its state as it is and does not count a step.
pub struct Optimizer<A: Algorithm> {
    defaults: A,
    pub(crate) groups: Vec<ParamGroup<A>>,
}

/// What [`Optimizer::step`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepReport {
    /// How many parameters were updated.
    pub updated: usize,
    /// How many parameters were not, although they are to be trained, because they had no gradient.
    pub without_gradient: usize,
}

impl<A: Algorithm> Optimizer<A> {
    /// An optimizer of parameters with the same options.
    ///
    /// # Errors
    /// When there are no parameters, one occurs twice or has a shape that the algorithm cannot update, or an option
    /// is out of its range.
    #[track_caller]
    pub fn new(parameters: impl IntoIterator<Item = Parameter>, options: A) -> Result<Self> {
        Self::with_groups([ParamGroup::new(parameters, options)])
    }

    /// An optimizer of several groups. The options of the first are the [`defaults`](Optimizer::defaults).
    ///
    /// ```
    /// # use chainrule_tensor::{Parameter, Result, Tensor};
    /// # use chainrule_optim::{AdamW, AdamWOptions, ParamGroup};
    /// # fn main() -> Result<()> {
    /// # let weight = Parameter::new(Tensor::new([1.0]))?;
    /// # let bias = Parameter::new(Tensor::new([1.0]))?;
    /// let optimizer = AdamW::with_groups([
    ///     ParamGroup::new([weight], AdamWOptions::default()).named("decay"),
    ///     ParamGroup::new([bias], AdamWOptions { weight_decay: 0.0, ..Default::default() }).named("no decay"),
    /// ])?;
    /// assert_eq!(optimizer.param_groups()[1].name(), Some("no decay"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When there are no parameters, one occurs twice or has a shape that the algorithm cannot update, two groups
    /// have one name, or an option is out of its range.
    #[track_caller]
    pub fn with_groups(groups: impl IntoIterator<Item = ParamGroup<A>>) -> Result<Self> {
        let mut groups = groups.into_iter();
        let Some(first) = groups.next() else {
            bail!(Value, A::NAME, "there are no parameter groups");
        };
        let mut optimizer = Optimizer { defaults: first.options.clone(), groups: Vec::new() };
        optimizer.add_param_group(first)?;
        for group in groups {
            optimizer.add_param_group(group)?;
        }
        if optimizer.groups.iter().all(|group| group.slots.is_empty()) {
            bail!(Value, A::NAME, "there are no parameters to optimize");
        }
        Ok(optimizer)
    }

    /// Adds a group, for example of layers that are trained from now on.
    ///
    /// # Errors
    /// When a parameter occurs twice, is in the optimizer already or has a shape that the algorithm cannot update,
    /// the group's name is taken, or an option is out of its range; nothing changes then.
    #[track_caller]
    pub fn add_param_group(&mut self, group: ParamGroup<A>) -> Result<()> {
        group.options.validate()?;
        if let Some(name) = &group.name
            && self.groups.iter().any(|g| g.name.as_ref() == Some(name))
        {
            bail!(Value, A::NAME, "there is a parameter group {name:?} already");
        }
        for parameter in group.parameters() {
            group.options.accepts(&parameter.shape())?;
        }
        let mut seen: HashSet<u64> = self.slots().map(|slot| slot.parameter.id()).collect();
        for (i, parameter) in group.parameters().enumerate() {
            if !seen.insert(parameter.id()) {
                let name = parameter.name().unwrap_or_else(|| "without a name".to_string());
                bail!(
                    Value,
                    A::NAME,
                    "parameter {i} of the group ({name}, shape {}) occurs twice: a parameter belongs to one \
                     group, once",
                    parameter.shape()
                );
            }
        }
        self.groups.push(group);
        Ok(())
    }

    /// The options of the first group when the optimizer was made.
    pub fn defaults(&self) -> &A {
        &self.defaults
    }

    /// The groups.
    pub fn param_groups(&self) -> &[ParamGroup<A>] {
        &self.groups
    }

    /// The groups, to change their options; the next step checks them.
    ///
    /// ```
    /// # use chainrule_tensor::{Parameter, Result, Tensor};
    /// # use chainrule_optim::{Sgd, SgdOptions};
    /// # fn main() -> Result<()> {
    /// # let w = Parameter::new(Tensor::new([1.0]))?;
    /// let mut optimizer = Sgd::new([w], SgdOptions::default())?;
    /// optimizer.param_groups_mut()[0].options.momentum = 0.9;
    /// # Ok(())
    /// # }
    /// ```
    pub fn param_groups_mut(&mut self) -> &mut [ParamGroup<A>] {
        &mut self.groups
    }

    /// Forgets the gradients of all parameters (PyTorch: `zero_grad(set_to_none=True)`).
    pub fn zero_grad(&self) {
        self.slots().for_each(|slot| slot.parameter.zero_grad());
    }

    /// Updates each parameter that has a gradient, in place.
    ///
    /// # Errors
    /// When an option has become invalid, and when there is no memory to lay out a gradient that is not contiguous, or
    /// the few rows that have one.
    /// Nothing changes then.
    #[track_caller]
    pub fn step(&mut self) -> Result<StepReport> {
        for group in &self.groups {
            group.options.validate()?;
        }
        // All of them before the first update. That they fit, those who store a gradient have seen to.
        let mut gradients = Vec::with_capacity(self.slots().count());
        for group in &self.groups {
            for slot in &group.slots {
                gradients.push(Incoming::of(slot, &group.options)?);
            }
        }
        let mut report = StepReport::default();
        let mut gradients = gradients.into_iter();
        for group in &mut self.groups {
            step_group(group, gradients.by_ref(), &mut report);
        }
        Ok(report)
    }

    /// The names of the parameters that are to be trained but that no step has updated so far: those that the
    /// loss does not depend on. Parameters without a name are called `param.0`, `param.1`, …, by their place.
    pub fn unused_parameters(&self) -> Vec<String> {
        let unused = |slot: &Slot| slot.steps == 0 && slot.parameter.requires_grad();
        let slots = self.slots().enumerate().filter(|(_, slot)| unused(slot));
        slots.map(|(place, slot)| name_at(place, &slot.parameter)).collect()
    }

    /// All parameters in order, with their state.
    pub(crate) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.groups.iter().flat_map(|group| &group.slots)
    }
}

/// What a parameter is called: by its model, else by its place in the optimizer.
pub(crate) fn name_at(place: usize, parameter: &Parameter) -> String {
    parameter.name().unwrap_or_else(|| format!("param.{place}"))
}

/// Updates the parameters of a group by their gradients, of which there is one (or none) for each.
fn step_group<A: Algorithm>(
    group: &mut ParamGroup<A>,
    gradients: impl Iterator<Item = Option<Incoming>>,
    report: &mut StepReport,
) {
    let options = &group.options;
    let wanted = options.state();
    let mut small = Vec::with_capacity(group.slots.len());
    for (slot, gradient) in group.slots.iter_mut().zip(gradients) {
        let Some(mut gradient) = gradient else {
            report.without_gradient += usize::from(slot.parameter.requires_grad());
            continue;
        };
        report.updated += 1;
        if slot.numel < SMALL {
            small.push((slot, gradient));
        } else {
            slot.update(&mut gradient, options, &wanted);
        }
    }
    // Several small parameters in a task.
    let total_ns: f64 = small.iter().map(|(slot, _)| 50.0 + slot.numel as f64).sum();
    parallel::chunks_mut(&mut small, BATCH, total_ns, |_, batch| {
        batch.iter_mut().for_each(|(slot, gradient)| slot.update(gradient, options, &wanted));
    });
}

/// The option of a role.
pub(crate) fn value_of<A: Algorithm>(options: &mut A, role: Role) -> Option<&mut f64> {
    options.hyperparameters().into_iter().find(|option| option.role == role).map(|option| option.value)
}

/// The learning rate; NaN, which no scheduler takes, where an algorithm has none.
fn learning_rate<A: Algorithm>(options: &A) -> f64 {
    value_of(&mut options.clone(), Role::LearningRate).map_or(f64::NAN, |lr| *lr)
}

impl<A: Algorithm> Hyperparameters for Optimizer<A> {
    fn num_groups(&self) -> usize {
        self.groups.len()
    }

    fn lr(&self, group: usize) -> f64 {
        learning_rate(&self.groups[group].options)
    }

    fn set_lr(&mut self, group: usize, lr: f64) {
        let options = &mut self.groups[group].options;
        if let Some(value) = value_of(options, Role::LearningRate) {
            *value = lr;
        }
    }

    fn initial_lr(&self, group: usize) -> f64 {
        let group = &self.groups[group];
        group.initial_lr.unwrap_or_else(|| learning_rate(&group.options))
    }

    fn set_initial_lr(&mut self, group: usize, lr: f64) {
        self.groups[group].initial_lr = Some(lr);
    }

    fn momentum(&self, group: usize) -> Option<f64> {
        value_of(&mut self.groups[group].options.clone(), Role::Momentum).copied()
    }

    fn set_momentum(&mut self, group: usize, momentum: f64) {
        if let Some(value) = value_of(&mut self.groups[group].options, Role::Momentum) {
            *value = momentum;
        }
    }
}

impl<A: Algorithm> std::fmt::Debug for Optimizer<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct(A::NAME).field("groups", &self.groups).finish()
    }
}
