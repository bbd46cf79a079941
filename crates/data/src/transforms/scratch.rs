//! Memory for images between two steps, kept for the next image.

use std::cell::RefCell;

thread_local! {
    static FREE: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// A slice of so many numbers of no particular value.
pub(super) fn with_scratch<R>(len: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    let mut memory = FREE.with_borrow_mut(Vec::pop).unwrap_or_default();
    memory.resize(len, 0.0);
    let result = work(&mut memory);
    FREE.with_borrow_mut(|free| free.push(memory));
    result
}
