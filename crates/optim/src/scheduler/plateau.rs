//! A factor when a metric no longer improves.

use chainrule_tensor::{Result, bail};
use serde::{Deserialize, Serialize};

use super::rehearsal::Rehearsal;
use super::{PerGroup, state};
use crate::check;
use crate::groups::Hyperparameters;

const NAME: &str = "ReduceLROnPlateau";

/// Multiplies the present learning rates by `factor` when a metric has not improved for more than `patience` epochs
/// (PyTorch: `torch.optim.lr_scheduler.ReduceLROnPlateau`). A NaN is no improvement.
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{Hyperparameters, ReduceLROnPlateau, ReduceLROnPlateauOptions, Sgd, SgdOptions};
/// # fn main() -> Result<()> {
/// # let w = Parameter::new(Tensor::new([1.0]))?;
/// let mut optimizer = Sgd::new([w], SgdOptions { lr: 1.0, ..Default::default() })?;
/// let options = ReduceLROnPlateauOptions { patience: 1, ..Default::default() };
/// let mut scheduler = ReduceLROnPlateau::new(&mut optimizer, options)?;
/// for validation_loss in [0.9, 0.8, 0.8, 0.85] {
///     scheduler.step(&mut optimizer, validation_loss)?;
/// }
/// assert_eq!(optimizer.lr(0)?, 0.1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ReduceLROnPlateau {
    options: ReduceLROnPlateauOptions,
    progress: Progress,
}

/// Options of [`ReduceLROnPlateau`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReduceLROnPlateauOptions {
    /// Whether a small or a large metric is good. Default [`PlateauMode::Min`].
    pub mode: PlateauMode,
    /// The factor, from 0 to less than 1. Default 0.1.
    pub factor: f64,
    /// How many epochs without improvement are let pass; the one after them lowers the learning rates. Default 10.
    pub patience: u64,
    /// By how much a metric must be better than the best so far. Default 1e-4.
    pub threshold: f64,
    /// What `threshold` means. Default [`ThresholdMode::Rel`].
    pub threshold_mode: ThresholdMode,
    /// How many epochs after a reduction do not count. Default 0.
    pub cooldown: u64,
    /// The lowest learning rate of each group. Default 0.
    pub min_lr: PerGroup,
    /// Changes that are not larger than this are not made. Default 1e-8.
    pub eps: f64,
}

/// Whether a small or a large metric is good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlateauMode {
    /// A small one, such as a loss.
    #[default]
    Min,
    /// A large one, such as an accuracy.
    Max,
}

/// When a metric counts as better than the best so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdMode {
    /// When it is below best·(1 − `threshold`), or above best·(1 + `threshold`). That is for positive metrics: of
    /// negative ones a slightly worse one counts as better. PyTorch's default.
    #[default]
    Rel,
    /// When it is better by `threshold`·|best|, which is the same as `Rel` for positive metrics and right for
    /// negative ones too. PyTorch has no such mode.
    RelMagnitude,
    /// When it is better by `threshold`.
    Abs,
}

impl Default for ReduceLROnPlateauOptions {
    fn default() -> Self {
        ReduceLROnPlateauOptions {
            mode: PlateauMode::Min,
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            threshold_mode: ThresholdMode::Rel,
            cooldown: 0,
            min_lr: 0.0.into(),
            eps: 1e-8,
        }
    }
}

impl ReduceLROnPlateauOptions {
    #[track_caller]
    fn validate(&self) -> Result<()> {
        if !(0.0..1.0).contains(&self.factor) {
            bail!(Value, NAME, "factor must lie in [0, 1), not be {}", self.factor);
        }
        check::finite(NAME, "threshold", self.threshold)?;
        check::non_negative(NAME, "eps", self.eps)?;
        self.min_lr.non_negative(NAME, "min_lr")
    }

