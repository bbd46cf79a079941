//! A factor every few epochs.

use chainrule_tensor::{Result, bail};
use serde::{Deserialize, Serialize};

use super::{Moment, Schedule, Scheduler};
use crate::check;
use crate::groups::Hyperparameters;

/// Multiplies the learning rates by `gamma` every `step_size` epochs (PyTorch:
/// `torch.optim.lr_scheduler.StepLR`).
///
/// The factor applies to the present learning rates, so a change from outside is kept, and other schedulers may
/// work on the same optimizer.
pub type StepLR = Scheduler<StepLRSchedule>;

/// Options of [`StepLR`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepLRSchedule {
    /// Epochs between two changes, at least 1.
    pub step_size: u64,
    /// The factor. PyTorch's default is 0.1.
    pub gamma: f64,
}

impl StepLR {
    /// A scheduler at epoch 0, which leaves the learning rates as they are.
    ///
    /// # Errors
    /// When `step_size` is 0, or `gamma` is negative or not finite.
    #[track_caller]
    pub fn new(optimizer: &mut dyn Hyperparameters, step_size: u64, gamma: f64) -> Result<Self> {
        Self::with_schedule(optimizer, StepLRSchedule { step_size, gamma })
    }
}

impl Schedule for StepLRSchedule {
    const NAME: &'static str = "StepLR";

    fn validate(&self) -> Result<()> {
        if self.step_size == 0 {
            bail!(Value, Self::NAME, "step_size must be at least 1, not 0");
        }
        check::non_negative(Self::NAME, "gamma", self.gamma)
    }

    fn lr(&self, now: &Moment) -> Result<f64> {
        let changes = now.epoch > 0 && now.epoch.is_multiple_of(self.step_size);
        Ok(if changes { now.lr * self.gamma } else { now.lr })
    }
}
