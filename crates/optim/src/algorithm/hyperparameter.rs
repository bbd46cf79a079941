//! [`Hyperparameter`]: an option that is a number, with what the engine has to know of it.

use chainrule_tensor::{Result, bail};

use crate::check;

/// An option of an [`Algorithm`](super::Algorithm) that is a number: its name, where it is, which values it may have,
/// and whether schedulers change it.
#[derive(Debug)]
pub struct Hyperparameter<'a> {
    pub(crate) name: &'static str,
    pub(crate) value: &'a mut f64,
    pub(crate) role: Role,
    pub(crate) range: Range,
}

/// The values that an option may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Range {
    /// Every finite number.
    Finite,
    /// 0 or more, and finite.
    NonNegative,
    /// More than 0, and finite.
    Positive,
    /// From 0 to 1, without the 1: how much of an average is kept at each step.
    DecayRate,
    /// From 0 to 1.
    Unit,
}

/// What an option is to others than the algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Plain,
    LearningRate,
    Momentum,
    WeightDecay,
}

impl<'a> Hyperparameter<'a> {
    /// An option that only the algorithm knows. Of a pair each is one: `"betas.0"`.
    pub fn new(name: &'static str, value: &'a mut f64, range: Range) -> Self {
        Hyperparameter { name, value, role: Role::Plain, range }
    }

    /// The learning rate, `lr`, which schedulers change: 0 or more.
    pub fn lr(value: &'a mut f64) -> Self {
        Hyperparameter { role: Role::LearningRate, ..Self::new("lr", value, Range::NonNegative) }
    }

    /// The option `weight_decay`: 0 or more. [`weight_decay_groups`](crate::weight_decay_groups) sets it to 0.
    pub fn weight_decay(value: &'a mut f64) -> Self {
        Hyperparameter { role: Role::WeightDecay, ..Self::new("weight_decay", value, Range::NonNegative) }
    }

    /// The option `momentum`, which schedulers may cycle: 0 or more.
    pub fn momentum(value: &'a mut f64) -> Self {
        Hyperparameter { role: Role::Momentum, ..Self::new("momentum", value, Range::NonNegative) }
    }

    /// The options `betas`, two rates of decay, the first of which schedulers may cycle as they do a momentum.
    pub fn betas((first, second): &'a mut (f64, f64)) -> [Self; 2] {
        let first = Self::new("betas.0", first, Range::DecayRate);
        let second = Self::new("betas.1", second, Range::DecayRate);
        [Hyperparameter { role: Role::Momentum, ..first }, second]
    }

    /// Refuses a value outside of the range.
    #[track_caller]
    pub(crate) fn check(&self, algorithm: &str) -> Result<()> {
        self.range.check(algorithm, self.name, *self.value)
    }

    /// Changes the value to another in the range.
    #[track_caller]
    pub(crate) fn set(self, algorithm: &str, range: Range, value: f64) -> Result<()> {
        range.check(algorithm, self.name, value)?;
        *self.value = value;
        Ok(())
    }
}

impl Range {
    /// Refuses a value outside of the range.
    #[track_caller]
    pub(crate) fn check(self, algorithm: &str, name: &str, value: f64) -> Result<()> {
        match self {
            Range::Finite => check::finite(algorithm, name, value),
            Range::NonNegative => check::non_negative(algorithm, name, value),
            Range::Positive => check::positive(algorithm, name, value),
            Range::DecayRate if !(0.0..1.0).contains(&value) => {
                bail!(Value, algorithm, "{name} must lie in [0, 1), not be {value}")
            }
            Range::Unit if !(0.0..=1.0).contains(&value) => {
                bail!(Value, algorithm, "{name} must lie in [0, 1], not be {value}")
            }
            Range::DecayRate | Range::Unit => Ok(()),
        }
    }
}
