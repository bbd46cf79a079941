//! The weights that inputs and states are multiplied by, in the order in which products read them fastest.

use super::BATCH;
use crate::elementwise::transpose;
use crate::gemm::{GemmNumber, Matrix, gemm, whole};
use crate::memory::{OutOfMemory, total};
use crate::{Buffer, Element};

/// At multiples of this distance, lines of memory fall into the same few places of a first-level cache.
const CACHE_PERIOD: usize = 4096;

/// A matrix with contiguous rows by which states are multiplied at each time.
pub(super) struct Weight<'a, T: Element> {
    memory: Memory<'a, T>,
    rows: usize,
    columns: usize,
    stride: usize,
    batch: usize,
}

enum Memory<'a, T: Element> {
    Here(&'a [T]),
    Copied(Buffer<T>),
}

impl<'a, T: GemmNumber> Weight<'a, T> {
    /// `w` `[rows, columns]`, for a batch of `batch` rows.
    pub(super) fn new(w: &'a [T], rows: usize, columns: usize, batch: usize) -> Self {
        Weight { memory: Memory::Here(w), rows, columns, stride: columns, batch }
    }

    /// `w` `[columns, rows]`, transposed once for all times.
    pub(super) fn transposed(
        w: &[T],
        rows: usize,
        columns: usize,
        batch: usize,
    ) -> Result<Self, OutOfMemory> {
        assert_eq!(w.len(), rows * columns, "weight");
        let line = 64 / size_of::<T>();
        let lies_badly = (columns * size_of::<T>()).is_multiple_of(CACHE_PERIOD);
        let stride = if lies_badly { columns + line } else { columns };
        let mut copy = Buffer::<T>::try_recycled(total(&[(rows, stride)])?)?;
        transpose((w, rows), (rows, columns), (&mut copy, stride));
        Ok(Weight { memory: Memory::Copied(copy), rows, columns, stride, batch })
    }

    /// As what a product reads.
    pub(super) fn matrix(&self) -> Matrix<'_, T> {
        let data = match &self.memory {
            Memory::Here(w) => w,
            Memory::Copied(w) => &w[..],
        };
        Matrix { data, offset: 0, row_stride: self.stride, column_stride: 1 }
    }

    /// out = x·W for many rows, on several threads where it pays.
    pub(super) fn product_of_all(&self, x: &[T], out: &mut [T]) -> Result<(), OutOfMemory> {
        let size = (out.len() / self.columns.max(1), self.columns, self.rows);
        gemm(size, Matrix::row_major(x, self.rows), self.matrix(), T::ZERO, out)
    }

    /// out = x·W + β·out for some rows x `[_, rows]` and out `[_, columns]`.
    pub(super) fn product(&self, x: &[T], beta: T, out: &mut [T]) -> Result<(), OutOfMemory> {
        let size = (out.len() / self.columns.max(1), self.columns, self.rows);
        let x = Matrix::row_major(x, self.rows);
        // Which of the two, and so how sums are formed, depends on the sizes alone.
        if self.batch < BATCH {
            gemm(size, x, self.matrix(), beta, out)
        } else {
            whole(size, x, self.matrix(), beta, out);
            Ok(())
        }
    }
}
