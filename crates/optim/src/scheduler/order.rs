//! A warning where a scheduler is stepped before its optimizer.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::groups::Hyperparameters;

static WARNED: AtomicBool = AtomicBool::new(false);

/// Warns, once in a process, where the first step of a scheduler comes before that of the optimizer, as PyTorch does: no
/// update is made with the learning rate of epoch 0 then.
pub(super) fn check(scheduler: &str, epoch: u64, optimizer: &dyn Hyperparameters) {
    if epoch == 0 && optimizer.has_stepped() == Some(false) && !WARNED.swap(true, Relaxed) {
        eprintln!(
            "chainrule: {scheduler}: the scheduler is stepped before the optimizer, so the first learning rate is \
             skipped; call `optimizer.step()` first"
        );
    }
}
