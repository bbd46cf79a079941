//! Rows of a tensor, copied into a batch.

use chainrule_kernels::parallel;
use chainrule_tensor::{Element, Result, Tensor, dispatch};

use crate::loader::in_worker;

/// What it takes to copy a byte of a row, in nanoseconds: rows that lie apart come at the speed of memory and not of
/// caches.
const NS_PER_BYTE: f64 = 0.16;
/// Bytes copied as one task, about.
const TASK_BYTES: usize = 24 * 1024;
/// Rows copied side by side, and the bytes copied of one before the next has its turn: while one waits for memory, the
/// processor reads ahead in the others. A sixth faster than row after row.
const SIDE_BY_SIDE: usize = 4;
const PIECE_BYTES: usize = 512;

/// The rows of a contiguous tensor with these indices, all of them valid, as a new tensor outside any graph.
pub(crate) fn gather(source: &Tensor, indices: &[usize]) -> Result<Tensor> {
    dispatch!(source.dtype(), T => gather_rows::<T>(source, indices))
}

fn gather_rows<T: Element>(source: &Tensor, indices: &[usize]) -> Result<Tensor> {
    let row = source.shape()[1..].iter().product();
    let rows = source.as_slice::<T>()?;
    Tensor::build(source.shape().with_size(0, indices.len())?, |out: &mut [T]| {
        for_tasks(out, row, indices, |indices, out| {
            let together = out.chunks_mut(SIDE_BY_SIDE * row).zip(indices.chunks(SIDE_BY_SIDE));
            together.for_each(|(out, indices)| copy_rows(rows, row, indices, out));
        });
    })
}

fn copy_rows<T: Copy>(rows: &[T], row: usize, indices: &[usize], out: &mut [T]) {
    let piece = (PIECE_BYTES / size_of::<T>()).max(1);
    for start in (0..row).step_by(piece) {
        let end = (start + piece).min(row);
        for (to, &i) in out.chunks_exact_mut(row).zip(indices) {
            to[start..end].copy_from_slice(&rows[i * row..][start..end]);
        }
    }
}

/// Calls `write(index, row)` for each index and its row of `out`, on several threads where that pays.
pub(crate) fn for_rows<T: Send>(
    out: &mut [T],
    row: usize,
    indices: &[usize],
    write: impl Fn(usize, &mut [T]) + Sync,
) {
    for_tasks(out, row, indices, |indices, out| {
        out.chunks_exact_mut(row).zip(indices).for_each(|(to, &i)| write(i, to));
    });
}

/// Calls `write(indices, rows)` for some indices at a time and their rows of `out`, which are not empty.
fn for_tasks<T: Send>(
    out: &mut [T],
    row: usize,
    indices: &[usize],
    write: impl Fn(&[usize], &mut [T]) + Sync,
) {
    if row == 0 {
        return;
    }
    let row_bytes = row * size_of::<T>();
    // A loader's workers are the parallelism already.
    let ns = if in_worker() { 0.0 } else { NS_PER_BYTE * (row_bytes * indices.len()) as f64 };
    let rows_per_task = (TASK_BYTES / row_bytes).max(1).next_multiple_of(SIDE_BY_SIDE);
    parallel::chunks_mut(out, rows_per_task * row, ns, |task, piece| {
        write(&indices[task * rows_per_task..], piece);
    });
}
