//! Element-wise traversal: one function of one, two or three operands, applied at each index.
//!
//! Operands are strided views (a stride of 0 repeats an element: that is broadcasting); the output is
//! contiguous. Dimensions that lie one after the other in every operand are merged, so that most calls become
//! one flat loop; the output is cut into pieces of fixed size that threads share; and the loops over
//! contiguous runs are compiled for each instruction set.

use std::marker::PhantomData;

use crate::Element;
use crate::parallel::{self, SendPtr};
use crate::simd::Kernel;

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
        let mut walk =
            Walk { sizes: Vec::with_capacity(shape.len()), strides: Vec::with_capacity(shape.len()) };
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
    fn runs(&self, start: usize, end: usize, run: &mut dyn FnMut(usize, usize, [usize; N])) {
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

    /// Shares `len` output elements out in pieces, and calls `run(position, length, operand offsets)` for each
    /// contiguous run within each piece.
    fn share(&self, len: usize, ns: f64, run: &(dyn Fn(usize, usize, [usize; N]) + Sync)) {
        let strides = self.inner_strides();
        parallel::run(len.div_ceil(PIECE), ns * len as f64, |i| {
            let (start, end) = (i * PIECE, (i * PIECE + PIECE).min(len));
            match self.sizes.len() {
                1 => run(start, end - start, std::array::from_fn(|k| start * strides[k])),
                _ => self.runs(start, end, &mut |position, len, offsets| run(position, len, offsets)),
            }
        });
    }
}

/// The elements of an operand along a run, handed out in contiguous blocks: as they lie in memory where they
/// are neighbours, else gathered. So the loop over a block is compiled once for all strides.
struct Run<'a, T> {
    data: &'a [T],
    stride: usize,
    gathered: Option<[T; BLOCK]>,
}

/// Elements in a gathered block.
const BLOCK: usize = 256;

impl<'a, T: Copy> Run<'a, T> {
    #[inline(always)]
    fn new(view: &View<'a, T>, start: usize, stride: usize) -> Self {
        Run { data: &view.data[view.offset + start..], stride, gathered: None }
    }

    /// Whether the whole run can be handed out at once.
    #[inline(always)]
    fn is_contiguous(&self) -> bool {
        self.stride == 1
    }

    /// Elements `start..start + len`; at most `BLOCK` of them unless they are contiguous.
    #[inline(always)]
    fn block(&mut self, start: usize, len: usize) -> &[T] {
        if self.stride == 1 {
            return &self.data[start..start + len];
        }
        let first = self.data[start * self.stride];
        let block = self.gathered.get_or_insert([first; BLOCK]);
        // With stride 0 the block of the first element serves for all.
        if self.stride != 0 {
            for (i, slot) in block[..len].iter_mut().enumerate() {
                *slot = self.data[(start + i) * self.stride];
            }
        }
        &block[..len]
    }
}

/// Cuts `0..len` into blocks, or leaves it whole.
#[inline(always)]
fn blocks(len: usize, whole: bool, mut f: impl FnMut(usize, usize)) {
    let size = if whole { len } else { BLOCK };
    let mut start = 0;
    while start < len {
        let n = size.min(len - start);
        f(start, n);
        start += n;
    }
}

/// The output of a traversal, of which each run writes a part of its own.
struct Out<'a, R> {
    base: SendPtr<R>,
    len: usize,
    _borrow: PhantomData<&'a mut [R]>,
}

impl<'a, R> Out<'a, R> {
    fn new(out: &'a mut [R], shape: &[usize]) -> Self {
        assert_eq!(out.len(), shape.iter().product::<usize>(), "output length");
        Out { base: SendPtr(out.as_mut_ptr()), len: out.len(), _borrow: PhantomData }
    }

    /// # Safety
    /// While a part is in use, no other that overlaps it may be asked for.
    #[allow(clippy::mut_from_ref)]
    unsafe fn part(&self, start: usize, len: usize) -> &mut [R] {
        assert!(start + len <= self.len);
        // SAFETY: the range is inside the slice that `self` borrows mutably, and the caller keeps parts apart.
        unsafe { std::slice::from_raw_parts_mut(self.base.get().add(start), len) }
    }
}

/// `out[i] = f(a[i])`.
///
/// `ns` is the estimated time for an element on one thread, in nanoseconds. Panics when `out` has another
/// number of elements than `shape`, or an operand reaches beyond its memory.
pub fn map<A: Element, R: Send + Sync>(
    shape: &[usize],
    a: View<'_, A>,
    out: &mut [R],
    ns: f64,
    f: impl Fn(A) -> R + Sync,
) {
    let out = Out::new(out, shape);
    let walk = Walk::new(shape, [a.strides]);
    let [stride] = walk.inner_strides();
    walk.share(out.len, ns, &|position, len, [start]| {
        // SAFETY: `share` visits each position once, in runs that do not overlap.
        let out = unsafe { out.part(position, len) };
        A::run(Map1 { a: Run::new(&a, start, stride), out, f: &f });
    });
}

