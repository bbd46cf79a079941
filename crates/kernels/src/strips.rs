//! Columns of an array as tasks: what to share out where the outer dimension alone is too short.

use std::marker::PhantomData;

use crate::parallel::{self, SendPtr};

/// Some neighbouring columns of an `[n, inner]` plane, to be written by one task.
pub(crate) struct Strip<'a, T> {
    first: *mut T,
    rows: usize,
    stride: usize,
    width: usize,
    owner: PhantomData<&'a mut [T]>,
}

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
    parallel::run(outer * strips, total_ns, |i| {
        let (plane, column) = (i / strips, i % strips * width);
        // SAFETY: plane < outer and column < inner, so the element is in `out`, which is not empty.
        let first = unsafe { base.get().add(plane * n * inner + column) };
        let width = width.min(inner - column);
        task(plane, column, Strip { first, rows: n, stride: inner, width, owner: PhantomData });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_is_in_one_strip() {
        for (dims, width) in [([2, 3, 10], 4), ([1, 5, 7], 7), ([3, 1, 1], 9), ([4, 2, 6], 1), ([2, 0, 3], 2)]
        {
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
