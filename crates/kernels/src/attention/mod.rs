//! Scaled dot-product attention: softmax(scale · Q·Kᵀ + mask) · V, without the matrix of all scores.
//!
//! Scores are computed for a block of queries and a block of keys at a time, which stay in the cache. Forward keeps for
//! each query the largest score so far and the sum of exponentials, and scales what it has down where a larger one
//! comes (Milakov and Gimelshein 2018; Dao et al. 2022). The logarithm of the sum is kept for the way back, which
//! computes the scores again. Blocks, and within them tiles, that a causal mask hides are left out.

mod backward;
mod block;
mod forward;
#[cfg(test)]
mod tests;

pub use backward::{Results, backward};
pub use forward::forward;

use crate::gemm::Matrix;
use crate::parallel::SendPtr;
use crate::register::Registers;

/// Queries in a block.
const QUERIES: usize = 64;
/// Keys in a block.
const KEYS: usize = 128;
/// Fewer matrices than this are cut into pieces, to have enough to share.
const TASKS: usize = 16;

/// A number that attention is computed with: `f32` and `f64`.
#[allow(private_bounds)]
pub trait AttentionNumber: Registers {
    /// The exponential of less than this is taken to be 0: computing with numbers below the least normal one takes
    /// a hundred times as long, and weights are fractions of 1.
    const LEAST: Self;
}

impl AttentionNumber for f32 {
    const LEAST: f32 = -87.0;
}

impl AttentionNumber for f64 {
    const LEAST: f64 = -708.0;
}

/// The sizes and options of an attention.
#[derive(Clone, Copy, Debug)]
pub struct Attention {
    /// How many matrices of each kind there are.
    pub batch: usize,
    /// Rows of a matrix of queries.
    pub queries: usize,
    /// Rows of a matrix of keys and of one of values.
    pub keys: usize,
    /// Columns of queries and keys.
    pub width: usize,
    /// Columns of values.
    pub value_width: usize,
    /// Whether query i sees only the keys up to i.
    pub causal: bool,
    /// What scores are multiplied with.
    pub scale: f64,
}

impl Attention {
    /// Panics where a size that follows from these is beyond all addresses, so that none is computed wrongly.
    fn check(&self) {
        let Attention { batch, queries, keys, width, value_width, .. } = *self;
        for rows in [queries, keys] {
            for columns in [1, width, value_width] {
                let len = [batch, rows, columns].iter().try_fold(1usize, |len, &n| len.checked_mul(n.max(1)));
                assert!(len.is_some_and(|len| len <= isize::MAX as usize / 8), "sizes beyond all addresses");
            }
        }
    }

    /// The estimated time of so many products of the size of the scores.
    fn nanoseconds(&self, products: f64) -> f64 {
        let scores =
            self.batch as f64 * self.queries as f64 * self.keys as f64 * if self.causal { 0.5 } else { 1.0 };
        scores * (1.0 + products * (self.width as f64 + self.value_width as f64) / 80.0)
    }
}

/// The logarithm of the sum of the exponentials of a query's scores: the largest score, and the logarithm of the sum of the
/// exponentials of the differences to it. Apart, since of scores that are all near the least number, as a mask may make
/// them, their sum would lose it.
pub type LogSum<T> = [T; 2];

/// A matrix for each index below the batch.
pub type Batch<'a, T> = dyn Fn(usize) -> Matrix<'a, T> + Sync + 'a;

/// What attention looks at.
#[derive(Clone, Copy)]
pub struct Inputs<'a, T> {
    /// Q `[queries, width]`
    pub query: &'a Batch<'a, T>,
    /// K `[keys, width]`
    pub key: &'a Batch<'a, T>,
    /// V `[keys, value_width]`
    pub value: &'a Batch<'a, T>,
    /// The mask, if there is one.
    pub mask: Option<Mask<'a, T>>,
}

/// A mask `[queries, keys]`.
#[derive(Clone, Copy)]
pub enum Mask<'a, T> {
    /// Where false, the query does not see the key.
    Keep(&'a Batch<'a, bool>),
    /// Added to the scores, after they were scaled.
    Add(&'a Batch<'a, T>),
}

/// Matrices to be written: `[batch / heads, rows, heads, columns]`, so that with one head each lies by itself, and
/// otherwise those of all heads lie side by side.
pub struct Output<'a, T> {
    /// The memory.
    pub data: &'a mut [T],
    /// How many matrices lie side by side.
    pub heads: usize,
}

/// An [`Output`] that tasks share.
struct Target<T> {
    base: SendPtr<T>,
    len: usize,
    heads: usize,
    rows: usize,
    columns: usize,
}

impl<T> Target<T> {
    fn new(output: Output<'_, T>, batch: usize, (rows, columns): (usize, usize)) -> Self {
        let Output { data, heads } = output;
        assert_eq!(data.len(), batch * rows * columns, "length of an output");
        assert!(batch.is_multiple_of(heads), "{batch} matrices of {heads} heads");
        Target { base: SendPtr(data.as_mut_ptr()), len: data.len(), heads, rows, columns }
    }

    /// A row of a matrix.
    ///
    /// # Safety
    ///
    /// The memory that the target was made of is still borrowed, and nobody else has this row.
    // The mutable slice is of memory that is not behind `self`.
    #[allow(clippy::mut_from_ref)]
    unsafe fn row(&self, matrix: usize, row: usize) -> &mut [T] {
        let (outer, head) = (matrix / self.heads, matrix % self.heads);
        let start = ((outer * self.rows + row) * self.heads + head) * self.columns;
        assert!(row < self.rows && start + self.columns <= self.len, "a row within the output");
        // SAFETY: within the memory (asserted), which is ours alone (the caller's promise).
        unsafe { std::slice::from_raw_parts_mut(self.base.get().add(start), self.columns) }
    }
}
