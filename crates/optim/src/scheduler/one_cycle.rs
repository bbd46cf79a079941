//! Up once, and down to almost nothing.

use std::f64::consts::PI;

use chainrule_tensor::{Result, bail};
use serde::{Deserialize, Serialize};

use super::{Moment, PerGroup, Schedule, Scheduler};
use crate::check;
use crate::groups::Hyperparameters;

/// Lets the learning rates go up from `max_lr`/`div_factor` to `max_lr` and then down to a small fraction of where
/// they began, and the momentum the other way (PyTorch: `torch.optim.lr_scheduler.OneCycleLR`). To be stepped after
/// every batch. A change from outside is overwritten, and so are the initial learning rates.
///
/// Step `total_steps` − 1 has the last learning rate, which stays: PyTorch goes on along the curve for one more step (up
/// again, or to below 0), and refuses all beyond.
///
/// Source: Smith & Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates"
/// (2017). The paper has three phases; two are the default here and in PyTorch.
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{Hyperparameters, LrScheduler, OneCycleLR, Sgd, SgdOptions};
/// # fn main() -> Result<()> {
/// # let w = Parameter::new(Tensor::new([1.0]))?;
/// let mut optimizer = Sgd::new([w], SgdOptions { momentum: 0.9, ..Default::default() })?;
/// let (epochs, batches) = (2, 5);
/// let scheduler = OneCycleLR::new(&mut optimizer, 1.0, epochs * batches)?;
/// let curve = scheduler.preview(&optimizer, 10)?.concat();
/// assert!((curve[0] - 0.04).abs() < 1e-12 && curve[2] == 1.0);
/// assert!((curve[9] - 4e-6).abs() < 1e-12);
/// assert_eq!(optimizer.momentum(0)?, Some(0.95));
/// # Ok(())
/// # }
/// ```
pub type OneCycleLR = Scheduler<OneCycleLRSchedule>;

/// Options of [`OneCycleLR`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OneCycleLRSchedule {
    /// The highest learning rate of each group.
    pub max_lr: PerGroup,
    /// All steps of the training: epochs times batches.
    pub total_steps: u64,
    /// The part of the steps on the way up, from 0 to 1. Default 0.3.
    pub pct_start: f64,
    /// The form of the way. Default [`AnnealStrategy::Cos`].
    pub anneal_strategy: AnnealStrategy,
    /// Whether the momentum (or the first of `betas`) goes from `max_momentum` down to `base_momentum` and back.
    /// Default true.
    pub cycle_momentum: bool,
    /// The lowest momentum of each group. Default 0.85.
    pub base_momentum: PerGroup,
    /// The highest momentum of each group. Default 0.95.
    pub max_momentum: PerGroup,
    /// By how much less than `max_lr` the learning rate begins. Default 25.
    pub div_factor: f64,
    /// By how much less than at the beginning it ends. Default 1e4.
    pub final_div_factor: f64,
    /// Goes down as long as up, back to the beginning, and only then to the end. Default false.
    pub three_phase: bool,
}

/// The way between two learning rates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnnealStrategy {
    /// Half a period of a cosine.
    #[default]
    Cos,
    /// A line.
    Linear,
}

impl AnnealStrategy {
    /// What is between two values, after this part of the way.
    pub(super) fn between(self, start: f64, end: f64, part: f64) -> f64 {
        match self {
            AnnealStrategy::Cos => end + (start - end) / 2.0 * ((PI * part).cos() + 1.0),
            AnnealStrategy::Linear => (end - start) * part + start,
        }
    }
}

impl OneCycleLRSchedule {
    /// The default options.
    pub fn new(max_lr: impl Into<PerGroup>, total_steps: u64) -> Self {
        OneCycleLRSchedule {
            max_lr: max_lr.into(),
            total_steps,
            pct_start: 0.3,
            anneal_strategy: AnnealStrategy::Cos,
            cycle_momentum: true,
            base_momentum: 0.85.into(),
            max_momentum: 0.95.into(),
            div_factor: 25.0,
            final_div_factor: 1e4,
            three_phase: false,
        }
    }

