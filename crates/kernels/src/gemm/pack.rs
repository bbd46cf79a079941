//! Operands copied so that the innermost loop reads them in order.

use std::ops::Range;

use super::Matrix;
use super::cut::Cut;
use crate::prefetch;
use crate::register::{Register, Registers};

/// Where neighbouring lanes are neighbours in memory, so many steps of the depth are copied for all pieces before
/// the next ones: whole lines and pages are read, and few pages at a time.
const STEPS: usize = 8;
/// How many steps of the depth ahead memory is asked for.
const AHEAD: usize = 16;

/// `to[piece][l · step + i] = x[start of the piece + i][l]`, for l below `depth`, pieces being `step · depth` numbers
/// apart. From the last lane of a piece to the end of its register come any numbers.
///
/// # Safety
///
/// All elements x `[lanes, depth]` lie in its memory; whole pieces may be written, `step` being a multiple of the
/// register; the processor has the register.
#[inline(always)]
pub(super) unsafe fn pack<T: Registers, V: Register<T>>(
    x: Matrix<'_, T>,
    depth: usize,
    lanes: &Cut,
    step: usize,
    to: &mut [T],
) {
    let steps = if x.row_stride == 1 { STEPS } else { depth };
    for first in (0..depth).step_by(steps.max(1)) {
        let count = steps.min(depth - first);
        for i in 0..lanes.pieces {
            let range = lanes.range(i);
            let part = x.from(range.start, first);
            let to = to[(i * depth + first) * step..].as_mut_ptr();
            // SAFETY: the caller's promise.
            unsafe { piece::<T, V>(part, (range.len(), lanes.size - range.start), count, step, to) };
        }
    }
}

/// One piece of [`pack`], of `lanes` lanes, `readable` being there.
///
/// # Safety
///
/// As [`pack`].
#[inline(always)]
unsafe fn piece<T: Registers, V: Register<T>>(
    x: Matrix<'_, T>,
    (lanes, readable): (usize, usize),
    depth: usize,
    step: usize,
    to: *mut T,
) {
    // SAFETY: each branch reads elements of x only, or whole registers where the memory goes on; writes stay within
    // whole registers of the piece.
    unsafe {
        let data = x.data.as_ptr().add(x.offset);
        if x.row_stride == 1 && x.column_stride > 0 {
            // How many steps may be read in whole registers: near the end of the memory there may be none.
            let width = lanes.next_multiple_of(V::LEN);
            let memory = x.data.len() - x.offset;
            let whole = if memory < width { 0 } else { ((memory - width) / x.column_stride + 1).min(depth) };
            for l in 0..whole {
                let from = data.add(l * x.column_stride);
                for i in (0..width).step_by(V::LEN) {
                    prefetch::to_second_level(from.wrapping_add(AHEAD * x.column_stride + i));
                    V::load(from.add(i)).store(to.add(l * step + i));
                }
            }
            one_by_one(lanes, whole..depth, x, step, to);
        } else if x.column_stride == 1 && depth >= V::LEN {
            for first in (0..lanes).step_by(V::LEN) {
                let data = data.add(first * x.row_stride);
                if first + V::LEN <= readable {
                    columns::<T, V>(|i| data.add(i * x.row_stride), depth, to.add(first), step);
                } else {
                    // Lanes that are not there are the last again.
                    let last = readable - first - 1;
                    columns::<T, V>(|i| data.add(i.min(last) * x.row_stride), depth, to.add(first), step);
                }
            }
        } else {
            one_by_one(lanes, 0..depth, x, step, to);
        }
    }
}

/// `to[l · step + i] = lane(i)[l]` for each i below the length of a register and l below `depth`, at least as great.
///
/// # Safety
///
/// As [`pack`].
#[inline(always)]
unsafe fn columns<T: Registers, V: Register<T>>(
    lane: impl Fn(usize) -> *const T,
    depth: usize,
    to: *mut T,
    step: usize,
) {
    let mut l = 0;
    loop {
        // SAFETY: the caller's promise.
        unsafe { V::transpose(|i| lane(i).add(l), to.add(l * step), step) };
        if l + V::LEN == depth {
            break;
        }
        // The last block may overlap the one before.
        l = (l + V::LEN).min(depth - V::LEN);
    }
}

/// # Safety
///
/// As [`pack`].
#[inline(always)]
unsafe fn one_by_one<T: Registers>(
    lanes: usize,
    depth: Range<usize>,
    x: Matrix<'_, T>,
    step: usize,
    to: *mut T,
) {
    for i in 0..lanes {
        for l in depth.clone() {
            let at = x.offset + i * x.row_stride + l * x.column_stride;
            // SAFETY: the caller's promise.
            unsafe { *to.add(l * step + i) = *x.data.get_unchecked(at) };
        }
    }
}
