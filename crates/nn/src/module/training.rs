//! [`Training`]: the flag that `train()` and `eval()` flip.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Whether a module is in training mode, which [`Module::train`](crate::Module::train) and
/// [`Module::eval`](crate::Module::eval) of any module around it set. A field of a module that behaves
/// differently in training.
#[derive(Debug)]
pub struct Training(AtomicBool);

impl Training {
    /// Training mode.
    pub fn new() -> Training {
        Training(AtomicBool::new(true))
    }

    /// Whether it is training mode.
    pub fn get(&self) -> bool {
        self.0.load(Relaxed)
    }

    /// Sets training mode, or evaluation mode.
    pub fn set(&self, training: bool) {
        self.0.store(training, Relaxed);
    }
}

impl Default for Training {
    fn default() -> Training {
        Training::new()
    }
}
