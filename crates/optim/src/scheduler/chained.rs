//! Several schedulers at the same time.

use chainrule_tensor::{Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::rehearsal::Rehearsal;
use super::{LrScheduler, order, state};
use crate::groups::Hyperparameters;

const NAME: &str = "ChainedScheduler";

/// Steps several schedulers, one after the other, so that their factors multiply (PyTorch:
/// `torch.optim.lr_scheduler.ChainedScheduler`).
///
/// A schedule with a minimum other than 0 goes towards it from wherever the others have left the learning rate: below it,
/// [`CosineAnnealingLR`](super::CosineAnnealingLR) with its `eta_min` can go on to below 0, as in PyTorch.
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{ChainedScheduler, ConstantLR, ExponentialLR, LrScheduler, Sgd, SgdOptions};
/// # fn main() -> Result<()> {
/// # let w = Parameter::new(Tensor::new([1.0]))?;
/// let mut optimizer = Sgd::new([w], SgdOptions { lr: 1.0, ..Default::default() })?;
/// let constant = ConstantLR::new(&mut optimizer, 0.25, 2)?;
/// let exponential = ExponentialLR::new(&mut optimizer, 0.5)?;
/// let scheduler = ChainedScheduler::new(&optimizer, vec![Box::new(constant), Box::new(exponential)])?;
/// assert_eq!(scheduler.preview(&optimizer, 4)?.concat(), [0.25, 0.125, 0.25, 0.125]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ChainedScheduler {
    schedulers: Vec<Box<dyn LrScheduler>>,
    last_lr: Vec<f64>,
    has_stepped: bool,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    last_lr: Vec<f64>,
    schedulers: Vec<Value>,
}

impl ChainedScheduler {
    /// Chains schedulers that were made for the optimizer, in this order.
    ///
    /// # Errors
    /// When there are none.
    #[track_caller]
    pub fn new(optimizer: &dyn Hyperparameters, schedulers: Vec<Box<dyn LrScheduler>>) -> Result<Self> {
        if schedulers.is_empty() {
            bail!(Value, NAME, "there are no schedulers to chain");
        }
        let last_lr = Rehearsal::new(optimizer)?.rates();
        Ok(ChainedScheduler { schedulers, last_lr, has_stepped: false })
    }

    /// The schedulers.
    pub fn schedulers(&self) -> &[Box<dyn LrScheduler>] {
        &self.schedulers
    }
}

impl LrScheduler for ChainedScheduler {
    #[track_caller]
    fn step(&mut self, optimizer: &mut dyn Hyperparameters) -> Result<()> {
        let epoch = u64::from(self.has_stepped);
        order::check(NAME, epoch, optimizer);
        // On copies, so that nothing has changed where a later one fails.
        let mut rehearsal = Rehearsal::new(optimizer)?;
        let mut schedulers = self.schedulers.clone();
        for scheduler in &mut schedulers {
            scheduler.step(&mut rehearsal)?;
        }
        rehearsal.perform(optimizer)?;
        *self = ChainedScheduler { schedulers, last_lr: rehearsal.rates(), has_stepped: true };
        Ok(())
    }

    #[track_caller]
    fn restart(&mut self, optimizer: &mut dyn Hyperparameters) -> Result<()> {
        let mut rehearsal = Rehearsal::new(optimizer)?;
        let mut schedulers = self.schedulers.clone();
        for scheduler in &mut schedulers {
            scheduler.restart(&mut rehearsal)?;
        }
        rehearsal.perform(optimizer)?;
        *self = ChainedScheduler { schedulers, last_lr: rehearsal.rates(), has_stepped: false };
        Ok(())
    }

    fn last_lr(&self) -> &[f64] {
        &self.last_lr
    }

    #[track_caller]
    fn state_dict(&self) -> Result<String> {
        let schedulers = state::write_all(NAME, &self.schedulers)?;
        state::write(NAME, &Saved { last_lr: self.last_lr.clone(), schedulers })
    }

    #[track_caller]
    fn load_state_dict(&mut self, state: &str) -> Result<()> {
        let saved: Saved = state::read(NAME, state)?;
        self.schedulers = state::read_all(NAME, &self.schedulers, &saved.schedulers)?;
        (self.last_lr, self.has_stepped) = (saved.last_lr, true);
        Ok(())
    }

    fn boxed(&self) -> Box<dyn LrScheduler> {
        Box::new(self.clone())
    }
}
