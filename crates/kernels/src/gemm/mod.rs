//! Matrix products: [`gemm`] and [`batched`].
//!
//! A product is cut into blocks that threads share, each computed on one thread (`packed`). Where the output is too
//! small for enough blocks the depth is cut too, into partial products that are added in order; how it is cut depends
//! on the sizes alone. So results are the same bits for every thread count.

pub(crate) mod cut;
mod number;
mod onto;
mod pack;
mod packed;
mod plan;
pub(crate) mod ready;
#[cfg(test)]
mod tests;
mod tile;
mod vector;

pub use number::GemmNumber;
pub use onto::Onto;

use crate::Buffer;
use crate::memory::OutOfMemory;
use crate::parallel::{self, SendPtr};
use plan::Plan;

/// A batch with at least this many matrices is shared out by matrices, a smaller one by blocks of each.
const LARGE_BATCH: usize = 16;

/// Read access to a matrix: element (i, j) is `data[offset + i · row_stride + j · column_stride]`.
///
/// Strides may have any value: 0 repeats a row or column, swapped strides transpose.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, T> {
    /// The memory.
    pub data: &'a [T],
    /// Index of the first element.
    pub offset: usize,
    /// Distance between vertical neighbours, in elements.
    pub row_stride: usize,
    /// Distance between horizontal neighbours, in elements.
    pub column_stride: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// A matrix whose rows of `columns` elements lie one after the other.
    pub fn row_major(data: &'a [T], columns: usize) -> Self {
        Matrix { data, offset: 0, row_stride: columns, column_stride: 1 }
    }

    /// Rows as columns, of the same memory.
    pub fn transposed(self) -> Self {
        Matrix { row_stride: self.column_stride, column_stride: self.row_stride, ..self }
    }

    /// The part that starts at (row, column), which must be an element.
    pub(crate) fn from(self, row: usize, column: usize) -> Self {
        Matrix { offset: self.offset + row * self.row_stride + column * self.column_stride, ..self }
    }

    /// Panics unless every element of `rows` × `columns` lies in the memory.
    fn check(&self, rows: usize, columns: usize, name: &str) {
        if rows == 0 || columns == 0 {
            return;
        }
        let last = (rows - 1)
            .checked_mul(self.row_stride)
            .zip((columns - 1).checked_mul(self.column_stride))
            .and_then(|(down, right)| self.offset.checked_add(down)?.checked_add(right));
        assert!(last.is_some_and(|last| last < self.data.len()), "{name} reaches beyond its memory");
    }
}

/// C = A·B + what it is added to, for A `[m, k]`, B `[k, n]` and C `[m, n]`, row-major.
///
/// With k = 0 the product is zero. Panics when C has another length than m·n, a row to add another than n, or an
/// operand reaches beyond its memory. The counterpart of `torch.mm` and `torch.addmm`.
///
/// # Errors
/// Where there is no memory for parts of a product of a vector.
pub fn gemm<'a, T: GemmNumber>(
    (m, n, k): (usize, usize, usize),
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    onto: impl Into<Onto<'a, T>>,
    c: &mut [T],
) -> Result<(), OutOfMemory> {
    let onto = onto.into();
    check((m, n, k), &a, &b, onto, c);
    if c.is_empty() {
        return Ok(());
    }
    if m == 1 && vector::suits(&b) {
        return vector::times_matrix((n, k), a, b, onto, c);
    }
    if n == 1 && vector::suits(&a.transposed()) {
        // C is a column here: a row to add is one number for all of it.
        let onto = match onto {
            Onto::Row(row) => {
                c.fill(row[0]);
                Onto::C(T::ONE)
            }
            other => other,
        };
        return vector::times_matrix((m, k), b.transposed(), a.transposed(), onto, c);
    }
    let plan = Plan::new((m, n, k), parallel::num_threads());
    if plan.tasks() == 1 {
        whole((m, n, k), a, b, onto, c);
    } else if plan.depth.pieces == 1 {
        blocks(&plan, 0, (n, a, b), onto, c);
    } else {
        // The depth is cut where C is a few blocks.
        let mut partial = Buffer::recycled(plan.depth.pieces * m * n);
        blocks(&plan, m * n, (n, a, b), Onto::Nothing, &mut partial);
        add_partial(&partial, n, onto, c);
    }
    Ok(())
}

