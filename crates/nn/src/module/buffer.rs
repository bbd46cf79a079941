//! [`Buffer`]: saved, not trained.

use std::sync::Arc;

use chainrule_tensor::{DType, Element, Result, Shape, Tensor, TensorCell};

/// A value that is part of a module's state dict and is not trained, such as a running mean (PyTorch:
/// `register_buffer`).
///
/// Cloning makes a second handle to the same value.
#[derive(Clone, Debug)]
pub struct Buffer {
    cell: Arc<TensorCell>,
    optional: bool,
}

impl Buffer {
    /// A buffer with a first value, which also sets its shape and dtype.
    pub fn new(value: &Tensor) -> Buffer {
        Buffer { cell: Arc::new(TensorCell::new(value)), optional: false }
    }

    /// A buffer that keeps its value where a state dict that is loaded has none for it: one that was added to a layer
    /// after state dicts had been saved, as `num_batches_tracked` was to PyTorch's batch normalisation.
    pub fn optional(value: &Tensor) -> Buffer {
        Buffer { optional: true, ..Buffer::new(value) }
    }

    /// Whether a state dict may lack the buffer.
    pub fn is_optional(&self) -> bool {
        self.optional
    }

    /// The value now, a constant. (Within the closure of the buffer's own [`update`](Buffer::update) there is none:
    /// numbers that are NaN, and the update is an error.)
    #[track_caller]
    pub fn tensor(&self) -> Tensor {
        self.cell.get()
    }

    /// Replaces the value.
    ///
    /// # Errors
    /// When shape or dtype differs; nothing changes then.
    #[track_caller]
    pub fn set(&self, value: &Tensor) -> Result<()> {
        self.cell.set(value)
    }

    /// Changes the values in place; see [`TensorCell::update`].
    ///
    /// # Errors
    /// When `T` is not the buffer's dtype.
    #[track_caller]
    pub fn update<T: Element, R>(&self, change: impl FnOnce(&mut [T]) -> R) -> Result<R> {
        self.cell.update(change)
    }

    /// The sizes of the dimensions.
    pub fn shape(&self) -> Shape {
        self.cell.shape().clone()
    }

    /// The type of the numbers.
    pub fn dtype(&self) -> DType {
        self.cell.dtype()
    }

    /// Whether two handles are to the same value.
    pub fn is_same(&self, other: &Buffer) -> bool {
        Arc::ptr_eq(&self.cell, &other.cell)
    }
}
