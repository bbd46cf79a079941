//! [`Leaf`]: where the gradient of a tensor that nothing computed is collected.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};

use super::gradient::Gradient;
use super::hooks::Hooks;
use super::parts::Parts;
use super::rows::RowGradient;
use crate::{Result, Shape, Tensor};

/// The gradient slot of a leaf. Graph edges to a leaf hold this slot, not its value, so a graph never keeps
/// an optimizer from updating a parameter in place.
pub(crate) struct Leaf {
    /// Orders leaves by age.
    pub(crate) id: u64,
    grad: Mutex<Option<Gradient>>,
    pub(crate) hooks: Hooks,
}

impl Leaf {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Leaf { id: NEXT.fetch_add(1, Relaxed), grad: Mutex::new(None), hooks: Hooks::default() }
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
        drop(grad);
    }
}
