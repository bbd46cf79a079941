//! Learning-rate schedulers.
//!
//! A scheduler changes the learning rates of an optimizer's groups, once when it is made (for epoch 0) and then at
//! each [`step`](LrScheduler::step), which comes after the optimizer's:
//!
//! ```
//! # use chainrule_tensor::{Parameter, Result, Tensor};
//! use chainrule_optim::{Hyperparameters, LrScheduler, Sgd, SgdOptions, StepLR};
//! # fn main() -> Result<()> {
//! # let w = Parameter::new(Tensor::new([1.0]))?;
//! let mut optimizer = Sgd::new([w], SgdOptions { lr: 1.0, ..Default::default() })?;
//! let mut scheduler = StepLR::new(&mut optimizer, 2, 0.5)?;
//! assert_eq!(scheduler.preview(&optimizer, 5)?.concat(), [1.0, 1.0, 0.5, 0.5, 0.25]);
//!
//! let mut rates = Vec::new();
//! for _epoch in 0..5 {
//!     rates.push(optimizer.lr(0)?);
//!     optimizer.step()?;
//!     scheduler.step(&mut optimizer)?;
//! }
//! assert_eq!(rates, [1.0, 1.0, 0.5, 0.5, 0.25]);
//! # Ok(())
//! # }
//! ```
//!
//! The optimizer's step comes first: else no update is made with the learning rate of epoch 0, and a line on the standard
//! error says so, once.
//!
//! No schedule ends a training: beyond its end the last learning rate stays, and where a chain of schedulers overshoots
//! 0, as it may in PyTorch, the optimizer takes the negative rate. An error are only rates that are no finite numbers, such
//! as a function may give, or a factor above 1 in the end; a step that fails changes nothing.
//!
//! "Epoch" is whatever the calls of `step` count: [`OneCycleLR`] and [`CyclicLR`] are stepped after every batch.
//!
//! Most schedulers change the present learning rate, so a change from outside is kept and several may work on one
//! optimizer; the others (lambda, warm restarts, cyclic, one cycle) compute it anew and overwrite it. Each says so.

mod chained;
mod constant;
mod cosine_annealing;
mod cyclic;
mod exponential;
mod lambda;
mod linear;
mod multi_step_lr;
mod one_cycle;
mod order;
mod per_group;
mod plateau;
mod polynomial;
mod rehearsal;
mod schedule;
mod sequential;
mod state;
mod step_lr;
mod swa;
mod warm_restarts;

use chainrule_tensor::{Result, try_vec};

use crate::groups::Hyperparameters;
use rehearsal::Rehearsal;

pub use chained::ChainedScheduler;
pub use constant::{ConstantLR, ConstantLRSchedule};
pub use cosine_annealing::{CosineAnnealingLR, CosineAnnealingLRSchedule};
pub use cyclic::{CyclicLR, CyclicLRSchedule, CyclicMode};
pub use exponential::{ExponentialLR, ExponentialLRSchedule};
pub use lambda::{LambdaLR, LambdaLRSchedule, LrLambda, MultiplicativeLR, MultiplicativeLRSchedule};
pub use linear::{LinearLR, LinearLRSchedule};
pub use multi_step_lr::{MultiStepLR, MultiStepLRSchedule};
pub use one_cycle::{AnnealStrategy, OneCycleLR, OneCycleLRSchedule};
pub use per_group::PerGroup;
pub use plateau::{PlateauMode, ReduceLROnPlateau, ReduceLROnPlateauOptions, ThresholdMode};
pub use polynomial::{PolynomialLR, PolynomialLRSchedule};
pub use schedule::{Moment, Schedule, Scheduler};
pub use sequential::SequentialLR;
pub use step_lr::{StepLR, StepLRSchedule};
pub use swa::{SWALR, SWALRSchedule};
pub use warm_restarts::{CosineAnnealingWarmRestarts, CosineAnnealingWarmRestartsSchedule};

/// Any scheduler that needs to know nothing but that an epoch is over.
pub trait LrScheduler: std::fmt::Debug + Send + Sync {
    /// Goes on to the next epoch (or batch, whatever the scheduler counts).
    ///
    /// # Errors
    /// When a learning rate would not be a finite number, or the schedule does not fit the optimizer's groups; nothing
    /// changes then.
    #[track_caller]
    fn step(&mut self, optimizer: &mut dyn Hyperparameters) -> Result<()>;

    /// Goes back to epoch 0 and sets its learning rates, as when the scheduler was made: from the present ones.
    ///
    /// # Errors
    /// When the schedule does not fit the optimizer's groups; nothing changes then.
    #[track_caller]
    fn restart(&mut self, optimizer: &mut dyn Hyperparameters) -> Result<()>;

    /// The learning rates of the groups, as this scheduler set them last.
    fn last_lr(&self) -> &[f64];

    /// The state as JSON, options included. Functions are not in it.
    ///
    /// # Errors
    /// When an option cannot be written as JSON.
    #[track_caller]
    fn state_dict(&self) -> Result<String>;

    /// Takes over a state that [`state_dict`](LrScheduler::state_dict) gave. The learning rates themselves are in
    /// the optimizer's state dict; make the scheduler before that is loaded, because making it performs step 0.
    ///
    /// # Errors
    /// When the state is of another scheduler, or cannot be read; nothing changes then.
    #[track_caller]
    fn load_state_dict(&mut self, state: &str) -> Result<()>;

    /// A copy: `Box::new(self.clone())`.
    fn boxed(&self) -> Box<dyn LrScheduler>;

    /// The learning rates of `n` epochs from the present one on, in each those of the groups; neither the scheduler
    /// nor the optimizer changes.
    ///
    /// # Errors
    /// As [`step`](LrScheduler::step), and when there is no memory for so many.
    #[track_caller]
    fn preview(&self, optimizer: &dyn Hyperparameters, n: usize) -> Result<Vec<Vec<f64>>> {
        let mut optimizer = Rehearsal::new(optimizer)?;
        let mut scheduler = self.boxed();
        let mut curve = try_vec("preview", n)?;
        for epoch in 0..n {
            if epoch > 0 {
                scheduler.step(&mut optimizer)?;
            }
            curve.push(optimizer.rates());
        }
        Ok(curve)
    }
}

impl Clone for Box<dyn LrScheduler> {
    fn clone(&self) -> Self {
        (**self).boxed()
    }
}

/// So that errors name the line that calls the box; a call through `dyn` alone loses it.
impl LrScheduler for Box<dyn LrScheduler> {
    fn step(&mut self, optimizer: &mut dyn Hyperparameters) -> Result<()> {
        here((**self).step(optimizer))
    }

    fn restart(&mut self, optimizer: &mut dyn Hyperparameters) -> Result<()> {
        here((**self).restart(optimizer))
    }

    fn last_lr(&self) -> &[f64] {
        (**self).last_lr()
    }

    fn state_dict(&self) -> Result<String> {
        here((**self).state_dict())
    }

    fn load_state_dict(&mut self, state: &str) -> Result<()> {
        here((**self).load_state_dict(state))
    }

    fn boxed(&self) -> Box<dyn LrScheduler> {
        (**self).boxed()
    }
}

#[track_caller]
fn here<T>(result: Result<T>) -> Result<T> {
    match result {
        Ok(value) => Ok(value),
        Err(error) => Err(error.at_caller()),
    }
}
