//! What forward and backward do with a block of scores.

use super::{AttentionNumber, Mask};
use crate::Float;
use crate::gemm::Matrix;
use crate::register::LINE;
use crate::simd::Kernel;

/// Pieces of one buffer.
pub(super) struct Scratch<'a, T>(pub(super) &'a mut [T]);

impl<'a, T> Scratch<'a, T> {
    pub(super) fn take(&mut self, len: usize) -> &'a mut [T] {
        let (piece, rest) = std::mem::take(&mut self.0).split_at_mut(len);
        self.0 = rest;
        piece
    }
}

/// A mask for one matrix of scores.
#[derive(Clone, Copy)]
pub(super) enum MatrixMask<'a, T> {
    Keep(Matrix<'a, bool>),
    Add(Matrix<'a, T>),
}

impl<'a, T: Float> MatrixMask<'a, T> {
    pub(super) fn new(mask: Mask<'a, T>, matrix: usize) -> Self {
        match mask {
            Mask::Keep(keep) => MatrixMask::Keep(keep(matrix)),
            Mask::Add(add) => MatrixMask::Add(add(matrix)),
        }
    }

    /// Masks the scores of `size` queries and keys from `start` on: of query i and key j at
    /// `scores[i · steps.0 + j · steps.1]`.
    pub(super) fn apply(
        &self,
        start: (usize, usize),
        size: (usize, usize),
        scores: &mut [T],
        steps: (usize, usize),
    ) {
        match self {
            MatrixMask::Keep(keep) => {
                let keep = keep.from(start.0, start.1);
                each(keep, size, scores, steps, |s, keep| if keep { s } else { T::NEG_INFINITY });
            }
            MatrixMask::Add(add) => each(add.from(start.0, start.1), size, scores, steps, |s, m| s + m),
        }
    }
}

#[inline(always)]
fn each<T: Copy, M: Copy>(
    mask: Matrix<'_, M>,
    (queries, keys): (usize, usize),
    scores: &mut [T],
    steps: (usize, usize),
    f: impl Fn(T, M) -> T,
) {
    // The scores in the order in which they lie.
    let (mask, rows, columns, step) = if steps.1 == 1 {
        (mask, queries, keys, steps.0)
    } else {
        (mask.transposed(), keys, queries, steps.1)
    };
    for r in 0..rows {
        let scores = &mut scores[r * step..][..columns];
        let start = mask.offset + r * mask.row_stride;
        match mask.column_stride {
            0 => {
                let value = mask.data[start];
                scores.iter_mut().for_each(|s| *s = f(*s, value));
            }
            1 => {
                let values = &mask.data[start..][..columns];
                scores.iter_mut().zip(values).for_each(|(s, &m)| *s = f(*s, m));
            }
            stride => {
                for (s, &m) in scores.iter_mut().zip(mask.data[start..].iter().step_by(stride)) {
                    *s = f(*s, m);
                }
            }
        }
    }
}

/// x times a number.
pub(super) struct Scale<'a, T> {
    pub(super) x: &'a mut [T],
    pub(super) factor: T,
}

impl<T: Float> Kernel for Scale<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for x in self.x {
            *x *= self.factor;
        }
    }
}

/// eˣ, or 0 where that is nearly 0.
#[inline(always)]
pub(super) fn weight<T: AttentionNumber>(x: T) -> T {
    // A NaN is not less, so it stays.
    let least = x < T::LEAST;
    let y = (if least { T::LEAST } else { x }).exp();
    if least { T::ZERO } else { y }
}

/// Rows times a factor each, written elsewhere.
pub(super) struct Write<'a, T, F, O> {
    pub(super) rows: &'a [T],
    pub(super) step: usize,
    pub(super) factor: F,
    pub(super) out: O,
}

impl<'a, T: Float, F: Fn(usize) -> T, O: Fn(usize) -> &'a mut [T]> Kernel for Write<'a, T, F, O> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (i, row) in self.rows.chunks_exact(self.step).enumerate() {
            let factor = (self.factor)(i);
            (self.out)(i).iter_mut().zip(row).for_each(|(out, &x)| *out = x * factor);
        }
    }
}

/// Σ a ∘ b over the first columns of rows.
pub(super) struct Dots<'a, T> {
    pub(super) a: &'a [T],
    pub(super) b: &'a [T],
    pub(super) step: usize,
    pub(super) columns: usize,
    pub(super) out: &'a mut [T],
}

impl<T: Float> Kernel for Dots<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Dots { a, b, step, columns, out } = self;
        for ((a, b), out) in a.chunks_exact(step).zip(b.chunks_exact(step)).zip(out) {
            let (a, a_rest) = a[..columns].as_chunks::<LINE>();
            let (b, b_rest) = b[..columns].as_chunks::<LINE>();
            let mut sums = [0.0; LINE];
            for (a, b) in a.iter().zip(b) {
                for l in 0..LINE {
                    sums[l] += (a[l] * b[l]).to_f64();
                }
            }
            let rest: f64 = a_rest.iter().zip(b_rest).map(|(&a, &b)| (a * b).to_f64()).sum();
            *out = T::from_f64(sums.iter().fold(rest, |sum, x| sum + x));
        }
    }
}
