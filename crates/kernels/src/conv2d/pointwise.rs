//! Convolution with kernels of 1 × 1, which is a product of matrices: output channels by input channels, and input
//! channels by the pixels of an image.
//!
//! Where images are small beside the weight, as in the last layers of a network, the pixels of all images are put side
//! by side first: one wide product reads the weight once, where narrow ones would read it again for each image.

use super::{Conv2dNumber, Conv2dShape, partial};
use crate::elementwise::{self, View};
use crate::gemm::{self, Matrix, Onto};
use crate::memory::OutOfMemory;
use crate::{Buffer, parallel};

/// With fewer images than this, threads share out the product of each.
const FEWEST_IMAGES: usize = 8;

/// Images `[batch, groups · channels, plane]`, which a weight for each group, `[out, in]`, takes to others.
#[derive(Clone, Copy)]
pub(super) struct Pointwise {
    batch: usize,
    groups: usize,
    /// Output and input channels of a group.
    channels: [usize; 2],
    /// Pixels of an image.
    plane: usize,
}

impl Pointwise {
    /// The convolution as products of matrices, if that is what it is.
    pub(super) fn new(shape: &Conv2dShape) -> Option<Self> {
        let channels = [shape.group_out(), shape.group_in()];
        let suits = shape.kernel == [1, 1]
            && shape.stride == [1, 1]
            && shape.padding == [0, 0]
            && channels.iter().all(|&channels| channels > 1);
        let (batch, groups, plane) = (shape.batch, shape.groups, shape.output_plane());
        suits.then_some(Pointwise { batch, groups, channels, plane })
    }

    /// See [`forward`](super::forward).
    pub(super) fn forward<T: Conv2dNumber>(
        self,
        input: &[T],
        weight: &[T],
        bias: Option<&[T]>,
        output: &mut [T],
    ) -> Result<(), OutOfMemory> {
        self.multiply(self.channels, |g| self.weight(weight, g), input, bias, output)
    }

    /// See [`backward_input`](super::backward_input).
    pub(super) fn backward_input<T: Conv2dNumber>(
        self,
        grad_output: &[T],
        weight: &[T],
        grad_input: &mut [T],
    ) -> Result<(), OutOfMemory> {
        let [channels_out, channels_in] = self.channels;
        let weight = |g| self.weight(weight, g).transposed();
        self.multiply([channels_in, channels_out], weight, grad_output, None, grad_input)
    }

    /// See [`backward_weight`](super::backward_weight).
    pub(super) fn backward_weight<T: Conv2dNumber>(
        self,
        input: &[T],
        grad_output: &[T],
        grad_weight: &mut [T],
    ) -> Result<(), OutOfMemory> {
        let [channels_out, channels_in] = self.channels;
        if self.narrow() {
            let input = self.side_by_side(input, channels_in)?;
            let grad_output = self.side_by_side(grad_output, channels_out)?;
            return self.widened().backward_weight(&input, &grad_output, grad_weight);
        }
        let size = (channels_out, channels_in, self.plane);
        let operands = |n: usize, g: usize| {
            let planes = |data, channels| Matrix {
                offset: (n * self.groups + g) * channels * self.plane,
                ..Matrix::row_major(data, self.plane)
            };
            (planes(grad_output, channels_out), planes(input, channels_in).transposed())
        };
        let onto = |first: bool| if first { Onto::Nothing } else { Onto::C(T::ONE) };
        let group_len = channels_out * channels_in;
        let ns = self.groups as f64 * self.batch as f64 * gemm::nanoseconds(size);
        let parts = partial::parts(self.batch, ns);
        if self.batch < FEWEST_IMAGES || parts.pieces == 1 {
            for n in 0..self.batch {
                for (g, sum) in grad_weight.chunks_exact_mut(group_len).enumerate() {
                    let (a, b) = operands(n, g);
                    gemm::gemm(size, a, b, onto(n == 0), sum)?;
                }
            }
            return Ok(());
        }
        let len = grad_weight.len();
        let mut sums = Buffer::<T>::try_recycled(parts.pieces * len)?;
        parallel::chunks_mut(&mut sums, len, ns, |part, sums| {
            let images = parts.range(part);
            for n in images.clone() {
                for (g, sum) in sums.chunks_exact_mut(group_len).enumerate() {
                    let (a, b) = operands(n, g);
                    gemm::whole(size, a, b, onto(n == images.start), sum);
                }
            }
        });
        partial::add_up(&sums, grad_weight);
        Ok(())
    }

    /// `to[n, g] = weight(g) · from[n, g] + bias[g]` for images n and groups g; a weight is `[rows, depth]`.
    fn multiply<'a, T: Conv2dNumber>(
        self,
        [rows, depth]: [usize; 2],
        weight: impl Fn(usize) -> Matrix<'a, T> + Sync,
        from: &[T],
        bias: Option<&[T]>,
        to: &mut [T],
    ) -> Result<(), OutOfMemory> {
        if self.narrow() {
            let from = self.side_by_side(from, depth)?;
            let mut wide = Buffer::try_recycled(to.len())?;
            self.widened().multiply([rows, depth], weight, &from, bias, &mut wide)?;
            let channels = self.groups * rows;
            let strides = [self.plane, self.batch * self.plane, 1];
            let view = View { data: &wide, offset: 0, strides: &strides };
            elementwise::copy(&[self.batch, channels, self.plane], view, to);
            return Ok(());
        }
        if let Some(bias) = bias {
            let ns = 0.1 * to.len() as f64;
            parallel::chunks_mut(to, self.plane, ns, |i, plane| plane.fill(bias[i % bias.len()]));
        }
        gemm::batched(
            self.batch * self.groups,
            (rows, self.plane, depth),
            |i| weight(i % self.groups),
            |i| Matrix { offset: i * depth * self.plane, ..Matrix::row_major(from, self.plane) },
            if bias.is_some() { Onto::C(T::ONE) } else { Onto::Nothing },
            to,
        )
    }

    /// The weight of a group.
    fn weight<T>(self, weight: &[T], g: usize) -> Matrix<'_, T> {
        let [rows, columns] = self.channels;
        Matrix { offset: g * rows * columns, ..Matrix::row_major(weight, columns) }
    }

    /// Whether putting pixels side by side moves fewer numbers than reading the weight for each image.
    fn narrow(self) -> bool {
        let [channels_out, channels_in] = self.channels;
        self.batch > 1 && self.plane * (channels_out + channels_in) < channels_out * channels_in
    }

    /// All images as one.
    fn widened(self) -> Self {
        Pointwise { batch: 1, plane: self.batch * self.plane, ..self }
    }

    /// Planes `[batch, groups · channels, plane]` as `[groups · channels, batch, plane]`.
    fn side_by_side<T: Conv2dNumber>(self, planes: &[T], channels: usize) -> Result<Buffer<T>, OutOfMemory> {
        let channels = self.groups * channels;
        let strides = [self.plane, channels * self.plane, 1];
        let mut out = Buffer::try_recycled(planes.len())?;
        let view = View { data: planes, offset: 0, strides: &strides };
        elementwise::copy(&[channels, self.batch, self.plane], view, &mut out);
        Ok(out)
    }
}
