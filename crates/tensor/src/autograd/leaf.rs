//! [`Leaf`]: where the gradient of a tensor that nothing computed is collected.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use super::hooks::Hooks;
use super::node::{Backward, Edge};
use super::{Context, record};
use crate::falling::{Falling, fall};
use crate::{Result, Tensor};

/// The gradient slot of a leaf. Graph edges to a leaf hold this slot, not its value, so a graph never keeps
/// an optimizer from updating a parameter in place.
///
/// With `create_graph` the gradient in the slot has a graph that leads back to the leaf, and so holds the slot that it
/// is in. So the owners of a slot, of whom somebody can ask for the gradient (parameters, and tensors that are leaves),
/// are counted apart from graphs, and when the last of them is gone the slot is emptied, and stays so.
pub(crate) struct Leaf {
    /// Orders leaves by age.
    pub(crate) id: u64,
    grad: Mutex<Option<Tensor>>,
    pub(crate) hooks: Hooks,
    owners: AtomicUsize,
}

impl Leaf {
    /// A slot with one owner.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Leaf {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            grad: Mutex::new(None),
            hooks: Hooks::default(),
            owners: AtomicUsize::new(1),
        }
    }

    /// The slot, locked.
    pub(crate) fn grad(&self) -> MutexGuard<'_, Option<Tensor>> {
        self.grad.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Empties the slot. What it held is dropped after the lock, since its graph may hold anything.
    pub(crate) fn clear(&self) {
        let grad = self.grad().take();
        if let Some(grad) = grad {
            fall(Falling::Gradient(grad));
        }
    }

    /// One more owner.
    pub(crate) fn own(&self) {
        self.owners.fetch_add(1, Ordering::Relaxed);
    }

    /// One owner less; without any the slot is emptied.
    pub(crate) fn disown(&self) {
        if self.owners.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.clear();
        }
    }

    /// Whether anybody can ask for the gradient. Asked with the slot locked: where the last owner goes afterwards, it
    /// waits for the lock and empties the slot.
    pub(super) fn has_owner(&self) -> bool {
        self.owners.load(Ordering::Acquire) > 0
    }
}

impl Drop for Leaf {
    fn drop(&mut self) {
        if let Some(grad) = self.grad.get_mut().unwrap_or_else(|e| e.into_inner()).take() {
            fall(Falling::Gradient(grad));
        }
        if !self.hooks.are_none() {
            fall(Falling::Other(Box::new(std::mem::take(&mut self.hooks))));
        }
    }
}

/// A gradient as it is stored. One that is itself a leaf becomes the result of an operation on it: slots do not own
/// leaves, or two leaves would hold each other.
pub(super) fn storable(grad: Tensor) -> Result<Tensor> {
    match grad.edge() {
        Some(Edge::Leaf(_)) => record(Alias, &[&grad], &[], grad.detach()),
        _ => Ok(grad),
    }
}

/// The same values.
struct Alias;

impl Backward for Alias {
    fn name(&self) -> &'static str {
        "alias"
    }
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(ctx.grad()?.clone())])
    }
}
