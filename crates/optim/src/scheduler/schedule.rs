//! [`Schedule`]: a rule; [`Scheduler`]: the scheduler that follows it.

use chainrule_tensor::{Result, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::rehearsal::Rehearsal;
use super::{LrScheduler, order, state};
use crate::groups::Hyperparameters;

/// A rule by which learning rates follow from those of the epoch before, group by group.
///
/// Implement it for an options struct to get a scheduler of one's own: `type Mine = Scheduler<MyOptions>`.
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// use chainrule_optim::scheduler::{Moment, Schedule, Scheduler};
/// use chainrule_optim::serde::{Deserialize, Serialize};
/// use chainrule_optim::{LrScheduler, Sgd, SgdOptions};
///
/// /// The learning rate falls with the root of the epoch.
/// #[derive(Clone, Debug, Serialize, Deserialize)]
/// #[serde(crate = "chainrule_optim::serde")] // of the whole library: "chainrule::optim::serde"
/// struct InverseRoot;
///
/// impl Schedule for InverseRoot {
///     const NAME: &'static str = "InverseRoot";
///     fn validate(&self) -> Result<()> {
///         Ok(())
///     }
///     fn lr(&self, now: &Moment) -> Result<f64> {
///         Ok(now.initial_lr / ((now.epoch + 1) as f64).sqrt())
///     }
/// }
///
/// # fn main() -> Result<()> {
/// # let w = Parameter::new(Tensor::new([1.0]))?;
/// let mut optimizer = Sgd::new([w], SgdOptions { lr: 1.0, ..Default::default() })?;
/// let scheduler = Scheduler::with_schedule(&mut optimizer, InverseRoot)?;
/// assert_eq!(scheduler.preview(&optimizer, 4)?[3], [0.5]);
/// # Ok(())
/// # }
/// ```
pub trait Schedule: Clone + std::fmt::Debug + Send + Sync + Serialize + DeserializeOwned + 'static {
    /// The name, which a state dict carries. PyTorch's where it has the scheduler.
    const NAME: &'static str;

    /// Checks the options.
    ///
    /// # Errors
    /// When an option is out of its range.
    #[track_caller]
    fn validate(&self) -> Result<()>;

    /// Checks the options against the optimizer and prepares it; called once, before epoch 0. Without effect
    /// unless implemented.
    ///
    /// # Errors
    /// When the options do not fit the optimizer. What was changed is undone then.
    #[track_caller]
    fn prepare(&self, _optimizer: &mut dyn Hyperparameters) -> Result<()> {
        Ok(())
    }

    /// The learning rate of a group.
    ///
    /// # Errors
    /// When the schedule has no such epoch or group.
    #[track_caller]
    fn lr(&self, now: &Moment) -> Result<f64>;

    /// The momentum of a group (the first of its `betas`), for schedules that cycle it; `None` leaves it alone.
    ///
    /// # Errors
    /// When the schedule has no such epoch or group.
    #[track_caller]
    fn momentum(&self, _now: &Moment) -> Result<Option<f64>> {
        Ok(None)
    }

    /// Takes over what is not saved, functions that is, from the schedule that loads a state. Without effect
    /// unless implemented.
    ///
    /// # Errors
    /// When they do not fit what was saved.
    #[track_caller]
    fn adopt(&mut self, _loader: &Self) -> Result<()> {
        Ok(())
    }
}

/// What a [`Schedule`] may look at.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Moment {
    /// The epoch that begins; 0 when the scheduler is made.
    pub epoch: u64,
    /// How much of the epoch is over, for schedulers that can be set to a part of one; else 0.
    pub fraction: f64,
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
    #[serde(default)]
    fraction: f64,
    last_lr: Vec<f64>,
}

#[derive(Serialize, Deserialize)]
struct Saved<S> {
    schedule: S,
    #[serde(flatten)]
    progress: Progress,
}