    /// The value of a step: from `first` to `peak`, then to `last` (in three phases by way of `first`).
    fn value(&self, step: u64, first: f64, peak: f64, last: f64) -> f64 {
        let total = self.total_steps;
        let end = total as f64 - 1.0;
        let step = (step as f64).min(end);
        let rise = self.pct_start * total as f64 - 1.0;
        let fall = 2.0 * self.pct_start * total as f64 - 2.0;
        let (from, to, start, goal) = if step <= rise {
            (0.0, rise, first, peak)
        } else if !self.three_phase {
            (rise, end, peak, last)
        } else if step <= fall {
            (rise, fall, peak, first)
        } else {
            (fall, end, first, last)
        };
        // A phase of no steps is over when it begins.
        let part = if to > from { (step - from) / (to - from) } else { 1.0 };
        self.anneal_strategy.between(start, goal, part)
    }
}

impl OneCycleLR {
    /// A scheduler at step 0 with the default options.
    ///
    /// # Errors
    /// When the optimizer has no momentum or cannot have these, `total_steps` is 0, or a learning rate is negative or not
    /// finite; nothing changes then.
    #[track_caller]
    pub fn new(
        optimizer: &mut dyn Hyperparameters,
        max_lr: impl Into<PerGroup>,
        total_steps: u64,
    ) -> Result<Self> {
        Self::with_schedule(optimizer, OneCycleLRSchedule::new(max_lr, total_steps))
    }
}

impl Schedule for OneCycleLRSchedule {
    const NAME: &'static str = "OneCycleLR";

    fn validate(&self) -> Result<()> {
        if self.total_steps == 0 {
            bail!(Value, Self::NAME, "total_steps must be at least 1, not 0");
        }
        if !(0.0..=1.0).contains(&self.pct_start) {
            bail!(Value, Self::NAME, "pct_start must lie in [0, 1], not be {}", self.pct_start);
        }
        let numbers = [
            ("max_lr", &self.max_lr),
            ("base_momentum", &self.base_momentum),
            ("max_momentum", &self.max_momentum),
        ];
        for (name, numbers) in numbers {
            numbers.non_negative(Self::NAME, name)?;
        }
        for (name, factor) in [("div_factor", self.div_factor), ("final_div_factor", self.final_div_factor)] {
            check::positive(Self::NAME, name, factor)?;
        }
        Ok(())
    }

    fn prepare(&self, optimizer: &mut dyn Hyperparameters) -> Result<()> {
        let groups = optimizer.num_groups();
        self.max_lr.fits(Self::NAME, "max_lr", groups)?;
        if self.cycle_momentum {
            let bounds = [("base_momentum", &self.base_momentum), ("max_momentum", &self.max_momentum)];
            check::cycles_momentum(Self::NAME, optimizer, bounds)?;
        }
        for group in 0..groups {
            optimizer
                .set_initial_lr(group, self.max_lr.of(Self::NAME, "max_lr", group)? / self.div_factor)?;
        }
        Ok(())
    }

    fn lr(&self, now: &Moment) -> Result<f64> {
        let max = *self.max_lr.of(Self::NAME, "max_lr", now.group)?;
        let first = max / self.div_factor;
        Ok(self.value(now.epoch, first, max, first / self.final_div_factor))
    }

    fn momentum(&self, now: &Moment) -> Result<Option<f64>> {
        if !self.cycle_momentum {
            return Ok(None);
        }
        let base = *self.base_momentum.of(Self::NAME, "base_momentum", now.group)?;
        let max = *self.max_momentum.of(Self::NAME, "max_momentum", now.group)?;
        Ok(Some(self.value(now.epoch, max, base, max)))
    }
}
