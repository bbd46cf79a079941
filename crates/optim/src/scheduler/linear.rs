//! A factor that changes along a line: warm-up.

use chainrule_tensor::{Result, bail};
use serde::{Deserialize, Serialize};

use super::{Moment, Schedule, Scheduler};
use crate::groups::Hyperparameters;

/// Multiplies the learning rates by a factor that goes from `start_factor` at epoch 0 to `end_factor` at epoch
/// `total_iters` in equal steps, and stays there (PyTorch: `torch.optim.lr_scheduler.LinearLR`). A change from
/// outside is kept. Each learning rate is computed from the one before, so an `end_factor` of 0 may end a rounding error
/// away from 0, also below it.
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{LinearLR, LrScheduler, Sgd, SgdOptions};
/// # fn main() -> Result<()> {
/// # let w = Parameter::new(Tensor::new([1.0]))?;
/// let mut optimizer = Sgd::new([w], SgdOptions { lr: 1.0, ..Default::default() })?;
/// let scheduler = LinearLR::new(&mut optimizer, 0.25, 1.0, 3)?;
/// assert_eq!(scheduler.preview(&optimizer, 5)?.concat(), [0.25, 0.5, 0.75, 1.0, 1.0]);
/// # Ok(())
/// # }
/// ```
pub type LinearLR = Scheduler<LinearLRSchedule>;

/// Options of [`LinearLR`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinearLRSchedule {
    /// The factor at epoch 0: more than 0, at most 1. Default 1/3.
    pub start_factor: f64,
    /// The factor from epoch `total_iters` on, from 0 to 1. Default 1.
    pub end_factor: f64,
    /// How many epochs it takes, at least 1. Default 5.
    pub total_iters: u64,
}

impl Default for LinearLRSchedule {
    fn default() -> Self {
        LinearLRSchedule { start_factor: 1.0 / 3.0, end_factor: 1.0, total_iters: 5 }
    }
}

impl LinearLR {
    /// A scheduler at epoch 0.
    ///
    /// # Errors
    /// When `start_factor` does not lie in (0, 1] or `end_factor` not in [0, 1], or `total_iters` is 0.
    #[track_caller]
    pub fn new(
        optimizer: &mut dyn Hyperparameters,
        start_factor: f64,
        end_factor: f64,
        total_iters: u64,
    ) -> Result<Self> {
        Self::with_schedule(optimizer, LinearLRSchedule { start_factor, end_factor, total_iters })
    }
}

impl Schedule for LinearLRSchedule {
    const NAME: &'static str = "LinearLR";

    fn validate(&self) -> Result<()> {
        if !(self.start_factor > 0.0 && self.start_factor <= 1.0) {
            bail!(Value, Self::NAME, "start_factor must lie in (0, 1], not be {}", self.start_factor);
        }
        if !(0.0..=1.0).contains(&self.end_factor) {
            bail!(Value, Self::NAME, "end_factor must lie in [0, 1], not be {}", self.end_factor);
        }
        if self.total_iters == 0 {
            bail!(Value, Self::NAME, "total_iters must be at least 1, not 0");
        }
        Ok(())
    }

    fn lr(&self, now: &Moment) -> Result<f64> {
        if now.epoch == 0 {
            return Ok(now.lr * self.start_factor);
        }
        if now.epoch > self.total_iters {
            return Ok(now.lr);
        }
        // The quotient of the factors of this epoch and the one before.
        let rise = self.end_factor - self.start_factor;
        let before = self.total_iters as f64 * self.start_factor + (now.epoch - 1) as f64 * rise;
        let lr = now.lr * (1.0 + rise / before);
        if lr.is_finite() {
            return Ok(lr);
        }
        // The first factor was too small for a quotient.
        let part = now.epoch as f64 / self.total_iters as f64;
        Ok(now.initial_lr * (self.start_factor + rise * part))
    }
}
