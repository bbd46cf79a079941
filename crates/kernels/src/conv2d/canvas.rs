//! Planes copied with their padding, so that a kernel position is a constant distance in memory.
//!
//! In a plane that is padded, output positions numbered row by row with the *padded* width, and the inputs
//! that one kernel position (a *tap*) meets them with, are apart by the same distance everywhere. So
//! convolution needs no copy of the input for each tap (im2col): it reads one padded copy at shifted places,
//! in vectors that need not end where rows end. The few positions between rows are computed and thrown away.
//! With a stride the rows and columns are first sorted by their remainder, which makes it a convolution with
//! stride 1 in each remainder class.

use std::ops::Range;

/// Positions `start + i · step` for i below `count`, some of them possibly outside of a plane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lattice {
    pub(super) start: isize,
    pub(super) step: usize,
    pub(super) count: usize,
}

impl Lattice {
    fn at(&self, i: usize) -> isize {
        self.start + (i * self.step) as isize
    }

    /// The points with i in a range.
    pub(super) fn part(&self, range: Range<usize>) -> Self {
        Lattice { start: self.at(range.start), count: range.len(), ..*self }
    }

    /// With `by` more points before the first.
    pub(super) fn widened(&self, by: usize) -> Self {
        Lattice { start: self.start - (by * self.step) as isize, count: self.count + by, ..*self }
    }

    /// Which i give points in `0..size`.
    pub(super) fn inside(&self, size: usize) -> Range<usize> {
        let first_at_least = |bound: isize| {
            let distance = (bound - self.start).max(0) as usize;
            distance.div_ceil(self.step).min(self.count)
        };
        let start = first_at_least(0);
        start..first_at_least(size as isize).max(start)
    }
}

/// Copies the points of a lattice from a plane `[height, width]` to `out`, zero where they are outside.
pub(super) fn gather<T: crate::Number>(
    plane: &[T],
    width: usize,
    (rows, columns): (Lattice, Lattice),
    out: &mut [T],
) {
    let inside_rows = rows.inside(plane.len().checked_div(width).unwrap_or(0));
    let inside = columns.inside(width);
    let pitch = columns.count;
    if inside_rows.is_empty() || inside.is_empty() {
        return out.fill(T::ZERO);
    }
    let first = columns.at(inside.start) as usize;
    out[..inside_rows.start * pitch].fill(T::ZERO);
    out[inside_rows.end * pitch..].fill(T::ZERO);
    for r in inside_rows {
        let out = &mut out[r * pitch..][..pitch];
        let row = &plane[rows.at(r) as usize * width..][..width][first..];
        out[..inside.start].fill(T::ZERO);
        out[inside.end..].fill(T::ZERO);
        let out = &mut out[inside.clone()];
        if columns.step == 1 {
            copy(&row[..out.len()], out);
        } else {
            out.iter_mut().zip(row.iter().step_by(columns.step)).for_each(|(o, x)| *o = *x);
        }
    }
}

/// Writes a grid with rows `pitch` apart to the points of a lattice, all of them inside of the plane; row 0
/// of the plane is row `first_row` of the whole.
pub(super) fn scatter<T: Copy>(
    grid: &[T],
    pitch: usize,
    (rows, columns): (Lattice, Lattice),
    plane: &mut [T],
    (first_row, width): (usize, usize),
) {
    if columns.count == 0 {
        return;
    }
    for r in 0..rows.count {
        let grid = &grid[r * pitch..][..columns.count];
        let row = &mut plane[(rows.at(r) as usize - first_row) * width..][..width];
        let row = &mut row[columns.start as usize..];
        if columns.step == 1 {
            copy(grid, &mut row[..grid.len()]);
        } else {
            row.iter_mut().step_by(columns.step).zip(grid).for_each(|(o, x)| *o = *x);
        }
    }
}

/// A copy that does not call `memcpy`, which costs more than it does for the short rows of small images.
#[inline(always)]
fn copy<T: Copy>(from: &[T], to: &mut [T]) {
    let (from_blocks, from_rest) = from.as_chunks::<8>();
    let (to_blocks, to_rest) = to.as_chunks_mut::<8>();
    to_blocks.iter_mut().zip(from_blocks).for_each(|(to, from)| *to = *from);
    to_rest.iter_mut().zip(from_rest).for_each(|(to, from)| *to = *from);
}
