//! The gradient of a convolution with respect to its weight.

use std::ops::Range;

use super::canvas::{Lattice, gather};
use super::correlate::SLACK;
use super::dots::{Dots, Pieces, TAPS, whole_rows};
use super::layout::{Bands, Layout};
use super::pointwise::Pointwise;
use super::{Conv2dNumber, Conv2dShape, depthwise, partial, sparse, winograd};
use crate::Buffer;
use crate::memory::OutOfMemory;
use crate::parallel;

/// Results that the inner loop sums over in one go, at least, where there are several images.
const STAGE: usize = 2048;

/// `grad_weight[o, c, i, j] = Σ_n Σ_q grad_output[n, o, q] · input[n, c, the place that q meets with (i, j)]`. The
/// counterpart of `torch.nn.grad.conv2d_weight`. (The gradient of the bias is a sum of `grad_output`.)
///
/// `grad_weight` has the shape of the weight; what it held is overwritten. Slices are contiguous, as the
/// [module](super) says. Panics when a length does not fit the shape. Where there is no memory for intermediate results,
/// `grad_weight` holds anything.
///
/// Positions between the rows of the padded input meet zeros here, so an infinite input may give NaN where it
/// would not take part.
pub fn backward_weight<T: Conv2dNumber>(
    shape: &Conv2dShape,
    input: &[T],
    grad_output: &[T],
    grad_weight: &mut [T],
) -> Result<(), OutOfMemory> {
    shape.check(input.len(), grad_weight.len(), grad_output.len());
    if grad_weight.is_empty() {
        return Ok(());
    }
    if grad_output.is_empty() || input.is_empty() {
        grad_weight.fill(T::ZERO);
        return Ok(());
    }
    if !shape.is_dense() {
        sparse::backward_weight(shape, input, grad_output, grad_weight);
        return Ok(());
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
    let bands = Bands::new(shape.axes(), shape.group_in(), shape.batch, ns)?;
    // A unit is a band of one image; those with the same rows follow each other.
    let units = bands.count() * shape.batch;
    let parts = partial::parts(units, ns);
    let len = grad_weight.len();
    let mut sums = Buffer::<T>::try_recycled(parts.pieces * len)?;
    parallel::try_chunks_mut(&mut sums, len, ns, |i, sums| {
        sums.fill(T::ZERO);
        let mut units = parts.range(i);
        while !units.is_empty() {
            let (band, image) = (units.start / shape.batch, units.start % shape.batch);
            let images = image..shape.batch.min(image + units.len());
            units.start += images.len();
            add_images(shape, &bands.layout(band), images, input, grad_output, sums)?;
        }
        Ok(())
    })?;
    partial::add_up(&sums, grad_weight);
    Ok(())
}

/// Adds what a band of some images gives to the gradient.
fn add_images<T: Conv2dNumber>(
    shape: &Conv2dShape,
    layout: &Layout<'_>,
    images: Range<usize>,
    input: &[T],
    grad_output: &[T],
    sums: &mut [T],
) -> Result<(), OutOfMemory> {
    let rows = layout.rows().clone();
    let [height, width] = shape.output;
    let (channels, out_channels) = (shape.group_in(), shape.group_out());
    let mut taps = layout.taps(TAPS)?;
    let taps_len = taps.len();
    // Whole tiles of taps: the last one again, for sums that nobody reads.
    taps.resize(taps_len.next_multiple_of(TAPS), taps[taps_len - 1]);

    let stage = STAGE.div_ceil(layout.len()).min(images.len());
    let canvas_len = layout.canvas_len();
    let grad_used = rows.len() * layout.pitch();
    let grad_len = grad_used.next_multiple_of(SLACK);
    let image_rows = whole_rows(out_channels);
    let mut canvas = Buffer::try_recycled(stage * canvas_len)?;
    let mut grad = Buffer::try_zeros(stage * image_rows * grad_len)?;
    for start in images.clone().step_by(stage) {
        let staged = start..images.end.min(start + stage);
        for g in 0..shape.groups {
            for (image, canvas) in staged.clone().zip(canvas.chunks_exact_mut(canvas_len)) {
                let first = image * shape.in_channels + g * channels;
                layout.fill(&input[first * shape.input_plane()..], canvas);
            }
            for (image, grad) in staged.clone().zip(grad.chunks_exact_mut(image_rows * grad_len)) {
                let first = image * shape.out_channels + g * out_channels;
                for (o, grad) in grad.chunks_exact_mut(grad_len).enumerate().take(out_channels) {
                    let plane = &grad_output[(first + o) * height * width..][..height * width];
                    let lattice = |start: usize, count| Lattice { start: start as isize, step: 1, count };
                    let from = (lattice(rows.start, rows.len()), lattice(0, layout.pitch()));
                    gather(plane, width, from, &mut grad[..grad_used]);
                }
            }
            Dots {
                images: staged.len(),
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
    Ok(())
}
