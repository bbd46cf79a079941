//! Half a period of a cosine.

use std::f64::consts::PI;

use chainrule_tensor::{Result, bail};
use serde::{Deserialize, Serialize};

use super::{Moment, Schedule, Scheduler};
use crate::check;
use crate::groups::Hyperparameters;

/// Lets the learning rates fall to `eta_min` at epoch `t_max`, along half a period of a cosine (PyTorch:
/// `torch.optim.lr_scheduler.CosineAnnealingLR`):
///
/// `eta_min` + (initial − `eta_min`) · (1 + cos(π·epoch/`t_max`)) / 2.
///
/// Each step computes the next learning rate from the present one, so a change from outside is kept. Beyond `t_max`
/// the cosine goes up again.
///
/// Source: Loshchilov & Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (2016), without the restarts.
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{CosineAnnealingLR, LrScheduler, Sgd, SgdOptions};
/// # fn main() -> Result<()> {
/// # let w = Parameter::new(Tensor::new([1.0]))?;
/// let mut optimizer = Sgd::new([w], SgdOptions { lr: 1.0, ..Default::default() })?;
/// let scheduler = CosineAnnealingLR::new(&mut optimizer, 2, 0.2)?;
/// let curve = scheduler.preview(&optimizer, 3)?.concat();
/// assert!((curve[1] - 0.6).abs() < 1e-12 && (curve[2] - 0.2).abs() < 1e-12);
/// # Ok(())
/// # }
/// ```
pub type CosineAnnealingLR = Scheduler<CosineAnnealingLRSchedule>;

/// Options of [`CosineAnnealingLR`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CosineAnnealingLRSchedule {
    /// Epochs until the minimum, at least 1 (PyTorch: `T_max`).
    pub t_max: u64,
    /// The minimum. PyTorch's default is 0.
    pub eta_min: f64,
}

impl CosineAnnealingLR {
    /// A scheduler at epoch 0, which leaves the learning rates as they are.
    ///
    /// # Errors
    /// When `t_max` is 0, or `eta_min` negative or not finite.
    #[track_caller]
    pub fn new(optimizer: &mut dyn Hyperparameters, t_max: u64, eta_min: f64) -> Result<Self> {
        Self::with_schedule(optimizer, CosineAnnealingLRSchedule { t_max, eta_min })
    }
}

impl Schedule for CosineAnnealingLRSchedule {
    const NAME: &'static str = "CosineAnnealingLR";

    fn validate(&self) -> Result<()> {
        if self.t_max == 0 {
            bail!(Value, Self::NAME, "t_max must be at least 1, not 0");
        }
        check::non_negative(Self::NAME, "eta_min", self.eta_min)
    }

    fn lr(&self, now: &Moment) -> Result<f64> {
        let (t_max, eta_min) = (self.t_max, self.eta_min);
        if now.epoch == 0 {
            return Ok(now.lr);
        }
        let height = |epoch: u64| 1.0 + (PI * epoch as f64 / t_max as f64).cos();
        let before = height(now.epoch - 1);
        // From the minimum there is no quotient to go on with.
        if u128::from(now.epoch - 1) % (2 * u128::from(t_max)) == u128::from(t_max) || before == 0.0 {
            return Ok(now.lr + (now.initial_lr - eta_min) * (1.0 - (PI / t_max as f64).cos()) / 2.0);
        }
        Ok(height(now.epoch) / before * (now.lr - eta_min) + eta_min)
    }
}
