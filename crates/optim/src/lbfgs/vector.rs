//! Arithmetic of long vectors.

pub(super) use chainrule_kernels::arrays::dot;
use chainrule_kernels::{Buffer, update};
use chainrule_tensor::FloatElement;

/// y = y + factor·x
pub(super) fn add_scaled<T: FloatElement>(y: &mut [T], factor: f64, x: &[T]) {
    let factor = T::of(factor);
    update::in_place([y], x, 0.3, move |[y], x| [y + factor * x]);
}

/// factor·x
pub(super) fn scaled<T: FloatElement>(factor: f64, x: &[T]) -> Buffer<T> {
    let mut y = Buffer::recycled(x.len());
    let factor = T::of(factor);
    update::in_place([&mut y], x, 0.3, move |_, x| [factor * x]);
    y
}
