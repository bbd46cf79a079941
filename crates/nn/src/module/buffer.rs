//! [`Buffer`]: saved, not trained.

use std::sync::Arc;

use chainrule_tensor::{DType, Element, Result, Shape, Tensor, TensorCell};

/// A value that is part of a module's state dict and is not trained, such as a running mean (PyTorch:
/// `register_buffer`).
///
/// Cloning makes a second handle to the same value.
#[derive(Clone, Debug)]
pub struct Buffer(Arc<TensorCell>);

impl Buffer {
    /// A buffer with a first value, which also sets its shape and dtype.
    pub fn new(value: &Tensor) -> Buffer {
        Buffer(Arc::new(TensorCell::new(value)))
    }

    /// The value now, a constant. (Within the closure of the buffer's own [`update`](Buffer::update) there is none:
    /// numbers that are NaN, and the update is an error.)
    #[track_caller]
    pub fn tensor(&self) -> Tensor {
        self.0.get()
    }

    /// Replaces the value.
    ///
    /// # Errors
    /// When shape or dtype differs; nothing changes then.
    #[track_caller]
    pub fn set(&self, value: &Tensor) -> Result<()> {
        self.0.set(value)
    }

    /// Changes the values in place; see [`TensorCell::update`].
    ///
    /// # Errors
    /// When `T` is not the buffer's dtype.
    #[track_caller]
    pub fn update<T: Element, R>(&self, change: impl FnOnce(&mut [T]) -> R) -> Result<R> {
        self.0.update(change)
    }

    /// The sizes of the dimensions.
    pub fn shape(&self) -> Shape {
        self.0.shape().clone()
    }

    /// The type of the numbers.
    pub fn dtype(&self) -> DType {
        self.0.dtype()
    }

    /// Whether two handles are to the same value.
    pub fn is_same(&self, other: &Buffer) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
