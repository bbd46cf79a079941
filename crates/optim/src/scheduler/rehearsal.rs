//! [`Rehearsal`]: the learning rates of an optimizer without the optimizer.

use crate::groups::Hyperparameters;

/// A copy of what schedulers change, for them to change instead.
pub(super) struct Rehearsal(Vec<Group>);

struct Group {
    lr: f64,
    initial_lr: f64,
    momentum: Option<f64>,
}

impl Rehearsal {
    pub(super) fn new(optimizer: &dyn Hyperparameters) -> Self {
        let group = |group| Group {
            lr: optimizer.lr(group),
            initial_lr: optimizer.initial_lr(group),
            momentum: optimizer.momentum(group),
        };
        Rehearsal((0..optimizer.num_groups()).map(group).collect())
    }

    pub(super) fn rates(&self) -> Vec<f64> {
        self.0.iter().map(|group| group.lr).collect()
    }
}

impl Hyperparameters for Rehearsal {
    fn num_groups(&self) -> usize {
        self.0.len()
    }

    fn lr(&self, group: usize) -> f64 {
        self.0[group].lr
    }

    fn set_lr(&mut self, group: usize, lr: f64) {
        self.0[group].lr = lr;
    }

    fn initial_lr(&self, group: usize) -> f64 {
        self.0[group].initial_lr
    }

    fn set_initial_lr(&mut self, group: usize, lr: f64) {
        self.0[group].initial_lr = lr;
    }

    fn momentum(&self, group: usize) -> Option<f64> {
        self.0[group].momentum
    }

    fn set_momentum(&mut self, group: usize, momentum: f64) {
        if let Some(m) = &mut self.0[group].momentum {
            *m = momentum;
        }
    }
}
