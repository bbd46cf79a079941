//! One index for each element: gather and scatter-add.

use crate::parallel;
use crate::{Element, Number};

/// The estimated time for an element, in nanoseconds.
const NS: f64 = 1.5;
/// Elements in a task.
const PIECE: usize = 16_384;

/// Where the rows of the last dimension of an array of indices stand in the array that is indexed along `dim`.
struct Rows<'a> {
    shape: &'a [usize],
    index_shape: &'a [usize],
    dim: usize,
    /// The length of a row.
    width: usize,
    /// Elements from one index along `dim` to the next.
    step: usize,
    /// Elements from one element of a row to the next, but for the index.
    along: usize,
}

impl<'a> Rows<'a> {
    fn new(shape: &'a [usize], dim: usize, index_shape: &'a [usize]) -> Self {
        assert_eq!(shape.len(), index_shape.len(), "numbers of dimensions");
        for (d, (size, index_size)) in shape.iter().zip(index_shape).enumerate() {
            assert!(d == dim || index_size <= size, "the index is larger than the array in dimension {d}");
        }
        let width = index_shape.last().copied().unwrap_or(1);
        let step = shape.get(dim + 1..).unwrap_or(&[]).iter().product();
        Rows { shape, index_shape, dim, width, step, along: usize::from(dim + 1 < shape.len()) }
    }

    /// The first element of the row with this number, with an index of 0.
    fn start(&self, mut row: usize) -> usize {
        let (mut start, mut stride) = (0, self.shape.last().copied().unwrap_or(1));
        for d in (0..self.shape.len().saturating_sub(1)).rev() {
            let at = row % self.index_shape[d];
            row /= self.index_shape[d];
            if d != self.dim {
                start += at * stride;
            }
            stride *= self.shape[d];
        }
        start
    }
}

/// `out[i][j][k] = x[index[i][j][k]][j][k]` for `dim` 0 of three, and so on: as `torch.gather`.
///
/// `out` has the shape of `index`, which in other dimensions than `dim` may be smaller than `x`. With no
/// dimensions (`dim` 0) there is one element.
pub fn gather<T: Element>(
    x: &[T],
    x_shape: &[usize],
    dim: usize,
    index: &[i64],
    index_shape: &[usize],
    out: &mut [T],
) {
    let rows = Rows::new(x_shape, dim, index_shape);
    assert_eq!(x.len(), x_shape.iter().product::<usize>(), "input length");
    assert_eq!(index.len(), index_shape.iter().product::<usize>(), "index length");
    assert_eq!(out.len(), index.len(), "output length");
    if out.is_empty() {
        return;
    }
    let count = (PIECE / rows.width).max(1);
    parallel::chunks_mut(out, count * rows.width, NS * index.len() as f64, |i, out| {
        let index = &index[i * count * rows.width..][..out.len()];
        let pairs = out.chunks_exact_mut(rows.width).zip(index.chunks_exact(rows.width));
        for (r, (out, index)) in pairs.enumerate() {
            let x = &x[rows.start(i * count + r)..];
            for (j, (out, &at)) in out.iter_mut().zip(index).enumerate() {
                *out = x[at as usize * rows.step + j * rows.along];
            }
        }
    });
}

/// The number, in the order of memory, of each element that [`gather`] takes.
pub fn numbers(x_shape: &[usize], dim: usize, index: &[i64], index_shape: &[usize], out: &mut [i64]) {
    let rows = Rows::new(x_shape, dim, index_shape);
    assert_eq!(index.len(), index_shape.iter().product::<usize>(), "index length");
    assert_eq!(out.len(), index.len(), "output length");
    if out.is_empty() {
        return;
    }
    let pairs = out.chunks_exact_mut(rows.width).zip(index.chunks_exact(rows.width));
    for (r, (out, index)) in pairs.enumerate() {
        let start = rows.start(r);
        for (j, (out, &at)) in out.iter_mut().zip(index).enumerate() {
            *out = (start + at as usize * rows.step + j * rows.along) as i64;
        }
    }
}

/// `out[index[i][j][k]][j][k] += src[i][j][k]` for `dim` 0 of three, and so on: as `torch.scatter_add`.
///
/// `out` holds what is added to. `src` has the shape of `index`, which in other dimensions than `dim` may be
/// smaller than `out`.
pub fn scatter_add<T: Number>(
    out: &mut [T],
    out_shape: &[usize],
    dim: usize,
    index: &[i64],
    index_shape: &[usize],
    src: &[T],
) {
    assert_eq!(out.len(), out_shape.iter().product::<usize>(), "output length");
    assert_eq!(index.len(), index_shape.iter().product::<usize>(), "index length");
    assert_eq!(src.len(), index.len(), "source length");
    // Checks the shapes too.
    let whole = Rows::new(out_shape, dim, index_shape);
    if index.is_empty() {
        return;
    }
    if dim == 0 {
        return add_rows(out, &whole, index, src);
    }
    // Additions of one plane of the first dimension never reach another.
    let (plane, index_plane) = (out.len() / out_shape[0], index.len() / index_shape[0]);
    let planes = (PIECE / index_plane).max(1);
    let out = &mut out[..index_shape[0] * plane];
    parallel::chunks_mut(out, planes * plane, NS * index.len() as f64, |i, out| {
        let part = i * planes * index_plane..(i * planes + out.len() / plane) * index_plane;
        let (index, src) = (&index[part.clone()], &src[part]);
        let (out_shape, index_shape) = (&out_shape[1..], &index_shape[1..]);
        let rows = Rows::new(out_shape, dim - 1, index_shape);
        let parts = index.chunks_exact(index_plane).zip(src.chunks_exact(index_plane));
        for (out, (index, src)) in out.chunks_exact_mut(plane).zip(parts) {
            add_rows(out, &rows, index, src);
        }
    });
}

fn add_rows<T: Number>(out: &mut [T], rows: &Rows<'_>, index: &[i64], src: &[T]) {
    let pairs = index.chunks_exact(rows.width).zip(src.chunks_exact(rows.width));
    for (r, (index, src)) in pairs.enumerate() {
        let out = &mut out[rows.start(r)..];
        for (j, (&at, &v)) in index.iter().zip(src).enumerate() {
            let out = &mut out[at as usize * rows.step + j * rows.along];
            *out = out.add(v);
        }
    }
}
