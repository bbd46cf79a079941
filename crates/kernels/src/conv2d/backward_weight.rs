//! The gradient of a convolution with respect to its weight.

use std::ops::Range;

use super::canvas::{Lattice, gather};
use super::correlate::SLACK;
use super::dots::{Dots, Pieces, TAPS, whole_rows};
use super::layout::Layout;
use super::pointwise::Pointwise;
use super::{Conv2dNumber, Conv2dShape, depthwise, partial, winograd};
use crate::Buffer;
use crate::parallel;

/// Results that the inner loop sums over in one go, at least, where there are several images.
const STAGE: usize = 2048;

/// `grad_weight[o, c, i, j] = Σ_n Σ_q grad_output[n, o, q] · input[n, c, the place that q meets with (i, j)]`. The
/// counterpart of `torch.nn.grad.conv2d_weight`. (The gradient of the bias is a sum of `grad_output`.)
///
/// `grad_weight` has the shape of the weight; what it held is overwritten. Slices are contiguous, as the
/// [module](super) says. Panics when a length does not fit the shape.
///
/// Positions between the rows of the padded input meet zeros here, so an infinite input may give NaN where it
/// would not take part.
pub fn backward_weight<T: Conv2dNumber>(
    shape: &Conv2dShape,
    input: &[T],
    grad_output: &[T],
    grad_weight: &mut [T],
) {
    shape.check(input.len(), grad_weight.len(), grad_output.len());
    if grad_weight.is_empty() {
        return;
    }
    if grad_output.is_empty() || input.is_empty() {
        return grad_weight.fill(T::ZERO);
    }
    if let Some(pointwise) = Pointwise::new(shape) {
        return pointwise.backward_weight(input, grad_output, grad_weight);
    }
    if depthwise::suits(shape) {
        return depthwise::backward_weight(shape, input, grad_output, grad_weight);
    }
    if T::WINOGRAD && winograd::suits(shape) {
        return winograd::backward_weight(shape, input, grad_output, grad_weight);
    }
    let ns = shape.nanoseconds();
    let height = shape.output()[0];
    let band = Layout::band(shape.axes(), shape.group_in(), shape.batch, ns);
    let bands = height.div_ceil(band);
    let units: Vec<Unit> = (0..bands)
        .map(|i| i * band..((i + 1) * band).min(height))
        .flat_map(|rows| (0..shape.batch).map(move |image| Unit { image, rows: rows.clone() }))
        .collect();
    let parts = partial::parts(units.len(), ns);
    let len = grad_weight.len();
    let mut sums = Buffer::<T>::zeros(parts.pieces * len);
    parallel::chunks_mut(&mut sums, len, ns, |i, sums| {
        let units = &units[parts.range(i)];
        for units in units.chunk_by(|a, b| a.rows == b.rows) {
            add_units(shape, units, input, grad_output, sums);
        }
    });
    partial::add_up(&sums, grad_weight);
}

/// A band of rows of one image.
struct Unit {
    image: usize,
    rows: Range<usize>,
}

/// Adds what units with the same rows give to the gradient.
fn add_units<T: Conv2dNumber>(
    shape: &Conv2dShape,
    units: &[Unit],
    input: &[T],
    grad_output: &[T],
    sums: &mut [T],
) {
    let rows = units[0].rows.clone();
    let [height, width] = shape.output();
    let layout = Layout::new(shape.axes(), rows.clone());
    let (channels, out_channels) = (shape.group_in(), shape.group_out());
    let mut taps = layout.taps(channels);
    let taps_len = taps.len();
    // Whole tiles of taps: the last one again, for sums that nobody reads.
    taps.resize(taps_len.next_multiple_of(TAPS), taps[taps_len - 1]);

    let stage = STAGE.div_ceil(layout.len()).min(units.len());
    let canvas_len = channels * layout.channel_len();
    let grad_used = rows.len() * layout.pitch();
    let grad_len = grad_used.next_multiple_of(SLACK);
    let image_rows = whole_rows(out_channels);
    let mut canvas = Buffer::recycled(stage * canvas_len);
    let mut grad = Buffer::zeros(stage * image_rows * grad_len);
    for units in units.chunks(stage) {
        for g in 0..shape.groups {
            for (unit, canvas) in units.iter().zip(canvas.chunks_exact_mut(canvas_len)) {
                let first = unit.image * shape.in_channels + g * channels;
                layout.fill(&input[first * shape.input_plane()..], canvas);
            }
            for (unit, grad) in units.iter().zip(grad.chunks_exact_mut(image_rows * grad_len)) {
                let first = unit.image * shape.out_channels + g * out_channels;
                for (o, grad) in grad.chunks_exact_mut(grad_len).enumerate().take(out_channels) {
                    let plane = &grad_output[(first + o) * height * width..][..height * width];
                    let lattice = |start: usize, count| Lattice { start: start as isize, step: 1, count };
                    let from = (lattice(rows.start, rows.len()), lattice(0, layout.pitch()));
                    gather(plane, width, from, &mut grad[..grad_used]);
                }
            }
            Dots {
                images: units.len(),
                canvas: Pieces { data: &canvas, len: canvas_len },
                grad: Pieces { data: &grad, len: grad_len },
                rows: out_channels,
                taps: &taps,
                taps_len,
                len: layout.len(),
                sums: &mut sums[g * out_channels * taps_len..][..out_channels * taps_len],
            }
            .run();
        }
    }
}
