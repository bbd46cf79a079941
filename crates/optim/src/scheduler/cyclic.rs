//! Up and down between two learning rates.

use std::fmt;

use chainrule_tensor::{Result, bail};
use serde::{Deserialize, Serialize};

use super::lambda::LrLambda;
use super::{Moment, PerGroup, Schedule, Scheduler};
use crate::check;
use crate::groups::Hyperparameters;

/// Lets the learning rates go up from `base_lr` to `max_lr` and down again, over and over, and the momentum the other
/// way (PyTorch: `torch.optim.lr_scheduler.CyclicLR`). To be stepped after every batch. A change from outside is
/// overwritten.
///
/// Source: Smith, "Cyclical Learning Rates for Training Neural Networks" (2015).
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{CyclicLR, CyclicLRSchedule, Hyperparameters, LrScheduler, Sgd, SgdOptions};
/// # fn main() -> Result<()> {
/// # let w = Parameter::new(Tensor::new([1.0]))?;
/// let mut optimizer = Sgd::new([w], SgdOptions { momentum: 0.9, ..Default::default() })?;
/// let schedule = CyclicLRSchedule { step_size_up: 2, ..CyclicLRSchedule::new(1.0, 3.0) };
/// let scheduler = CyclicLR::with_schedule(&mut optimizer, schedule)?;
/// assert_eq!(scheduler.preview(&optimizer, 6)?.concat(), [1.0, 2.0, 3.0, 2.0, 1.0, 2.0]);
/// assert_eq!(optimizer.momentum(0)?, Some(0.9));
/// # Ok(())
/// # }
/// ```
pub type CyclicLR = Scheduler<CyclicLRSchedule>;

/// Options of [`CyclicLR`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CyclicLRSchedule {
    /// The lowest learning rate of each group, which it has at the beginning.
    pub base_lr: PerGroup,
    /// The highest learning rate of each group, as long as `mode` does not lower it.
    pub max_lr: PerGroup,
    /// Steps on the way up, at least 1. Default 2000.
    pub step_size_up: u64,
    /// Steps on the way down, at least 1. Default `None`: as many as on the way up.
    pub step_size_down: Option<u64>,
    /// How the height of the cycles changes. Default [`CyclicMode::Triangular`].
    pub mode: CyclicMode,
    /// The factor of [`CyclicMode::ExpRange`]. Default 1.
    pub gamma: f64,
    /// Whether the momentum (or the first of `betas`) goes from `max_momentum` down to `base_momentum` while the
    /// learning rate goes up; it stays between the two, whatever the height of the cycle. Default true.
    pub cycle_momentum: bool,
    /// The lowest momentum of each group. Default 0.8.
    pub base_momentum: PerGroup,
    /// The highest momentum of each group. Default 0.9.
    pub max_momentum: PerGroup,
}

/// By what the height of a cycle is multiplied.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CyclicMode {
    /// By 1.
    #[default]
    Triangular,
    /// By ½ from cycle to cycle.
    Triangular2,
    /// By `gamma` from step to step.
    ExpRange,
    /// By a function of the cycle, counted from 1 (PyTorch: `scale_fn` with `scale_mode="cycle"`). The function is
    /// not part of the saved state.
    Cycle(#[serde(skip, default = "one")] LrLambda),
    /// By a function of the step, counted from 0 (PyTorch: `scale_fn` with `scale_mode="iterations"`). The function
    /// is not part of the saved state.
    Iterations(#[serde(skip, default = "one")] LrLambda),
}

fn one() -> LrLambda {
    LrLambda::new(|_| 1.0)
}

impl CyclicMode {
    fn name(&self) -> &'static str {
        match self {
            CyclicMode::Triangular => "triangular",
            CyclicMode::Triangular2 => "triangular2",
            CyclicMode::ExpRange => "exp_range",
            CyclicMode::Cycle(_) => "cycle",
            CyclicMode::Iterations(_) => "iterations",
        }
    }
}

impl fmt::Debug for CyclicMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl CyclicLRSchedule {
    /// The default options between two learning rates.
    pub fn new(base_lr: impl Into<PerGroup>, max_lr: impl Into<PerGroup>) -> Self {
        CyclicLRSchedule {
            base_lr: base_lr.into(),
            max_lr: max_lr.into(),
            step_size_up: 2000,
            step_size_down: None,
            mode: CyclicMode::Triangular,
            gamma: 1.0,
            cycle_momentum: true,
            base_momentum: 0.8.into(),
            max_momentum: 0.9.into(),
        }
    }

