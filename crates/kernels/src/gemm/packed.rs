//! A product of floats on one thread.
//!
//! Tiles of C stay in registers over a part of the depth. Both operands are read in blocks that stay in the second-level
//! cache: A in tiles of a few rows, B in panels as wide as two registers; those that are read often are copied
//! (packed) first, so that they lie in the order in which they are read. Every element of C is one chain of fused
//! multiply-adds along each part of the depth, the parts being added up in order: how C is cut does not show.

use super::cut::Cut;
use super::pack::pack;
use super::tile::{Left, Operands, tile};
use super::{Matrix, Onto};
use crate::Buffer;
use crate::register::{Kernel, Register, Registers};

/// The greatest part of the depth: so deep, a tile of A fills a third of a first-level cache of 48 KiB.
const DEPTH_BYTES: usize = 256 * 4;
/// A block of either operand: half of a second-level cache of 2 MiB.
const BLOCK_BYTES: usize = 1 << 20;
/// At multiples of this distance, lines of memory fall into the same few places of a first-level cache.
const CACHE_PERIOD: usize = 4096;
/// Tiles of A from which on it pays to copy B: B is read once for each, and where it lies its rows neither begin at lines
/// of the cache nor keep to few pages. Where each row is on a page of its own, two tiles are enough.
const TILES: usize = 6;
/// The memory that a processor finds with one entry of its table of addresses.
const PAGE_BYTES: usize = 4096;
/// Panels of B from which on it pays to copy A, for the same reasons.
const PANELS: usize = 6;

/// C = A·B + what it is added to.
pub(super) struct Product<'a, T> {
    pub(super) size: (usize, usize, usize),
    pub(super) a: Matrix<'a, T>,
    pub(super) b: Matrix<'a, T>,
    pub(super) onto: Onto<'a, T>,
    pub(super) c: *mut T,
    pub(super) c_stride: usize,
}

impl<T: Registers> Kernel<T> for Product<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Register<T>>(self) {
        let (m, n, k) = self.size;
        if k == 0 {
            // SAFETY: C may be written (the caller's promise).
            return unsafe { self.nothing() };
        }
        let depths = Cut::of_at_most(k, DEPTH_BYTES / size_of::<T>(), V::LEN);
        let block = BLOCK_BYTES / size_of::<T>() / depths.longest();
        let columns = Cut::of_at_most(n, block, 2 * V::LEN);
        let rows = Cut::of_at_most(m, block, V::TILE_ROWS);
        let tile_step = V::TILE_ROWS.next_multiple_of(V::LEN);
        let a_len = depths.longest() * rows.longest().div_ceil(V::TILE_ROWS) * tile_step;
        let b_len = depths.longest() * columns.longest();
        let mut packed = Buffer::<T>::recycled(a_len + b_len);
        let (packed_a, packed_b) = packed.split_at_mut(a_len);
        for part in 0..depths.pieces {
            for j in 0..columns.pieces {
                let columns = columns.range(j);
                for i in 0..rows.pieces {
                    let block = Block {
                        rows: rows.range(i),
                        columns: columns.clone(),
                        depth: depths.range(part),
                        packed_a: &mut *packed_a,
                        packed_b: &mut *packed_b,
                        b_is_packed: i > 0,
                    };
                    // SAFETY: the caller's promise.
                    unsafe { self.block::<V>(block) };
                }
            }
        }
    }
}

/// A part of the product: whole ranges of rows and columns, along a part of the depth.
struct Block<'a, T> {
    rows: std::ops::Range<usize>,
    columns: std::ops::Range<usize>,
    depth: std::ops::Range<usize>,
    packed_a: &'a mut [T],
    packed_b: &'a mut [T],
    /// Whether `packed_b` holds these columns already.
    b_is_packed: bool,
}

