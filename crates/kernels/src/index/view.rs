//! Adding to a part of an array that lies in it with strides.

use crate::Number;
use crate::elementwise;
use crate::parallel;
use crate::simd::Kernel;

/// The estimated time for an element, in nanoseconds.
const NS: f64 = 0.6;
/// Elements in a task.
const PIECE: usize = 16_384;

/// `out[offset + Σ iₖ · strides[k]] += x[i]` for each index i of a shape in which `x` is contiguous. No two indices lead
/// to the same element. The time is in proportion to `x`, however large `out` is.
pub fn add_view<T: Number>(out: &mut [T], offset: usize, shape: &[usize], strides: &[usize], x: &[T]) {
    assert_eq!(shape.len(), strides.len(), "numbers of dimensions");
    assert_eq!(x.len(), shape.iter().product::<usize>(), "length of the part");
    if x.is_empty() {
        return;
    }
    let dims = joined(shape, strides);
    let out = &mut out[offset..offset + reach(&dims)];
    let Some((&(_, step), inner)) = dims.split_first() else {
        out[0] = out[0].add(x[0]);
        return;
    };
    if dims.len() == 1 && step == 1 {
        return elementwise::update(out, x, NS, |a, b| a.add(b));
    }
    if reach(inner) > step {
        // Parts at neighbouring indices reach into each other, as those of a diagonal do.
        return T::run(Add { out, dims: &dims, x });
    }
    let length: usize = inner.iter().map(|dim| dim.0).product();
    let count = (PIECE / length).max(1);
    parallel::chunks_mut(out, count * step, NS * x.len() as f64, |i, out| {
        let here = out.len().div_ceil(step);
        let dims = [&[(here, step)], inner].concat();
        T::run(Add { out, dims: &dims, x: &x[i * count * length..][..here * length] });
    });
}

/// Sizes and strides, without dimensions of size 1 and with those joined that lie in memory as one.
fn joined(shape: &[usize], strides: &[usize]) -> Vec<(usize, usize)> {
    let mut dims: Vec<(usize, usize)> = Vec::with_capacity(shape.len());
    for (&size, &stride) in shape.iter().zip(strides).filter(|(size, _)| **size != 1) {
        match dims.last_mut() {
            Some((outer, step)) if *step == size * stride => (*outer, *step) = (*outer * size, stride),
            _ => dims.push((size, stride)),
        }
    }
    dims
}

/// How far elements reach from the first, which is counted.
fn reach(dims: &[(usize, usize)]) -> usize {
    dims.iter().map(|&(size, stride)| (size - 1) * stride).sum::<usize>() + 1
}

struct Add<'a, T> {
    out: &'a mut [T],
    dims: &'a [(usize, usize)],
    x: &'a [T],
}

impl<T: Number> Kernel for Add<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Add { out, dims, x } = self;
        let Some((&(width, step), outer)) = dims.split_last() else { return };
        for (mut row, x) in x.chunks_exact(width).enumerate() {
            let mut start = 0;
            for &(size, stride) in outer.iter().rev() {
                start += row % size * stride;
                row /= size;
            }
            if step == 1 {
                out[start..start + width].iter_mut().zip(x).for_each(|(out, &v)| *out = out.add(v));
            } else {
                out[start..].iter_mut().step_by(step).zip(x).for_each(|(out, &v)| *out = out.add(v));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{affordable, numbers_f32, on_thread_counts};

    #[test]
    fn a_part_is_added_where_its_strides_say() {
        type Case<'a> = (usize, usize, &'a [usize], &'a [usize]);
        let cases: [Case<'_>; 9] = [
            (5, 2, &[], &[]),
            (5, 2, &[0, 3], &[3, 1]),
            (40_000, 5, &[39_995], &[1]),
            (12, 4, &[1, 2, 4], &[99, 4, 1]),
            (60_010, 7, &[20_000], &[3]),
            (90_000, 40, &[200, 3, 50], &[450, 150, 1]),
            // A diagonal, and a batch of them behind it.
            (100, 1, &[9], &[11]),
            (300, 3, &[4, 9], &[3, 33]),
            (120, 0, &[5, 4], &[1, 5]),
        ];
        for (len, offset, shape, strides) in affordable(cases, |case| case.0) {
            let (base, x) = (numbers_f32(1, len), numbers_f32(2, shape.iter().product()));
            let got = on_thread_counts(|| {
                let mut out = base.clone();
                add_view(&mut out, offset, shape, strides, &x);
                out
            });
            let mut want = base;
            for (flat, v) in x.iter().enumerate() {
                let (mut rest, mut at) = (flat, offset);
                for (size, stride) in shape.iter().zip(strides).rev() {
                    at += rest % size * stride;
                    rest /= size;
                }
                want[at] += v;
            }
            assert_eq!(got, want, "{shape:?} {strides:?}");
        }
    }
}
