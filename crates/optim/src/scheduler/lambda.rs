//! Any function of the epoch.

use std::fmt;
use std::sync::Arc;

use chainrule_tensor::Result;
use serde::{Deserialize, Serialize};

use super::{Moment, PerGroup, Schedule, Scheduler};
use crate::groups::Hyperparameters;

/// Sets the learning rates to the initial ones times a function of the epoch (PyTorch:
/// `torch.optim.lr_scheduler.LambdaLR`). A change from outside is overwritten.
///
/// The function is not part of the saved state: make the scheduler with it again and then load.
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{LambdaLR, LrScheduler, Sgd, SgdOptions};
/// # fn main() -> Result<()> {
/// # let w = Parameter::new(Tensor::new([1.0]))?;
/// let mut optimizer = Sgd::new([w], SgdOptions { lr: 1.0, ..Default::default() })?;
/// let scheduler = LambdaLR::new(&mut optimizer, |epoch| 1.0 / (1.0 + epoch as f64))?;
/// assert_eq!(scheduler.preview(&optimizer, 4)?.concat(), [1.0, 0.5, 1.0 / 3.0, 0.25]);
/// # Ok(())
/// # }
/// ```
pub type LambdaLR = Scheduler<LambdaLRSchedule>;

/// Multiplies the present learning rates by a function of the epoch, from epoch 1 on (PyTorch:
/// `torch.optim.lr_scheduler.MultiplicativeLR`).
///
/// The function is not part of the saved state: make the scheduler with it again and then load.
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{LrScheduler, MultiplicativeLR, Sgd, SgdOptions};
/// # fn main() -> Result<()> {
/// # let w = Parameter::new(Tensor::new([1.0]))?;
/// let mut optimizer = Sgd::new([w], SgdOptions { lr: 1.0, ..Default::default() })?;
/// let factor = |epoch| if epoch < 2 { 0.5 } else { 0.25 };
/// let scheduler = MultiplicativeLR::new(&mut optimizer, factor)?;
/// assert_eq!(scheduler.preview(&optimizer, 3)?.concat(), [1.0, 0.5, 0.125]);
/// # Ok(())
/// # }
/// ```
pub type MultiplicativeLR = Scheduler<MultiplicativeLRSchedule>;

/// A function of the epoch.
#[derive(Clone)]
pub struct LrLambda(Arc<dyn Fn(u64) -> f64 + Send + Sync>);

impl LrLambda {
    /// Wraps a function.
    pub fn new(function: impl Fn(u64) -> f64 + Send + Sync + 'static) -> Self {
        LrLambda(Arc::new(function))
    }

    /// Its value.
    pub(super) fn at(&self, epoch: u64) -> f64 {
        (self.0)(epoch)
    }
}

impl fmt::Debug for LrLambda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LrLambda")
    }
}

fn none() -> PerGroup<LrLambda> {
    PerGroup::Each(Vec::new())
}

/// The rule of [`LambdaLR`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LambdaLRSchedule {
    #[serde(skip, default = "none")]
    lr_lambda: PerGroup<LrLambda>,
}

/// The rule of [`MultiplicativeLR`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MultiplicativeLRSchedule {
    #[serde(skip, default = "none")]
    lr_lambda: PerGroup<LrLambda>,
}

macro_rules! schedule_of_functions {
    ($scheduler:ident, $schedule:ident, $now:ident, $function:ident => $lr:expr) => {
        impl $scheduler {
            /// A scheduler at epoch 0, with one function for all groups.
            ///
            /// # Errors
            /// When the learning rate would not be finite.
            #[track_caller]
            pub fn new(
                optimizer: &mut dyn Hyperparameters,
                lr_lambda: impl Fn(u64) -> f64 + Send + Sync + 'static,
            ) -> Result<Self> {
                let lr_lambda = PerGroup::All(LrLambda::new(lr_lambda));
                Self::with_schedule(optimizer, $schedule { lr_lambda })
            }

            /// A scheduler at epoch 0, with a function for each group.
            ///
            /// # Errors
            /// When there are more or fewer than groups, or a learning rate would not be finite.
            #[track_caller]
            pub fn per_group(
                optimizer: &mut dyn Hyperparameters,
                lr_lambdas: impl IntoIterator<Item = LrLambda>,
            ) -> Result<Self> {
                let lr_lambda = PerGroup::Each(lr_lambdas.into_iter().collect());
                Self::with_schedule(optimizer, $schedule { lr_lambda })
            }
        }

        impl Schedule for $schedule {
            const NAME: &'static str = stringify!($scheduler);

            fn validate(&self) -> Result<()> {
                Ok(())
            }

            fn prepare(&self, optimizer: &mut dyn Hyperparameters) -> Result<()> {
                self.lr_lambda.fits(Self::NAME, "lr_lambda", optimizer.num_groups())
            }

            fn lr(&self, $now: &Moment) -> Result<f64> {
                let $function = self.lr_lambda.of(Self::NAME, "lr_lambda", $now.group)?;
                Ok($lr)
            }

            fn adopt(&mut self, loader: &Self) -> Result<()> {
                self.lr_lambda = loader.lr_lambda.clone();
                Ok(())
            }
        }
    };
}

schedule_of_functions!(LambdaLR, LambdaLRSchedule, now, f => now.initial_lr * f.at(now.epoch));
schedule_of_functions!(MultiplicativeLR, MultiplicativeLRSchedule, now, f =>
    if now.epoch == 0 { now.lr } else { now.lr * f.at(now.epoch) });
