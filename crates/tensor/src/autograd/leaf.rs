//! [`Leaf`]: where the gradient of a tensor that nothing computed is collected.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use super::gradient::Gradient;
use super::hooks::Hooks;
use super::node::{Backward, Edge};
use super::parts::Parts;
use super::rows::RowGradient;
use super::{Context, record};
use crate::falling::{Falling, fall};
use crate::{Result, Shape, Tensor};

/// The gradient slot of a leaf. Graph edges to a leaf hold this slot, not its value, so a graph never keeps
/// an optimizer from updating a parameter in place.
///
/// With `create_graph` the gradient in the slot has a graph that leads back to the leaf, and so holds the slot that it
/// is in. So the owners of a slot, of whom somebody can ask for the gradient (parameters, and tensors that are leaves),
/// are counted apart from graphs, and when the last of them is gone the slot is emptied, and stays so.
pub(crate) struct Leaf {
    /// Orders leaves by age.
    pub(crate) id: u64,
    grad: Mutex<Option<Gradient>>,
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
    pub(crate) fn grad(&self) -> MutexGuard<'_, Option<Gradient>> {
        self.grad.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// The whole gradient, which the slot keeps as such from now on.
    pub(crate) fn dense(&self) -> Result<Option<Tensor>> {
        self.grad().as_mut().map(|grad| grad.dense().cloned()).transpose()
    }

    /// The gradient as its rows, where it is kept so.
    pub(super) fn row_gradient(&self) -> Result<Option<RowGradient>> {
        let mut slot = self.grad();
        let Some(Gradient::Parts(parts)) = &mut *slot else { return Ok(None) };
        match parts.to_rows()? {
            Some(rows) => {
                **parts = rows;
                parts.as_rows().map(|rows| rows.map(RowGradient::from_sums))
            }
            None => {
                let dense = parts.to_dense()?;
                *slot = Some(Gradient::Dense(dense));
                Ok(None)
            }
        }
    }

    /// Replaces the gradient by that of some rows of a tensor of this shape, which has them.
    pub(super) fn set_rows(&self, shape: &Shape, gradient: &RowGradient) -> Result<()> {
        let width = shape[1..].iter().product();
        let parts = Parts::rows(shape, gradient.rows(), width, gradient.values())?;
        let grad = Gradient::Parts(Box::new(parts)).at_rest()?;
        let replaced = self.grad().replace(grad);
        drop(replaced);
        Ok(())
    }

    /// Empties the slot. What it held is dropped after the lock, since its graph may hold anything.
    pub(crate) fn clear(&self) {
        let grad = self.grad().take();
        if let Some(grad) = grad {
            grad.let_go();
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
            grad.let_go();
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
