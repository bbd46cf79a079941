//! Memory for images between two steps, kept for the next image.

use std::cell::RefCell;

use chainrule_tensor::Result;

use crate::allocate::too_large;

thread_local! {
    static FREE: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// A slice of so many numbers of no particular value.
pub(super) fn with_scratch<R>(
    operation: &str,
    len: usize,
    work: impl FnOnce(&mut [f32]) -> Result<R>,
) -> Result<R> {
    let mut memory = FREE.with_borrow_mut(Vec::pop).unwrap_or_default();
    let more = len.saturating_sub(memory.len());
    let result = match memory.try_reserve_exact(more) {
        Ok(()) => {
            memory.resize(len, 0.0);
            work(&mut memory)
        }
        Err(_) => Err(too_large(operation, len, size_of::<f32>())),
    };
    FREE.with_borrow_mut(|free| free.push(memory));
    result
}
