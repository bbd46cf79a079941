//! The output of a convolution.

use super::canvas::{Lattice, scatter};
use super::correlate::{BLOCK, Correlate, Grid, pack, packed_len};
use super::layout::Bands;
use super::pointwise::Pointwise;
use super::{Conv2dNumber, Conv2dShape, depthwise, sparse, winograd};
use crate::Buffer;
use crate::memory::OutOfMemory;
use crate::parallel::{self, SendPtr};

/// `output[n, o] = bias[o] + Σ_c weight[o, c] ⋆ input[n, c]` over the channels c of the group of o, where ⋆ is
/// cross-correlation. The counterpart of `torch.nn.functional.conv2d`.
///
/// Slices are contiguous, as the [module](super) says. Panics when a length does not fit the shape. Where there is no
/// memory for intermediate results, `output` holds anything.
pub fn forward<T: Conv2dNumber>(
    shape: &Conv2dShape,
    input: &[T],
    weight: &[T],
    bias: Option<&[T]>,
    output: &mut [T],
) -> Result<(), OutOfMemory> {
    shape.check(input.len(), weight.len(), output.len());
    assert!(bias.is_none_or(|bias| bias.len() == shape.out_channels), "length of the bias");
    if output.is_empty() {
        return Ok(());
    }
    if !shape.is_dense() {
        sparse::forward(shape, input, weight, bias, output);
        return Ok(());
    }
    if let Some(pointwise) = Pointwise::new(shape) {
        return pointwise.forward(input, weight, bias, output);
    }
    if depthwise::suits(shape) {
        return depthwise::forward(shape, input, weight, bias, output);
    }
    if T::WINOGRAD && winograd::suits(shape) {
        return winograd::forward(shape, input, weight, bias, output);
    }
    let (channels, out_channels) = (shape.group_in(), shape.group_out());
    let taps_len = channels * shape.kernel_len();
    let packed_len = packed_len(out_channels, taps_len);
    let mut packed = Buffer::try_recycled(shape.groups * packed_len)?;
    for (g, packed) in packed.chunks_exact_mut(packed_len.max(1)).enumerate() {
        pack(out_channels, taps_len, packed, |o, tap| weight[(g * out_channels + o) * taps_len + tap]);
    }

    let [height, width] = shape.output;
    let ns = shape.nanoseconds();
    let bands = Bands::new(shape.axes(), channels, shape.batch, ns)?;
    let last = bands.layout(bands.count() - 1);
    // All bands have as many rows as the first, but for the last.
    let (taps, last_taps) = (bands.layout(0).taps(0)?, last.taps(0)?);
    let base = SendPtr(output.as_mut_ptr());
    parallel::try_run(shape.batch * bands.count(), ns, |task| {
        let image = task / bands.count();
        let layout = bands.layout(task % bands.count());
        let rows = layout.rows();
        let taps = if rows == last.rows() { &last_taps } else { &taps };
        let mut canvas = Buffer::try_recycled(layout.canvas_len())?;
        let mut grid = Grid::new(layout.len())?;
        for g in 0..shape.groups {
            let first_in = image * shape.in_channels + g * channels;
            layout.fill(&input[first_in * shape.input_plane()..], &mut canvas);
            for block in 0..out_channels.div_ceil(BLOCK) {
                let first_out = g * out_channels + block * BLOCK;
                let block_rows = BLOCK.min(out_channels - block * BLOCK);
                let first = bias.map_or([T::ZERO; BLOCK], |bias| {
                    std::array::from_fn(|i| if i < block_rows { bias[first_out + i] } else { T::ZERO })
                });
                let weights = &packed[g * packed_len + block * BLOCK * taps_len..][..BLOCK * taps_len];
                let len = layout.len();
                Correlate { canvas: &canvas, taps, weights, first, rows: block_rows, len, grid: &mut grid }
                    .run();
                for i in 0..block_rows {
                    let plane = image * shape.out_channels + first_out + i;
                    // SAFETY: these rows of this plane lie in the output and are written by this task alone;
                    // the output stays mutably borrowed until `run` returns.
                    let out = unsafe {
                        let start = base.get().add((plane * height + rows.start) * width);
                        std::slice::from_raw_parts_mut(start, rows.len() * width)
                    };
                    let lattice = |count| Lattice { start: 0, step: 1, count };
                    let to = (lattice(rows.len()), lattice(width));
                    scatter(grid.row(i), layout.pitch(), to, out, (0, width));
                }
            }
        }
        Ok(())
    })
}
