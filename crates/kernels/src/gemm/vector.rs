//! A row vector times a matrix, limited by how fast the matrix can be read.
//!
//! General matrix kernels copy the matrix and pad the vector to a block of rows; these read it once.

use super::cut::Cut;
use super::{GemmNumber, Matrix, Onto, add_partial};
use crate::memory::{OutOfMemory, total};
use crate::parallel;
use crate::simd::Kernel;
use crate::{Buffer, Number};

/// Elements of the matrix in one task.
const TASK: usize = 1 << 16;
/// The fewest columns in a task.
const COLUMNS: usize = 256;
/// Independent partial sums of a dot product.
const LANES: usize = 32;

/// Whether the rows or the columns of the matrix are contiguous.
pub(super) fn suits<T>(b: &Matrix<'_, T>) -> bool {
    b.column_stride == 1 || b.row_stride == 1
}

/// c = x·B + what it is added to, for the first row x `[k]` of a matrix, B `[k, n]` that [`suits`], and c `[n]`.
///
/// # Errors
/// Where there is no memory for a copy of x or for parts of the sums.
pub(super) fn times_matrix<T: GemmNumber>(
    (n, k): (usize, usize),
    x: Matrix<'_, T>,
    b: Matrix<'_, T>,
    onto: Onto<'_, T>,
    c: &mut [T],
) -> Result<(), OutOfMemory> {
    let copy;
    let x = if k == 0 {
        &[]
    } else if x.column_stride == 1 {
        &x.data[x.offset..][..k]
    } else {
        let mut contiguous = Buffer::try_recycled(k)?;
        for (l, out) in contiguous.iter_mut().enumerate() {
            *out = x.data[x.offset + l * x.column_stride];
        }
        copy = contiguous;
        &copy[..]
    };
    let ns = 0.1 * n as f64 * k as f64;
    let tasks = n.saturating_mul(k).div_ceil(TASK);
    let columns = Cut::into(n, tasks, COLUMNS);
    let depth = Cut::into(k, (tasks / columns.pieces).clamp(1, 64), LANES);
    // One part that is added to nothing is C itself.
    let in_place = depth.pieces == 1 && matches!(onto, Onto::Nothing);
    let mut partial = Buffer::<T>::try_recycled(if in_place { 0 } else { total(&[(depth.pieces, n)])? })?;
    let base = parallel::SendPtr(if in_place { c.as_mut_ptr() } else { partial.as_mut_ptr() });
    parallel::run(columns.pieces * depth.pieces, ns, |task| {
        let (part, block) = (task / columns.pieces, task % columns.pieces);
        let (columns, rows) = (columns.range(block), depth.range(part));
        // SAFETY: tasks get disjoint ranges of `partial` or C, of which both have n elements for each part, each is run
        // once, and both outlive `run`.
        let out = unsafe {
            std::slice::from_raw_parts_mut(base.get().add(part * n + columns.start), columns.len())
        };
        let x = &x[rows.clone()];
        if rows.is_empty() {
            out.fill(T::ZERO);
        } else if b.column_stride == 1 {
            T::run(AddRows { x, b: b.from(rows.start, columns.start), out });
        } else {
            T::run(Dots { x, b: b.from(rows.start, columns.start), out });
        }
    });
    if !in_place {
        add_partial(&partial, n, onto, c);
    }
    Ok(())
}

/// Contiguous rows: out = Σ x[l] · row l, four rows at a time so that `out` is read and written less.
struct AddRows<'a, T> {
    x: &'a [T],
    b: Matrix<'a, T>,
    out: &'a mut [T],
}

impl<T: Number> Kernel for AddRows<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let AddRows { x, b, out } = self;
        let columns = out.len();
        let row = |l: usize| &b.data[b.offset + l * b.row_stride..][..columns];
        out.fill(T::ZERO);
        let (fours, rest) = x.as_chunks::<4>();
        for (i, x) in fours.iter().enumerate() {
            let [r0, r1, r2, r3] = [row(4 * i), row(4 * i + 1), row(4 * i + 2), row(4 * i + 3)];
            for ((((o, &b0), &b1), &b2), &b3) in out.iter_mut().zip(r0).zip(r1).zip(r2).zip(r3) {
                let pair = x[0].mul(b0).add(x[1].mul(b1));
                *o = o.add(pair).add(x[2].mul(b2).add(x[3].mul(b3)));
            }
        }
        for (i, &x) in rest.iter().enumerate() {
            for (o, &b) in out.iter_mut().zip(row(4 * fours.len() + i)) {
                *o = o.add(x.mul(b));
            }
        }
    }
}

/// Contiguous columns: each output is a dot product.
struct Dots<'a, T> {
    x: &'a [T],
    b: Matrix<'a, T>,
    out: &'a mut [T],
}

impl<T: Number> Kernel for Dots<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Dots { x, b, out } = self;
        for (j, out) in out.iter_mut().enumerate() {
            *out = dot(x, &b.data[b.offset + j * b.column_stride..][..x.len()]);
        }
    }
}

/// Σ a[i]·b[i], over [`LANES`] partial sums.
#[inline(always)]
fn dot<T: Number>(a: &[T], b: &[T]) -> T {
    let mut sums = [T::ZERO; LANES];
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for l in 0..LANES {
            sums[l] = sums[l].add(a[l].mul(b[l]));
        }
    }
    let rest = a_rest.iter().zip(b_rest).fold(T::ZERO, |sum, (a, b)| sum.add(a.mul(*b)));
    sums.iter().fold(rest, |sum, &x| sum.add(x))
}
