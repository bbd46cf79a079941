//! The output, and for each query the logarithm of its sum of exponentials.

use super::block::{MatrixMask, Scale, Scratch, Write, weight};
use super::{Attention, AttentionNumber, Inputs, KEYS, LogSum, Output, QUERIES, TASKS, Target};
use crate::gemm::cut::Cut;
use crate::gemm::ready::{Part, Product, copy, step, transpose};
use crate::memory::{OutOfMemory, total};
use crate::parallel::{self, SendPtr};
use crate::register::LINE;
use crate::simd::Kernel;
use crate::{Buffer, Float};

/// Queries in a task: each block of keys is laid out once in a task.
const ROWS: usize = 512;
/// Keys whose exponentials are added up before the sum is added to that of the others.
const TERMS: usize = 16;

/// softmax(scale · Q·Kᵀ + mask)·V into `out`, and ln Σ exp(scores) of each query into `log_sums` `[batch, queries]`, in two
/// parts.
///
/// A query that sees no key gives zeros, and 0 and +∞ for the logarithm, so that the exponential of a score minus it is 0.
/// The counterpart of `torch.nn.functional.scaled_dot_product_attention`.
///
/// # Errors
/// Where there is no memory for blocks of queries and keys as wide as they are.
pub fn forward<T: AttentionNumber>(
    attention: &Attention,
    inputs: Inputs<'_, T>,
    out: Output<'_, T>,
    log_sums: &mut [LogSum<T>],
) -> Result<(), OutOfMemory> {
    attention.check();
    let &Attention { batch, queries, value_width, .. } = attention;
    let out = Target::new(out, batch, (queries, value_width));
    assert_eq!(log_sums.len(), batch * queries, "length of the logarithms");
    let most = if batch < TASKS { (queries * batch / TASKS).min(ROWS) } else { ROWS };
    let pieces = Cut::of_at_most(queries, most.max(QUERIES), QUERIES);
    let log_sums = SendPtr(log_sums.as_mut_ptr());
    parallel::try_run(batch * pieces.pieces, attention.nanoseconds(1.0), |task| {
        let (matrix, rows) = (task / pieces.pieces, pieces.range(task % pieces.pieces));
        // SAFETY: these rows are of this task alone, and `log_sums` stays mutably borrowed until `run` returns.
        let log_sums = unsafe {
            std::slice::from_raw_parts_mut(log_sums.get().add(matrix * queries + rows.start), rows.len())
        };
        piece(attention, &inputs, (matrix, rows), &out, log_sums)
    })
}

/// Some queries of one matrix.
fn piece<T: AttentionNumber>(
    attention: &Attention,
    inputs: &Inputs<'_, T>,
    (matrix, rows): (usize, std::ops::Range<usize>),
    out: &Target<T>,
    log_sums: &mut [LogSum<T>],
) -> Result<(), OutOfMemory> {
    let &Attention { keys, width, value_width, causal, .. } = attention;
    let (query, key, value) = ((inputs.query)(matrix), (inputs.key)(matrix), (inputs.value)(matrix));
    let mask = inputs.mask.map(|mask| MatrixMask::new(mask, matrix));
    let block = KEYS.min(keys);
    let [key_step, value_step, query_step] = [block, value_width, QUERIES].map(step);
    let state_len = rows.len().next_multiple_of(QUERIES);
    let mut scratch = Buffer::try_recycled(total(&[
        (width, key_step + query_step),
        (block, value_step + query_step),
        (rows.len(), value_step),
        (2, state_len),
        (1, QUERIES),
    ])?)?;
    let mut scratch = Scratch(&mut scratch[..]);
    let (keys_across, values) = (scratch.take(width * key_step), scratch.take(block * value_step));
    let (queries_across, scores) = (scratch.take(width * query_step), scratch.take(block * query_step));
    let (most, sums) = (scratch.take(state_len), scratch.take(state_len));
    let (factors, mixed) = (scratch.take(QUERIES), scratch.take(rows.len() * value_step));
    most.fill(T::NEG_INFINITY);
    sums.fill(T::ZERO);
    if keys == 0 {
        mixed.fill(T::ZERO);
    }

    let seen = if causal { keys.min(rows.end) } else { keys };
    for first_key in (0..seen).step_by(KEYS) {
        let count = KEYS.min(seen - first_key);
        transpose(key.from(first_key, 0), (count, width), keys_across, key_step);
        copy(value.from(first_key, 0), (count, value_width), values, value_step);
        for first in (0..rows.len()).step_by(QUERIES) {
            let (m, first_query) = (QUERIES.min(rows.len() - first), rows.start + first);
            // Query i of the block sees the keys up to i + `ahead`.
            let ahead = first_query as isize - first_key as isize;
            let n = if causal { count.min((m as isize + ahead).max(0) as usize) } else { count };
            if n == 0 {
                continue;
            }
            transpose(query.from(first_query, 0), (m, width), queries_across, query_step);
            T::run(Scale { x: queries_across, factor: T::of(attention.scale) });
            Product {
                size: (n, m, width),
                a: (keys_across, key_step),
                b: (queries_across, query_step),
                c: (scores, query_step),
                add: false,
                part: if causal { Part::ColumnsFrom(-ahead) } else { Part::Whole },
            }
            .run();
            if let Some(mask) = &mask {
                mask.apply((first_query, first_key), (m, n), scores, (1, query_step));
            }
            let state = first..first + QUERIES;
            T::run(Online {
                scores,
                step: query_step,
                size: (m, n),
                ahead: causal.then_some(ahead),
                most: &mut most[state.clone()],
                sums: &mut sums[state],
                factors,
            });
            let mixed = &mut mixed[first * value_step..];
            if first_key > 0 {
                for (row, &factor) in mixed.chunks_exact_mut(value_step).zip(&factors[..m]) {
                    T::run(Scale { x: row, factor });
                }
            }
            Product {
                size: (m, value_width, n),
                a: (scores, query_step),
                b: (values, value_step),
                c: (mixed, value_step),
                add: first_key > 0,
                part: if causal { Part::DepthTo(ahead) } else { Part::Whole },
            }
            .run();
        }
    }
    T::run(LogSums { most, sums, log_sums });
    T::run(Write {
        rows: mixed,
        step: value_step,
        factor: |i| sums[i],
        // SAFETY: the rows of this task are its own, and the output stays borrowed until all tasks are done.
        out: |i| unsafe { out.row(matrix, rows.start + i) },
    });
    Ok(())
}

