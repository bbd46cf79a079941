//! [`Leaf`]: where the gradient of a tensor that nothing computed is collected.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};

use super::hooks::Hooks;
use crate::Tensor;

/// The gradient slot of a leaf. Graph edges to a leaf hold this slot, not its value, so a graph never keeps
/// an optimizer from updating a parameter in place.
pub(crate) struct Leaf {
    /// Orders leaves by age.
    pub(crate) id: u64,
    grad: Mutex<Option<Tensor>>,
    pub(crate) hooks: Hooks,
}

impl Leaf {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Leaf { id: NEXT.fetch_add(1, Relaxed), grad: Mutex::new(None), hooks: Hooks::default() }
    }

    /// The slot, locked.
    pub(crate) fn grad(&self) -> MutexGuard<'_, Option<Tensor>> {
        self.grad.lock().unwrap_or_else(|e| e.into_inner())
    }
    /// Empties the slot. What it held is dropped after the lock, since its graph may hold anything.
    pub(crate) fn clear(&self) {
        let grad = self.grad().take();
        drop(grad);
    }
}
