//! A factor at given epochs.

use chainrule_tensor::Result;
use serde::{Deserialize, Serialize};

use super::{Moment, Schedule, Scheduler};
use crate::check;
use crate::groups::Hyperparameters;

/// Multiplies the present learning rates by `gamma` when an epoch of `milestones` begins (PyTorch:
/// `torch.optim.lr_scheduler.MultiStepLR`). An epoch that occurs several times counts as often.
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{LrScheduler, MultiStepLR, Sgd, SgdOptions};
/// # fn main() -> Result<()> {
/// # let w = Parameter::new(Tensor::new([1.0]))?;
/// let mut optimizer = Sgd::new([w], SgdOptions { lr: 1.0, ..Default::default() })?;
/// let scheduler = MultiStepLR::new(&mut optimizer, [2, 3, 3], 0.5)?;
/// assert_eq!(scheduler.preview(&optimizer, 4)?.concat(), [1.0, 1.0, 0.5, 0.125]);
/// # Ok(())
/// # }
/// ```
pub type MultiStepLR = Scheduler<MultiStepLRSchedule>;

/// Options of [`MultiStepLR`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MultiStepLRSchedule {
    /// The epochs, in any order.
    pub milestones: Vec<u64>,
    /// The factor. PyTorch's default is 0.1.
    pub gamma: f64,
}

impl MultiStepLR {
    /// A scheduler at epoch 0.
    ///
    /// # Errors
    /// When `gamma` is negative or not finite.
    #[track_caller]
    pub fn new(
        optimizer: &mut dyn Hyperparameters,
        milestones: impl IntoIterator<Item = u64>,
        gamma: f64,
    ) -> Result<Self> {
        let milestones = milestones.into_iter().collect();
        Self::with_schedule(optimizer, MultiStepLRSchedule { milestones, gamma })
    }
}

impl Schedule for MultiStepLRSchedule {
    const NAME: &'static str = "MultiStepLR";

    fn validate(&self) -> Result<()> {
        check::non_negative(Self::NAME, "gamma", self.gamma)
    }

    fn lr(&self, now: &Moment) -> Result<f64> {
        let times = self.milestones.iter().filter(|&&epoch| epoch == now.epoch).count();
        Ok(now.lr * self.gamma.powi(times as i32))
    }
}