    /// How far the values are from their base, from 0 to 1, before and with the change of height.
    fn part(&self, step: u64) -> f64 {
        let (up, down) = (self.step_size_up as f64, self.step_size_down.unwrap_or(self.step_size_up) as f64);
        let (total, ratio) = (up + down, up / (up + down));
        let cycle = (1.0 + step as f64 / total).floor();
        let x = 1.0 + step as f64 / total - cycle;
        let part = if x <= ratio { x / ratio } else { (x - 1.0) / (ratio - 1.0) };
        part * match &self.mode {
            CyclicMode::Triangular => 1.0,
            CyclicMode::Triangular2 => 0.5f64.powf(cycle - 1.0),
            CyclicMode::ExpRange => self.gamma.powf(step as f64),
            CyclicMode::Cycle(scale) => scale.at(cycle as u64),
            CyclicMode::Iterations(scale) => scale.at(step),
        }
    }
}

impl CyclicLR {
    /// A scheduler at step 0 with the default options.
    ///
    /// # Errors
    /// When the optimizer has no momentum or cannot have these, or a learning rate is negative or not finite.
    #[track_caller]
    pub fn new(
        optimizer: &mut dyn Hyperparameters,
        base_lr: impl Into<PerGroup>,
        max_lr: impl Into<PerGroup>,
    ) -> Result<Self> {
        Self::with_schedule(optimizer, CyclicLRSchedule::new(base_lr, max_lr))
    }
}

impl Schedule for CyclicLRSchedule {
    const NAME: &'static str = "CyclicLR";

    fn validate(&self) -> Result<()> {
        if self.step_size_up == 0 || self.step_size_down == Some(0) {
            bail!(Value, Self::NAME, "step_size_up and step_size_down must be at least 1, not 0");
        }
        check::finite(Self::NAME, "gamma", self.gamma)?;
        let numbers = [
            ("base_lr", &self.base_lr),
            ("max_lr", &self.max_lr),
            ("base_momentum", &self.base_momentum),
            ("max_momentum", &self.max_momentum),
        ];
        for (name, numbers) in numbers {
            numbers.non_negative(Self::NAME, name)?;
        }
        Ok(())
    }

    fn prepare(&self, optimizer: &mut dyn Hyperparameters) -> Result<()> {
        let groups = optimizer.num_groups();
        self.base_lr.fits(Self::NAME, "base_lr", groups)?;
        self.max_lr.fits(Self::NAME, "max_lr", groups)?;
        if self.cycle_momentum {
            let bounds = [("base_momentum", &self.base_momentum), ("max_momentum", &self.max_momentum)];
            check::cycles_momentum(Self::NAME, optimizer, bounds)?;
        }
        for group in 0..groups {
            optimizer.set_lr(group, *self.base_lr.of(Self::NAME, "base_lr", group)?)?;
        }
        Ok(())
    }

    fn lr(&self, now: &Moment) -> Result<f64> {
        let base = self.base_lr.of(Self::NAME, "base_lr", now.group)?;
        let max = self.max_lr.of(Self::NAME, "max_lr", now.group)?;
        Ok(base + (max - base) * self.part(now.epoch))
    }

    fn momentum(&self, now: &Moment) -> Result<Option<f64>> {
        if !self.cycle_momentum {
            return Ok(None);
        }
        let base = self.base_momentum.of(Self::NAME, "base_momentum", now.group)?;
        let max = self.max_momentum.of(Self::NAME, "max_momentum", now.group)?;
        // A height above 1 must not make a momentum of it that no optimizer takes.
        let momentum = max - (max - base) * self.part(now.epoch);
        Ok(Some(momentum.clamp(base.min(*max), base.max(*max))))
    }

    fn adopt(&mut self, loader: &Self) -> Result<()> {
        let functions = matches!(self.mode, CyclicMode::Cycle(_) | CyclicMode::Iterations(_));
        if functions && self.mode.name() != loader.mode.name() {
            bail!(
                Data,
                Self::NAME,
                "the state is of the mode {:?}, whose function is not saved; the scheduler that loads it has {:?}",
                self.mode,
                loader.mode
            );
        }
        if functions {
            self.mode = loader.mode.clone();
        }
        Ok(())
    }
}
