//! The gradients of queries, keys and values.

use std::ops::Range;

use super::block::{Dots, MatrixMask, Scale, Scratch, Write, weight};
use super::{Attention, AttentionNumber, Batch, Inputs, KEYS, LogSum, Output, QUERIES, TASKS, Target};
use crate::gemm::Matrix;
use crate::gemm::cut::Cut;
use crate::gemm::ready::{Part, Product, copy, step, transpose};
use crate::memory::{OutOfMemory, total};
use crate::parallel::{self, SendPtr};
use crate::register::LINE;
use crate::simd::Kernel;
use crate::{Buffer, Float};

/// What [`forward`](super::forward) gave, and the gradient of its output.
#[derive(Clone, Copy)]
pub struct Results<'a, T> {
    /// The output.
    pub out: &'a Batch<'a, T>,
    /// The logarithms.
    pub log_sums: &'a [LogSum<T>],
    /// The gradient of the output.
    pub grad: &'a Batch<'a, T>,
}

/// The gradients of queries, keys and values.
///
/// With P = exp(scores − logarithms) and D = Σ (grad ∘ out) over each row: dV = Pᵀ·grad, dS = P ∘ (grad·Vᵀ − D),
/// dQ = scale · dS·K and dK = scale · dSᵀ·Q.
///
/// # Errors
/// Where there is no memory for the parts of the queries' gradients, or for blocks as wide as queries and keys are.
pub fn backward<T: AttentionNumber>(
    attention: &Attention,
    inputs: Inputs<'_, T>,
    results: Results<'_, T>,
    [of_query, of_key, of_value]: [Output<'_, T>; 3],
) -> Result<(), OutOfMemory> {
    attention.check();
    let &Attention { batch, queries, keys, width, value_width, .. } = attention;
    assert_eq!(results.log_sums.len(), batch * queries, "length of the logarithms");
    let of_query = Target::new(of_query, batch, (queries, width));
    let of_key = Target::new(of_key, batch, (keys, width));
    let of_value = Target::new(of_value, batch, (keys, value_width));
    // A task has some keys and all queries; the parts of the queries' gradients are added up in order.
    let pieces = Cut::into(keys, if batch < TASKS { TASKS.div_ceil(batch.max(1)) } else { 1 }, KEYS);
    let parts_len = total(&[(queries, step(width))])?;
    let in_parts = if pieces.pieces > 1 { batch * pieces.pieces } else { 0 };
    let mut parts = Buffer::<T>::try_recycled(total(&[(in_parts, parts_len)])?)?;
    let base = SendPtr(parts.as_mut_ptr());
    let scale = T::of(attention.scale);
    parallel::try_run(batch * pieces.pieces, attention.nanoseconds(2.5), |task| {
        let (matrix, range) = (task / pieces.pieces, pieces.range(task % pieces.pieces));
        let mut own;
        let part = if pieces.pieces > 1 {
            // SAFETY: each task has a part of its own, and `parts` outlives `run`.
            unsafe { std::slice::from_raw_parts_mut(base.get().add(task * parts_len), parts_len) }
        } else {
            own = Buffer::try_recycled(parts_len)?;
            &mut own[..]
        };
        piece(attention, &inputs, &results, (matrix, range), part, (&of_key, &of_value))?;
        if pieces.pieces == 1 {
            // SAFETY: the whole matrix is of this task alone.
            unsafe { write(&of_query, matrix, 0, (part, step(width)), scale) };
        }
        Ok(())
    })?;
    if pieces.pieces > 1 {
        let ns = 0.3 * parts.len() as f64;
        let base = SendPtr(parts.as_mut_ptr());
        parallel::run(batch, ns, |matrix| {
            let len = pieces.pieces * parts_len;
            // SAFETY: each task has the parts of its own matrix, and `parts` outlives `run`.
            let parts = unsafe { std::slice::from_raw_parts_mut(base.get().add(matrix * len), len) };
            let (first, rest) = parts.split_at_mut(parts_len);
            for part in rest.chunks_exact(parts_len.max(1)) {
                first.iter_mut().zip(part).for_each(|(sum, &x)| *sum += x);
            }
            // SAFETY: as above.
            unsafe { write(&of_query, matrix, 0, (first, step(width)), scale) };
        });
    }
    Ok(())
}

/// Writes rows, times a factor, into a matrix from row `first` on.
///
/// # Safety
///
/// As [`Target::row`].
unsafe fn write<T: Float>(
    target: &Target<T>,
    matrix: usize,
    first: usize,
    (rows, step): (&[T], usize),
    factor: T,
) {
    // SAFETY: the caller's promise.
    T::run(Write { rows, step, factor: |_| factor, out: |i| unsafe { target.row(matrix, first + i) } });
}

/// Some keys of one matrix: their gradients, and their part of that of all queries, not scaled yet.
fn piece<T: AttentionNumber>(
    attention: &Attention,
    inputs: &Inputs<'_, T>,
    results: &Results<'_, T>,
    (matrix, range): (usize, Range<usize>),
    of_query: &mut [T],
    (of_key, of_value): (&Target<T>, &Target<T>),
) -> Result<(), OutOfMemory> {
    let &Attention { queries, width, value_width, causal, .. } = attention;
    let (query, key, value) = ((inputs.query)(matrix), (inputs.key)(matrix), (inputs.value)(matrix));
    let (out, grad) = ((results.out)(matrix), (results.grad)(matrix));
    let log_sums = &results.log_sums[matrix * queries..][..queries];
    let mask = inputs.mask.map(|mask| MatrixMask::new(mask, matrix));
    let scale = T::of(attention.scale);
    let (rows, block) = (QUERIES.min(queries), KEYS.min(range.len()));
    let [key_step, query_step, width_step, value_step] = [block, rows, width, value_width].map(step);
    let mut scratch = Buffer::try_recycled(total(&[
        (width + value_width, key_step + query_step),
        (rows + 2 * block, width_step),
        (2 * rows + block, value_step),
        (2 * rows, key_step),
        (block, query_step),
        (1, queries),
    ])?)?;
    let mut scratch = Scratch(&mut scratch[..]);
    let keys_across = scratch.take(width * key_step);
    let values_across = scratch.take(value_width * key_step);
    let queries_across = scratch.take(width * query_step);
    let grads_across = scratch.take(value_width * query_step);
    let query_rows = scratch.take(rows * width_step);
    let key_rows = scratch.take(block * width_step);
    let key_grads = scratch.take(block * width_step);
    let (grad_rows, out_rows) = (scratch.take(rows * value_step), scratch.take(rows * value_step));
    let value_grads = scratch.take(block * value_step);
    let (weights, slopes) = (scratch.take(rows * key_step), scratch.take(rows * key_step));
    let slopes_across = scratch.take(block * query_step);
    let dots = scratch.take(queries);
    of_query.fill(T::ZERO);

    for first_key in range.clone().step_by(KEYS) {
        let count = KEYS.min(range.end - first_key);
        transpose(key.from(first_key, 0), (count, width), keys_across, key_step);
        copy(key.from(first_key, 0), (count, width), key_rows, width_step);
        transpose(value.from(first_key, 0), (count, value_width), values_across, key_step);
        key_grads.fill(T::ZERO);
        value_grads.fill(T::ZERO);
        for first in (0..queries).step_by(QUERIES) {
            let m = QUERIES.min(queries - first);
            // Query i of the block sees the keys up to i + `ahead`.
            let ahead = first as isize - first_key as isize;
            let n = if causal { count.min((m as isize + ahead).max(0) as usize) } else { count };
            if n == 0 {
                continue;
            }
            let part = |part: Part| if causal { part } else { Part::Whole };
            transpose(query.from(first, 0), (m, width), queries_across, query_step);
            T::run(Scale { x: queries_across, factor: scale });
            copy(query.from(first, 0), (m, width), query_rows, width_step);
            transpose(grad.from(first, 0), (m, value_width), grads_across, query_step);
            copy(grad.from(first, 0), (m, value_width), grad_rows, value_step);
            let dots = &mut dots[first..first + m];
            if first_key == range.start {
                copy(out.from(first, 0), (m, value_width), out_rows, value_step);
                T::run(Dots { a: out_rows, b: grad_rows, step: value_step, columns: value_width, out: dots });
            }
            Product {
                size: (m, n, width),
                a: (queries_across, query_step),
                b: (keys_across, key_step),
                c: (weights, key_step),
                add: false,
                part: part(Part::ColumnsTo(ahead)),
            }
            .run();
            Product {
                size: (m, n, value_width),
                a: (grads_across, query_step),
                b: (values_across, key_step),
                c: (slopes, key_step),
                add: false,
                part: part(Part::ColumnsTo(ahead)),
            }
            .run();
            if let Some(mask) = &mask {
                mask.apply((first, first_key), (m, n), weights, (key_step, 1));
            }
            T::run(Slopes {
                weights,
                slopes,
                step: key_step,
                keys: n,
                ahead: causal.then_some(ahead),
                log_sums: &log_sums[first..first + m],
                dots,
            });
            Product {
                size: (n, value_width, m),
                a: (weights, key_step),
                b: (grad_rows, value_step),
                c: (value_grads, value_step),
                add: true,
                part: part(Part::DepthFrom(-ahead)),
            }
            .run();
            Product {
                size: (n, width, m),
                a: (slopes, key_step),
                b: (query_rows, width_step),
                c: (key_grads, width_step),
                add: true,
                part: part(Part::DepthFrom(-ahead)),
            }
            .run();
            transpose(Matrix::row_major(slopes, key_step), (m, n), slopes_across, query_step);
            Product {
                size: (m, width, n),
                a: (slopes_across, query_step),
                b: (key_rows, width_step),
                c: (&mut of_query[first * width_step..], width_step),
                add: true,
                part: part(Part::DepthTo(ahead)),
            }
            .run();
        }
        // SAFETY: these rows are of this task alone, and the outputs stay borrowed until all tasks are done.
        unsafe {
            write(of_key, matrix, first_key, (&key_grads[..count * width_step], width_step), scale);
            write(of_value, matrix, first_key, (&value_grads[..count * value_step], value_step), T::ONE);
        }
    }
    Ok(())
}

/// Scores become weights P, and gradients of weights those of scores: P ∘ (gradient − dot). Where the query does not
/// see the key both are 0.
struct Slopes<'a, T> {
    weights: &'a mut [T],
    slopes: &'a mut [T],
    step: usize,
    keys: usize,
    /// Query i sees the keys up to i + this, where it does not see all.
    ahead: Option<isize>,
    log_sums: &'a [LogSum<T>],
    dots: &'a [T],
}

impl<T: AttentionNumber> Kernel for Slopes<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Slopes { weights, slopes, step, keys, ahead, log_sums, dots } = self;
        let rows = weights.chunks_exact_mut(step).zip(slopes.chunks_exact_mut(step));
        for (i, ((weights, slopes), (&[most, log], &dot))) in rows.zip(log_sums.iter().zip(dots)).enumerate()
        {
            let seen = match ahead {
                Some(ahead) => ((i + 1) as isize + ahead).clamp(0, keys as isize) as usize,
                None => keys,
            };
            let whole = seen.next_multiple_of(LINE);
            let (weight_lanes, slope_lanes) = (&mut weights[..whole], &mut slopes[..whole]);
            for (weights, slopes) in
                weight_lanes.as_chunks_mut::<LINE>().0.iter_mut().zip(slope_lanes.as_chunks_mut::<LINE>().0)
            {
                for l in 0..LINE {
                    weights[l] = weight((weights[l] - most) - log);
                    slopes[l] = weights[l] * (slopes[l] - dot);
                }
            }
            if seen < keys {
                weights[seen..keys].fill(T::ZERO);
                slopes[seen..keys].fill(T::ZERO);
            }
        }
    }
}
