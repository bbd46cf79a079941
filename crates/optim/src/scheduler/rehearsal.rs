//! [`Rehearsal`]: the learning rates of an optimizer without the optimizer.

use chainrule_tensor::{Result, bail};

use crate::algorithm::Range;
use crate::groups::Hyperparameters;

/// A copy of what schedulers change, for them to change instead: for a preview, and so that nothing has changed where
/// one of several changes fails.
pub(super) struct Rehearsal(Vec<Group>);

struct Group {
    lr: f64,
    initial_lr: f64,
    momentum: Option<f64>,
    momentum_range: Range,
}

impl Rehearsal {
    #[track_caller]
    pub(super) fn new(optimizer: &dyn Hyperparameters) -> Result<Self> {
        let mut groups = Vec::with_capacity(optimizer.num_groups());
        for group in 0..optimizer.num_groups() {
            groups.push(Group {
                lr: optimizer.lr(group)?,
                initial_lr: optimizer.initial_lr(group)?,
                momentum: optimizer.momentum(group)?,
                momentum_range: optimizer.momentum_range(group)?,
            });
        }
        Ok(Rehearsal(groups))
    }

    pub(super) fn rates(&self) -> Vec<f64> {
        self.0.iter().map(|group| group.lr).collect()
    }

    /// Makes the optimizer follow.
    #[track_caller]
    pub(super) fn perform(&self, optimizer: &mut dyn Hyperparameters) -> Result<()> {
        for (group, rehearsed) in self.0.iter().enumerate() {
            optimizer.set_initial_lr(group, rehearsed.initial_lr)?;
            optimizer.set_lr(group, rehearsed.lr)?;
            if let Some(momentum) = rehearsed.momentum {
                optimizer.set_momentum(group, momentum)?;
            }
        }
        Ok(())
    }

    #[track_caller]
    fn group(&self, group: usize) -> Result<&Group> {
        match self.0.get(group) {
            Some(group) => Ok(group),
            None => bail!(Index, "scheduler", "there is no parameter group {group}, but {}", self.0.len()),
        }
    }

    #[track_caller]
    fn group_mut(&mut self, group: usize) -> Result<&mut Group> {
        self.group(group)?;
        Ok(&mut self.0[group])
    }
}

impl Hyperparameters for Rehearsal {
    fn num_groups(&self) -> usize {
        self.0.len()
    }

    fn lr(&self, group: usize) -> Result<f64> {
        Ok(self.group(group)?.lr)
    }

    fn set_lr(&mut self, group: usize, lr: f64) -> Result<()> {
        self.group_mut(group)?.lr = lr;
        Ok(())
    }

    fn initial_lr(&self, group: usize) -> Result<f64> {
        Ok(self.group(group)?.initial_lr)
    }

    fn set_initial_lr(&mut self, group: usize, lr: f64) -> Result<()> {
        self.group_mut(group)?.initial_lr = lr;
        Ok(())
    }

    fn momentum(&self, group: usize) -> Result<Option<f64>> {
        Ok(self.group(group)?.momentum)
    }

    fn set_momentum(&mut self, group: usize, momentum: f64) -> Result<()> {
        if let Some(m) = &mut self.group_mut(group)?.momentum {
            *m = momentum;
        }
        Ok(())
    }

    fn momentum_range(&self, group: usize) -> Result<Range> {
        Ok(self.group(group)?.momentum_range)
    }
}
