//! The numbers that matrices are made of, with a product of one block on one thread.

use super::packed::Product;
use super::{Matrix, Onto};
use crate::{Number, register};

/// A number that matrices of can be multiplied: `f32`, `f64` and `i64`.
pub trait GemmNumber: Number {
    /// C = A·B + what it is added to, on the calling thread; the rows of C lie `c_row_stride` elements apart.
    ///
    /// # Safety
    ///
    /// A row to add has n elements. Every element of A `[m, k]` and B `[k, n]` lies in its memory, and every element of C `[m, n]` may be
    /// written (and read, where it is added to), by nobody else meanwhile.
    unsafe fn multiply(
        size: (usize, usize, usize),
        a: Matrix<'_, Self>,
        b: Matrix<'_, Self>,
        onto: Onto<'_, Self>,
        c: *mut Self,
        c_row_stride: usize,
    );
}

macro_rules! float {
    ($t:ty) => {
        impl GemmNumber for $t {
            unsafe fn multiply(
                size: (usize, usize, usize),
                a: Matrix<'_, Self>,
                b: Matrix<'_, Self>,
                onto: Onto<'_, Self>,
                c: *mut Self,
                c_row_stride: usize,
            ) {
                register::run(Product { size, a, b, onto, c, c_stride: c_row_stride });
            }
        }
    };
}

float!(f32);
float!(f64);

impl GemmNumber for i64 {
    unsafe fn multiply(
        (m, n, k): (usize, usize, usize),
        a: Matrix<'_, Self>,
        b: Matrix<'_, Self>,
        onto: Onto<'_, Self>,
        c: *mut Self,
        c_row_stride: usize,
    ) {
        for i in 0..m {
            // SAFETY: the row is n elements of C, which the caller gives to us alone; integers have no
            // invalid bit patterns.
            let row = unsafe { std::slice::from_raw_parts_mut(c.add(i * c_row_stride), n) };
            onto.prepare(row);
            for l in 0..k {
                let a = a.data[a.offset + i * a.row_stride + l * a.column_stride];
                let start = b.offset + l * b.row_stride;
                if b.column_stride == 1 {
                    let b = &b.data[start..][..n];
                    row.iter_mut().zip(b).for_each(|(c, &b)| *c = c.wrapping_add(a.wrapping_mul(b)));
                } else {
                    for (j, c) in row.iter_mut().enumerate() {
                        *c = c.wrapping_add(a.wrapping_mul(b.data[start + j * b.column_stride]));
                    }
                }
            }
        }
    }
}
