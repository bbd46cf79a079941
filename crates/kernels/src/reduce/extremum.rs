//! The extreme value over a dimension, with the place where it stands.

use super::fold::{Blocks, block_rows, task_outputs};
use crate::lanes;
use crate::parallel;
use crate::simd::Kernel;
use crate::{Buffer, Number};

/// The estimated time for an element, in nanoseconds.
const NS: f64 = 0.4;

/// The largest (`larger`) or smallest value over n of a contiguous `[outer, n, inner]` array, and its index.
///
/// `values` and `indices` are `[outer, inner]`. Of equal values the first counts. A NaN is both the largest
/// and the smallest, and the first NaN counts. As `torch.max(dim)` and `torch.min(dim)`. Panics where n is 0
/// and there are outputs.
pub fn extremum<T: Number>(
    x: &[T],
    [outer, n, inner]: [usize; 3],
    larger: bool,
    values: &mut [T],
    indices: &mut [i64],
) {
    assert_eq!(x.len(), outer * n * inner, "input length");
    assert!(values.len() == outer * inner && indices.len() == outer * inner, "output lengths");
    assert!(n > 0 || values.is_empty(), "an extremum of no values");
    if values.is_empty() {
        return;
    }
    if larger {
        extremum_by(x, [outer, n, inner], values, indices, (T::maximum, |a: T, b: T| a > b));
    } else {
        extremum_by(x, [outer, n, inner], values, indices, (T::minimum, |a: T, b: T| a < b));
    }
}

/// With the choice of the extreme value of two, and whether a value beats another.
fn extremum_by<T: Number>(
    x: &[T],
    [outer, n, inner]: [usize; 3],
    values: &mut [T],
    indices: &mut [i64],
    (choose, beats): (impl Fn(T, T) -> T + Copy + Sync, impl Fn(T, T) -> bool + Copy + Sync),
) {
    let rows = block_rows(inner).min(n);
    let blocks = Blocks { n, rows, inner };
    let find = |values: &mut [T], indices: &mut [i64]| {
        let chunk = task_outputs(rows, inner);
        let ns = NS * x.len() as f64;
        parallel::chunks_mut2((values, chunk), (indices, chunk), ns, |i, values, indices| {
            let first = i * chunk;
            if inner == 1 {
                T::run(Rows { x, blocks, first, values, indices, choose });
            } else {
                T::run(Columns { x, blocks, first, values, indices, beats });
            }
        });
    };
    if rows == n {
        return find(values, indices);
    }
    let count = n.div_ceil(rows);
    let mut block_values = Buffer::<T>::recycled(outer * count * inner);
    let mut block_indices = Buffer::<i64>::recycled(outer * count * inner);
    find(&mut block_values, &mut block_indices);
    for i in 0..values.len() {
        let first = i / inner * count * inner + i % inner;
        (values[i], indices[i]) = (block_values[first], block_indices[first]);
        for block in 1..count {
            let at = first + block * inner;
            if wins(block_values[at], values[i], beats) {
                (values[i], indices[i]) = (block_values[at], block_indices[at]);
            }
        }
    }
}

/// Whether a later value takes the place of an earlier one.
#[inline(always)]
fn wins<T: Number>(later: T, earlier: T, beats: impl Fn(T, T) -> bool) -> bool {
    (beats(later, earlier) | later.is_nan()) & !earlier.is_nan()
}

struct Rows<'a, T, C> {
    x: &'a [T],
    blocks: Blocks,
    first: usize,
    values: &'a mut [T],
    indices: &'a mut [i64],
    choose: C,
}

impl<T: Number, C: Fn(T, T) -> T + Copy> Kernel for Rows<'_, T, C> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (k, (value, index)) in self.values.iter_mut().zip(self.indices).enumerate() {
            let (start, len) = self.blocks.at(self.first + k);
            let x = &self.x[start..start + len];
            // The value first, then where it stands: both searches vectorise, a combined one does not.
            let best = lanes::fold(x, x[0], |v| v, self.choose);
            let at = position(x, best);
            (*value, *index) = (x[at], ((start + at) % self.blocks.n) as i64);
        }
    }
}

/// Where `value`, which is in `x`, stands first; a NaN is found too.
#[inline(always)]
fn position<T: Number>(x: &[T], value: T) -> usize {
    let nan = value.is_nan();
    let found = |v: T| (v == value) | (nan & v.is_nan());
    let mut start = 0;
    for chunk in x.chunks(64) {
        if chunk.iter().fold(false, |any, &v| any | found(v)) {
            break;
        }
        start += chunk.len();
    }
    start + x[start..].iter().position(|&v| found(v)).expect("the extreme value is one of the values")
}

struct Columns<'a, T, B> {
    x: &'a [T],
    blocks: Blocks,
    first: usize,
    values: &'a mut [T],
    indices: &'a mut [i64],
    beats: B,
}

impl<T: Number, B: Fn(T, T) -> bool + Copy> Kernel for Columns<'_, T, B> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Blocks { n, inner, .. } = self.blocks;
        let mut done = 0;
        while done < self.values.len() {
            let (block, column) = ((self.first + done) / inner, (self.first + done) % inner);
            let width = (inner - column).min(self.values.len() - done);
            let (start, rows) = self.blocks.at(block);
            let row = |r: usize| &self.x[start + r * inner + column..][..width];
            let values = &mut self.values[done..done + width];
            let indices = &mut self.indices[done..done + width];
            let first = start / inner % n;
            values.copy_from_slice(row(0));
            indices.fill(first as i64);
            for r in 1..rows {
                let index = (first + r) as i64;
                for ((value, at), &v) in values.iter_mut().zip(indices.iter_mut()).zip(row(r)) {
                    let win = wins(v, *value, self.beats);
                    *value = if win { v } else { *value };
                    *at = if win { index } else { *at };
                }
            }
            done += width;
        }
    }
}
