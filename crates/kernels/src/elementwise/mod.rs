//! Element-wise traversal: one function of one, two or three operands, applied at each index.
//!
//! Operands are strided views (a stride of 0 repeats an element: that is broadcasting); the output is
//! contiguous. The output is cut into pieces of fixed size that threads share, and into blocks for which each
//! operand is handed out contiguously, gathered where it has to be. So one plain loop is compiled for an
//! operation and each instruction set, whatever the strides are.
//!
//! [`map`] and its like take the function of an element. A caller with many functions saves build time by the
//! two halves of which they are made: [`map_blocks`] walks, compiled once for element types, and [`map_block`]
//! is the loop.

mod copy;
mod function;
mod operand;
mod transpose;

use crate::Element;
use crate::parallel;
use crate::simd::Kernel;
pub use copy::copy;
pub use function::{Function1, Function2};
use operand::{BLOCK, Operand, Space};
pub(crate) use transpose::transpose;

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

/// The loop over a block of one operand.
pub type MapBody<'a, A, R> = dyn Fn(&[A], &mut [R]) + Sync + 'a;
/// The loop over a block of two operands.
pub type ZipBody<'a, A, B, R> = dyn Fn(&[A], &[B], &mut [R]) + Sync + 'a;
type Zip3Body<'a, A, B, C, R> = dyn Fn(&[A], &[B], &[C], &mut [R]) + Sync + 'a;

/// `out[i] = f(a[i])`.
///
/// `ns` is the estimated time for an element on one thread, in nanoseconds. Panics when `out` has another
/// number of elements than `shape`, or an operand reaches beyond its memory.
pub fn map<A: Element, R: Send>(
    shape: &[usize],
    a: View<'_, A>,
    out: &mut [R],
    ns: f64,
    f: impl Fn(A) -> R + Sync,
) {
    map_blocks(shape, a, out, ns, &|a, out| map_block(a, out, &f));
}

/// `out[i] = f(a[i], b[i])`; see [`map`].
pub fn zip<A: Element, B: Element, R: Send>(
    shape: &[usize],
    operands: (View<'_, A>, View<'_, B>),
    out: &mut [R],
    ns: f64,
    f: impl Fn(A, B) -> R + Sync,
) {
    zip_blocks(shape, operands, out, ns, &|a, b, out| zip_block((a, b), out, &f));
}

