//! The gradient of a weight is a sum over images. Threads share it out as partial sums, whose number depends on the sizes
//! alone, and which are added in order.

use super::Conv2dNumber;
use crate::elementwise;
use crate::gemm::cut::Cut;

/// At most this many partial sums, each the size of the weight.
const PARTS: usize = 16;
/// Estimated nanoseconds that are worth a partial sum of their own.
const PART_NS: f64 = 60_000.0;

/// So many images, or other units of a sum that is estimated to take `ns` nanoseconds, in parts.
pub(super) fn parts(units: usize, ns: f64) -> Cut {
    Cut::into(units, (ns / PART_NS).min(PARTS as f64) as usize, 1)
}

/// `sum` becomes that of the partial sums, which follow each other.
pub(super) fn add_up<T: Conv2dNumber>(partial: &[T], sum: &mut [T]) {
    let (first, rest) = partial.split_at(sum.len());
    sum.copy_from_slice(first);
    for part in rest.chunks_exact(sum.len()) {
        elementwise::update(sum, part, 0.3, |sum, x| sum + x);
    }
}
