//! The inner product of `backward_weight`: rows of gradients times shifted canvases, summed over positions.

use super::correlate::{BLOCK, SLACK};
use crate::register::{self, Kernel, Register, Registers};

/// Taps that are summed together.
pub(super) const TAPS: usize = 3;

/// How many rows of gradients must be there (those beyond the ones that count holding anything finite).
pub(super) fn whole_rows(rows: usize) -> usize {
    if rows == 1 { 1 } else { rows.next_multiple_of(BLOCK) }
}

/// Some number of equal pieces of memory, one after the other.
#[derive(Clone, Copy)]
pub(super) struct Pieces<'a, T> {
    pub(super) data: &'a [T],
    pub(super) len: usize,
}

/// `sums[o][t] += Σ_image Σ_q grad[image][o][q] · canvas[image][taps[t] + q]` for q below `len`.
pub(super) struct Dots<'a, T> {
    pub(super) images: usize,
    /// One piece for each image.
    pub(super) canvas: Pieces<'a, T>,
    /// One piece for each image and row; zeros from `len` to the end of a register.
    pub(super) grad: Pieces<'a, T>,
    pub(super) rows: usize,
    /// The taps that count, and more of any to make a multiple of [`TAPS`].
    pub(super) taps: &'a [usize],
    pub(super) taps_len: usize,
    pub(super) len: usize,
    /// `[rows, taps_len]`
    pub(super) sums: &'a mut [T],
}

// Loops over indices, not closures: a closure that is not inlined is compiled without the registers.
#[allow(clippy::needless_range_loop)]
impl<T: Registers> Dots<'_, T> {
    pub(super) fn run(self) {
        let Dots { images, canvas, grad, rows, taps, taps_len, len, .. } = self;
        let read = len.next_multiple_of(SLACK);
        assert!(read <= grad.len && images * whole_rows(rows) * grad.len <= grad.data.len());
        let furthest = taps.iter().max().map_or(0, |tap| tap + read);
        assert!(images > 0 && (images - 1) * canvas.len + furthest <= canvas.data.len());
        assert!(taps.len() == taps_len.next_multiple_of(TAPS) && self.sums.len() == rows * taps_len);
        register::run(self);
    }

    /// R rows from `row` on.
    ///
    /// # Safety
    ///
    /// As [`Kernel::run`]; `row + R <= whole_rows(rows)`.
    #[inline(always)]
    unsafe fn rows<V: Register<T>, const R: usize>(&mut self, row: usize) {
        for t in (0..self.taps.len()).step_by(TAPS) {
            // SAFETY: the caller's promise.
            let tile = unsafe { self.tile::<V, R>(row, t) };
            for (r, sums) in tile.iter().enumerate().take(self.rows - row) {
                let out = &mut self.sums[(row + r) * self.taps_len..][..self.taps_len];
                out[t..].iter_mut().zip(sums).for_each(|(out, sum)| *out += *sum);
            }
        }
    }

    /// The sums of R rows from `row` on with [`TAPS`] taps from `t` on.
    ///
    /// # Safety
    ///
    /// As [`Self::rows`]; `t` is a multiple of [`TAPS`] below the number of taps.
    #[inline(always)]
    unsafe fn tile<V: Register<T>, const R: usize>(&self, row: usize, t: usize) -> [[T; TAPS]; R] {
        let image_rows = whole_rows(self.rows);
        let taps = &self.taps[t..t + TAPS];
        // SAFETY: the processor has the register (the caller's promise). `run` has checked that each row of
        // each image, and each tap of each image, may be read up to `len` rounded up to the widest register.
        unsafe {
            let mut sums = [[V::splat(T::ZERO); TAPS]; R];
            for image in 0..self.images {
                let grad = self.grad.data.as_ptr().add((image * image_rows + row) * self.grad.len);
                let canvas = self.canvas.data.as_ptr().add(image * self.canvas.len);
                for q in (0..self.len).step_by(V::LEN) {
                    let mut x = [V::splat(T::ZERO); TAPS];
                    for i in 0..TAPS {
                        x[i] = V::load(canvas.add(taps[i] + q));
                    }
                    for r in 0..R {
                        let g = V::load(grad.add(r * self.grad.len + q));
                        for i in 0..TAPS {
                            sums[r][i] = g.mul_add(x[i], sums[r][i]);
                        }
                    }
                }
            }
            let mut totals = [[T::ZERO; TAPS]; R];
            for r in 0..R {
                for i in 0..TAPS {
                    totals[r][i] = sums[r][i].sum();
                }
            }
            totals
        }
    }
}

impl<T: Registers> Kernel<T> for Dots<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Register<T>>(mut self) {
        let mut row = 0;
        while row < self.rows {
            let left = self.rows - row;
            // SAFETY: the caller's promise; rows come in whole blocks, unless there is just one.
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
