//! Convolutions most of whose padded image is padding: each tap of a kernel goes to the outputs that meet the image with
//! it, and to no others.

use super::axis::Axis;
use super::{Conv2dNumber, Conv2dShape};
use crate::parallel;

/// See [`forward`](super::forward).
pub(super) fn forward<T: Conv2dNumber>(
    shape: &Conv2dShape,
    input: &[T],
    weight: &[T],
    bias: Option<&[T]>,
    output: &mut [T],
) {
    let sparse = Sparse::new(shape);
    parallel::chunks_mut(output, shape.output_plane(), sparse.ns, |plane, output| {
        let (image, o) = (plane / shape.out_channels, plane % shape.out_channels);
        output.fill(bias.map_or(T::ZERO, |bias| bias[o]));
        for c in 0..shape.group_in() {
            let input = sparse.input_plane(input, image, sparse.channel(o, c));
            sparse.rows(|tap, [from, to], [right, step], count| {
                let w = weight[sparse.weight(o, c) + tap];
                let to = &mut output[to + right..][..count];
                for (to, x) in to.iter_mut().zip(input[from..].iter().step_by(step)) {
                    *to += w * *x;
                }
            });
        }
    });
}

/// See [`backward_input`](super::backward_input).
pub(super) fn backward_input<T: Conv2dNumber>(
    shape: &Conv2dShape,
    grad_output: &[T],
    weight: &[T],
    grad_input: &mut [T],
) {
    let sparse = Sparse::new(shape);
    parallel::chunks_mut(grad_input, shape.input_plane(), sparse.ns, |plane, grad_input| {
        let (image, channel) = (plane / shape.in_channels, plane % shape.in_channels);
        let (group, c) = (channel / shape.group_in(), channel % shape.group_in());
        grad_input.fill(T::ZERO);
        for o in group * shape.group_out()..(group + 1) * shape.group_out() {
            let grad = sparse.output_plane(grad_output, image, o);
            sparse.rows(|tap, [to, from], [right, step], count| {
                let w = weight[sparse.weight(o, c) + tap];
                let grad = &grad[from + right..][..count];
                for (to, g) in grad_input[to..].iter_mut().step_by(step).zip(grad) {
                    *to += w * *g;
                }
            });
        }
    });
}

/// See [`backward_weight`](super::backward_weight).
pub(super) fn backward_weight<T: Conv2dNumber>(
    shape: &Conv2dShape,
    input: &[T],
    grad_output: &[T],
    grad_weight: &mut [T],
) {
    let sparse = Sparse::new(shape);
    parallel::chunks_mut(grad_weight, shape.kernel_len(), sparse.ns, |pair, grad_weight| {
        let (o, c) = (pair / shape.group_in(), pair % shape.group_in());
        grad_weight.fill(T::ZERO);
        for image in 0..shape.batch {
            let input = sparse.input_plane(input, image, sparse.channel(o, c));
            let grad = sparse.output_plane(grad_output, image, o);
            sparse.rows(|tap, [at, from], [right, step], count| {
                let grad = &grad[from + right..][..count];
                let products = grad.iter().zip(input[at..].iter().step_by(step));
                grad_weight[tap] = products.fold(grad_weight[tap], |sum, (g, x)| sum + *g * *x);
            });
        }
    });
}

/// A convolution, and what is asked for again and again.
struct Sparse<'a> {
    shape: &'a Conv2dShape,
    axes: [Axis; 2],
    ns: f64,
}

impl<'a> Sparse<'a> {
    fn new(shape: &'a Conv2dShape) -> Self {
        let pairs = shape.batch as f64 * shape.out_channels as f64 * shape.group_in() as f64;
        let met = shape.input_plane().min(shape.output_plane()) + 10;
        let outputs = shape.batch as f64 * shape.out_channels as f64 * shape.output_plane() as f64;
        Sparse {
            shape,
            axes: shape.axes(),
            ns: pairs * shape.kernel_len() as f64 * met as f64 + 0.1 * outputs,
        }
    }

    /// Calls `row(tap, [input, output], [column, step], count)` for every tap and every row of outputs that meets the
    /// input with it, from the output `output + column` and the pixel `input` on; pixels are `step` apart.
    #[inline(always)]
    fn rows(&self, mut row: impl FnMut(usize, [usize; 2], [usize; 2], usize)) {
        let [down, right] = self.axes;
        for i in 0..down.kernel {
            let (rows, top) = down.met_by(i);
            if rows.is_empty() {
                continue;
            }
            for j in 0..right.kernel {
                let (columns, left) = right.met_by(j);
                if columns.is_empty() {
                    continue;
                }
                for (k, y) in rows.clone().enumerate() {
                    let input = (top + k * down.stride) * right.input + left;
                    let places = [input, y * right.output];
                    row(i * right.kernel + j, places, [columns.start, right.stride], columns.len());
                }
            }
        }
    }

    /// The input channel that channel c of a group is, for an output channel.
    fn channel(&self, o: usize, c: usize) -> usize {
        o / self.shape.group_out() * self.shape.group_in() + c
    }

    /// Where the kernel from channel c of a group to an output channel is.
    fn weight(&self, o: usize, c: usize) -> usize {
        (o * self.shape.group_in() + c) * self.shape.kernel_len()
    }

    fn input_plane<'t, T>(&self, input: &'t [T], image: usize, channel: usize) -> &'t [T] {
        let len = self.shape.input_plane();
        &input[(image * self.shape.in_channels + channel) * len..][..len]
    }

    fn output_plane<'t, T>(&self, output: &'t [T], image: usize, channel: usize) -> &'t [T] {
        let len = self.shape.output_plane();
        &output[(image * self.shape.out_channels + channel) * len..][..len]
    }
}
