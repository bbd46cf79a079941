//! Arithmetic of long vectors.

use chainrule_kernels::{Buffer, parallel, update};
use chainrule_tensor::FloatElement;

/// Elements in a piece of work. Fixed, so that results never depend on the number of threads.
const PIECE: usize = 32_768;
/// Numbers that are added up side by side.
const LANES: usize = 8;

/// a·b, in `f64`.
pub(super) fn dot<T: FloatElement>(a: &[T], b: &[T]) -> f64 {
    let mut partial = Buffer::<f64>::zeros(a.len().div_ceil(PIECE));
    parallel::chunks_mut(&mut partial, 1, 0.3 * a.len() as f64, |i, out| {
        let range = i * PIECE..((i + 1) * PIECE).min(a.len());
        out[0] = dot_of_piece(&a[range.clone()], &b[range]);
    });
    partial.iter().sum()
}

fn dot_of_piece<T: FloatElement>(a: &[T], b: &[T]) -> f64 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a.to_f64() * b.to_f64();
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a.to_f64() * b.to_f64()).sum();
    sums.iter().sum::<f64>() + rest
}

/// y = y + factor·x
pub(super) fn add_scaled<T: FloatElement>(y: &mut [T], factor: f64, x: &[T]) {
    let factor = T::of(factor);
    update::in_place([y], x, 0.3, |[y], x| [y + factor * x]);
}

/// factor·x
pub(super) fn scaled<T: FloatElement>(factor: f64, x: &[T]) -> Buffer<T> {
    let mut y = Buffer::recycled(x.len());
    let factor = T::of(factor);
    update::in_place([&mut y], x, 0.3, |_, x| [factor * x]);
    y
}
