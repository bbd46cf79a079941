//! A factor for the first epochs.

use chainrule_tensor::{Result, bail};
use serde::{Deserialize, Serialize};

use super::{Moment, Schedule, Scheduler};
use crate::groups::Hyperparameters;

/// Multiplies the learning rates by `factor` at epoch 0, and divides them by it when epoch `total_iters` begins
/// (PyTorch: `torch.optim.lr_scheduler.ConstantLR`). A change from outside in between is kept.
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{ConstantLR, LrScheduler, Sgd, SgdOptions};
/// # fn main() -> Result<()> {
/// # let w = Parameter::new(Tensor::new([1.0]))?;
/// let mut optimizer = Sgd::new([w], SgdOptions { lr: 1.0, ..Default::default() })?;
/// let scheduler = ConstantLR::new(&mut optimizer, 0.25, 2)?;
/// assert_eq!(scheduler.preview(&optimizer, 4)?.concat(), [0.25, 0.25, 1.0, 1.0]);
/// # Ok(())
/// # }
/// ```
pub type ConstantLR = Scheduler<ConstantLRSchedule>;

/// Options of [`ConstantLR`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConstantLRSchedule {
    /// The factor, from 0 to 1. Default 1/3. After a factor of 0 the initial learning rates come back, where
    /// PyTorch's become NaN.
    pub factor: f64,
    /// How many epochs it lasts. Default 5. With 0 it stays for ever, as in PyTorch.
    pub total_iters: u64,
}

impl Default for ConstantLRSchedule {
    fn default() -> Self {
        ConstantLRSchedule { factor: 1.0 / 3.0, total_iters: 5 }
    }
}

impl ConstantLR {
    /// A scheduler at epoch 0.
    ///
    /// # Errors
    /// When `factor` does not lie in [0, 1].
    #[track_caller]
    pub fn new(optimizer: &mut dyn Hyperparameters, factor: f64, total_iters: u64) -> Result<Self> {
        Self::with_schedule(optimizer, ConstantLRSchedule { factor, total_iters })
    }
}

impl Schedule for ConstantLRSchedule {
    const NAME: &'static str = "ConstantLR";

    fn validate(&self) -> Result<()> {
        if !(0.0..=1.0).contains(&self.factor) {
            bail!(Value, Self::NAME, "factor must lie in [0, 1], not be {}", self.factor);
        }
        Ok(())
    }

    fn lr(&self, now: &Moment) -> Result<f64> {
        Ok(if now.epoch == 0 {
            now.lr * self.factor
        } else if now.epoch != self.total_iters {
            now.lr
        } else if self.factor < f64::MIN_POSITIVE {
            // What such a factor has left has lost its digits, and its inverse may be infinite.
            now.initial_lr
        } else {
            now.lr * (1.0 / self.factor)
        })
    }
}
