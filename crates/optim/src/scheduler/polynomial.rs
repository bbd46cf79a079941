//! A polynomial that falls to 0.

use chainrule_tensor::Result;
use serde::{Deserialize, Serialize};

use super::{Moment, Schedule, Scheduler};
use crate::check;
use crate::groups::Hyperparameters;

/// Multiplies the learning rates by (1 − epoch/`total_iters`)^`power`: 0 at epoch `total_iters` and from then on
/// (PyTorch: `torch.optim.lr_scheduler.PolynomialLR`). A change from outside is kept.
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{LrScheduler, PolynomialLR, Sgd, SgdOptions};
/// # fn main() -> Result<()> {
/// # let w = Parameter::new(Tensor::new([1.0]))?;
/// let mut optimizer = Sgd::new([w], SgdOptions { lr: 1.0, ..Default::default() })?;
/// let scheduler = PolynomialLR::new(&mut optimizer, 2, 2.0)?;
/// assert_eq!(scheduler.preview(&optimizer, 4)?.concat(), [1.0, 0.25, 0.0, 0.0]);
/// # Ok(())
/// # }
/// ```
pub type PolynomialLR = Scheduler<PolynomialLRSchedule>;

/// Options of [`PolynomialLR`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolynomialLRSchedule {
    /// How many epochs it takes. Default 5.
    pub total_iters: u64,
    /// The power. Default 1.
    pub power: f64,
}

impl Default for PolynomialLRSchedule {
    fn default() -> Self {
        PolynomialLRSchedule { total_iters: 5, power: 1.0 }
    }
}

impl PolynomialLR {
    /// A scheduler at epoch 0, which leaves the learning rates as they are.
    ///
    /// # Errors
    /// When `power` is negative or not finite.
    #[track_caller]
    pub fn new(optimizer: &mut dyn Hyperparameters, total_iters: u64, power: f64) -> Result<Self> {
        Self::with_schedule(optimizer, PolynomialLRSchedule { total_iters, power })
    }
}

impl Schedule for PolynomialLRSchedule {
    const NAME: &'static str = "PolynomialLR";

    fn validate(&self) -> Result<()> {
        check::non_negative(Self::NAME, "power", self.power)
    }

    fn lr(&self, now: &Moment) -> Result<f64> {
        if now.epoch == 0 || now.epoch > self.total_iters {
            return Ok(now.lr);
        }
        let left = |epoch: u64| 1.0 - epoch as f64 / self.total_iters as f64;
        let before = left(now.epoch - 1);
        // Near the end of a schedule of more epochs than f64 tells apart it is 0 already.
        let quotient = if before > 0.0 { left(now.epoch) / before } else { 0.0 };
        Ok(now.lr * quotient.powf(self.power))
    }
}
