//! Copying a strided view: what makes transposes contiguous.

use super::operand::{Dim, Layout, gather_into};
use super::transpose::transpose;
use super::{PIECE, View};
use crate::Element;
use crate::parallel;

/// Rows of the output in a task.
const ROWS: usize = 64;
/// The estimated time for an element, in nanoseconds.
const NS: f64 = 0.6;

/// `out[i] = view[i]`, in the order of the shape. Panics as [`map`](super::map).
pub fn copy<T: Element>(shape: &[usize], view: View<'_, T>, out: &mut [T]) {
    view.check(shape);
    assert_eq!(out.len(), shape.iter().product::<usize>(), "output length");
    if out.is_empty() {
        return;
    }
    let data = &view.data[view.offset..];
    let total = NS * out.len() as f64;
    let dims = match Layout::new(shape, view.strides) {
        Layout::Repeated => return out.fill(data[0]),
        Layout::Contiguous => {
            return parallel::chunks_mut(out, PIECE, total, |i, out| {
                out.copy_from_slice(&data[i * PIECE..][..out.len()]);
            });
        }
        Layout::Strided(dims) => dims,
    };
    // The dimension along which the view is contiguous, where it is another than the output's.
    let last = dims.len() - 1;
    match dims[..last].iter().position(|dim| dim.stride == 1) {
        Some(along) if dims[last].stride > 1 => transposed(data, &dims, along, out, total),
        _ => parallel::chunks_mut(out, PIECE, total, |i, out| gather_into(&dims, data, i * PIECE, out)),
    }
}

/// In tiles over the last dimension and the one along which the view is contiguous.
fn transposed<T: Element>(data: &[T], dims: &[Dim], along: usize, out: &mut [T], total: f64) {
    let (before, after) = (&dims[..along], &dims[along + 1..dims.len() - 1]);
    let (rows, columns) = (&dims[along], &dims[dims.len() - 1]);
    // Each task is some rows, with all that lies within them.
    let planes = out.len() / (rows.size * rows.inner);
    let count = if planes == 1 { ROWS } else { rows.size };
    parallel::chunks_mut(out, count * rows.inner, total, |task, out| {
        let plane = if planes == 1 { 0 } else { task };
        let first = if planes == 1 { task * count } else { 0 };
        let outside: usize = before.iter().map(|dim| dim.at(plane * rows.size * rows.inner)).sum();
        let between = rows.inner / columns.size;
        for middle in 0..between {
            let inside: usize = after.iter().map(|dim| dim.at(middle * columns.size)).sum();
            let source = &data[outside + inside + first..];
            let rows_here = out.len() / rows.inner;
            let place = middle * columns.size;
            let size = (rows_here, columns.size);
            transpose((source, columns.stride), size, (&mut out[place..], rows.inner));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::on_thread_counts;

    #[test]
    fn every_order_of_dimensions_is_copied() {
        let sizes = if cfg!(miri) { [3, 2, 9, 17] } else { [3, 17, 40, 21] };
        let data: Vec<i64> = (0..sizes.iter().product::<usize>() as i64 + 5).collect();
        let strides = [sizes[1] * sizes[2] * sizes[3], sizes[2] * sizes[3], sizes[3], 1];
        for a in 0..4 {
            for b in (0..4).filter(|&b| b != a) {
                for c in (0..4).filter(|&c| c != a && c != b) {
                    let order = [a, b, c, 6 - a - b - c];
                    let shape = order.map(|d| sizes[d]);
                    let strides = order.map(|d| strides[d]);
                    let out = on_thread_counts(|| {
                        let mut out = vec![-1; data.len() - 5];
                        copy(&shape, View { data: &data, offset: 5, strides: &strides }, &mut out);
                        out
                    });
                    let mut want = Vec::new();
                    for i in 0..shape[0] {
                        for j in 0..shape[1] {
                            for k in 0..shape[2] {
                                for l in 0..shape[3] {
                                    let at =
                                        i * strides[0] + j * strides[1] + k * strides[2] + l * strides[3];
                                    want.push(data[5 + at]);
                                }
                            }
                        }
                    }
                    assert!(out == want, "{order:?}");
                }
            }
        }
    }

    #[test]
    fn windows_and_repetitions_are_copied() {
        let data: Vec<i64> = (0..100).collect();
        for (shape, strides) in
            [([3, 4], [0, 1]), ([3, 4], [1, 0]), ([5, 7], [10, 2]), ([5, 7], [2, 10]), ([4, 4], [1, 1])]
        {
            let mut out = vec![-1; shape[0] * shape[1]];
            copy(&shape, View { data: &data, offset: 0, strides: &strides }, &mut out);
            for (i, &got) in out.iter().enumerate() {
                let at = i / shape[1] * strides[0] + i % shape[1] * strides[1];
                assert_eq!(got, at as i64, "{shape:?} {strides:?}");
            }
        }
    }
}
