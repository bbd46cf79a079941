//! Arithmetic of long vectors.

pub(super) use chainrule_kernels::arrays::dot;
use chainrule_kernels::{Buffer, update};
use chainrule_tensor::{FloatElement, InOperation, Result};

use super::NAME;

/// y = y + factor·x
pub(super) fn add_scaled<T: FloatElement>(y: &mut [T], factor: f64, x: &[T]) {
    let factor = T::of(factor);
    update::in_place([y], x, 0.3, move |[y], x| [y + factor * x]);
}

/// factor·x
#[track_caller]
pub(super) fn scaled<T: FloatElement>(factor: f64, x: &[T]) -> Result<Buffer<T>> {
    let mut y = Buffer::try_recycled(x.len()).in_operation(NAME)?;
    let factor = T::of(factor);
    update::in_place([&mut y], x, 0.3, move |_, x| [factor * x]);
    Ok(y)
}