struct Map1<'a, A, R, F> {
    a: Run<'a, A>,
    out: &'a mut [R],
    f: &'a F,
}

impl<A: Copy, R, F: Fn(A) -> R> Kernel for Map1<'_, A, R, F> {
    type Output = ();
    #[inline(always)]
    fn run(mut self) {
        blocks(self.out.len(), self.a.is_contiguous(), |start, n| {
            for (o, &a) in self.out[start..start + n].iter_mut().zip(self.a.block(start, n)) {
                *o = (self.f)(a);
            }
        });
    }
}

/// `out[i] = f(a[i], b[i])`; see [`map`].
pub fn zip<A: Element, B: Copy + Sync, R: Send + Sync>(
    shape: &[usize],
    (a, b): (View<'_, A>, View<'_, B>),
    out: &mut [R],
    ns: f64,
    f: impl Fn(A, B) -> R + Sync,
) {
    let out = Out::new(out, shape);
    let walk = Walk::new(shape, [a.strides, b.strides]);
    let [s, t] = walk.inner_strides();
    walk.share(out.len, ns, &|position, len, [start_a, start_b]| {
        // SAFETY: `share` visits each position once, in runs that do not overlap.
        let out = unsafe { out.part(position, len) };
        A::run(Map2 { a: Run::new(&a, start_a, s), b: Run::new(&b, start_b, t), out, f: &f });
    });
}

struct Map2<'a, A, B, R, F> {
    a: Run<'a, A>,
    b: Run<'a, B>,
    out: &'a mut [R],
    f: &'a F,
}

impl<A: Copy, B: Copy, R, F: Fn(A, B) -> R> Kernel for Map2<'_, A, B, R, F> {
    type Output = ();
    #[inline(always)]
    fn run(mut self) {
        let whole = self.a.is_contiguous() && self.b.is_contiguous();
        blocks(self.out.len(), whole, |start, n| {
            let (a, b) = (self.a.block(start, n), self.b.block(start, n));
            for ((o, &a), &b) in self.out[start..start + n].iter_mut().zip(a).zip(b) {
                *o = (self.f)(a, b);
            }
        });
    }
}

/// `out[i] = f(a[i], b[i], c[i])`; see [`map`].
pub fn zip3<A: Copy + Sync, B: Copy + Sync, C: Element, R: Send + Sync>(
    shape: &[usize],
    (a, b, c): (View<'_, A>, View<'_, B>, View<'_, C>),
    out: &mut [R],
    ns: f64,
    f: impl Fn(A, B, C) -> R + Sync,
) {
    let out = Out::new(out, shape);
    let walk = Walk::new(shape, [a.strides, b.strides, c.strides]);
    let [s, t, u] = walk.inner_strides();
    walk.share(out.len, ns, &|position, len, [start_a, start_b, start_c]| {
        // SAFETY: `share` visits each position once, in runs that do not overlap.
        let out = unsafe { out.part(position, len) };
        let (a, b, c) = (Run::new(&a, start_a, s), Run::new(&b, start_b, t), Run::new(&c, start_c, u));
        C::run(Map3 { a, b, c, out, f: &f });
    });
}

struct Map3<'a, A, B, C, R, F> {
    a: Run<'a, A>,
    b: Run<'a, B>,
    c: Run<'a, C>,
    out: &'a mut [R],
    f: &'a F,
}

impl<A: Copy, B: Copy, C: Copy, R, F: Fn(A, B, C) -> R> Kernel for Map3<'_, A, B, C, R, F> {
    type Output = ();
    #[inline(always)]
    fn run(mut self) {
        let whole = self.a.is_contiguous() && self.b.is_contiguous() && self.c.is_contiguous();
        blocks(self.out.len(), whole, |start, n| {
            let (a, b, c) = (self.a.block(start, n), self.b.block(start, n), self.c.block(start, n));
            for (((o, &a), &b), &c) in self.out[start..start + n].iter_mut().zip(a).zip(b).zip(c) {
                *o = (self.f)(a, b, c);
            }
        });
    }
}

/// `a[i] = f(a[i], b[i])` over two slices of one length, in place.
pub fn update<A: Element, B: Copy + Sync>(a: &mut [A], b: &[B], ns: f64, f: impl Fn(A, B) -> A + Sync) {
    assert_eq!(a.len(), b.len(), "operand lengths");
    let total = ns * a.len() as f64;
    parallel::chunks_mut(a, PIECE, total, |i, a| {
        A::run(Update1 { b: &b[i * PIECE..][..a.len()], a, f: &f });
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
