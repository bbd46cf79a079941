//! A factor every epoch.

use chainrule_tensor::Result;
use serde::{Deserialize, Serialize};

use super::{Moment, Schedule, Scheduler};
use crate::check;
use crate::groups::Hyperparameters;

/// Multiplies the present learning rates by `gamma` every epoch (PyTorch:
/// `torch.optim.lr_scheduler.ExponentialLR`).
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{ExponentialLR, LrScheduler, Sgd, SgdOptions};
/// # fn main() -> Result<()> {
/// # let w = Parameter::new(Tensor::new([1.0]))?;
/// let mut optimizer = Sgd::new([w], SgdOptions { lr: 1.0, ..Default::default() })?;
/// let scheduler = ExponentialLR::new(&mut optimizer, 0.5)?;
/// assert_eq!(scheduler.preview(&optimizer, 3)?.concat(), [1.0, 0.5, 0.25]);
/// # Ok(())
/// # }
/// ```
pub type ExponentialLR = Scheduler<ExponentialLRSchedule>;

/// Options of [`ExponentialLR`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExponentialLRSchedule {
    /// The factor.
    pub gamma: f64,
}

impl ExponentialLR {
    /// A scheduler at epoch 0, which leaves the learning rates as they are.
    ///
    /// # Errors
    /// When `gamma` is negative or not finite.
    #[track_caller]
    pub fn new(optimizer: &mut dyn Hyperparameters, gamma: f64) -> Result<Self> {
        Self::with_schedule(optimizer, ExponentialLRSchedule { gamma })
    }
}

impl Schedule for ExponentialLRSchedule {
    const NAME: &'static str = "ExponentialLR";

    fn validate(&self) -> Result<()> {
        check::non_negative(Self::NAME, "gamma", self.gamma)
    }

    fn lr(&self, now: &Moment) -> Result<f64> {
        Ok(if now.epoch == 0 { now.lr } else { now.lr * self.gamma })
    }
}
