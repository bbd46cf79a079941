//! Transposing a matrix into another, in blocks of whole registers.

use crate::Element;
use crate::register::{self, Kernel, Register, Registers};

/// Rows and columns of a tile: long enough for whole lines of memory, few enough pages for the processor's table of
/// them.
const TILE: usize = 64;

/// `out[r · out_stride + c] = source[r + c · stride]` for r below `rows` and c below `columns`.
pub(crate) fn transpose<T: Element>(
    (source, stride): (&[T], usize),
    (rows, columns): (usize, usize),
    (out, out_stride): (&mut [T], usize),
) {
    if rows == 0 || columns == 0 {
        return;
    }
    let reach = |lines: usize, stride: usize, length| (lines - 1).checked_mul(stride)?.checked_add(length);
    let fits = |reach: Option<usize>, len| reach.is_some_and(|reach| reach <= len);
    assert!(fits(reach(columns, stride, rows), source.len()), "the source's length");
    let out_fits = fits(reach(rows, out_stride, columns), out.len()) && columns <= out_stride;
    assert!(out_fits, "the output's length");
    let (source, out) = (source.as_ptr(), out.as_mut_ptr());
    // Registers move bits: what they are taken for does not matter.
    match size_of::<T>() {
        4 => register::run(Transpose::<f32> {
            source: source.cast(),
            stride,
            rows,
            columns,
            out: out.cast(),
            out_stride,
        }),
        8 => register::run(Transpose::<f64> {
            source: source.cast(),
            stride,
            rows,
            columns,
            out: out.cast(),
            out_stride,
        }),
        // SAFETY: the lengths have been checked.
        _ => unsafe { one_by_one((source, stride), (0..rows, 0..columns), (out, out_stride)) },
    }
}

struct Transpose<T> {
    source: *const T,
    stride: usize,
    rows: usize,
    columns: usize,
    out: *mut T,
    out_stride: usize,
}

impl<T: Registers> Kernel<T> for Transpose<T> {
    #[inline(always)]
    unsafe fn run<V: Register<T>>(self) {
        let Transpose { source, stride, rows, columns, out, out_stride } = self;
        let (whole_rows, whole_columns) = (rows - rows % V::LEN, columns - columns % V::LEN);
        for tile_row in (0..whole_rows).step_by(TILE) {
            for tile_column in (0..whole_columns).step_by(TILE) {
                for row in (tile_row..whole_rows.min(tile_row + TILE)).step_by(V::LEN) {
                    for column in (tile_column..whole_columns.min(tile_column + TILE)).step_by(V::LEN) {
                        // SAFETY: the block lies within what `transpose` has checked.
                        unsafe {
                            let from = source.add(row + column * stride);
                            V::transpose(
                                |i| from.add(i * stride),
                                out.add(row * out_stride + column),
                                out_stride,
                            );
                        }
                    }
                }
            }
        }
        // SAFETY: the lengths have been checked by `transpose`.
        unsafe {
            let (source, out) = ((source, stride), (out, out_stride));
            one_by_one(source, (whole_rows..rows, 0..columns), out);
            one_by_one(source, (0..whole_rows, whole_columns..columns), out);
        }
    }
}

/// # Safety
///
/// The elements lie within their memory.
#[inline(always)]
unsafe fn one_by_one<T: Copy>(
    (source, stride): (*const T, usize),
    (rows, columns): (std::ops::Range<usize>, std::ops::Range<usize>),
    (out, out_stride): (*mut T, usize),
) {
    for row in rows {
        for column in columns.clone() {
            // SAFETY: the caller's promise.
            unsafe { *out.add(row * out_stride + column) = *source.add(row + column * stride) };
        }
    }
}