/// `C[i] = A(i)·B(i) + what it is added to` for each i below `batch`; C is `[batch, m, n]`, row-major. See [`gemm`].
///
/// # Errors
/// Those of [`gemm`].
pub fn batched<'a, T: GemmNumber>(
    batch: usize,
    (m, n, k): (usize, usize, usize),
    a: impl Fn(usize) -> Matrix<'a, T> + Sync,
    b: impl Fn(usize) -> Matrix<'a, T> + Sync,
    onto: impl Into<Onto<'a, T>>,
    c: &mut [T],
) -> Result<(), OutOfMemory> {
    let onto = onto.into();
    assert_eq!(Some(c.len()), batch.checked_mul(m).and_then(|rows| rows.checked_mul(n)), "length of C");
    if c.is_empty() {
        return Ok(());
    }
    if batch < LARGE_BATCH {
        return c
            .chunks_exact_mut(m * n)
            .enumerate()
            .try_for_each(|(i, c)| gemm((m, n, k), a(i), b(i), onto, c));
    }
    let matrix_ns = nanoseconds((m, n, k));
    let group = ((10_000.0 / matrix_ns) as usize).clamp(1, batch);
    parallel::try_chunks_mut(c, group * m * n, matrix_ns * batch as f64, |i, c| {
        for (j, c) in c.chunks_exact_mut(m * n).enumerate() {
            let (a, b) = (a(i * group + j), b(i * group + j));
            check((m, n, k), &a, &b, onto, c);
            if (m == 1 && vector::suits(&b)) || (n == 1 && vector::suits(&a.transposed())) {
                gemm((m, n, k), a, b, onto, c)?;
            } else {
                whole((m, n, k), a, b, onto, c);
            }
        }
        Ok(())
    })
}

/// The estimated time of a product on one thread.
pub(crate) fn nanoseconds((m, n, k): (usize, usize, usize)) -> f64 {
    plan::nanoseconds(m, n, k)
}

fn check<T>(
    (m, n, k): (usize, usize, usize),
    a: &Matrix<'_, T>,
    b: &Matrix<'_, T>,
    onto: Onto<'_, T>,
    c: &[T],
) {
    assert_eq!(Some(c.len()), m.checked_mul(n), "length of C");
    if let Onto::Row(row) = onto {
        assert_eq!(row.len(), n, "length of the row to add");
    }
    a.check(m, k, "A");
    b.check(k, n, "B");
}

/// One product on the calling thread. The operands have been checked.
pub(crate) fn whole<'a, T: GemmNumber>(
    (m, n, k): (usize, usize, usize),
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    onto: impl Into<Onto<'a, T>>,
    c: &mut [T],
) {
    let onto = onto.into();
    check((m, n, k), &a, &b, onto, c);
    // SAFETY: the operands lie in their memory (checked), and C is m·n elements that we may write.
    unsafe { T::multiply((m, n, k), a, b, onto, c.as_mut_ptr(), n) }
}

/// The blocks of a plan; the partial product of depth part p is written at `c[p · part_len ..]`.
fn blocks<T: GemmNumber>(
    plan: &Plan,
    part_len: usize,
    (n, a, b): (usize, Matrix<'_, T>, Matrix<'_, T>),
    onto: Onto<'_, T>,
    c: &mut [T],
) {
    let base = SendPtr(c.as_mut_ptr());
    parallel::run(plan.tasks(), plan.nanoseconds, |task| {
        let (part, block) = (task % plan.depth.pieces, task / plan.depth.pieces);
        let rows = plan.rows.range(block / plan.columns.pieces);
        let columns = plan.columns.range(block % plan.columns.pieces);
        let depth = plan.depth.range(part);
        // SAFETY: the start of the block is an element of C.
        let c = unsafe { base.get().add(part * part_len + rows.start * n + columns.start) };
        let (a, b) = (a.from(rows.start, depth.start), b.from(depth.start, columns.start));
        let onto = onto.at_column(columns.start);
        // SAFETY: the whole operands lie in their memory (checked by `gemm`), so this part of them does; the
        // blocks of C are disjoint, each is run once, and `c` stays mutably borrowed until `run` returns.
        unsafe { T::multiply((rows.len(), columns.len(), depth.len()), a, b, onto, c, n) };
    });
}

/// C, of rows of n numbers, becomes the sum of the partial products and what they are added to, in order.
fn add_partial<T: GemmNumber>(partial: &[T], n: usize, onto: Onto<'_, T>, c: &mut [T]) {
    let (first, rest) = partial.split_at(c.len());
    match onto {
        Onto::Nothing => c.copy_from_slice(first),
        onto => {
            c.chunks_exact_mut(n).for_each(|row| onto.prepare(row));
            c.iter_mut().zip(first).for_each(|(c, &p)| *c = c.add(p));
        }
    }
    for part in rest.chunks_exact(c.len()) {
        c.iter_mut().zip(part).for_each(|(c, &p)| *c = c.add(p));
    }
}
