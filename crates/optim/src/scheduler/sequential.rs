//! Several schedulers, one after the other.

use chainrule_tensor::{Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::rehearsal::Rehearsal;
use super::{LinearLR, LrScheduler, order, state};
use crate::groups::Hyperparameters;

const NAME: &str = "SequentialLR";

/// Follows one scheduler until an epoch of `milestones` begins, then the next (PyTorch:
/// `torch.optim.lr_scheduler.SequentialLR`).
///
/// Each begins at an epoch 0 of its own, from the initial learning rates. That holds for every scheduler, also for
/// those with which PyTorch differs: a [`MultiplicativeLR`](super::MultiplicativeLR) after another scheduler begins
/// from the initial learning rates too, and a sequence within a sequence, or a chain after another scheduler, begins
/// where it should.
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{ConstantLR, ExponentialLR, LrScheduler, SequentialLR, Sgd, SgdOptions};
/// # fn main() -> Result<()> {
/// # let w = Parameter::new(Tensor::new([1.0]))?;
/// let mut optimizer = Sgd::new([w], SgdOptions { lr: 1.0, ..Default::default() })?;
/// let constant = ConstantLR::new(&mut optimizer, 0.125, 9)?;
/// let exponential = ExponentialLR::new(&mut optimizer, 0.5)?;
/// let schedulers: Vec<Box<dyn LrScheduler>> = vec![Box::new(constant), Box::new(exponential)];
/// let scheduler = SequentialLR::new(&mut optimizer, schedulers, [2])?;
/// assert_eq!(scheduler.preview(&optimizer, 5)?.concat(), [0.125, 0.125, 1.0, 0.5, 0.25]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SequentialLR {
    schedulers: Vec<Box<dyn LrScheduler>>,
    progress: Progress,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Progress {
    milestones: Vec<u64>,
    epoch: u64,
    last_lr: Vec<f64>,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    #[serde(flatten)]
    progress: Progress,
    schedulers: Vec<Value>,
}

impl SequentialLR {
    /// A scheduler at epoch 0. `schedulers` were made for the optimizer; `milestones` are the epochs at which the
    /// second, third, … take over.
    ///
    /// # Errors
    /// When there are no schedulers, not one milestone less than schedulers, or milestones are not in order.
    #[track_caller]
    pub fn new(
        optimizer: &mut dyn Hyperparameters,
        schedulers: Vec<Box<dyn LrScheduler>>,
        milestones: impl IntoIterator<Item = u64>,
    ) -> Result<Self> {
        let milestones: Vec<u64> = milestones.into_iter().collect();
        check(schedulers.len(), &milestones)?;
        let progress = Progress { milestones, epoch: 0, last_lr: Vec::new() };
        let mut sequence = SequentialLR { schedulers, progress };
        go_to(&mut sequence, optimizer, 0, true)?;
        Ok(sequence)
    }

    /// Warm-up: learning rates that rise in equal steps from `start_factor` of the initial ones to the whole of them
    /// at epoch `epochs`, where `after` takes over.
    ///
    /// ```
    /// # use chainrule_tensor::{Parameter, Result, Tensor};
    /// # use chainrule_optim::{CosineAnnealingLR, LrScheduler, SequentialLR, Sgd, SgdOptions};
    /// # fn main() -> Result<()> {
    /// # let w = Parameter::new(Tensor::new([1.0]))?;
    /// let mut optimizer = Sgd::new([w], SgdOptions { lr: 1.0, ..Default::default() })?;
    /// let cosine = CosineAnnealingLR::new(&mut optimizer, 2, 0.0)?;
    /// let scheduler = SequentialLR::with_warmup(&mut optimizer, 0.25, 3, Box::new(cosine))?;
    /// let curve = scheduler.preview(&optimizer, 5)?.concat();
    /// assert_eq!(curve[..4], [0.25, 0.5, 0.75, 1.0]);
    /// assert!((curve[4] - 0.5).abs() < 1e-12);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When `start_factor` does not lie in (0, 1] or `epochs` is 0.
    #[track_caller]
    pub fn with_warmup(
        optimizer: &mut dyn Hyperparameters,
        start_factor: f64,
        epochs: u64,
        after: Box<dyn LrScheduler>,
    ) -> Result<Self> {
        let mut rehearsal = Rehearsal::new(optimizer)?;
        let warmup = LinearLR::new(&mut rehearsal, start_factor, 1.0, epochs)?;
        let sequence = SequentialLR::new(&mut rehearsal, vec![Box::new(warmup), after], [epochs])?;
        rehearsal.perform(optimizer)?;
        Ok(sequence)
    }

    /// The schedulers.
    pub fn schedulers(&self) -> &[Box<dyn LrScheduler>] {
        &self.schedulers
    }

    /// How many steps were made since the scheduler was made (PyTorch: `last_epoch`).
    pub fn epoch(&self) -> u64 {
        self.progress.epoch
    }

    /// Which scheduler an epoch belongs to.
    fn place(&self, epoch: u64) -> usize {
        self.progress.milestones.partition_point(|&milestone| milestone <= epoch)
    }
}

#[track_caller]
fn check(schedulers: usize, milestones: &[u64]) -> Result<()> {
    if schedulers == 0 {
        bail!(Value, NAME, "there are no schedulers");
    }
    if milestones.len() + 1 != schedulers {
        bail!(
            Value,
            NAME,
            "{schedulers} schedulers need {} milestones, not {}: {milestones:?}",
            schedulers - 1,
            milestones.len()
        );
    }
    if !milestones.is_sorted() {
        bail!(Value, NAME, "milestones must be in order, not {milestones:?}");
    }
    Ok(())
}

/// Goes to an epoch with the scheduler that it belongs to: by a step, or, where it begins, by taking over.
#[track_caller]
fn go_to(
    sequence: &mut SequentialLR,
    optimizer: &mut dyn Hyperparameters,
    epoch: u64,
    begins: bool,
) -> Result<()> {
    // On copies, so that nothing has changed where it fails.
    let place = sequence.place(epoch);
    let mut scheduler = sequence.schedulers[place].clone();
    let mut rehearsal = Rehearsal::new(optimizer)?;
    if begins || sequence.progress.milestones[..place].last() == Some(&epoch) {
        take_over(&mut scheduler, &mut rehearsal)?;
    } else {
        scheduler.step(&mut rehearsal)?;
    }
    rehearsal.perform(optimizer)?;
    sequence.progress.last_lr = scheduler.last_lr().to_vec();
    sequence.progress.epoch = epoch;
    sequence.schedulers[place] = scheduler;
    Ok(())
}

/// Lets a scheduler begin from the initial learning rates.
#[track_caller]
fn take_over(scheduler: &mut Box<dyn LrScheduler>, optimizer: &mut dyn Hyperparameters) -> Result<()> {
    for group in 0..optimizer.num_groups() {
        optimizer.set_lr(group, optimizer.initial_lr(group)?)?;
    }
    scheduler.restart(optimizer)
}

impl LrScheduler for SequentialLR {
    #[track_caller]
    fn step(&mut self, optimizer: &mut dyn Hyperparameters) -> Result<()> {
        order::check(NAME, self.progress.epoch, optimizer);
        let epoch = self.progress.epoch.saturating_add(1);
        go_to(self, optimizer, epoch, false)
    }

    #[track_caller]
    fn restart(&mut self, optimizer: &mut dyn Hyperparameters) -> Result<()> {
        go_to(self, optimizer, 0, true)
    }

    fn last_lr(&self) -> &[f64] {
        &self.progress.last_lr
    }

    #[track_caller]
    fn state_dict(&self) -> Result<String> {
        let schedulers = state::write_all(NAME, &self.schedulers)?;
        state::write(NAME, &Saved { progress: self.progress.clone(), schedulers })
    }

    #[track_caller]
    fn load_state_dict(&mut self, state: &str) -> Result<()> {
        let saved: Saved = state::read(NAME, state)?;
        check(self.schedulers.len(), &saved.progress.milestones)?;
        self.schedulers = state::read_all(NAME, &self.schedulers, &saved.schedulers)?;
        self.progress = saved.progress;
        Ok(())
    }

    fn boxed(&self) -> Box<dyn LrScheduler> {
        Box::new(self.clone())
    }
}