impl<T: Registers> Product<'_, T> {
    /// What a product without depth is, whose operands may have no memory.
    ///
    /// # Safety
    ///
    /// As [`Product::block`].
    unsafe fn nothing(&self) {
        for i in 0..self.size.0 {
            // SAFETY: a row of C, which we alone may write.
            let row = unsafe { std::slice::from_raw_parts_mut(self.c.add(i * self.c_stride), self.size.1) };
            self.onto.prepare(row);
        }
    }

    /// # Safety
    ///
    /// As [`Kernel::run`]; the operands and C are there (see [`multiply`](super::GemmNumber::multiply)).
    #[inline(always)]
    unsafe fn block<V: Register<T>>(&self, block: Block<'_, T>) {
        let Block { rows, columns, depth, packed_a, packed_b, b_is_packed } = block;
        let (top, depth, width) = (depth.start, depth.len(), 2 * V::LEN);
        let (a, b) = (self.a.from(rows.start, top), self.b.from(top, columns.start));
        let onto = if top > 0 { Onto::C(T::ONE) } else { self.onto.at_column(columns.start) };

        let tiles = Cut::of_at_most(rows.len(), V::TILE_ROWS, 1);
        let tile_step = V::TILE_ROWS.next_multiple_of(V::LEN);
        let panels = Cut::of_at_most(columns.len(), width, width);
        let a_lies = if panels.pieces >= PANELS {
            None
        } else if lies_well::<T>(a.transposed()) {
            Some(Left::Columns(a.data[a.offset..].as_ptr(), a.column_stride))
        } else if lies_well::<T>(a) {
            Some(Left::Rows(a.data[a.offset..].as_ptr(), a.row_stride))
        } else {
            None
        };
        if a_lies.is_none() {
            // SAFETY: this part of A lies in its memory (the caller's promise).
            unsafe { pack::<T, V>(a, depth, &tiles, tile_step, packed_a) };
        }
        // (Of rows in more than one block all blocks have more tiles than either, so they agree on what is packed.)
        let enough = if b.row_stride * size_of::<T>() < PAGE_BYTES { TILES } else { 2 };
        let b_lies_well = b.column_stride == 1 && tiles.pieces < enough;
        // The last panel may be narrower than what is read of it.
        let in_place = if b_lies_well { columns.len() / width } else { 0 };
        if !b_is_packed && in_place < panels.pieces {
            let rest = Matrix { offset: b.offset + in_place * width * b.column_stride, ..b };
            let rest_panels = Cut::of_at_most(columns.len() - in_place * width, width, width);
            // SAFETY: this part of B lies in its memory (the caller's promise).
            unsafe { pack::<T, V>(rest.transposed(), depth, &rest_panels, width, packed_b) };
        }
        for i in 0..tiles.pieces {
            let tile_rows = tiles.range(i);
            let a = match a_lies {
                Some(Left::Columns(a, step)) => Left::Columns(a.wrapping_add(tile_rows.start), step),
                Some(Left::Rows(a, stride)) => Left::Rows(a.wrapping_add(tile_rows.start * stride), stride),
                None => Left::Columns(packed_a[i * depth * tile_step..].as_ptr(), tile_step),
            };
            for j in 0..panels.pieces {
                let panel = panels.range(j);
                let (b, b_step) = if j < in_place {
                    (b.data[b.offset + panel.start..].as_ptr(), b.row_stride)
                } else {
                    (packed_b[(j - in_place) * depth * width..].as_ptr(), width)
                };
                let operands = Operands { depth, a, b, b_step };
                let start = (rows.start + tile_rows.start) * self.c_stride + columns.start + panel.start;
                // SAFETY: whole registers can be read of what was packed and of panels that are not the last; this
                // tile of C may be written (the caller's promise).
                unsafe {
                    let c = (self.c.add(start), self.c_stride);
                    tile::<T, V>((tile_rows.len(), panel.len()), operands, onto.at_column(panel.start), c);
                }
            }
        }
    }
}

/// Whether rows that are read together are contiguous and do not compete for places in the cache.
fn lies_well<T>(x: Matrix<'_, T>) -> bool {
    x.column_stride == 1 && !(x.row_stride * size_of::<T>()).is_multiple_of(CACHE_PERIOD)
}
