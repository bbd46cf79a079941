//! Averages in windows whose sizes follow from that of the output.

use std::ops::Range;

use crate::Float;
use crate::conv2d::shape::addressable;
use crate::parallel;
use crate::simd::Kernel;

/// The sizes of an adaptive pooling over planes, checked: no number that is computed from them overflows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdaptiveShape {
    planes: usize,
    input: [usize; 2],
    output: [usize; 2],
}

impl AdaptiveShape {
    /// Planes `[planes, input]` and `[planes, output]`, where there are pixels in the former, memory has addresses for
    /// both, and the product of the two sizes of a direction is a number.
    pub fn new(planes: usize, input: [usize; 2], output: [usize; 2]) -> Option<Self> {
        addressable([planes, input[0], input[1]])?;
        addressable([planes, output[0], output[1]])?;
        for dim in 0..2 {
            output[dim].checked_add(1)?.checked_mul(input[dim])?;
        }
        (!input.contains(&0)).then_some(AdaptiveShape { planes, input, output })
    }

    fn input_plane(&self) -> usize {
        self.input[0] * self.input[1]
    }

    fn output_plane(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// The pixels of an output: from ⌊i · input / output⌋ to ⌈(i + 1) · input / output⌉.
    #[inline(always)]
    fn window(&self, dim: usize, i: usize) -> Range<usize> {
        let (input, output) = (self.input[dim], self.output[dim]);
        i * input / output..((i + 1) * input).div_ceil(output)
    }

    fn ns(&self) -> f64 {
        // Windows overlap by a pixel at most.
        let windows: f64 = (0..2).map(|dim| (self.input[dim] + self.output[dim]) as f64).product();
        self.planes as f64 * windows * 1.5
    }
}

/// The average of each window. As `torch.nn.functional.adaptive_avg_pool2d`.
pub fn adaptive_avg_forward<T: Float>(shape: &AdaptiveShape, x: &[T], out: &mut [T]) {
    assert_eq!(x.len(), shape.planes * shape.input_plane(), "input length");
    assert_eq!(out.len(), shape.planes * shape.output_plane(), "output length");
    parallel::chunks_mut(out, shape.output_plane(), shape.ns(), |plane, out| {
        let x = &x[plane * shape.input_plane()..][..shape.input_plane()];
        T::run(Forward { shape, x, out });
    });
}

/// The gradient of [`adaptive_avg_forward`]: each output's gradient in equal parts to the pixels of its window.
/// Overwrites `grad_input`.
pub fn adaptive_avg_backward<T: Float>(shape: &AdaptiveShape, grad: &[T], grad_input: &mut [T]) {
    assert_eq!(grad.len(), shape.planes * shape.output_plane(), "gradient length");
    assert_eq!(grad_input.len(), shape.planes * shape.input_plane(), "input gradient length");
    parallel::chunks_mut(grad_input, shape.input_plane(), shape.ns(), |plane, grad_input| {
        let grad = &grad[plane * shape.output_plane()..][..shape.output_plane()];
        T::run(Backward { shape, grad, grad_input });
    });
}

struct Forward<'a, T> {
    shape: &'a AdaptiveShape,
    x: &'a [T],
    out: &'a mut [T],
}

impl<T: Float> Kernel for Forward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Forward { shape, x, out } = self;
        let ([_, width], [_, columns]) = (shape.input, shape.output);
        for (row, out) in out.chunks_exact_mut(columns).enumerate() {
            let rows = shape.window(0, row);
            for (column, out) in out.iter_mut().enumerate() {
                let columns = shape.window(1, column);
                let mut sum = T::ZERO;
                for y in rows.clone() {
                    for &v in &x[y * width..][columns.clone()] {
                        sum += v;
                    }
                }
                *out = sum / T::from_f64(rows.len() as f64 * columns.len() as f64);
            }
        }
    }
}

struct Backward<'a, T> {
    shape: &'a AdaptiveShape,
    grad: &'a [T],
    grad_input: &'a mut [T],
}

impl<T: Float> Kernel for Backward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Backward { shape, grad, grad_input } = self;
        let ([_, width], [_, columns]) = (shape.input, shape.output);
        grad_input.fill(T::ZERO);
        if grad.is_empty() {
            return;
        }
        for (row, grad) in grad.chunks_exact(columns).enumerate() {
            let rows = shape.window(0, row);
            for (column, &grad) in grad.iter().enumerate() {
                let columns = shape.window(1, column);
                let part = grad / T::from_f64(rows.len() as f64 * columns.len() as f64);
                for y in rows.clone() {
                    for to in &mut grad_input[y * width..][columns.clone()] {
                        *to += part;
                    }
                }
            }
        }
    }
}