impl<S: Schedule> Scheduler<S> {
    /// A scheduler at epoch 0, whose learning rates are set at once.
    ///
    /// # Errors
    /// When an option of the schedule is out of its range or does not fit the optimizer; nothing changes then.
    #[track_caller]
    pub fn with_schedule(optimizer: &mut dyn Hyperparameters, schedule: S) -> Result<Self> {
        schedule.validate()?;
        let mut rehearsal = Rehearsal::new(optimizer)?;
        schedule.prepare(&mut rehearsal)?;
        let progress = Progress::set(&schedule, 0, 0.0, &mut rehearsal)?;
        rehearsal.perform(optimizer)?;
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

    /// Goes to an epoch, or to a part of one.
    #[track_caller]
    pub(super) fn go_to(&mut self, optimizer: &mut dyn Hyperparameters, epoch: f64) -> Result<()> {
        self.progress = Progress::set(&self.schedule, epoch as u64, epoch.fract(), optimizer)?;
        Ok(())
    }
}

impl Progress {
    /// Sets the learning rates of an epoch: all or, where there is an error, none.
    #[track_caller]
    fn set<S: Schedule>(
        schedule: &S,
        epoch: u64,
        fraction: f64,
        optimizer: &mut dyn Hyperparameters,
    ) -> Result<Progress> {
        let mut last_lr = Vec::with_capacity(optimizer.num_groups());
        let mut momenta = Vec::with_capacity(optimizer.num_groups());
        for group in 0..optimizer.num_groups() {
            let (lr, initial_lr) = (optimizer.lr(group)?, optimizer.initial_lr(group)?);
            let now = Moment { epoch, fraction, group, lr, initial_lr };
            let lr = schedule.lr(&now)?;
            if !lr.is_finite() {
                bail!(Value, S::NAME, "the learning rate of group {group} in epoch {epoch} would be {lr}");
            }
            let momentum = schedule.momentum(&now)?;
            if let Some(momentum) = momentum {
                optimizer.momentum_range(group)?.check(S::NAME, "momentum", momentum)?;
            }
            last_lr.push(lr);
            momenta.push((initial_lr, momentum));
        }
        for (group, (&lr, (initial_lr, momentum))) in last_lr.iter().zip(momenta).enumerate() {
            optimizer.set_initial_lr(group, initial_lr)?;
            optimizer.set_lr(group, lr)?;
            if let Some(momentum) = momentum {
                optimizer.set_momentum(group, momentum)?;
            }
        }
        Ok(Progress { epoch, fraction, last_lr })
    }
}

impl<S: Schedule> LrScheduler for Scheduler<S> {
    #[track_caller]
    fn step(&mut self, optimizer: &mut dyn Hyperparameters) -> Result<()> {
        let Progress { epoch, fraction, .. } = self.progress;
        order::check(S::NAME, epoch, optimizer);
        self.progress = Progress::set(&self.schedule, epoch.saturating_add(1), fraction, optimizer)?;
        Ok(())
    }

    #[track_caller]
    fn restart(&mut self, optimizer: &mut dyn Hyperparameters) -> Result<()> {
        self.progress = Progress::set(&self.schedule, 0, 0.0, optimizer)?;
        Ok(())
    }

    fn last_lr(&self) -> &[f64] {
        &self.progress.last_lr
    }

    #[track_caller]
    fn state_dict(&self) -> Result<String> {
        let (schedule, progress) = (self.schedule.clone(), self.progress.clone());
        state::write(S::NAME, &Saved { schedule, progress })
    }

    #[track_caller]
    fn load_state_dict(&mut self, state: &str) -> Result<()> {
        let mut saved: Saved<S> = state::read(S::NAME, state)?;
        saved.schedule.adopt(&self.schedule)?;
        saved.schedule.validate()?;
        let fraction = saved.progress.fraction;
        if !(0.0..1.0).contains(&fraction) {
            bail!(
                Data,
                S::NAME,
                "the state has a fraction of an epoch of {fraction}, which must lie in [0, 1)"
            );
        }
        self.schedule = saved.schedule;
        self.progress = saved.progress;
        Ok(())
    }

    fn boxed(&self) -> Box<dyn LrScheduler> {
        Box::new(self.clone())
    }
}
