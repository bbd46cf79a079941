//! In-place updates: several slices of one length and a gradient, walked once.
//!
//! This is the loop under every optimizer: the value and its state tensors are read, changed and written in
//! one pass over memory, shared among threads in pieces of fixed size and vectorised.

use crate::Element;
use crate::parallel::{self, SendPtr};
use crate::prefetch;
use crate::simd::Kernel;

/// Elements in a piece of work. Fixed, so that results never depend on the number of threads.
const PIECE: usize = if cfg!(miri) { 256 } else { 8192 };

/// Elements that are loaded, changed and stored together. The compiler has to reckon with slices that overlap each other;
/// local copies free it of that. A loop over fewer of them it would unroll, badly.
const LANES: usize = 64;

/// How far ahead of their use lines are asked for. The processor does that by itself, but only within a page, and there
/// are several streams of which each is at the end of a page every few hundred nanoseconds.
const AHEAD: usize = 1024;

/// `[a₀[i], a₁[i], …] = f([a₀[i], a₁[i], …], grad[i])` for each i.
///
/// `ns` is the estimated time for an element on one thread, in nanoseconds. `f` should own its options (`move`): behind a
/// reference the compiler would reckon with an update that changes them, and not vectorise. Panics when the slices differ
/// in length.
pub fn in_place<T: Element, const K: usize>(
    slices: [&mut [T]; K],
    grad: &[T],
    ns: f64,
    f: impl Fn([T; K], T) -> [T; K] + Sync + Copy,
) {
    let len = grad.len();
    assert!(slices.iter().all(|s| s.len() == len), "operand lengths");
    if len <= PIECE {
        return T::run(InPlace { slices, grad, f });
    }
    let bases = slices.map(|s| SendPtr(s.as_mut_ptr()));
    parallel::run(len.div_ceil(PIECE), ns * len as f64, |i| {
        let start = i * PIECE;
        let grad = &grad[start..(start + PIECE).min(len)];
        let slices = std::array::from_fn(|k| {
            // SAFETY: every slice is `len` long and stays mutably borrowed until `run` returns, tasks get
            // disjoint ranges inside it, and each index is run once.
            unsafe { std::slice::from_raw_parts_mut(bases[k].get().add(start), grad.len()) }
        });
        T::run(InPlace { slices, grad, f });
    });
}

/// `a[i] = f(a[i])` for each i; `ns` and `f` as in [`in_place`].
pub fn each<T: Element>(a: &mut [T], ns: f64, f: impl Fn(T) -> T + Sync + Copy) {
    let total = ns * a.len() as f64;
    parallel::chunks_mut(a, PIECE, total, |_, a| T::run(Each { a, f }));
}

struct Each<'a, T, F> {
    a: &'a mut [T],
    f: F,
}

impl<T: Copy, F: Fn(T) -> T> Kernel for Each<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let (blocks, rest) = self.a.as_chunks_mut::<LANES>();
        for block in blocks {
            ask_for(block);
            block.iter_mut().for_each(|a| *a = (self.f)(*a));
        }
        rest.iter_mut().for_each(|a| *a = (self.f)(*a));
    }
}

struct InPlace<'a, T, F, const K: usize> {
    slices: [&'a mut [T]; K],
    grad: &'a [T],
    f: F,
}

impl<T: Copy + Default, F: Fn([T; K], T) -> [T; K], const K: usize> Kernel for InPlace<'_, T, F, K> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let InPlace { slices, grad, f } = self;
        let (grad_blocks, grad_rest) = grad.as_chunks::<LANES>();
        let mut parts = slices.map(|s| s.as_chunks_mut::<LANES>());
        let mut new = [[T::default(); LANES]; K];
        for (i, g) in grad_blocks.iter().enumerate() {
            ask_for(g);
            parts.iter().for_each(|part| ask_for(&part.0[i]));
            let old: [[T; LANES]; K] = std::array::from_fn(|k| parts[k].0[i]);
            for lane in 0..LANES {
                let changed = f(std::array::from_fn(|k| old[k][lane]), g[lane]);
                (0..K).for_each(|k| new[k][lane] = changed[k]);
            }
            (0..K).for_each(|k| parts[k].0[i] = new[k]);
        }
        // Lengths that are known to be equal let the compiler drop the bounds checks.
        let rest = parts.map(|(_, rest)| &mut rest[..grad_rest.len()]);
        for (i, &g) in grad_rest.iter().enumerate() {
            let changed = f(std::array::from_fn(|k| rest[k][i]), g);
            (0..K).for_each(|k| new[k][i] = changed[k]);
        }
        for (rest, new) in rest.into_iter().zip(&new) {
            rest.copy_from_slice(&new[..grad_rest.len()]);
        }
    }
}

/// Asks for the memory [`AHEAD`] of a block.
#[inline(always)]
fn ask_for<T>(block: &[T; LANES]) {
    prefetch::slice(block.as_ptr().wrapping_byte_add(AHEAD), size_of_val(block));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_is_changed_once_for_every_length_and_thread_count() {
        for len in [0, 1, LANES - 1, LANES, LANES + 1, PIECE, PIECE + 1, 5 * PIECE + 37] {
            for threads in [1, 3] {
                parallel::set_num_threads(threads);
                let grad: Vec<f64> = (0..len).map(|i| i as f64).collect();
                let mut a: Vec<f64> = grad.iter().map(|g| 10.0 * g).collect();
                let mut b = vec![1.0; len];
                let mut c: Vec<f64> = grad.iter().map(|g| -g).collect();
                in_place([&mut a, &mut b, &mut c], &grad, 1e3, |[a, b, c], g| [a + g, c, b + g]);
                for i in 0..len {
                    let g = i as f64;
                    assert_eq!([a[i], b[i], c[i]], [11.0 * g, -g, 1.0 + g], "{i} of {len}");
                }
            }
        }
    }

    #[test]
    fn each_element_is_changed_once() {
        for len in [0, 1, PIECE, 3 * PIECE + 5] {
            let mut a: Vec<f32> = (0..len).map(|i| i as f32).collect();
            each(&mut a, 1e3, |a| 2.0 * a + 1.0);
            assert!(a.iter().enumerate().all(|(i, &a)| a == 2.0 * i as f32 + 1.0));
        }
    }

    #[test]
    #[should_panic(expected = "operand lengths")]
    fn slices_of_different_lengths_are_refused() {
        in_place([&mut [0f32; 3][..], &mut [0f32; 2][..]], &[0f32; 3], 1.0, |x, _| x);
    }
}
