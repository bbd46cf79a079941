//! Element-wise traversal: one function of one, two or three operands, applied at each index.
//!
//! Operands are strided views (a stride of 0 repeats an element: that is broadcasting); the output is
//! contiguous. Dimensions that lie one after the other in every operand are merged, so that most calls become
//! one flat loop; the output is cut into pieces of fixed size that threads share; and the loops over
//! contiguous runs are compiled for each instruction set.

use crate::parallel;
use crate::simd::{self, Kernel};

/// Elements in a piece of work. Fixed, so that results never depend on the number of threads.
const PIECE: usize = 8192;

/// Read access to memory by a rule: element (i₀, i₁, …) is `data[offset + Σ iₖ · strides[k]]`.
#[derive(Clone, Copy, Debug)]
pub struct View<'a, T> {
    /// The memory.
    pub data: &'a [T],
    /// Index of the first element.
    pub offset: usize,
    /// Distance between neighbours in each dimension, in elements.
    pub strides: &'a [usize],
}

/// The dimensions of a traversal after merging, innermost last, with `N` operands' strides.
struct Walk<const N: usize> {
    sizes: Vec<usize>,
    strides: Vec<[usize; N]>,
}

impl<const N: usize> Walk<N> {
    fn new(shape: &[usize], strides: [&[usize]; N]) -> Self {
        let mut walk = Walk { sizes: Vec::with_capacity(shape.len()), strides: Vec::with_capacity(shape.len()) };
        for (dim, &size) in shape.iter().enumerate() {
            if size == 1 {
                continue;
            }
            let here: [usize; N] = std::array::from_fn(|k| strides[k][dim]);
            if let (Some(last_size), Some(last)) = (walk.sizes.last_mut(), walk.strides.last_mut())
                && (0..N).all(|k| last[k] == here[k] * size)
            {
                *last_size *= size;
                *last = here;
                continue;
            }
            walk.sizes.push(size);
            walk.strides.push(here);
        }
        if walk.sizes.is_empty() {
            walk.sizes.push(1);
            walk.strides.push([1; N]);
        }
        walk
    }

    fn inner_strides(&self) -> [usize; N] {
        self.strides[self.strides.len() - 1]
    }

    /// Calls `run(output position, length, operand offsets)` for each contiguous run of output elements in
    /// `start..end`; within a run operand k advances by its inner stride.
    fn runs(&self, start: usize, end: usize, mut run: impl FnMut(usize, usize, [usize; N])) {
        let last = self.sizes.len() - 1;
        let inner = self.sizes[last];
        let mut index = vec![0; last];
        let mut rest = start / inner;
        for dim in (0..last).rev() {
            index[dim] = rest % self.sizes[dim];
            rest /= self.sizes[dim];
        }
        let mut base: [usize; N] =
            std::array::from_fn(|k| (0..last).map(|dim| index[dim] * self.strides[dim][k]).sum());
        let mut position = start;
        let mut column = start % inner;
        while position < end {
            let len = (inner - column).min(end - position);
            run(position, len, std::array::from_fn(|k| base[k] + column * self.strides[last][k]));
            position += len;
            column = 0;
            for dim in (0..last).rev() {
                index[dim] += 1;
                (0..N).for_each(|k| base[k] += self.strides[dim][k]);
                if index[dim] < self.sizes[dim] {
                    break;
                }
                (0..N).for_each(|k| base[k] -= index[dim] * self.strides[dim][k]);
                index[dim] = 0;
            }
        }
    }

    /// Shares the output out in pieces and calls `run(piece of output, operand offsets)` for each run.
    fn share<R: Send>(&self, out: &mut [R], ns: f64, run: impl Fn(&mut [R], [usize; N]) + Sync) {
        let total = ns * out.len() as f64;
        if self.sizes.len() == 1 {
            let strides = self.inner_strides();
            return parallel::chunks_mut(out, PIECE, total, |i, piece| {
                run(piece, std::array::from_fn(|k| i * PIECE * strides[k]));
            });
        }
        parallel::chunks_mut(out, PIECE, total, |i, piece| {
            let start = i * PIECE;
            self.runs(start, start + piece.len(), |position, len, offsets| {
                run(&mut piece[position - start..position - start + len], offsets);
            });
        });
    }
}

