//! The inner product of both `forward` and `backward_input`: a matrix of weights times shifted canvases.

use crate::memory::OutOfMemory;
use crate::register::{self, Kernel, Register, Registers};
use crate::{Buffer, Number};

/// Rows of weights that are packed together.
pub(super) const BLOCK: usize = 8;
/// How far beyond the last position that counts memory is read and written: up to a whole register of the widest kind.
pub(super) const SLACK: usize = 16;

/// Weights `[rows, taps]` in blocks of [`BLOCK`] rows (the last filled with zeros), each block tap by tap.
pub(super) fn pack<T: Number>(rows: usize, taps: usize, out: &mut [T], weight: impl Fn(usize, usize) -> T) {
    for (block, out) in out.chunks_exact_mut((taps * BLOCK).max(1)).enumerate() {
        for (tap, out) in out.chunks_exact_mut(BLOCK).enumerate() {
            for (i, out) in out.iter_mut().enumerate() {
                let row = block * BLOCK + i;
                *out = if row < rows { weight(row, tap) } else { T::ZERO };
            }
        }
    }
}

/// The length that [`pack`] writes.
pub(super) fn packed_len(rows: usize, taps: usize) -> usize {
    rows.div_ceil(BLOCK) * BLOCK * taps
}

/// Memory for the results of one block of rows, for grids up to `len`.
pub(super) struct Grid<T: crate::Element> {
    data: Buffer<T>,
    pitch: usize,
}

impl<T: crate::Element> Grid<T> {
    pub(super) fn new(len: usize) -> Result<Self, OutOfMemory> {
        let pitch = len + SLACK;
        Ok(Grid { data: Buffer::try_recycled(BLOCK * pitch)?, pitch })
    }

    pub(super) fn row(&self, i: usize) -> &[T] {
        &self.data[i * self.pitch..][..self.pitch]
    }
}

/// `grid[i][q] = first[i] + Σ_t weights[t][i] · canvas[taps[t] + q]` for i below `rows` and q below `len`.
pub(super) struct Correlate<'a, T: crate::Element> {
    pub(super) canvas: &'a [T],
    pub(super) taps: &'a [usize],
    /// One packed block.
    pub(super) weights: &'a [T],
    pub(super) first: [T; BLOCK],
    pub(super) rows: usize,
    pub(super) len: usize,
    pub(super) grid: &'a mut Grid<T>,
}

// Loops over indices, not closures: a closure that is not inlined is compiled without the registers.
#[allow(clippy::needless_range_loop)]
impl<T: Registers> Correlate<'_, T> {
    pub(super) fn run(self) {
        assert_eq!(self.weights.len(), self.taps.len() * BLOCK);
        assert!(self.rows <= BLOCK && self.len + SLACK <= self.grid.pitch);
        let furthest = self.taps.iter().max().map_or(0, |tap| tap + self.len + SLACK);
        assert!(furthest <= self.canvas.len(), "a tap reaches beyond the canvas");
        register::run(self);
    }

    /// R rows of the block from `row` on.
    ///
    /// # Safety
    ///
    /// As [`Kernel::run`]; `row + R <= BLOCK`.
    #[inline(always)]
    unsafe fn rows<V: Register<T>, const R: usize>(&mut self, row: usize) {
        let registers = self.len.div_ceil(V::LEN);
        let mut done = 0;
        while done < registers {
            let q = done * V::LEN;
            // SAFETY: `q` is below `len`, so what the tile reads and writes, whole registers,
            // ends before `len + SLACK`; the rest is the caller's promise.
            unsafe {
                match registers - done {
                    1 => self.tile::<V, R, 1>(row, q),
                    2 | 4 => self.tile::<V, R, 2>(row, q),
                    _ => self.tile::<V, R, 3>(row, q),
                }
            }
            done += match registers - done {
                1 => 1,
                2 | 4 => 2,
                _ => 3,
            };
        }
    }

    /// R rows of N registers of results from position `q` on.
    ///
    /// # Safety
    ///
    /// As [`Self::rows`], and `q + N · V::LEN <= len + SLACK`.
    #[inline(always)]
    unsafe fn tile<V: Register<T>, const R: usize, const N: usize>(&mut self, row: usize, q: usize) {
        let canvas = self.canvas.as_ptr();
        let mut weights = self.weights.as_ptr();
        // SAFETY: the processor has the register (the caller's promise). Reads of the canvas end at
        // `tap + q + N · LEN <= tap + len + SLACK`, which `run` has checked; weights are BLOCK for each tap;
        // the grid has BLOCK rows of at least `len + SLACK` elements.
        unsafe {
            weights = weights.wrapping_add(row);
            let mut sums = [[V::splat(T::ZERO); N]; R];
            for r in 0..R {
                sums[r] = [V::splat(self.first[row + r]); N];
            }
            for &tap in self.taps {
                let p = canvas.add(tap + q);
                let mut x = [V::splat(T::ZERO); N];
                for n in 0..N {
                    x[n] = V::load(p.add(n * V::LEN));
                }
                for r in 0..R {
                    let w = V::splat(*weights.add(r));
                    for n in 0..N {
                        sums[r][n] = w.mul_add(x[n], sums[r][n]);
                    }
                }
                weights = weights.wrapping_add(BLOCK);
            }
            let out = self.grid.data.as_mut_ptr();
            for r in 0..R {
                for n in 0..N {
                    sums[r][n].store(out.add((row + r) * self.grid.pitch + q + n * V::LEN));
                }
            }
        }
    }
}

impl<T: Registers> Kernel<T> for Correlate<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Register<T>>(mut self) {
        let mut row = 0;
        while row < self.rows {
            let left = self.rows - row;
            // SAFETY: the caller's promise; the rows end within the block.
            unsafe {
                if left > 4 && V::ROWS == 8 {
                    self.rows::<V, 8>(row);
                    row += 8;
                } else if left > 1 {
                    self.rows::<V, 4>(row);
                    row += 4;
                } else {
                    self.rows::<V, 1>(row);
                    row += 1;
                }
            }
        }
    }
}
