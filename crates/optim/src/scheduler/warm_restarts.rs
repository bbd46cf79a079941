//! Half periods of a cosine, one after the other.

use std::f64::consts::PI;

use chainrule_tensor::{Result, bail};
use serde::{Deserialize, Serialize};

use super::{Moment, Schedule, Scheduler};
use crate::check;
use crate::groups::Hyperparameters;

/// Lets the learning rates fall to `eta_min` along half a period of a cosine, starts again from the initial ones
/// after `t_0` epochs, and makes each period `t_mult` times as long as the one before (PyTorch:
/// `torch.optim.lr_scheduler.CosineAnnealingWarmRestarts`). A change from outside is overwritten.
///
/// Source: Loshchilov & Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (2016).
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{CosineAnnealingWarmRestarts, Hyperparameters, LrScheduler, Sgd, SgdOptions};
/// # fn main() -> Result<()> {
/// # let w = Parameter::new(Tensor::new([1.0]))?;
/// let mut optimizer = Sgd::new([w], SgdOptions { lr: 1.0, ..Default::default() })?;
/// let mut scheduler = CosineAnnealingWarmRestarts::new(&mut optimizer, 2, 2, 0.0)?;
/// let curve = scheduler.preview(&optimizer, 7)?.concat();
/// assert_eq!([curve[0], curve[2], curve[6]], [1.0, 1.0, 1.0]);
/// assert!((curve[1] - 0.5).abs() < 1e-12);
///
/// scheduler.step_to(&mut optimizer, 0.5)?; // after every batch, with the part of the epoch that is over
/// assert!((optimizer.lr(0)? - 0.8535533905932737).abs() < 1e-12);
/// # Ok(())
/// # }
/// ```
pub type CosineAnnealingWarmRestarts = Scheduler<CosineAnnealingWarmRestartsSchedule>;

/// Options of [`CosineAnnealingWarmRestarts`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CosineAnnealingWarmRestartsSchedule {
    /// Epochs until the first restart, at least 1 (PyTorch: `T_0`).
    pub t_0: u64,
    /// By how much each period is longer than the one before, at least 1 (PyTorch: `T_mult`, default 1).
    pub t_mult: u64,
    /// The minimum. PyTorch's default is 0.
    pub eta_min: f64,
}

impl CosineAnnealingWarmRestarts {
    /// A scheduler at epoch 0.
    ///
    /// # Errors
    /// When `t_0` or `t_mult` is 0, or `eta_min` negative or not finite.
    #[track_caller]
    pub fn new(optimizer: &mut dyn Hyperparameters, t_0: u64, t_mult: u64, eta_min: f64) -> Result<Self> {
        Self::with_schedule(optimizer, CosineAnnealingWarmRestartsSchedule { t_0, t_mult, eta_min })
    }

    /// Goes to an epoch or a part of one, counted from the beginning (PyTorch: `step(epoch)`). Later
    /// [`step`](super::LrScheduler::step)s go on from there.
    ///
    /// # Errors
    /// When `epoch` is negative or not finite.
    #[track_caller]
    pub fn step_to(&mut self, optimizer: &mut dyn Hyperparameters, epoch: f64) -> Result<()> {
        check::non_negative(CosineAnnealingWarmRestartsSchedule::NAME, "epoch", epoch)?;
        self.go_to(optimizer, epoch)
    }
}

impl Schedule for CosineAnnealingWarmRestartsSchedule {
    const NAME: &'static str = "CosineAnnealingWarmRestarts";

    fn validate(&self) -> Result<()> {
        if self.t_0 == 0 {
            bail!(Value, Self::NAME, "t_0 must be at least 1, not 0");
        }
        if self.t_mult == 0 {
            bail!(Value, Self::NAME, "t_mult must be at least 1, not 0");
        }
        check::non_negative(Self::NAME, "eta_min", self.eta_min)
    }

    fn lr(&self, now: &Moment) -> Result<f64> {
        let (mut over, mut period) = (now.epoch, self.t_0);
        if self.t_mult == 1 {
            over %= period;
        }
        while over >= period {
            over -= period;
            period = period.saturating_mul(self.t_mult);
        }
        let angle = PI * (over as f64 + now.fraction) / period as f64;
        Ok(self.eta_min + (now.initial_lr - self.eta_min) * (1.0 + angle.cos()) / 2.0)
    }
}