/// `out[i] = f(a[i])`.
///
/// `ns` is the estimated time for an element on one thread, in nanoseconds. Panics when `out` has another
/// number of elements than `shape`, or an operand reaches beyond its memory.
pub fn map<A: Copy + Sync, R: Send>(
    shape: &[usize],
    a: View<'_, A>,
    out: &mut [R],
    ns: f64,
    f: impl Fn(A) -> R + Sync,
) {
    assert_eq!(out.len(), shape.iter().product::<usize>(), "output length");
    if out.is_empty() {
        return;
    }
    let walk = Walk::new(shape, [a.strides]);
    let [stride] = walk.inner_strides();
    walk.share(out, ns, |out, [start]| {
        let a = &a.data[a.offset + start..];
        match stride {
            1 => simd::run(Map1 { a: &a[..out.len()], out, f: &f }),
            0 => out.iter_mut().for_each(|o| *o = f(a[0])),
            s => out.iter_mut().enumerate().for_each(|(i, o)| *o = f(a[i * s])),
        }
    });
}

struct Map1<'a, A, R, F> {
    a: &'a [A],
    out: &'a mut [R],
    f: &'a F,
}

impl<A: Copy, R, F: Fn(A) -> R> Kernel for Map1<'_, A, R, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (o, &a) in self.out.iter_mut().zip(self.a) {
            *o = (self.f)(a);
        }
    }
}

/// `out[i] = f(a[i], b[i])`; see [`map`].
pub fn zip<A: Copy + Sync, B: Copy + Sync, R: Send>(
    shape: &[usize],
    (a, b): (View<'_, A>, View<'_, B>),
    out: &mut [R],
    ns: f64,
    f: impl Fn(A, B) -> R + Sync,
) {
    assert_eq!(out.len(), shape.iter().product::<usize>(), "output length");
    if out.is_empty() {
        return;
    }
    let walk = Walk::new(shape, [a.strides, b.strides]);
    let strides = walk.inner_strides();
    walk.share(out, ns, |out, [start_a, start_b]| {
        let (a, b) = (&a.data[a.offset + start_a..], &b.data[b.offset + start_b..]);
        let n = out.len();
        match strides {
            [1, 1] => simd::run(Map2 { a: &a[..n], b: &b[..n], out, f: &f }),
            [1, 0] => simd::run(Map1 { a: &a[..n], out, f: &scalar_right(&f, b[0]) }),
            [0, 1] => simd::run(Map1 { a: &b[..n], out, f: &scalar_left(&f, a[0]) }),
            [s, t] => out.iter_mut().enumerate().for_each(|(i, o)| *o = f(a[i * s], b[i * t])),
        }
    });
}

#[inline(always)]
fn scalar_right<A, B: Copy, R>(f: &impl Fn(A, B) -> R, b: B) -> impl Fn(A) -> R {
    move |a| f(a, b)
}

#[inline(always)]
fn scalar_left<A: Copy, B, R>(f: &impl Fn(A, B) -> R, a: A) -> impl Fn(B) -> R {
    move |b| f(a, b)
}

struct Map2<'a, A, B, R, F> {
    a: &'a [A],
    b: &'a [B],
    out: &'a mut [R],
    f: &'a F,
}

impl<A: Copy, B: Copy, R, F: Fn(A, B) -> R> Kernel for Map2<'_, A, B, R, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for ((o, &a), &b) in self.out.iter_mut().zip(self.a).zip(self.b) {
            *o = (self.f)(a, b);
        }
    }
}

/// `out[i] = f(a[i], b[i], c[i])`; see [`map`].
pub fn zip3<A: Copy + Sync, B: Copy + Sync, C: Copy + Sync, R: Send>(
    shape: &[usize],
    (a, b, c): (View<'_, A>, View<'_, B>, View<'_, C>),
    out: &mut [R],
    ns: f64,
    f: impl Fn(A, B, C) -> R + Sync,
) {
    assert_eq!(out.len(), shape.iter().product::<usize>(), "output length");
    if out.is_empty() {
        return;
    }
    let walk = Walk::new(shape, [a.strides, b.strides, c.strides]);
    let strides = walk.inner_strides();
    walk.share(out, ns, |out, [start_a, start_b, start_c]| {
        let a = &a.data[a.offset + start_a..];
        let b = &b.data[b.offset + start_b..];
        let c = &c.data[c.offset + start_c..];
        let n = out.len();
        match strides {
            [1, 1, 1] => simd::run(Map3 { a: &a[..n], b: &b[..n], c: &c[..n], out, f: &f }),
            [s, t, u] => out.iter_mut().enumerate().for_each(|(i, o)| *o = f(a[i * s], b[i * t], c[i * u])),
        }
    });
}

struct Map3<'a, A, B, C, R, F> {
    a: &'a [A],
    b: &'a [B],
    c: &'a [C],
    out: &'a mut [R],
    f: &'a F,
}

