//! [`ParamGroup`]: parameters that are updated with the same options.

use chainrule_tensor::{Parameter, Result, bail};

use crate::algorithm::{Algorithm, Range, Role};
use crate::optimizer::value_of;
use crate::slot::Slot;

/// Parameters with options of their own, and optionally a name.
#[derive(Clone)]
pub struct ParamGroup<A> {
    /// The options of these parameters. They may be changed at any time and are checked at the next step.
    pub options: A,
    pub(crate) name: Option<String>,
    /// The learning rate before any scheduler changed it; recorded by the first one.
    pub(crate) initial_lr: Option<f64>,
    /// The learning rate that a scheduler set last.
    pub(crate) scheduled_lr: Option<f64>,
    pub(crate) slots: Vec<Slot>,
}

impl<A> ParamGroup<A> {
    /// A group of parameters. It may be empty.
    pub fn new(parameters: impl IntoIterator<Item = Parameter>, options: A) -> Self {
        let slots = parameters.into_iter().map(Slot::new).collect();
        ParamGroup { options, name: None, initial_lr: None, scheduled_lr: None, slots }
    }

    /// Gives the group a name, by which a state dict finds it again when groups change places.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The group's name.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The group's parameters.
    pub fn parameters(&self) -> impl ExactSizeIterator<Item = &Parameter> {
        self.slots.iter().map(|slot| &slot.parameter)
    }
}

impl<A: Algorithm> ParamGroup<A> {
    /// Checks the options. A learning rate below 0 is accepted from schedulers alone, which may overshoot 0, if only by
    /// rounding: that must not end a training.
    #[track_caller]
    pub(crate) fn check(&self) -> Result<()> {
        let Err(error) = self.options.validate() else { return Ok(()) };
        let mut options = self.options.clone();
        match value_of(&mut options, Role::LearningRate) {
            Some(lr) if *lr < 0.0 && self.scheduled_lr == Some(*lr) => *lr = 0.0,
            _ => return Err(error),
        }
        options.validate()
    }
}

impl<A: Algorithm> std::fmt::Debug for ParamGroup<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParamGroup")
            .field("name", &self.name)
            .field("parameters", &self.slots.len())
            .field("options", &self.options)
            .finish()
    }
}

/// Puts parameters into two groups: `decay`, with the options as they are, and `no_decay`, with a `weight_decay` of
/// 0, for those of fewer than two dimensions: biases, and the weights of normalisations.
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{AdamW, AdamWOptions, weight_decay_groups};
/// # fn main() -> Result<()> {
/// let weight = Parameter::new(Tensor::ones([2, 2])?)?;
/// let bias = Parameter::new(Tensor::ones([2])?)?;
/// let options = AdamWOptions { weight_decay: 0.1, ..Default::default() };
/// let optimizer = AdamW::with_groups(weight_decay_groups([weight, bias], options)?)?;
/// let [decay, no_decay] = optimizer.param_groups() else { panic!() };
/// assert_eq!((decay.name(), decay.options.weight_decay), (Some("decay"), 0.1));
/// assert_eq!((no_decay.name(), no_decay.options.weight_decay), (Some("no_decay"), 0.0));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the algorithm has no `weight_decay`.
#[track_caller]
pub fn weight_decay_groups<A: Algorithm>(
    parameters: impl IntoIterator<Item = Parameter>,
    options: A,
) -> Result<[ParamGroup<A>; 2]> {
    let mut without = options.clone();
    match value_of(&mut without, Role::WeightDecay) {
        Some(weight_decay) => *weight_decay = 0.0,
        None => bail!(Value, A::NAME, "there is no weight_decay"),
    }
    let matrices = |parameter: &Parameter| parameter.shape().len() > 1;
    let (decay, no_decay): (Vec<_>, Vec<_>) = parameters.into_iter().partition(matrices);
    Ok([ParamGroup::new(decay, options).named("decay"), ParamGroup::new(no_decay, without).named("no_decay")])
}

/// What schedulers see of an optimizer, whichever it is: the hyper-parameters of its groups, by the index of the
/// group.
///
/// # Errors
/// All methods fail where there is no such group, and those that change a number where it is out of its range; nothing
/// changes then.
pub trait Hyperparameters {
    /// The number of groups.
    fn num_groups(&self) -> usize;
    /// A group's learning rate.
    #[track_caller]
    fn lr(&self, group: usize) -> Result<f64>;
    /// Changes a group's learning rate to any finite number. It may be negative, as in PyTorch: some schedulers
    /// overshoot 0.
    #[track_caller]
    fn set_lr(&mut self, group: usize, lr: f64) -> Result<()>;
    /// A group's learning rate before any scheduler changed it; the present one where there was none.
    #[track_caller]
    fn initial_lr(&self, group: usize) -> Result<f64>;
    /// Records what [`initial_lr`](Hyperparameters::initial_lr) gives from now on, as schedulers do.
    #[track_caller]
    fn set_initial_lr(&mut self, group: usize, lr: f64) -> Result<()>;
    /// A group's momentum, or the first of its `betas`; `None` where the algorithm has neither.
    #[track_caller]
    fn momentum(&self, group: usize) -> Result<Option<f64>>;
    /// Changes a group's momentum, where it has one.
    #[track_caller]
    fn set_momentum(&mut self, group: usize, momentum: f64) -> Result<()>;
    /// The values that a group's momentum may have. 0 or more, unless implemented.
    #[track_caller]
    fn momentum_range(&self, _group: usize) -> Result<Range> {
        Ok(Range::NonNegative)
    }
    /// Whether the optimizer has made a step, by which schedulers know that they are stepped too early; `None`, unless
    /// implemented: it is not known.
    fn has_stepped(&self) -> Option<bool> {
        None
    }
}
