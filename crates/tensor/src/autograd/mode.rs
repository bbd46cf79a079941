//! Grad mode: whether operations record a graph, per thread.

use std::cell::Cell;
use std::marker::PhantomData;

thread_local! {
    static ENABLED: Cell<bool> = const { Cell::new(true) };
}

/// Whether operations on this thread record a graph.
pub fn is_grad_enabled() -> bool {
    ENABLED.get()
}

/// Restores the previous grad mode of its thread when dropped, also when a panic unwinds.
#[must_use = "the mode lasts as long as the guard lives"]
pub struct GradModeGuard {
    previous: bool,
    // The mode belongs to a thread, so the guard must not leave it.
    _thread: PhantomData<*const ()>,
}

impl Drop for GradModeGuard {
    fn drop(&mut self) {
        ENABLED.set(self.previous);
    }
}

/// Switches recording on or off for this thread until the guard is dropped.
pub fn set_grad_enabled(enabled: bool) -> GradModeGuard {
    GradModeGuard { previous: ENABLED.replace(enabled), _thread: PhantomData }
}

/// Switches recording off for this thread until the guard is dropped (PyTorch: `with torch.no_grad():`).
///
/// ```
/// # use chainrule_tensor::{Tensor, autograd};
/// let x = Tensor::new([1.0]).requires_grad_(true).unwrap();
/// let _guard = autograd::no_grad_guard();
/// assert!(!(&x * 2.0).requires_grad());
/// ```
pub fn no_grad_guard() -> GradModeGuard {
    set_grad_enabled(false)
}

/// Runs a closure without recording a graph (PyTorch: `with torch.no_grad():`).
///
/// ```
/// # use chainrule_tensor::{Tensor, autograd::no_grad};
/// let x = Tensor::new([1.0]).requires_grad_(true).unwrap();
/// let y = no_grad(|| &x * 2.0);
/// assert!(!y.requires_grad());
/// ```
pub fn no_grad<R>(f: impl FnOnce() -> R) -> R {
    let _guard = no_grad_guard();
    f()
}

/// Runs a closure with recording on, inside a `no_grad` too (PyTorch: `with torch.enable_grad():`).
pub fn enable_grad<R>(f: impl FnOnce() -> R) -> R {
    let _guard = set_grad_enabled(true);
    f()
}
