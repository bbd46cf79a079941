//! The one loop under sums, products, extreme values, any and all.
//!
//! A contiguous `[outer, n, inner]` array is folded over n. The n rows are cut into blocks of a size that
//! follows from `inner` alone; each block gives a partial result, and the partial results are folded by the
//! same loop. So one long row is shared by threads as well as many short ones are, the order of combination
//! is fixed by the sizes, and rounding errors grow with the size of a block, not with n.

use crate::lanes;
use crate::parallel;
use crate::simd::Kernel;
use crate::{Buffer, Element};

/// Elements in a block of a row.
const BLOCK: usize = 32_768;
/// The least number of rows in a block of columns, so that partial results stay few.
const MIN_ROWS: usize = 256;
/// Columns that are folded together: their accumulators stay in the first-level cache.
const WIDTH: usize = 1024;
/// Rows narrower than this are folded several at a time.
const NARROW: usize = 64;

/// What is folded: `combine(combine(identity, map(x₀)), map(x₁)) …`, where `combine` is associative but for
/// rounding.
#[derive(Clone, Copy)]
pub(super) struct Rule<A, M, C> {
    pub(super) identity: A,
    pub(super) map: M,
    pub(super) combine: C,
}

/// The number of rows of `inner` elements that make a block.
pub(super) fn block_rows(inner: usize) -> usize {
    if inner == 1 { BLOCK } else { (BLOCK / inner).max(MIN_ROWS) }
}

/// The number of outputs, each of a block of `rows` rows, that make a task: a multiple of `inner` where rows
/// are short, so that they are not cut.
pub(super) fn task_outputs(rows: usize, inner: usize) -> usize {
    let outputs = (BLOCK / rows.max(1)).max(1);
    if inner == 1 {
        outputs
    } else if inner <= WIDTH {
        outputs.div_ceil(inner) * inner
    } else {
        outputs.max(WIDTH)
    }
}

/// Folds `x`, contiguous `[outer, n, inner]`, over n into `out`, `[outer, inner]`; `ns` is the estimated time
/// for an element.
pub(super) fn fold<T, A, M, C>(
    x: &[T],
    [outer, n, inner]: [usize; 3],
    out: &mut [A],
    ns: f64,
    rule: Rule<A, M, C>,
) where
    T: Element,
    A: Element,
    M: Fn(T) -> A + Copy + Sync,
    C: Fn(A, A) -> A + Copy + Sync,
{
    assert_eq!(x.len(), outer * n * inner, "input length");
    assert_eq!(out.len(), outer * inner, "output length");
    out.fill(rule.identity);
    if x.is_empty() {
        return;
    }
    let rows = block_rows(inner);
    if n <= rows {
        return fold_blocks(x, [n, inner], n, out, ns, rule);
    }
    let mut partial = Buffer::<A>::recycled(outer * n.div_ceil(rows) * inner);
    fold_blocks(x, [n, inner], rows, &mut partial, ns, rule);
    let of_one_output = partial.len() / outer;
    for (out, partial) in out.chunks_exact_mut(inner).zip(partial.chunks_exact(of_one_output)) {
        for row in partial.chunks_exact(inner) {
            out.iter_mut().zip(row).for_each(|(out, &value)| *out = (rule.combine)(*out, value));
        }
    }
}

/// Folds each block of `rows` rows into `out`, `[outer, blocks, inner]`.
fn fold_blocks<T, A, M, C>(
    x: &[T],
    [n, inner]: [usize; 2],
    rows: usize,
    out: &mut [A],
    ns: f64,
    rule: Rule<A, M, C>,
) where
    T: Element,
    A: Element,
    M: Fn(T) -> A + Copy + Sync,
    C: Fn(A, A) -> A + Copy + Sync,
{
    let chunk = task_outputs(rows, inner);
    parallel::chunks_mut(out, chunk, ns * x.len() as f64, |i, out| {
        T::run(Task { x, blocks: Blocks { n, rows, inner }, first: i * chunk, out, rule });
    });
}

/// How the rows of each `[n, inner]` plane are cut.
#[derive(Clone, Copy)]
pub(super) struct Blocks {
    pub(super) n: usize,
    pub(super) rows: usize,
    pub(super) inner: usize,
}

