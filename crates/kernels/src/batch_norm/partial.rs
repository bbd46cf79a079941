//! A few numbers for each channel, from blocks of the input that threads share.

use std::ops::Range;

use super::{NS, PIECE, SHORT};
use crate::parallel;

/// Rows of `C·S` in a block, at least, where S is short.
const MIN_ROWS: usize = 256;
/// Columns in a task, at most, where S is short.
pub(super) const WIDTH: usize = 256;

/// What is computed for a block. Both methods give the same `K` numbers, of all positions in `rows` (a range
/// of the N dimension): one for each channel, the other for some neighbouring columns of `[N, C·S]`.
pub(super) trait Pass<const K: usize>: Sync {
    fn channel(&self, channel: usize, rows: Range<usize>) -> [f64; K];
    fn columns(&self, first: usize, rows: Range<usize>, out: &mut [[f64; K]]);
}

/// The results of all blocks: `[C, blocks]`, or `[blocks, C·S]` where S is short and there are several rows of it.
pub(super) struct Partial<const K: usize> {
    values: Vec<[f64; K]>,
    dims: [usize; 3],
    rows: usize,
}

/// Whether rows of `C·S` are worked on as a whole.
fn in_columns([n, _, s]: [usize; 3]) -> bool {
    s < SHORT && n > 1
}

impl<const K: usize> Partial<K> {
    /// Makes a pass over an `[N, C, S]` array that is not empty.
    pub(super) fn new(dims: [usize; 3], pass: &impl Pass<K>) -> Self {
        let [n, c, s] = dims;
        let ns = 2.0 * NS * (n * c * s) as f64;
        if in_columns(dims) {
            let rows = (PIECE / (c * s)).max(MIN_ROWS).min(n);
            let mut values = vec![[0.0; K]; n.div_ceil(rows) * c * s];
            parallel::chunks_mut(&mut values, WIDTH, ns, |i, values| {
                let mut done = 0;
                while done < values.len() {
                    let (block, column) = ((i * WIDTH + done) / (c * s), (i * WIDTH + done) % (c * s));
                    let width = (c * s - column).min(values.len() - done);
                    let rows = block * rows..((block + 1) * rows).min(n);
                    pass.columns(column, rows, &mut values[done..done + width]);
                    done += width;
                }
            });
            return Partial { values, dims, rows };
        }
        let rows = (PIECE / s).clamp(1, n);
        let blocks = n.div_ceil(rows);
        let mut values = vec![[0.0; K]; c * blocks];
        parallel::chunks_mut(&mut values, (PIECE / (rows * s)).max(1), ns, |i, values| {
            let first = i * (PIECE / (rows * s)).max(1);
            for (k, value) in values.iter_mut().enumerate() {
                let (channel, block) = ((first + k) / blocks, (first + k) % blocks);
                *value = pass.channel(channel, block * rows..((block + 1) * rows).min(n));
            }
        });
        Partial { values, dims, rows }
    }

    /// The results for one channel, each with the number of positions that it stands for.
    pub(super) fn of_channel(&self, channel: usize) -> impl Iterator<Item = (usize, [f64; K])> {
        let [n, c, s] = self.dims;
        let blocks = n.div_ceil(self.rows);
        let columns = in_columns(self.dims);
        let each = if columns { s } else { 1 };
        (0..blocks * each).map(move |i| {
            let (block, part) = (i / each, i % each);
            let rows = self.rows.min(n - block * self.rows);
            if columns {
                (rows, self.values[block * c * s + channel * s + part])
            } else {
                (rows * s, self.values[channel * blocks + block])
            }
        })
    }
}