/// `out[i] = f(a[i], b[i], c[i])`; see [`map`].
pub fn zip3<A: Element, B: Element, C: Element, R: Send>(
    shape: &[usize],
    operands: (View<'_, A>, View<'_, B>, View<'_, C>),
    out: &mut [R],
    ns: f64,
    f: impl Fn(A, B, C) -> R + Sync,
) {
    zip3_blocks(shape, operands, out, ns, &|a, b, c, out| C::run(Map3 { a, b, c, out, f: &f }));
}

/// `a[i] = f(a[i], b[i])` over two slices of one length, in place.
pub fn update<A: Element, B: Element>(a: &mut [A], b: &[B], ns: f64, f: impl Fn(A, B) -> A + Sync) {
    assert_eq!(a.len(), b.len(), "operand lengths");
    let total = ns * a.len() as f64;
    parallel::chunks_mut(a, PIECE, total, |i, a| {
        A::run(Update { b: &b[i * PIECE..][..a.len()], a, f: &f });
    });
}

/// `out[i] = f(a[i])` for the slices of one block.
#[inline(always)]
pub fn map_block<A: Element, R>(a: &[A], out: &mut [R], f: &impl Function1<A, R>) {
    A::run(Map1 { a, out, f });
}

/// `out[i] = f(a[i], b[i])` for the slices of one block.
#[inline(always)]
pub fn zip_block<A: Element, B: Element, R>(
    (a, b): (&[A], &[B]),
    out: &mut [R],
    f: &impl Function2<A, B, R>,
) {
    A::run(Map2 { a, b, out, f });
}

/// Calls `body` for each block of the traversal of [`map`].
pub fn map_blocks<A: Element, R: Send>(
    shape: &[usize],
    a: View<'_, A>,
    out: &mut [R],
    ns: f64,
    body: &MapBody<'_, A, R>,
) {
    let a = Operand::new(shape, a);
    share(shape, out, ns, a.is_contiguous(), &|blocks, out| {
        let mut space = Space::new();
        for (start, out) in blocks.of(out) {
            body(a.block(start, out.len(), &mut space), out);
        }
    });
}

/// [`map_blocks`] of elements that lie in order: nothing is to be walked.
pub fn map_slice<A: Element, R: Send>(a: &[A], out: &mut [R], ns: f64, body: &MapBody<'_, A, R>) {
    assert_eq!(a.len(), out.len(), "operand lengths");
    let total = ns * out.len() as f64;
    parallel::chunks_mut(out, PIECE, total, |i, out| body(&a[i * PIECE..][..out.len()], out));
}

/// [`zip_blocks`] of elements that lie in order.
pub fn zip_slices<A: Element, B: Element, R: Send>(
    (a, b): (&[A], &[B]),
    out: &mut [R],
    ns: f64,
    body: &ZipBody<'_, A, B, R>,
) {
    assert!(a.len() == out.len() && b.len() == out.len(), "operand lengths");
    let total = ns * out.len() as f64;
    parallel::chunks_mut(out, PIECE, total, |i, out| {
        let start = i * PIECE;
        body(&a[start..][..out.len()], &b[start..][..out.len()], out);
    });
}

/// Calls `body` for each block of the traversal of [`zip`].
pub fn zip_blocks<A: Element, B: Element, R: Send>(
    shape: &[usize],
    (a, b): (View<'_, A>, View<'_, B>),
    out: &mut [R],
    ns: f64,
    body: &ZipBody<'_, A, B, R>,
) {
    let (a, b) = (Operand::new(shape, a), Operand::new(shape, b));
    share(shape, out, ns, a.is_contiguous() && b.is_contiguous(), &|blocks, out| {
        let (mut space_a, mut space_b) = (Space::new(), Space::new());
        for (start, out) in blocks.of(out) {
            let (a, b) = (a.block(start, out.len(), &mut space_a), b.block(start, out.len(), &mut space_b));
            body(a, b, out);
        }
    });
}

fn zip3_blocks<A: Element, B: Element, C: Element, R: Send>(
    shape: &[usize],
    (a, b, c): (View<'_, A>, View<'_, B>, View<'_, C>),
    out: &mut [R],
    ns: f64,
    body: &Zip3Body<'_, A, B, C, R>,
) {
    let (a, b, c) = (Operand::new(shape, a), Operand::new(shape, b), Operand::new(shape, c));
    let contiguous = a.is_contiguous() && b.is_contiguous() && c.is_contiguous();
    share(shape, out, ns, contiguous, &|blocks, out| {
        let (mut space_a, mut space_b, mut space_c) = (Space::new(), Space::new(), Space::new());
        for (start, out) in blocks.of(out) {
            let n = out.len();
            let (a, b) = (a.block(start, n, &mut space_a), b.block(start, n, &mut space_b));
            body(a, b, c.block(start, n, &mut space_c), out);
        }
    });
}

/// The blocks of a piece of the output.
struct Blocks {
    start: usize,
    size: usize,
}

impl Blocks {
    /// Each block with the number of its first element.
    fn of<R>(self, out: &mut [R]) -> impl Iterator<Item = (usize, &mut [R])> {
        out.chunks_mut(self.size).enumerate().map(move |(i, out)| (self.start + i * self.size, out))
    }
}

/// Shares the output among threads, in pieces that are cut into blocks or, where every operand is contiguous,
/// left whole.
fn share<R: Send>(
    shape: &[usize],
    out: &mut [R],
    ns: f64,
    contiguous: bool,
    task: &(dyn Fn(Blocks, &mut [R]) + Sync),
) {
    assert_eq!(out.len(), shape.iter().product::<usize>(), "output length");
    let size = if contiguous { PIECE } else { BLOCK };
    let total = ns * out.len() as f64;
    parallel::chunks_mut(out, PIECE, total, |i, out| task(Blocks { start: i * PIECE, size }, out));
}

struct Map1<'a, A, R, F> {
    a: &'a [A],
    out: &'a mut [R],
    f: &'a F,
}

impl<A: Copy, R, F: Function1<A, R>> Kernel for Map1<'_, A, R, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (o, &a) in self.out.iter_mut().zip(self.a) {
            *o = self.f.at(a);
        }
    }
}

struct Map2<'a, A, B, R, F> {
    a: &'a [A],
    b: &'a [B],
    out: &'a mut [R],
    f: &'a F,
}

impl<A: Copy, B: Copy, R, F: Function2<A, B, R>> Kernel for Map2<'_, A, B, R, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for ((o, &a), &b) in self.out.iter_mut().zip(self.a).zip(self.b) {
            *o = self.f.at(a, b);
        }
    }
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

struct Update<'a, A, B, F> {
    a: &'a mut [A],
    b: &'a [B],
    f: &'a F,
}

impl<A: Copy, B: Copy, F: Fn(A, B) -> A> Kernel for Update<'_, A, B, F> {
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
    use crate::testing::affordable;

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
        for (shape, strides, offset) in affordable(cases, |case| case.0.iter().product()) {
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
    fn what_is_not_there_is_not_read() {
        // In 64 bits the place of the last element comes out as 0.
        for (shape, strides) in [([2, 3], [1, 1usize << 63]), ([2, 2], [2, 0]), ([3, 2], [usize::MAX, 1])] {
            let out = &mut [0.0; 6][..shape.iter().product()];
            let view = View { data: &[1.0f32, 2.0], offset: 0, strides: &strides };
            let copied = std::panic::AssertUnwindSafe(|| copy(&shape, view, out));
            // By these words: what panics later may have read before.
            let refusal = std::panic::catch_unwind(copied).unwrap_err();
            let words = refusal.downcast_ref::<&str>();
            assert_eq!(words, Some(&"an operand reaches beyond its memory"), "{shape:?} {strides:?}");
        }
    }

    #[test]
    fn empty_shapes_touch_nothing() {
        let view: View<'_, f32> = View { data: &[], offset: 0, strides: &[1, 1] };
        map(&[0, 4], view, &mut [], 1.0, |x| x);
    }
}
