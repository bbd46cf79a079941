//! Columns of an array as tasks: what to share out where the outer dimension alone is too short.

use std::marker::PhantomData;

use crate::parallel::{self, SendPtr};

/// Elements in a piece of work, where strips are smaller.
const PIECE: usize = 16_384;

/// Some neighbouring columns of an `[n, inner]` plane, to be written by one task.
pub(crate) struct Strip<'a, T> {
    first: *mut T,
    rows: usize,
    stride: usize,
    width: usize,
    owner: PhantomData<&'a mut [T]>,
}

// SAFETY: a strip is the only way to its part of the plane, as a mutable slice would be.
unsafe impl<T: Send> Send for Strip<'_, T> {}

impl<T> Strip<'_, T> {
    /// The number of columns.
    #[inline(always)]
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// This strip's part of a row.
    #[inline(always)]
    pub(crate) fn row_mut(&mut self, row: usize) -> &mut [T] {
        assert!(row < self.rows, "row of a strip");
        // SAFETY: `strips_mut` made the strip inside of one plane, so that row `row` of it lies in the slice
        // that is borrowed for 'a, and no other strip has these columns of this plane.
        unsafe { std::slice::from_raw_parts_mut(self.first.add(row * self.stride), self.width) }
    }

    /// This strip's part of a row, to read, and of another one, to write.
    #[inline(always)]
    pub(crate) fn row_and_row_mut(&mut self, read: usize, write: usize) -> (&[T], &mut [T]) {
        assert!(read < self.rows && read != write, "rows of a strip");
        // SAFETY: as in `row_mut`; the two rows are different ones, so they do not overlap.
        let read = unsafe { std::slice::from_raw_parts(self.first.add(read * self.stride), self.width) };
        (read, self.row_mut(write))
    }
}

/// An `[n, inner]` plane cut into strips of `width` columns (the last may be narrower): for tasks that write parts of
/// several arrays.
pub(crate) fn strips<T>(
    plane: &mut [T],
    [n, inner]: [usize; 2],
    width: usize,
) -> impl Iterator<Item = Strip<'_, T>> {
    assert_eq!(plane.len(), n * inner, "plane length");
    let base = plane.as_mut_ptr();
    (0..inner).step_by(width).map(move |column| Strip {
        // Not `add`: of a plane without rows there is no such place.
        first: base.wrapping_add(column),
        rows: n,
        stride: inner,
        width: width.min(inner - column),
        owner: PhantomData,
    })
}

/// Cuts each `[n, inner]` plane of `out`, contiguous `[outer, n, inner]`, into strips of `width` columns (the
/// last may be narrower) and calls `task(plane, first column, strip)` for each; `total_ns` is as in
/// [`parallel::run`].
pub(crate) fn strips_mut<T: Send>(
    out: &mut [T],
    [outer, n, inner]: [usize; 3],
    width: usize,
    total_ns: f64,
    task: impl Fn(usize, usize, Strip<'_, T>) + Sync,
) {
    assert_eq!(out.len(), outer * n * inner, "output length");
    if out.is_empty() {
        return;
    }
    let base = SendPtr(out.as_mut_ptr());
    let strips = inner.div_ceil(width.max(1));
    // Small strips are done several at a time: they are not worth being shared out one by one.
    let together = (PIECE / (n * width.min(inner)).max(1)).max(1);
    parallel::run((outer * strips).div_ceil(together), total_ns, |piece| {
        for i in piece * together..((piece + 1) * together).min(outer * strips) {
            let (plane, column) = (i / strips, i % strips * width);
            // SAFETY: plane < outer and column < inner, so the element is in `out`, which is not empty.
            let first = unsafe { base.get().add(plane * n * inner + column) };
            let width = width.min(inner - column);
            task(plane, column, Strip { first, rows: n, stride: inner, width, owner: PhantomData });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_is_in_one_strip() {
        for (dims, width) in [
            ([if cfg!(miri) { 20 } else { 2000 }, 3, 10], 4),
            ([2, 3, 10], 4),
            ([1, 5, 7], 7),
            ([3, 1, 1], 9),
            ([4, 2, 6], 1),
            ([2, 0, 3], 2),
        ] {
            let mut out = vec![0; dims.iter().product()];
            strips_mut(&mut out, dims, width, 1e9, |plane, column, mut strip| {
                for row in 0..dims[1] {
                    for (j, v) in strip.row_mut(row).iter_mut().enumerate() {
                        *v += 1 + (plane * dims[1] + row) * dims[2] + column + j;
                    }
                }
            });
            assert!(out.iter().enumerate().all(|(i, &v)| v == i + 1));
        }
    }
}
