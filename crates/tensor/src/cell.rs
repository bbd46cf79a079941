//! [`TensorCell`]: the one thing that changes, a place that holds a tensor.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::{Element, Result, Tensor, bail};

static COPIES: AtomicU64 = AtomicU64::new(0);

pub(crate) fn count_copy() {
    COPIES.fetch_add(1, Relaxed);
}

/// How many times an update had to copy the values first because somebody else (a graph that was not walked,
/// a kept tensor) still held them. In an ordinary training loop it stays at 0.
pub fn copies_on_write() -> u64 {
    COPIES.load(Relaxed)
}

/// A place that holds a tensor of fixed shape and dtype: the value of a parameter, a layer's running
/// statistics, an optimizer's state. Its value is replaced or updated in place; tensors taken out earlier keep
/// theirs.
#[derive(Debug)]
pub struct TensorCell(RwLock<Tensor>);

impl TensorCell {
    /// A cell with a first value, taken out of any graph.
    pub fn new(value: &Tensor) -> Self {
        TensorCell(RwLock::new(value.detach()))
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Tensor> {
        self.0.read().unwrap_or_else(|e| e.into_inner())
    }

    fn write(&self) -> RwLockWriteGuard<'_, Tensor> {
        self.0.write().unwrap_or_else(|e| e.into_inner())
    }

    /// The value now.
    pub fn get(&self) -> Tensor {
        self.read().clone()
    }

    /// Replaces the value.
    ///
    /// # Errors
    /// When shape or dtype is not that of the cell; nothing changes then.
    #[track_caller]
    pub fn set(&self, value: &Tensor) -> Result<()> {
        let mut slot = self.write();
        if value.shape() != slot.shape() {
            bail!(
                Shape,
                "set",
                "a value of shape {} does not fit a cell of shape {}",
                value.shape(),
                slot.shape()
            );
        }
        if value.dtype() != slot.dtype() {
            bail!(DType, "set", "a value of {} does not fit a cell of {}", value.dtype(), slot.dtype());
        }
        *slot = value.detach();
        Ok(())
    }

    /// Changes the values in place. Where somebody else holds the old ones, they are copied first (see
    /// [`copies_on_write`]).
    ///
    /// # Errors
    /// When `T` is not the cell's dtype.
    #[track_caller]
    pub fn update<T: Element, R>(&self, change: impl FnOnce(&mut [T]) -> R) -> Result<R> {
        Ok(change(self.write().make_mut::<T>()?))
    }
}
