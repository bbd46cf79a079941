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
    let (start, end) = (inside_rows.start * pitch, inside_rows.end * pitch);
    if inside.len() < pitch {
        // Once for all rows: calls for the few elements beside each row cost more.
        out.fill(T::ZERO);
    } else {
        out[..start].fill(T::ZERO);
        out[end..].fill(T::ZERO);
    }
    let plane = &plane[rows.at(inside_rows.start) as usize * width..];
    let out = &mut out[start..end];
    if inside.len() == width && pitch == width && rows.step == 1 {
        return out.copy_from_slice(&plane[..out.len()]);
    }
    for (row, out) in plane.chunks(rows.step * width).zip(out.chunks_exact_mut(pitch)) {
        let (row, out) = (&row[first..], &mut out[inside.clone()]);
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
    let plane = &mut plane[(rows.start as usize - first_row) * width..];
    if columns.count == width && pitch == width && rows.step == 1 {
        return plane[..rows.count * width].copy_from_slice(&grid[..rows.count * width]);
    }
    for (row, grid) in plane.chunks_mut(rows.step * width).zip(grid.chunks(pitch)).take(rows.count) {
        let (row, grid) = (&mut row[columns.start as usize..], &grid[..columns.count]);
        if columns.step == 1 {
            copy(grid, &mut row[..grid.len()]);
        } else {
            row.iter_mut().step_by(columns.step).zip(grid).for_each(|(o, x)| *o = *x);
        }
    }
}

/// A copy without a call of `memcpy`, which costs more than it does for the short rows of small images. The last
/// block of a row overlaps the one before.
#[inline(always)]
pub(crate) fn copy<T: Copy>(from: &[T], to: &mut [T]) {
    match to.len() {
        16..=64 => copy_blocks::<T, 16>(from, to),
        8..=15 => copy_blocks::<T, 8>(from, to),
        4..=7 => copy_blocks::<T, 4>(from, to),
        _ => to.copy_from_slice(from),
    }
}

/// Copies one to four blocks of N, written out: the compiler makes a call of a loop.
#[inline(always)]
fn copy_blocks<T: Copy, const N: usize>(from: &[T], to: &mut [T]) {
    let len = to.len();
    let from = &from[..len];
    let mut block = |start: usize| to[start..start + N].copy_from_slice(&from[start..start + N]);
    block(0);
    if len > 2 * N {
        block(N);
    }
    if len > 3 * N {
        block(2 * N);
    }
    block(len - N);
}
