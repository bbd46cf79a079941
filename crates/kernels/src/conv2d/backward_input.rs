//! The gradient of a convolution with respect to its input.

use super::axis::Axis;
use super::canvas::{Lattice, gather, scatter};
use super::correlate::{BLOCK, Correlate, Grid, SLACK, pack, packed_len};
use super::layout::band;
use super::pointwise::Pointwise;
use super::{Conv2dNumber, Conv2dShape, depthwise, sparse, winograd};
use crate::memory::{OutOfMemory, try_collect};
use crate::parallel::{self, SendPtr};
use crate::{Buffer, Element};

/// `grad_input[n, c] = Σ_o` of `grad_output[n, o]` convolved with `weight[o, c]`, over the channels o of the
/// group of c. The counterpart of `torch.nn.grad.conv2d_input`.
///
/// `grad_input` has the shape of the input; what it held is overwritten. Slices are contiguous, as the
/// [module](super) says. Panics when a length does not fit the shape. Where there is no memory for intermediate results,
/// `grad_input` holds anything.
pub fn backward_input<T: Conv2dNumber>(
    shape: &Conv2dShape,
    grad_output: &[T],
    weight: &[T],
    grad_input: &mut [T],
) -> Result<(), OutOfMemory> {
    // Row i of the padded input meets output row (i − tap·dilation) / stride where that is a whole number, so
    // for the rows i = r·stride + residue the taps of the same residue are a convolution with stride 1, of
    // the padded `grad_output`, over r. Columns likewise.
    shape.check(grad_input.len(), weight.len(), grad_output.len());
    if grad_input.is_empty() {
        return Ok(());
    }
    if grad_output.is_empty() {
        grad_input.fill(T::ZERO);
        return Ok(());
    }
    if !shape.is_dense() {
        sparse::backward_input(shape, grad_output, weight, grad_input);
        return Ok(());
    }
    if let Some(pointwise) = Pointwise::new(shape) {
        return pointwise.backward_input(grad_output, weight, grad_input);
    }
    if depthwise::suits(shape) {
        return depthwise::backward_input(shape, grad_output, weight, grad_input);
    }
    if T::WINOGRAD && winograd::suits(shape) {
        return winograd::backward_input(shape, grad_output, weight, grad_input);
    }
    let axes = shape.axes();
    let channels = shape.group_out();
    let classes = classes(shape, weight)?;
    if classes.len() < shape.stride[0] * shape.stride[1] {
        // Pixels between those that taps meet belong to no class.
        let ns = 0.1 * grad_input.len() as f64;
        parallel::chunks_mut(grad_input, shape.input_plane(), ns, |_, plane| plane.fill(T::ZERO));
    }
    let [all_rows, columns] = axes.map(|axis| axis.quotients());
    let pitch = columns.count + axes[1].reach();
    let ns = shape.nanoseconds();
    let band = band(all_rows.count, channels * pitch, shape.batch, ns);
    let bands = all_rows.count.div_ceil(band);
    let rows_of = |i: usize| all_rows.part(i * band..((i + 1) * band).min(all_rows.count));
    let plane_len_of = |rows: Lattice| (rows.count + axes[0].reach()) * pitch;
    // The taps of each class. All bands have as many rows as the first, but for the last.
    let taps_of = |rows: Lattice| {
        let taps = classes.iter().map(|class| class.taps(&axes, plane_len_of(rows), pitch));
        taps.collect::<Result<Vec<_>, _>>()
    };
    let last = rows_of(bands - 1);
    let (taps, last_taps) = (taps_of(rows_of(0))?, taps_of(last)?);
    let base = SendPtr(grad_input.as_mut_ptr());
    parallel::try_run(shape.batch * bands, ns, |task| {
        let image = task / bands;
        let rows = rows_of(task % bands);
        let plane_len = plane_len_of(rows);
        let taps = if rows.count == last.count { &last_taps } else { &taps };
        let len = (rows.count - 1) * pitch + columns.count;
        let mut canvas = Buffer::try_recycled(channels * plane_len + SLACK)?;
        let mut grid = Grid::new(len)?;
        for g in 0..shape.groups {
            for c in 0..channels {
                let plane = image * shape.out_channels + g * channels + c;
                let plane = &grad_output[plane * shape.output_plane()..][..shape.output_plane()];
                let from = (rows.widened(axes[0].reach()), columns.widened(axes[1].reach()));
                gather(plane, axes[1].output, from, &mut canvas[c * plane_len..][..plane_len]);
            }
            for (class, taps) in classes.iter().zip(taps) {
                let (to_rows, first_row) = axes[0].inputs(rows, class.residues[0]);
                let (to_columns, first_column) = axes[1].inputs(columns, class.residues[1]);
                if to_rows.count == 0 || to_columns.count == 0 {
                    continue;
                }
                for block in 0..shape.group_in().div_ceil(BLOCK) {
                    let block_rows = BLOCK.min(shape.group_in() - block * BLOCK);
                    let weights = class.weights(g, block, shape.group_in());
                    let first = [T::ZERO; BLOCK];
                    Correlate {
                        canvas: &canvas,
                        taps,
                        weights,
                        first,
                        rows: block_rows,
                        len,
                        grid: &mut grid,
                    }
                    .run();
                    for i in 0..block_rows {
                        let plane = image * shape.in_channels + g * shape.group_in() + block * BLOCK + i;
                        let grid = &grid.row(i)[first_row * pitch + first_column..];
                        let start = to_rows.start as usize;
                        let height = (to_rows.count - 1) * to_rows.step + 1;
                        // SAFETY: these rows of this plane lie in `grad_input`. Bands write different rows of
                        // it, this task's parts are written one after the other, and `grad_input` stays
                        // mutably borrowed until `run` returns.
                        let out = unsafe {
                            let start = base.get().add(plane * shape.input_plane() + start * axes[1].input);
                            std::slice::from_raw_parts_mut(start, height * axes[1].input)
                        };
                        scatter(grid, pitch, (to_rows, to_columns), out, (start, axes[1].input));
                    }
                }
            }
        }
        Ok(())
    })
}

