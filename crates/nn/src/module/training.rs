//! [`Training`]: the flag that `train()` and `eval()` flip.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Whether a module is in training mode, which [`Module::train`](crate::Module::train) and
/// [`Module::eval`](crate::Module::eval) of any module around it set. A field of a module that behaves
/// differently in training.
#[derive(Debug)]
pub struct Training {
    training: AtomicBool,
    averaging: AtomicBool,
}

impl Training {
    /// Training mode.
    pub fn new() -> Training {
        Training { training: AtomicBool::new(true), averaging: AtomicBool::new(false) }
    }

    /// Whether it is training mode.
    pub fn get(&self) -> bool {
        self.training.load(Relaxed)
    }

    /// Sets training mode, or evaluation mode.
    pub fn set(&self, training: bool) {
        self.training.store(training, Relaxed);
    }

    /// Whether running statistics are to be plain averages over the batches counted so far, whatever the layer's
    /// momentum: while [`update_bn`](crate::update_bn) runs.
    pub fn is_averaging(&self) -> bool {
        self.averaging.load(Relaxed)
    }

    pub(crate) fn set_averaging(&self, averaging: bool) {
        self.averaging.store(averaging, Relaxed);
    }
}

impl Default for Training {
    fn default() -> Training {
        Training::new()
    }
}
