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
//! let mut rates = Vec::new();
//! for _epoch in 0..5 {
//!     rates.push(optimizer.lr(0));
//!     optimizer.step()?;
//!     scheduler.step(&mut optimizer)?;
//! }
//! assert_eq!(rates, [1.0, 1.0, 0.5, 0.5, 0.25]);
//! # Ok(())
//! # }
//! ```

mod step_lr;

use chainrule_tensor::{Result, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::groups::Hyperparameters;

pub use step_lr::{StepLR, StepLRSchedule};

/// Any scheduler.
pub trait LrScheduler {
    /// Goes on to the next epoch (or batch, whatever the scheduler counts).
    ///
    /// # Errors
    /// When the schedule has no next epoch.
    fn step(&mut self, optimizer: &mut dyn Hyperparameters) -> Result<()>;

    /// The learning rates of the groups, as this scheduler set them last.
    fn last_lr(&self) -> &[f64];

    /// The state as JSON.
    ///
    /// # Errors
    /// When an option cannot be written as JSON.
    fn state_dict(&self) -> Result<String>;

    /// Takes over a state that [`state_dict`](LrScheduler::state_dict) gave. The learning rates themselves are in
    /// the optimizer's state dict; make the scheduler before that is loaded, because making it performs step 0.
    ///
    /// # Errors
    /// When the state is of another scheduler, or cannot be read; nothing changes then.
    fn load_state_dict(&mut self, state: &str) -> Result<()>;
}

/// A rule by which learning rates follow from those of the epoch before, group by group.
///
/// Implement it for an options struct to get a scheduler of one's own: `type Mine = Scheduler<MyOptions>`.
pub trait Schedule: Clone + std::fmt::Debug + Serialize + DeserializeOwned {
    /// The name, which a state dict carries. PyTorch's where it has the scheduler.
    const NAME: &'static str;

    /// Checks the options.
    ///
    /// # Errors
    /// When an option is out of its range.
    #[track_caller]
    fn validate(&self) -> Result<()>;

    /// The learning rate of a group.
    ///
    /// # Errors
    /// When the schedule has no such epoch.
    fn lr(&self, now: &Moment) -> Result<f64>;
}

/// What a [`Schedule`] may look at.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Moment {
    /// The epoch that begins; 0 when the scheduler is made.
    pub epoch: u64,
    /// The index of the group.
    pub group: usize,
    /// The group's learning rate in the epoch before, or what it was set to since.
    pub lr: f64,
    /// The group's learning rate before any scheduler changed it.
    pub initial_lr: f64,
}

/// Counts epochs and sets learning rates by the schedule `S`.
#[derive(Clone, Debug)]
pub struct Scheduler<S: Schedule> {
    schedule: S,
    progress: Progress,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Progress {
    epoch: u64,
    last_lr: Vec<f64>,
}

#[derive(Serialize, Deserialize)]
struct Saved<S> {
    scheduler: String,
    schedule: S,
    #[serde(flatten)]
    progress: Progress,
}

impl<S: Schedule> Scheduler<S> {
    /// A scheduler at epoch 0, whose learning rates are set at once.
    ///
    /// # Errors
    /// When an option of the schedule is out of its range.
    #[track_caller]
    pub fn with_schedule(optimizer: &mut dyn Hyperparameters, schedule: S) -> Result<Self> {
        schedule.validate()?;
        let progress = Progress::set(&schedule, 0, optimizer)?;
        Ok(Scheduler { schedule, progress })
    }

    /// The rule.
    pub fn schedule(&self) -> &S {
        &self.schedule
    }

    /// How many steps were made since the scheduler was made (PyTorch: `last_epoch`).
    pub fn epoch(&self) -> u64 {
        self.progress.epoch
    }
}

impl Progress {
    /// Sets the learning rates of an epoch: all or, where there is an error, none.
    fn set<S: Schedule>(schedule: &S, epoch: u64, optimizer: &mut dyn Hyperparameters) -> Result<Progress> {
        let mut last_lr = Vec::with_capacity(optimizer.num_groups());
        for group in 0..optimizer.num_groups() {
            let (lr, initial_lr) = (optimizer.lr(group), optimizer.initial_lr(group));
            last_lr.push(schedule.lr(&Moment { epoch, group, lr, initial_lr })?);
        }
        for (group, &lr) in last_lr.iter().enumerate() {
            optimizer.set_lr(group, lr);
        }
        Ok(Progress { epoch, last_lr })
    }
}

impl<S: Schedule> LrScheduler for Scheduler<S> {
    fn step(&mut self, optimizer: &mut dyn Hyperparameters) -> Result<()> {
        self.progress = Progress::set(&self.schedule, self.progress.epoch + 1, optimizer)?;
        Ok(())
    }

    fn last_lr(&self) -> &[f64] {
        &self.progress.last_lr
    }

    #[track_caller]
    fn state_dict(&self) -> Result<String> {
        let (schedule, progress) = (self.schedule.clone(), self.progress.clone());
        match serde_json::to_string(&Saved { scheduler: S::NAME.to_string(), schedule, progress }) {
            Ok(json) => Ok(json),
            Err(error) => bail!(Data, S::NAME, "the state cannot be written as JSON: {error}"),
        }
    }

    #[track_caller]
    fn load_state_dict(&mut self, state: &str) -> Result<()> {
        #[derive(Deserialize)]
        struct Name {
            scheduler: String,
        }
        match serde_json::from_str::<Name>(state) {
            Ok(Name { scheduler }) if scheduler == S::NAME => {}
            Ok(Name { scheduler }) => bail!(Data, S::NAME, "the state is of {scheduler}"),
            Err(error) => bail!(Data, S::NAME, "the state cannot be read: {error}"),
        }
        let saved: Saved<S> = match serde_json::from_str(state) {
            Ok(saved) => saved,
            Err(error) => bail!(Data, S::NAME, "the state cannot be read: {error}"),
        };
        saved.schedule.validate()?;
        self.schedule = saved.schedule;
        self.progress = saved.progress;
        Ok(())
    }
}
