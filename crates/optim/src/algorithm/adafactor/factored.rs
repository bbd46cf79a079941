//! The mean squares of a matrix, kept as those of its rows and columns.

use chainrule_kernels::parallel;
use chainrule_tensor::{FloatElement, Shape};

use crate::algorithm::largest;

/// The size of a matrix.
pub(super) struct Factored {
    pub(super) rows: usize,
    pub(super) columns: usize,
}

/// Numbers that are added up side by side.
const LANES: usize = 8;

impl Factored {
    /// The last two dimensions of a shape.
    pub(super) fn of(shape: &Shape) -> Factored {
        Factored { rows: shape[shape.len() - 2], columns: shape[shape.len() - 1] }
    }

    /// Rows in a piece of work. So many that the partial sums of the columns take little memory; fixed, so that
    /// results never depend on the number of threads.
    fn block(&self) -> usize {
        8192usize.div_ceil(self.columns).max(64)
    }

    /// How many sums [`average`](Factored::average) adds up.
    pub(super) fn sums(&self) -> usize {
        self.rows + self.rows.div_ceil(self.block()) * self.columns
    }

    /// Lets `row` and `column` follow the mean squares of the rows and columns of `grad`.
    pub(super) fn average<T: FloatElement>(
        &self,
        grad: &[T],
        average: impl Fn(T, T) -> T,
        (row, column): (&mut [T], &mut [T]),
        sums: &mut [f64],
    ) {
        let (columns, block) = (self.columns, self.block());
        sums.fill(0.0);
        let (of_rows, of_columns) = sums.split_at_mut(self.rows);
        let ns = 0.5 * grad.len() as f64;
        parallel::chunks_mut2((&mut *of_rows, block), (&mut *of_columns, columns), ns, |i, rows, sums| {
            let grad = &grad[i * block * columns..];
            for (values, total) in grad.chunks(columns).zip(rows) {
                sums.iter_mut().zip(values).for_each(|(sum, &g)| *sum += square(g));
                *total = sum_of_squares(values);
            }
        });
        let mean = |total: f64, count: usize| T::of(total / count as f64).minimum(largest());
        for (average_of_row, &mut total) in row.iter_mut().zip(of_rows) {
            *average_of_row = average(*average_of_row, mean(total, columns));
        }
        for (j, average_of_column) in column.iter_mut().enumerate() {
            let total: f64 = of_columns.iter().skip(j).step_by(columns).sum();
            *average_of_column = average(*average_of_column, mean(total, self.rows));
        }
    }

    /// `grad` over the root of the mean squares that `row` and `column` stand for. These are at least `smallest`,
    /// and the mean of `row`, which they are divided by, at least `eps`.
    pub(super) fn normalize<T: FloatElement>(
        &self,
        grad: &[T],
        row: &[T],
        column: &[T],
        (eps, smallest): (f64, T),
        out: &mut [T],
    ) {
        let (columns, block) = (self.columns, self.block());
        let mean = row.iter().map(|r| r.to_f64()).sum::<f64>() / self.rows as f64;
        let mean = T::of(mean).minimum(largest()).maximum(T::of(eps));
        parallel::chunks_mut(out, block * columns, grad.len() as f64, |i, out| {
            let grad = &grad[i * block * columns..];
            for ((out, grad), &r) in out.chunks_mut(columns).zip(grad.chunks(columns)).zip(&row[i * block..])
            {
                // In this order nothing overflows: the product of two mean squares would.
                let part = r / mean;
                for ((out, &g), &c) in out.iter_mut().zip(grad).zip(column) {
                    *out = g / (part * c).maximum(smallest).sqrt();
                }
            }
        });
    }
}

fn square<T: FloatElement>(x: T) -> f64 {
    x.to_f64() * x.to_f64()
}

fn sum_of_squares<T: FloatElement>(x: &[T]) -> f64 {
    let (blocks, rest) = x.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for block in blocks {
        sums.iter_mut().zip(block).for_each(|(sum, &x)| *sum += square(x));
    }
    sums.iter().sum::<f64>() + rest.iter().map(|&x| square(x)).sum::<f64>()
}
