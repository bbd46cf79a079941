//! [`Optimizer`]: the engine around an algorithm.

use std::collections::HashSet;

use chainrule_kernels::parallel;
use chainrule_tensor::{InOperation, Parameter, Result, bail};

use crate::algorithm::{Algorithm, Range, Role, StateTensor};
use crate::check;
use crate::groups::{Hyperparameters, ParamGroup};
use crate::rows::Incoming;
use crate::slot::{Slot, State};
use crate::workspace::Workspace;

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
    has_stepped: bool,
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
        let mut optimizer =
            Optimizer { defaults: first.options.clone(), groups: Vec::new(), has_stepped: false };
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
    /// When an option has become invalid, when there is no memory (for state tensors at the first step, for a copy of
    /// values that somebody else holds, for a gradient that is not contiguous, for the few rows
    /// that have one), and when a state tensor that was loaded
    /// for other options does not fit. The message names the parameter, and nothing changes then.
    #[track_caller]
    pub fn step(&mut self) -> Result<StepReport> {
        for group in &self.groups {
            group.check()?;
        }
        // All that may fail comes before the first update. That gradients fit, those who store them have seen to.
        let mut ready = Vec::with_capacity(self.groups.iter().map(|group| group.slots.len()).sum());
        let mut workspace = Workspace::default();
        for group in &self.groups {
            let wanted = group.options.state();
            for slot in &group.slots {
                match prepare(slot, &group.options, &wanted, &mut workspace) {
                    Ok(prepared) => ready.push(prepared),
                    Err(error) => {
                        let name = name_at(ready.len(), &slot.parameter);
                        return Err(error.context(format!("parameter {name}")).at_caller());
                    }
                }
            }
        }
        self.has_stepped = true;
        let mut report = StepReport::default();
        let mut ready = ready.into_iter();
        for group in &mut self.groups {
            if let Err(error) = step_group(group, ready.by_ref(), &mut workspace, &mut report) {
                return Err(error.at_caller());
            }
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

/// A gradient, and the state tensors and the memory that its update needs.
struct Ready {
    gradient: Incoming,
    missing: State,
    /// That of a small parameter, which is updated beside others; large ones share theirs.
    workspace: Workspace,
}

/// What the update of a parameter needs; `None` where it has no gradient.
#[track_caller]
fn prepare<A: Algorithm>(
    slot: &Slot,
    options: &A,
    wanted: &[StateTensor],
    shared: &mut Workspace,
) -> Result<Option<Ready>> {
    let Some(gradient) = Incoming::of(slot, options)? else { return Ok(None) };
    let mut workspace = Workspace::default();
    let (scratch, dtype) = (options.scratch(&slot.shape), slot.parameter.dtype());
    let place = if slot.numel < SMALL { &mut workspace } else { shared };
    place.reserve(dtype, scratch).in_operation(A::NAME)?;
    let missing = slot.prepare(A::NAME, wanted)?;
    Ok(Some(Ready { gradient, missing, workspace }))
}

/// Updates the parameters of a group by their gradients, of which there is one (or none) for each.
fn step_group<A: Algorithm>(
    group: &mut ParamGroup<A>,
    ready: impl Iterator<Item = Option<Ready>>,
    workspace: &mut Workspace,
    report: &mut StepReport,
) -> Result<()> {
    let options = &group.options;
    let wanted = options.state();
    let mut small = Vec::with_capacity(group.slots.len());
    for (slot, ready) in group.slots.iter_mut().zip(ready) {
        let Some(Ready { mut gradient, missing, workspace: own }) = ready else {
            report.without_gradient += usize::from(slot.parameter.requires_grad());
            continue;
        };
        report.updated += 1;
        slot.install(missing);
        if slot.numel < SMALL {
            small.push((slot, gradient, own, Ok(())));
        } else {
            slot.update(&mut gradient, options, &wanted, workspace)?;
        }
    }
    // Several small parameters in a task.
    let total_ns: f64 = small.iter().map(|(slot, ..)| 50.0 + slot.numel as f64).sum();
    parallel::chunks_mut(&mut small, BATCH, total_ns, |_, batch| {
        for (slot, gradient, workspace, result) in batch {
            *result = slot.update(gradient, options, &wanted, workspace);
        }
    });
    small.into_iter().try_for_each(|(.., result)| result)
}

/// The option of a role.
pub(crate) fn value_of<A: Algorithm>(options: &mut A, role: Role) -> Option<&mut f64> {
    options.hyperparameters().into_iter().find(|option| option.role == role).map(|option| option.value)
}

/// Changes the option of a role, where there is one, to a value that lies in a range, or in the option's own.
#[track_caller]
fn set_value<A: Algorithm>(options: &mut A, role: Role, range: Option<Range>, value: f64) -> Result<()> {
    match options.hyperparameters().into_iter().find(|option| option.role == role) {
        Some(option) => {
            let range = range.unwrap_or(option.range);
            option.set(A::NAME, range, value)
        }
        None => Ok(()),
    }
}

impl<A: Algorithm> Optimizer<A> {
    #[track_caller]
    fn group(&self, group: usize) -> Result<&ParamGroup<A>> {
        match self.groups.get(group) {
            Some(group) => Ok(group),
            None => bail!(Index, A::NAME, "there is no parameter group {group}, but {}", self.groups.len()),
        }
    }

    #[track_caller]
    fn group_mut(&mut self, group: usize) -> Result<&mut ParamGroup<A>> {
        self.group(group)?;
        Ok(&mut self.groups[group])
    }
}

impl<A: Algorithm> Hyperparameters for Optimizer<A> {
    fn num_groups(&self) -> usize {
        self.groups.len()
    }

    fn lr(&self, group: usize) -> Result<f64> {
        match value_of(&mut self.group(group)?.options.clone(), Role::LearningRate) {
            Some(lr) => Ok(*lr),
            None => bail!(Value, A::NAME, "there is no learning rate"),
        }
    }

    fn set_lr(&mut self, group: usize, lr: f64) -> Result<()> {
        let group = self.group_mut(group)?;
        set_value(&mut group.options, Role::LearningRate, Some(Range::Finite), lr)?;
        group.scheduled_lr = Some(lr);
        Ok(())
    }

    fn initial_lr(&self, group: usize) -> Result<f64> {
        match self.group(group)?.initial_lr {
            Some(lr) => Ok(lr),
            None => self.lr(group),
        }
    }

    fn set_initial_lr(&mut self, group: usize, lr: f64) -> Result<()> {
        let group = self.group_mut(group)?;
        check::finite(A::NAME, "initial_lr", lr)?;
        group.initial_lr = Some(lr);
        Ok(())
    }

    fn momentum(&self, group: usize) -> Result<Option<f64>> {
        Ok(value_of(&mut self.group(group)?.options.clone(), Role::Momentum).copied())
    }

    fn set_momentum(&mut self, group: usize, momentum: f64) -> Result<()> {
        set_value(&mut self.group_mut(group)?.options, Role::Momentum, None, momentum)
    }

    fn momentum_range(&self, group: usize) -> Result<Range> {
        let mut options = self.group(group)?.options.clone();
        let option = options.hyperparameters().into_iter().find(|option| option.role == Role::Momentum);
        Ok(option.map_or(Range::NonNegative, |option| option.range))
    }

    fn has_stepped(&self) -> Option<bool> {
        Some(self.has_stepped || self.slots().any(|slot| slot.steps > 0))
    }
}

impl<A: Algorithm> std::fmt::Debug for Optimizer<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct(A::NAME).field("groups", &self.groups).finish()
    }
}
