//! Grad mode: whether operations record a graph, per thread.

use std::cell::Cell;
use std::marker::PhantomData;

use super::guards::Guards;

thread_local! {
    static ENABLED: Cell<bool> = const { Cell::new(ORDINARY) };
    static GUARDS: Guards = const { Guards::new() };
}

/// The mode without guards.
const ORDINARY: bool = true;

/// Whether operations on this thread record a graph.
pub fn is_grad_enabled() -> bool {
    ENABLED.get()
}

/// Holds a grad mode of its thread until it is dropped, also when a panic unwinds. Of several guards the youngest
/// counts, whichever of them are dropped first; without one, recording is on.
#[must_use = "the mode lasts as long as the guard lives"]
pub struct GradModeGuard {
    /// `None` where the thread is ending and nobody counts any more.
    number: Option<u64>,
    // The mode belongs to a thread, so the guard must not leave it.
    _thread: PhantomData<*const ()>,
}

impl Drop for GradModeGuard {
    fn drop(&mut self) {
        let rest = self.number.and_then(|number| GUARDS.try_with(|guards| guards.end(number)).ok()?);
        ENABLED.set(rest.unwrap_or(ORDINARY));
    }
}

/// Switches recording on or off for this thread until the guard is dropped.
pub fn set_grad_enabled(enabled: bool) -> GradModeGuard {
    let number = GUARDS.try_with(|guards| guards.begin(enabled)).ok();
    ENABLED.set(enabled);
    GradModeGuard { number, _thread: PhantomData }
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
