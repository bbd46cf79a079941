//! The numbers that matrices are made of, with a product of one block on one thread.

use super::Matrix;
use crate::Number;

/// A number that matrices of can be multiplied: `f32`, `f64` and `i64`.
pub trait GemmNumber: Number {
    /// C = A·B + β·C on the calling thread; the rows of C lie `c_row_stride` elements apart.
    ///
    /// # Safety
    ///
    /// Every element of A `[m, k]` and B `[k, n]` lies in its memory, and every element of C `[m, n]` may be
    /// written (and read, unless β = 0), by nobody else meanwhile.
    unsafe fn multiply(
        size: (usize, usize, usize),
        a: Matrix<'_, Self>,
        b: Matrix<'_, Self>,
        beta: Self,
        c: *mut Self,
        c_row_stride: usize,
    );
}

macro_rules! float {
    ($t:ty, $gemm:path) => {
        impl GemmNumber for $t {
            unsafe fn multiply(
                (m, n, k): (usize, usize, usize),
                a: Matrix<'_, Self>,
                b: Matrix<'_, Self>,
                beta: Self,
                c: *mut Self,
                c_row_stride: usize,
            ) {
                // With no element there may be no memory for the offset to point into.
                let start =
                    |x: &Matrix<'_, Self>| if k == 0 { x.data.as_ptr() } else { x.data[x.offset..].as_ptr() };
                // The stride of a dimension of size 1 means nothing and may not fit.
                let stride = |size: usize, stride: usize| if size > 1 { stride as isize } else { 1 };
                // SAFETY: the caller's promise is what the function asks for; no stride in use exceeds the
                // length of a slice, so it fits.
                unsafe {
                    $gemm(
                        m,
                        k,
                        n,
                        1.0,
                        start(&a),
                        stride(m, a.row_stride),
                        stride(k, a.column_stride),
                        start(&b),
                        stride(k, b.row_stride),
                        stride(n, b.column_stride),
                        beta,
                        c,
                        c_row_stride as isize,
                        1,
                    );
                }
            }
        }
    };
}

float!(f32, matrixmultiply::sgemm);
float!(f64, matrixmultiply::dgemm);

impl GemmNumber for i64 {
    unsafe fn multiply(
        (m, n, k): (usize, usize, usize),
        a: Matrix<'_, Self>,
        b: Matrix<'_, Self>,
        beta: Self,
        c: *mut Self,
        c_row_stride: usize,
    ) {
        for i in 0..m {
            // SAFETY: the row is n elements of C, which the caller gives to us alone; integers have no
            // invalid bit patterns.
            let row = unsafe { std::slice::from_raw_parts_mut(c.add(i * c_row_stride), n) };
            match beta {
                0 => row.fill(0),
                1 => {}
                _ => row.iter_mut().for_each(|c| *c = c.wrapping_mul(beta)),
            }
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
