//! Maximum pooling with windows of 2×2 that tile the plane.

use super::Pool2dShape;
use super::max::wins;
use crate::conv2d::canvas::copy;
use crate::simd::Kernel;
use crate::{Buffer, Float};

/// Rows with fewer windows are shorter than what the compiler makes registers full of: the upper rows of several rows
/// of windows are put one after the other first, and the lower ones.
const FEW: usize = 32;
/// Windows that are put together, in whole rows: what is needed for them stays in the first-level cache.
const TOGETHER: usize = 512;

/// Whether windows are of that kind.
pub(super) fn suits(shape: &Pool2dShape) -> bool {
    shape.kernel == [2, 2]
        && shape.stride == [2, 2]
        && shape.padding == [0, 0]
        && shape.dilation == [1, 1]
        && (0..2).all(|dim| 2 * shape.output[dim] <= shape.input[dim])
}

/// The greatest of each window, and its place.
pub(super) struct Halving<'a, T> {
    pub(super) shape: &'a Pool2dShape,
    pub(super) x: &'a [T],
    pub(super) out: &'a mut [T],
    pub(super) indices: &'a mut [i64],
}

impl<T: Float> Kernel for Halving<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let shape = self.shape;
        let ([_, width], [rows, columns]) = (shape.input, shape.output);
        let count = if columns < FEW { (TOGETHER / columns).min(rows) } else { 1 };
        let len = count * columns;
        // Where each window starts, counted from the first one.
        let mut places = Buffer::recycled(len);
        for (row, places) in places.chunks_exact_mut(columns).enumerate() {
            for (column, place) in places.iter_mut().enumerate() {
                *place = (2 * row * width + 2 * column) as i64;
            }
        }
        let staged = if count > 1 { 2 * len } else { 0 };
        let (mut upper, mut lower) = (Buffer::<T>::recycled(staged), Buffer::<T>::recycled(staged));
        let planes = self.x.chunks_exact(shape.input_plane());
        let outputs = self.out.chunks_exact_mut(shape.output_plane());
        let indices = self.indices.chunks_exact_mut(shape.output_plane());
        for ((x, out), indices) in planes.zip(outputs).zip(indices) {
            let mut first = 0;
            for (out, indices) in out.chunks_mut(len).zip(indices.chunks_mut(len)) {
                let x = &x[first..];
                let place = (first as i64, width as u32);
                if count == 1 {
                    let (upper, lower) = (&x[..2 * columns], &x[width..][..2 * columns]);
                    winners(upper, lower, &places, place, out, indices);
                } else {
                    let pairs = upper.chunks_exact_mut(2 * columns).zip(lower.chunks_exact_mut(2 * columns));
                    for (row, (upper, lower)) in pairs.enumerate().take(out.len() / columns) {
                        let x = &x[2 * row * width..];
                        copy(&x[..2 * columns], upper);
                        copy(&x[width..][..2 * columns], lower);
                    }
                    winners(&upper, &lower, &places, place, out, indices);
                }
                first += 2 * count * width;
            }
        }
    }
}

/// Windows whose upper rows follow each other, and their lower rows; `first` is the place of the first one.
#[inline(always)]
fn winners<T: Float>(
    upper: &[T],
    lower: &[T],
    places: &[i64],
    (first, width): (i64, u32),
    out: &mut [T],
    indices: &mut [i64],
) {
    let windows = upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0).zip(places);
    for (((&[a, b], &[c, d]), place), (out, index)) in windows.zip(out.iter_mut().zip(indices)) {
        // Each row's winner, then the winner of both: the same as one after the other.
        let (top, top_at) = if wins(b, a) { (b, 1) } else { (a, 0) };
        let (low, low_at) = if wins(d, c) { (d, width + 1) } else { (c, width) };
        let (best, at) = if wins(low, top) { (low, low_at) } else { (top, top_at) };
        *out = best;
        *index = place + first + i64::from(at);
    }
}
