//! Products on one thread of operands that lie ready: in the order in which the innermost loop reads them, in rows of
//! whole lines of memory, so that nothing has to be copied and no edge needs a loop of its own.

use super::cut::Cut;
use super::pack::pack;
use super::tile::{Left, Operands, tile};
use super::{Matrix, Onto};
use crate::register::{self, Kernel, LINE, Register, Registers};

/// The distance between rows of `columns` numbers. It is an odd number of lines, so that rows do not compete for places
/// in the cache.
pub(crate) fn step(columns: usize) -> usize {
    (columns.div_ceil(LINE) | 1) * LINE
}

/// `to[l · step + i] = x[i][l]` for x `[rows, columns]`; see [`step`].
pub(crate) fn transpose<T: Registers>(
    x: Matrix<'_, T>,
    (rows, columns): (usize, usize),
    to: &mut [T],
    step: usize,
) {
    if rows == 0 || columns == 0 {
        return;
    }
    x.check(rows, columns, "a matrix to transpose");
    assert!(step >= rows.next_multiple_of(LINE) && step.is_multiple_of(LINE), "step");
    assert!(to.len() >= columns * step, "length of the transposed matrix");
    register::run(Transpose { x, size: (rows, columns), to, step });
}

/// `to[i · step + l] = x[i][l]` for x `[rows, columns]`; see [`step`].
pub(crate) fn copy<T: Registers>(
    x: Matrix<'_, T>,
    (rows, columns): (usize, usize),
    to: &mut [T],
    step: usize,
) {
    transpose(x.transposed(), (columns, rows), to, step);
}

struct Transpose<'a, T> {
    x: Matrix<'a, T>,
    size: (usize, usize),
    to: &'a mut [T],
    step: usize,
}

impl<T: Registers> Kernel<T> for Transpose<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Register<T>>(self) {
        let (rows, columns) = self.size;
        // SAFETY: the elements lie in their memory, and there is room for whole registers (`transpose`).
        unsafe { pack::<T, V>(self.x, columns, &Cut::into(rows, 1, 1), self.step, self.to) }
    }
}

/// Which terms of a product matter; others may be left out, and elements of which none matters are not written.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    Whole,
    /// Of row i the columns from i + this on.
    ColumnsFrom(isize),
    /// Of row i the columns up to i + this.
    ColumnsTo(isize),
    /// For row i the steps of the depth from i + this on.
    DepthFrom(isize),
    /// For row i the steps of the depth up to i + this.
    DepthTo(isize),
}

/// C = A·B, or C + A·B where `add` is set, for C `[m, n]`.
///
/// All rows lie [`step`] or as far apart as [`step`] of something longer; numbers between the end of a row of C and the
/// end of its last line are overwritten.
pub(crate) struct Product<'a, T> {
    pub(crate) size: (usize, usize, usize),
    /// A, transposed: `[k, m]`, and the distance between its rows.
    pub(crate) a: (&'a [T], usize),
    /// B `[k, n]`.
    pub(crate) b: (&'a [T], usize),
    pub(crate) c: (&'a mut [T], usize),
    pub(crate) add: bool,
    pub(crate) part: Part,
}

impl<T: Registers> Product<'_, T> {
    pub(crate) fn run(self) {
        let (m, n, k) = self.size;
        let width = n.next_multiple_of(LINE);
        let fits = |(len, step): (usize, usize), rows: usize, width: usize| {
            rows == 0 || width == 0 || (rows <= len && width <= step && (rows - 1) * step + width <= len)
        };
        assert!(fits((self.a.0.len(), self.a.1), k, m), "length of A");
        assert!(fits((self.b.0.len(), self.b.1), k, width), "length of B");
        assert!(fits((self.c.0.len(), self.c.1), m, width), "length of C");
        register::run(self);
    }
}

impl<T: Registers> Kernel<T> for Product<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Register<T>>(self) {
        let Product { size: (m, n, k), a: (a, a_step), b: (b, b_step), c: (c, c_step), add, part } = self;
        let tiles = Cut::of_at_most(m, V::TILE_ROWS, 1);
        let onto = if add { Onto::C(T::ONE) } else { Onto::Nothing };
        let place = |row: usize, shift: isize, most: usize| row.saturating_add_signed(shift).min(most);
        for i in 0..tiles.pieces {
            let rows = tiles.range(i);
            let (mut columns, mut depth) = (0..n, 0..k);
            match part {
                Part::Whole => {}
                Part::ColumnsFrom(shift) => columns.start = place(rows.start, shift, n),
                Part::ColumnsTo(shift) => columns.end = place(rows.end, shift, n),
                Part::DepthFrom(shift) => depth.start = place(rows.start, shift, k),
                Part::DepthTo(shift) => depth.end = place(rows.end, shift, k),
            }
            let operands = |column: usize| Operands {
                depth: depth.len(),
                a: Left::Columns(a.as_ptr().wrapping_add(depth.start * a_step + rows.start), a_step),
                b: b.as_ptr().wrapping_add(depth.start * b_step + column),
                b_step,
            };
            let mut column = columns.start / V::LEN * V::LEN;
            while column < columns.end {
                let width = if column + V::LEN < columns.end { 2 * V::LEN } else { V::LEN };
                let c = c.as_mut_ptr().wrapping_add(rows.start * c_step + column);
                // SAFETY: all rows of B and C go on to the end of a line, which is a multiple of the register, and
                // all of this part of the operands lies in their memory (`Product::run`).
                unsafe { tile::<T, V>((rows.len(), width), operands(column), onto, (c, c_step)) };
                column += width;
            }
        }
    }
}
