//! The way to the learning rate of stochastic weight averaging.

use chainrule_tensor::Result;
use serde::{Deserialize, Serialize};

use super::{AnnealStrategy, Moment, PerGroup, Schedule, Scheduler};
use crate::groups::Hyperparameters;

/// Brings the learning rates to `swa_lr` within `anneal_epochs` and leaves them there, while
/// [`AveragedModel`](crate::AveragedModel) averages the weights (PyTorch: `torch.optim.swa_utils.SWALR`). At its end
/// it is the present learning rate that counts: made after another scheduler, it goes on from what that one left.
///
/// Each step computes the next learning rate from the present one, so a change from outside is kept, and dies away.
///
/// Source: Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization" (2018).
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{AnnealStrategy, LrScheduler, SWALR, SWALRSchedule, Sgd, SgdOptions};
/// # fn main() -> Result<()> {
/// # let w = Parameter::new(Tensor::new([1.0]))?;
/// let mut optimizer = Sgd::new([w], SgdOptions { lr: 1.0, ..Default::default() })?;
/// let options = SWALRSchedule {
///     anneal_epochs: 4,
///     anneal_strategy: AnnealStrategy::Linear,
///     ..SWALRSchedule::new(0.2)
/// };
/// let scheduler = SWALR::with_schedule(&mut optimizer, options)?;
/// let curve = scheduler.preview(&optimizer, 6)?.concat();
/// for (lr, expected) in curve.iter().zip([1.0, 0.8, 0.6, 0.4, 0.2, 0.2]) {
///     assert!((lr - expected).abs() < 1e-12);
/// }
/// # Ok(())
/// # }
/// ```
pub type SWALR = Scheduler<SWALRSchedule>;

/// Options of [`SWALR`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SWALRSchedule {
    /// The learning rate at the end, for all groups or for each.
    pub swa_lr: PerGroup,
    /// Epochs until then; with 0 it is set at once. Default 10.
    pub anneal_epochs: u64,
    /// The way there. Default: half a period of a cosine.
    pub anneal_strategy: AnnealStrategy,
}

impl SWALRSchedule {
    /// The default options.
    pub fn new(swa_lr: impl Into<PerGroup>) -> Self {
        SWALRSchedule { swa_lr: swa_lr.into(), anneal_epochs: 10, anneal_strategy: AnnealStrategy::Cos }
    }

    /// How much of the way is behind after some epochs.
    fn part(&self, epochs: u64) -> f64 {
        let part = (epochs as f64 / self.anneal_epochs.max(1) as f64).min(1.0);
        self.anneal_strategy.between(0.0, 1.0, part)
    }
}

impl SWALR {
    /// A scheduler at epoch 0 with the default options, which leaves the learning rates as they are.
    ///
    /// # Errors
    /// When `swa_lr` is negative or not finite, or has not one value for each group.
    #[track_caller]
    pub fn new(optimizer: &mut dyn Hyperparameters, swa_lr: impl Into<PerGroup>) -> Result<Self> {
        Self::with_schedule(optimizer, SWALRSchedule::new(swa_lr))
    }
}

impl Schedule for SWALRSchedule {
    const NAME: &'static str = "SWALR";

    fn validate(&self) -> Result<()> {
        self.swa_lr.non_negative(Self::NAME, "swa_lr")
    }

    fn prepare(&self, optimizer: &mut dyn Hyperparameters) -> Result<()> {
        self.swa_lr.fits(Self::NAME, "swa_lr", optimizer.num_groups())
    }

    fn lr(&self, now: &Moment) -> Result<f64> {
        let goal = *self.swa_lr.of(Self::NAME, "swa_lr", now.group)?;
        let epoch = if self.anneal_epochs == 0 { now.epoch.max(1) } else { now.epoch };
        let before = self.part(epoch.saturating_sub(1));
        // Where the way began, seen from the present learning rate.
        let start = if before == 1.0 { goal } else { (now.lr - before * goal) / (1.0 - before) };
        let part = self.part(epoch);
        Ok(goal * part + start * (1.0 - part))
    }
}