impl Blocks {
    /// The first element and the number of rows of the block with this number, counted over all planes.
    #[inline(always)]
    pub(super) fn at(self, block: usize) -> (usize, usize) {
        let per_plane = self.n.div_ceil(self.rows);
        let (plane, block) = (block / per_plane, block % per_plane);
        let row = block * self.rows;
        ((plane * self.n + row) * self.inner, self.rows.min(self.n - row))
    }
}

/// A piece of the outputs.
struct Task<'a, T, A, M, C> {
    x: &'a [T],
    blocks: Blocks,
    first: usize,
    out: &'a mut [A],
    rule: Rule<A, M, C>,
}

impl<T, A, M, C> Kernel for Task<'_, T, A, M, C>
where
    T: Copy,
    A: Copy,
    M: Fn(T) -> A + Copy,
    C: Fn(A, A) -> A + Copy,
{
    type Output = ();
    #[inline(always)]
    fn run(self) {
        if self.blocks.inner == 1 { self.rows() } else { self.columns() }
    }
}

impl<T, A, M, C> Task<'_, T, A, M, C>
where
    T: Copy,
    A: Copy,
    M: Fn(T) -> A + Copy,
    C: Fn(A, A) -> A + Copy,
{
    /// Where inner is 1: each output is the fold of a contiguous run.
    #[inline(always)]
    fn rows(self) {
        let Rule { identity, map, combine } = self.rule;
        for (k, out) in self.out.iter_mut().enumerate() {
            let (start, len) = self.blocks.at(self.first + k);
            *out = lanes::fold(&self.x[start..start + len], identity, map, combine);
        }
    }

    /// Where inner is more than 1: whole rows are folded into a row of accumulators.
    #[inline(always)]
    fn columns(self) {
        let inner = self.blocks.inner;
        let mut done = 0;
        while done < self.out.len() {
            let (block, column) = ((self.first + done) / inner, (self.first + done) % inner);
            let width = (inner - column).min(WIDTH).min(self.out.len() - done);
            let (start, rows) = self.blocks.at(block);
            let x = &self.x[start..start + rows * inner];
            let mut sums = [self.rule.identity; WIDTH];
            if inner <= NARROW {
                narrow_columns(x, inner, &mut sums, self.rule.map, self.rule.combine);
            } else {
                columns(x, inner, column, &mut sums[..width], self.rule.map, self.rule.combine);
            }
            self.out[done..done + width].copy_from_slice(&sums[..width]);
            done += width;
        }
    }
}

/// Folds the columns from `column` on, as many as there are `sums`, of rows of `stride` elements.
#[inline(always)]
fn columns<T: Copy, A: Copy>(
    x: &[T],
    stride: usize,
    column: usize,
    sums: &mut [A],
    map: impl Fn(T) -> A,
    combine: impl Fn(A, A) -> A,
) {
    let width = sums.len();
    let row = |r: usize| &x[r * stride + column..][..width];
    let rows = x.len() / stride;
    // Four rows at a time: the accumulators are loaded and stored a quarter as often.
    for r in (0..rows / 4 * 4).step_by(4) {
        let (a, b, c, d) = (row(r), row(r + 1), row(r + 2), row(r + 3));
        for j in 0..width {
            let two = combine(combine(sums[j], map(a[j])), map(b[j]));
            sums[j] = combine(combine(two, map(c[j])), map(d[j]));
        }
    }
    for r in rows / 4 * 4..rows {
        for (sum, &v) in sums.iter_mut().zip(row(r)) {
            *sum = combine(*sum, map(v));
        }
    }
}

/// Folds rows of at most [`NARROW`] elements: several are taken as one wide row, to fill the vectors.
#[inline(always)]
fn narrow_columns<T: Copy, A: Copy>(
    x: &[T],
    inner: usize,
    sums: &mut [A; WIDTH],
    map: impl Fn(T) -> A + Copy,
    combine: impl Fn(A, A) -> A + Copy,
) {
    let group = (2 * NARROW / inner).min(x.len() / inner).max(1);
    let wide = group * inner;
    let grouped = x.len() / wide * wide;
    columns(&x[..grouped], wide, 0, &mut sums[..wide], map, combine);
    for j in inner..wide {
        sums[j % inner] = combine(sums[j % inner], sums[j]);
    }
    columns(&x[grouped..], inner, 0, &mut sums[..inner], map, combine);
}
