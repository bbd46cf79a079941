//! Rows of a tensor, copied into a batch.

use chainrule_kernels::parallel;
use chainrule_tensor::{Element, Result, Tensor, dispatch};

use crate::loader::in_worker;

/// What it takes to copy a byte of a row, in nanoseconds, set so that a batch of 64 images of 28 × 28 numbers
/// stays on one thread: it takes about as long as waking another.
const NS_PER_BYTE: f64 = 0.1;
/// Bytes copied as one task.
const TASK_BYTES: usize = 64 * 1024;

/// The rows of a contiguous tensor with these indices, all of them valid, as a new tensor outside any graph.
pub(crate) fn gather(source: &Tensor, indices: &[usize]) -> Result<Tensor> {
    dispatch!(source.dtype(), T => gather_rows::<T>(source, indices))
}

fn gather_rows<T: Element>(source: &Tensor, indices: &[usize]) -> Result<Tensor> {
    let row = source.shape()[1..].iter().product();
    let rows = source.as_slice::<T>()?;
    Tensor::build(source.shape().with_size(0, indices.len()), |out: &mut [T]| {
        for_rows(out, row, indices, |i, to| to.copy_from_slice(&rows[i * row..][..row]));
    })
}

/// Calls `write(index, row)` for each index and its row of `out`, on several threads where that pays.
pub(crate) fn for_rows<T: Send>(
    out: &mut [T],
    row: usize,
    indices: &[usize],
    write: impl Fn(usize, &mut [T]) + Sync,
) {
    if row == 0 {
        return;
    }
    let row_bytes = row * size_of::<T>();
    // A loader's workers are the parallelism already.
    let ns = if in_worker() { 0.0 } else { NS_PER_BYTE * (row_bytes * indices.len()) as f64 };
    let rows_per_task = (TASK_BYTES / row_bytes).max(1);
    parallel::chunks_mut(out, rows_per_task * row, ns, |task, piece| {
        let indices = &indices[task * rows_per_task..];
        piece.chunks_exact_mut(row).zip(indices).for_each(|(to, &i)| write(i, to));
    });
}
