//! One index for each slice: index-select and index-add.

use crate::parallel;
use crate::simd::Kernel;
use crate::{Element, Number};

/// The estimated time for an element, in nanoseconds.
const NS: f64 = 0.4;
/// Elements in a task.
const PIECE: usize = 16_384;
/// Into so many parts, at most, the rows of one plane are divided for additions.
const PARTS: usize = 16;

/// `out[o][i] = x[o][index[i]]`: slices of `inner` elements out of a contiguous `[outer, n, inner]` array into
/// `[outer, index.len(), inner]`, as `torch.index_select` and the forward pass of an embedding.
pub fn index_select<T: Element>(x: &[T], [outer, n, inner]: [usize; 3], index: &[i64], out: &mut [T]) {
    assert_eq!(x.len(), outer * n * inner, "input length");
    assert_eq!(out.len(), outer * index.len() * inner, "output length");
    if out.is_empty() {
        return;
    }
    let slices = (PIECE / inner).max(1);
    parallel::chunks_mut(out, slices * inner, NS * (outer * index.len() * inner) as f64, |i, out| {
        for (k, out) in out.chunks_exact_mut(inner).enumerate() {
            let (plane, at) = ((i * slices + k) / index.len(), (i * slices + k) % index.len());
            let from = (plane * n + index[at] as usize) * inner;
            if inner == 1 {
                out[0] = x[from];
            } else {
                out.copy_from_slice(&x[from..from + inner]);
            }
        }
    });
}

/// `out[o][index[i]] += src[o][i]`: slices of a contiguous `[outer, index.len(), inner]` array onto those of
/// `out`, `[outer, n, inner]`, which holds what is added to; as `torch.index_add` and the backward pass of an
/// embedding.
pub fn index_add<T: Number>(out: &mut [T], [outer, n, inner]: [usize; 3], index: &[i64], src: &[T]) {
    assert_eq!(out.len(), outer * n * inner, "output length");
    assert_eq!(src.len(), outer * index.len() * inner, "source length");
    if src.is_empty() || out.is_empty() {
        return;
    }
    let ns = NS * src.len() as f64;
    let source = index.len() * inner;
    if outer >= PARTS || src.len() < PIECE || inner < 8 {
        let planes = (PIECE / source).max(1);
        return parallel::chunks_mut(out, planes * n * inner, ns, |i, out| {
            for (k, out) in out.chunks_exact_mut(n * inner).enumerate() {
                let src = &src[(i * planes + k) * source..][..source];
                let pairs = index.iter().map(|&at| at as usize).zip(src.chunks_exact(inner));
                T::run(Add { out, inner, pairs });
            }
        });
    }
    // Each task adds to some of the rows only, and is given the places in `index` that name these rows, in
    // order.
    let rows = n.div_ceil(PARTS);
    let mut places = vec![Vec::new(); n.div_ceil(rows)];
    for (place, &at) in index.iter().enumerate() {
        places[at as usize / rows].push(place);
    }
    for (out, src) in out.chunks_exact_mut(n * inner).zip(src.chunks_exact(source)) {
        parallel::chunks_mut(out, rows * inner, ns, |i, out| {
            let pairs = places[i]
                .iter()
                .map(|&place| (index[place] as usize - i * rows, &src[place * inner..(place + 1) * inner]));
            T::run(Add { out, inner, pairs });
        });
    }
}

/// Adds slices to the rows that they are paired with.
struct Add<'a, T, P> {
    out: &'a mut [T],
    inner: usize,
    pairs: P,
}

impl<'a, T: Number, P: Iterator<Item = (usize, &'a [T])>> Kernel for Add<'_, T, P> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (row, src) in self.pairs {
            for (out, &v) in self.out[row * self.inner..][..self.inner].iter_mut().zip(src) {
                *out = out.add(v);
            }
        }
    }
}