/// Sums of exponentials become what a row is to be multiplied with, and logarithms.
struct LogSums<'a, T> {
    most: &'a [T],
    sums: &'a mut [T],
    log_sums: &'a mut [LogSum<T>],
}

impl<T: Float> Kernel for LogSums<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for ((log_sum, sum), &most) in self.log_sums.iter_mut().zip(self.sums).zip(self.most) {
            let none = *sum == T::ZERO;
            *log_sum = if none { [T::ZERO, T::INFINITY] } else { [most, sum.ln()] };
            *sum = if none { T::ZERO } else { T::ONE / *sum };
        }
    }
}

/// Scores `[keys, queries]` become exponentials of what they lie above the largest so far; the sums go along.
struct Online<'a, T> {
    scores: &'a mut [T],
    step: usize,
    size: (usize, usize),
    /// Query i sees the keys up to i + this, where it does not see all.
    ahead: Option<isize>,
    most: &'a mut [T],
    sums: &'a mut [T],
    /// What the results so far are to be multiplied with.
    factors: &'a mut [T],
}

impl<T: AttentionNumber> Kernel for Online<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Online { scores, step, size: (m, n), ahead, most, sums, factors } = self;
        let lanes = |x| <[T]>::as_chunks_mut::<LINE>(x).0;
        let (most, sums, factors) = (lanes(most), lanes(sums), lanes(factors));
        for piece in 0..m.div_ceil(LINE) {
            let first = piece * LINE;
            let mut seen = n;
            if let Some(ahead) = ahead {
                let sees = |i: usize| ((i + 1) as isize + ahead).clamp(0, n as isize) as usize;
                seen = sees(first + LINE - 1);
                for j in sees(first)..seen {
                    let hidden = (j as isize - ahead) as usize - first;
                    scores[j * step + first..][..hidden].fill(T::NEG_INFINITY);
                }
                for j in seen..n {
                    scores[j * step + first..][..LINE].fill(T::ZERO);
                }
            }
            let before = most[piece];
            let mut largest = before;
            for j in 0..seen {
                let row = scores[j * step + first..].first_chunk::<LINE>().expect("a row has room for all");
                for i in 0..LINE {
                    // A NaN comes through in the exponentials.
                    largest[i] = if row[i] > largest[i] { row[i] } else { largest[i] };
                }
            }
            // Where all is hidden so far, nothing is to become a NaN.
            let mut shift = largest;
            shift.iter_mut().for_each(|s| *s = if *s == T::NEG_INFINITY { T::ZERO } else { *s });
            for i in 0..LINE {
                factors[piece][i] = weight(before[i] - shift[i]);
                sums[piece][i] *= factors[piece][i];
            }
            most[piece] = largest;
            for start in (0..seen).step_by(TERMS) {
                let mut part = [T::ZERO; LINE];
                for j in start..seen.min(start + TERMS) {
                    let row = scores[j * step + first..].first_chunk_mut::<LINE>().expect("as above");
                    for i in 0..LINE {
                        row[i] = weight(row[i] - shift[i]);
                        part[i] += row[i];
                    }
                }
                for i in 0..LINE {
                    sums[piece][i] += part[i];
                }
            }
        }
    }
}