impl Axis {
    /// Which r give inputs i = r·stride + residue − padding, for some residue.
    fn quotients(&self) -> Lattice {
        let start = self.padding / self.stride;
        let end = (self.input + self.padding).div_ceil(self.stride);
        Lattice { start: start as isize, step: 1, count: end - start }
    }

    /// The inputs of quotients `of` with a residue, and the first quotient that has one, counted in `of`.
    fn inputs(&self, of: Lattice, residue: usize) -> (Lattice, usize) {
        let all = Lattice {
            start: of.start * self.stride as isize + residue as isize - self.padding as isize,
            step: self.stride,
            count: of.count,
        };
        let inside = all.inside(self.input);
        let first = inside.start;
        (all.part(inside), first)
    }
}

/// The inputs with one pair of remainders, and the part of the kernel that meets them.
struct Class<T: Element> {
    residues: [usize; 2],
    /// Output channel within the group, kernel row, kernel column.
    kernel: Vec<[usize; 3]>,
    /// For each group: input channels by `kernel`.
    packed: Buffer<T>,
}

/// The classes that a tap meets; the pixels of others get no gradient.
fn classes<T: Conv2dNumber>(shape: &Conv2dShape, weight: &[T]) -> Result<Vec<Class<T>>, OutOfMemory> {
    let axes = shape.axes();
    let [kh, kw] = shape.kernel;
    let class = |residues: [usize; 2]| {
        let met = |dim: usize| {
            let taps = (0..shape.kernel[dim]).filter(move |&tap| axes[dim].residue(tap) == residues[dim]);
            let count = taps.clone().count();
            try_collect(taps, count)
        };
        let (rows, columns) = (met(0)?, met(1)?);
        let pairs = rows.iter().flat_map(|&i| columns.iter().map(move |&j| [i, j]));
        let kernel = (0..shape.group_out()).flat_map(|o| pairs.clone().map(move |[i, j]| [o, i, j]));
        let kernel = try_collect(kernel, shape.group_out() * rows.len() * columns.len())?;
        let len = packed_len(shape.group_in(), kernel.len());
        let mut packed = Buffer::try_recycled(shape.groups * len)?;
        for (g, packed) in packed.chunks_exact_mut(len.max(1)).enumerate() {
            pack(shape.group_in(), kernel.len(), packed, |c, tap| {
                let [o, i, j] = kernel[tap];
                weight[(((g * shape.group_out() + o) * shape.group_in() + c) * kh + i) * kw + j]
            });
        }
        Ok(Class { residues, kernel, packed })
    };
    let [rows, columns] = [axes[0].residues()?, axes[1].residues()?];
    rows.iter().flat_map(|&a| columns.iter().map(move |&b| [a, b])).map(class).collect()
}

impl<T: Element> Class<T> {
    /// Where in the canvas the taps find their first output.
    fn taps(&self, axes: &[Axis; 2], plane_len: usize, pitch: usize) -> Result<Vec<usize>, OutOfMemory> {
        let back = |dim: usize, tap: usize| axes[dim].reach() - axes[dim].shift(tap);
        let places = self.kernel.iter().map(|&[o, i, j]| o * plane_len + back(0, i) * pitch + back(1, j));
        try_collect(places, self.kernel.len())
    }

    fn weights(&self, group: usize, block: usize, rows: usize) -> &[T] {
        let len = self.kernel.len() * BLOCK;
        &self.packed[(group * rows.div_ceil(BLOCK) + block) * len..][..len]
    }
}