    fn is_better(&self, metric: f64, best: f64) -> bool {
        // The best so far is infinitely bad at first, and no threshold makes that any better.
        let threshold = if best.is_finite() { self.threshold } else { 0.0 };
        let margin = if best.is_finite() { threshold * best.abs() } else { 0.0 };
        match (self.mode, self.threshold_mode) {
            (PlateauMode::Min, ThresholdMode::Rel) => metric < best * (1.0 - threshold),
            (PlateauMode::Min, ThresholdMode::RelMagnitude) => metric < best - margin,
            (PlateauMode::Min, ThresholdMode::Abs) => metric < best - threshold,
            (PlateauMode::Max, ThresholdMode::Rel) => metric > best * (threshold + 1.0),
            (PlateauMode::Max, ThresholdMode::RelMagnitude) => metric > best + margin,
            (PlateauMode::Max, ThresholdMode::Abs) => metric > best + threshold,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Progress {
    epoch: u64,
    last_lr: Vec<f64>,
    #[serde(with = "crate::any_number")]
    best: f64,
    num_bad_epochs: u64,
    cooldown_counter: u64,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    options: ReduceLROnPlateauOptions,
    #[serde(flatten)]
    progress: Progress,
}

impl ReduceLROnPlateau {
    /// A scheduler that has seen no metric.
    ///
    /// # Errors
    /// When an option is out of its range, or `min_lr` has more or fewer numbers than there are groups.
    #[track_caller]
    pub fn new(optimizer: &mut dyn Hyperparameters, options: ReduceLROnPlateauOptions) -> Result<Self> {
        options.validate()?;
        options.min_lr.fits(NAME, "min_lr", optimizer.num_groups())?;
        let best = if options.mode == PlateauMode::Min { f64::INFINITY } else { f64::NEG_INFINITY };
        let last_lr = Rehearsal::new(optimizer)?.rates();
        let progress = Progress { epoch: 0, last_lr, best, num_bad_epochs: 0, cooldown_counter: 0 };
        Ok(ReduceLROnPlateau { options, progress })
    }

    /// Ends an epoch with its metric.
    ///
    /// # Errors
    /// When there are groups for which `min_lr` has no number; nothing changes then.
    #[track_caller]
    pub fn step(&mut self, optimizer: &mut dyn Hyperparameters, metric: f64) -> Result<()> {
        let (options, mut progress) = (&self.options, self.progress.clone());
        progress.epoch = progress.epoch.saturating_add(1);
        if options.is_better(metric, progress.best) {
            progress.best = metric;
            progress.num_bad_epochs = 0;
        } else {
            progress.num_bad_epochs = progress.num_bad_epochs.saturating_add(1);
        }
        if progress.cooldown_counter > 0 {
            progress.cooldown_counter -= 1;
            progress.num_bad_epochs = 0;
        }
        if progress.num_bad_epochs > options.patience {
            self.reduce(optimizer)?;
            progress.cooldown_counter = options.cooldown;
            progress.num_bad_epochs = 0;
        }
        progress.last_lr = Rehearsal::new(optimizer)?.rates();
        self.progress = progress;
        Ok(())
    }

    #[track_caller]
    fn reduce(&self, optimizer: &mut dyn Hyperparameters) -> Result<()> {
        let mut reduced = Rehearsal::new(optimizer)?.rates();
        for (group, lr) in reduced.iter_mut().enumerate() {
            let lowest = *self.options.min_lr.of(NAME, "min_lr", group)?;
            let lower = (*lr * self.options.factor).max(lowest);
            if *lr - lower > self.options.eps {
                *lr = lower;
            }
        }
        for (group, lr) in reduced.into_iter().enumerate() {
            optimizer.set_lr(group, lr)?;
        }
        Ok(())
    }

    /// The options.
    pub fn options(&self) -> &ReduceLROnPlateauOptions {
        &self.options
    }

    /// How many steps were made (PyTorch: `last_epoch`).
    pub fn epoch(&self) -> u64 {
        self.progress.epoch
    }

    /// The best metric so far; infinite before the first.
    pub fn best(&self) -> f64 {
        self.progress.best
    }

    /// How many epochs there have been without an improvement, as far as they count.
    pub fn num_bad_epochs(&self) -> u64 {
        self.progress.num_bad_epochs
    }

    /// The learning rates of the groups after the last step.
    pub fn last_lr(&self) -> &[f64] {
        &self.progress.last_lr
    }

    /// The learning rates of the present epoch and of those that would follow these metrics, in each those of the
    /// groups; neither the scheduler nor the optimizer changes.
    ///
    /// # Errors
    /// As [`step`](ReduceLROnPlateau::step).
    #[track_caller]
    pub fn preview(&self, optimizer: &dyn Hyperparameters, metrics: &[f64]) -> Result<Vec<Vec<f64>>> {
        let mut optimizer = Rehearsal::new(optimizer)?;
        let mut scheduler = self.clone();
        let mut curve = vec![optimizer.rates()];
        for &metric in metrics {
            scheduler.step(&mut optimizer, metric)?;
            curve.push(optimizer.rates());
        }
        Ok(curve)
    }

    /// The state as JSON, options included.
    ///
    /// # Errors
    /// When an option cannot be written as JSON.
    #[track_caller]
    pub fn state_dict(&self) -> Result<String> {
        state::write(NAME, &Saved { options: self.options.clone(), progress: self.progress.clone() })
    }

    /// Takes over a state that [`state_dict`](ReduceLROnPlateau::state_dict) gave. The learning rates themselves are
    /// in the optimizer's state dict.
    ///
    /// # Errors
    /// When the state is of another scheduler, or cannot be read; nothing changes then.
    #[track_caller]
    pub fn load_state_dict(&mut self, state: &str) -> Result<()> {
        let Saved { options, progress } = state::read(NAME, state)?;
        options.validate()?;
        if progress.best.is_nan() {
            bail!(Data, NAME, "the state has a best metric that is a NaN");
        }
        *self = ReduceLROnPlateau { options, progress };
        Ok(())
    }
}