impl<A: Copy, B: Copy, C: Copy, R, F: Fn(A, B, C) -> R> Kernel for Map3<'_, A, B, C, R, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (((o, &a), &b), &c) in self.out.iter_mut().zip(self.a).zip(self.b).zip(self.c) {
            *o = (self.f)(a, b, c);
        }
    }
}

/// `a[i] = f(a[i], b[i])` over two slices of one length, in place.
pub fn update<A: Copy + Send + Sync, B: Copy + Sync>(
    a: &mut [A],
    b: &[B],
    ns: f64,
    f: impl Fn(A, B) -> A + Sync,
) {
    assert_eq!(a.len(), b.len(), "operand lengths");
    let total = ns * a.len() as f64;
    parallel::chunks_mut(a, PIECE, total, |i, a| {
        simd::run(Update1 { b: &b[i * PIECE..][..a.len()], a, f: &f });
    });
}

struct Update1<'a, A, B, F> {
    a: &'a mut [A],
    b: &'a [B],
    f: &'a F,
}

impl<A: Copy, B: Copy, F: Fn(A, B) -> A> Kernel for Update1<'_, A, B, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (a, &b) in self.a.iter_mut().zip(self.b) {
            *a = (self.f)(*a, b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The plain meaning: index by index.
    fn reference(shape: &[usize], strides: &[usize], offset: usize) -> Vec<usize> {
        let total: usize = shape.iter().product();
        (0..total)
            .map(|flat| {
                let mut rest = flat;
                let mut at = offset;
                for dim in (0..shape.len()).rev() {
                    at += rest % shape[dim] * strides[dim];
                    rest /= shape[dim];
                }
                at
            })
            .collect()
    }

    #[test]
    fn every_layout_is_walked_in_order() {
        let data: Vec<i64> = (0..100_000).collect();
        let cases: [(&[usize], &[usize], usize); 7] = [
            (&[], &[], 3),
            (&[5], &[0], 2),
            (&[7, 9], &[9, 1], 0),
            (&[7, 9], &[1, 7], 4),
            (&[3, 1, 4, 5], &[100, 17, 20, 2], 1),
            (&[40, 50, 30], &[0, 30, 1], 0),
            (&[101, 307], &[307, 1], 11),
        ];
        for (shape, strides, offset) in cases {
            let want: Vec<i64> = reference(shape, strides, offset).into_iter().map(|i| i as i64).collect();
            let view = View { data: &data, offset, strides };
            let mut out = vec![0i64; want.len()];
            map(shape, view, &mut out, 100.0, |x| x);
            assert_eq!(out, want, "{shape:?} {strides:?}");
            let ones = [1i64];
            let zero = vec![0; shape.len()];
            let one = View { data: &ones, offset: 0, strides: &zero };
            zip(shape, (view, one), &mut out, 100.0, |x, y| x + y);
            assert!(out.iter().zip(&want).all(|(o, w)| *o == w + 1));
            zip(shape, (one, view), &mut out, 100.0, |x, y| x - y);
            assert!(out.iter().zip(&want).all(|(o, w)| *o == 1 - w));
            zip3(shape, (view, view, one), &mut out, 100.0, |x, y, z| x + y + z);
            assert!(out.iter().zip(&want).all(|(o, w)| *o == 2 * w + 1));
        }
    }

    #[test]
    fn empty_shapes_touch_nothing() {
        let view: View<'_, f32> = View { data: &[], offset: 0, strides: &[1, 1] };
        map(&[0, 4], view, &mut [], 1.0, |x| x);
    }
}
