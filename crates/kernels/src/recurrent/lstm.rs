//! Long short-term memory (Hochreiter and Schmidhuber 1997), with PyTorch's four gates in its order: i, f, g, o.

use super::pass::{BLOCK, load, start, store, sum};
use super::weight::Weight;
use super::{Gradients, OfWeights, Sizes, Weights, share};
use crate::gemm::GemmNumber;
use crate::memory::{OutOfMemory, total};
use crate::simd::Kernel;
use crate::strips::strips;
use crate::{Buffer, Float};

/// The number of gates.
pub const GATES: usize = 4;

/// The way through a sequence. With the sums s of what comes from input and state before: i, f and o are sigmoid(s), g
/// is tanh(s), cell = f·(cell before) + i·g, state = o·tanh(cell).
///
/// x is `[T, B, I]`. Of `states` and `cells` `[T + 1, B, H]`, the place [`Sizes::first_state`] holds the first ones;
/// the others are written, and so are `gates`, `[T, B, 4·H]`, which the way back needs.
///
/// # Errors
/// Where there is no memory for a copy of the weights.
pub fn forward<T: GemmNumber + Float>(
    sizes: Sizes,
    x: &[T],
    weights: Weights<'_, T>,
    states: &mut [T],
    cells: &mut [T],
    gates: &mut [T],
) -> Result<(), OutOfMemory> {
    sizes.check(GATES, x, &weights, states);
    let (times, hidden, width) = (sizes.times, sizes.hidden, sizes.states());
    assert!(cells.len() == states.len() && gates.len() == GATES * times * width, "lengths");
    let of_inputs = Weight::transposed(weights.ih, sizes.inputs, GATES * hidden, sizes.batch)?;
    let of_states = Weight::transposed(weights.hh, hidden, GATES * hidden, sizes.batch)?;
    let bias = weights.bias(GATES * hidden)?;
    let part = sizes.rows() * hidden;
    for steps in sizes.stretches() {
        let stretch = sizes.times_of(&steps);
        let gates = &mut gates[GATES * stretch.start * width..GATES * stretch.end * width];
        of_inputs.product_of_all(&x[stretch.start * sizes.batch * sizes.inputs..], gates)?;
        let tasks = strips(states, [times + 1, width], part)
            .zip(strips(cells, [times + 1, width], part))
            .zip(strips(gates, [stretch.len(), GATES * width], GATES * part));
        share(tasks, sizes.nanoseconds(steps.len(), GATES), |((states, cells), gates)| {
            for step in steps.clone() {
                let place = sizes.place(step);
                let gates = gates.row_mut(place.time - stretch.start);
                let (before, state) = states.row_and_row_mut(place.before, place.after);
                of_states.product(before, T::ONE, gates)?;
                let (cell_before, cell) = cells.row_and_row_mut(place.before, place.after);
                T::run(Forward { hidden, bias: &bias, gates, cell_before, cell, state });
            }
            Ok(())
        })?;
    }
    Ok(())
}

struct Forward<'a, T> {
    hidden: usize,
    bias: &'a [T],
    gates: &'a mut [T],
    cell_before: &'a [T],
    cell: &'a mut [T],
    state: &'a mut [T],
}

impl<T: Float> Kernel for Forward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let n = self.hidden;
        let rows = self.gates.chunks_exact_mut(GATES * n).zip(self.cell_before.chunks_exact(n));
        let rows = rows.zip(self.cell.chunks_exact_mut(n)).zip(self.state.chunks_exact_mut(n));
        for (((gates, before), cell), state) in rows {
            for j in (0..n).step_by(BLOCK) {
                let mut i = sum(&gates[..n], &self.bias[..n], j);
                let mut f = sum(&gates[n..2 * n], &self.bias[n..2 * n], j);
                let mut g = sum(&gates[2 * n..3 * n], &self.bias[2 * n..3 * n], j);
                let mut o = sum(&gates[3 * n..], &self.bias[3 * n..], j);
                let before = load(before, j);
                let (mut c, mut h) = ([T::ZERO; BLOCK], [T::ZERO; BLOCK]);
                for l in 0..BLOCK {
                    i[l] = i[l].sigmoid();
                    g[l] = g[l].tanh();
                    f[l] = f[l].sigmoid();
                    c[l] = f[l].mul_add(before[l], i[l] * g[l]);
                    o[l] = o[l].sigmoid();
                    h[l] = o[l] * c[l].tanh();
                }
                store(&i, &mut gates[..n], j);
                store(&f, &mut gates[n..2 * n], j);
                store(&g, &mut gates[2 * n..3 * n], j);
                store(&o, &mut gates[3 * n..], j);
                store(&c, cell, j);
                store(&h, state, j);
            }
        }
    }
}

/// The gradients of the outputs `[T, B, H]`, and of the last state and the last cell `[B, H]`, as far as there are any.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a, T> {
    /// Of the outputs.
    pub output: Option<&'a [T]>,
    /// Of the last state.
    pub state: Option<&'a [T]>,
    /// Of the last cell.
    pub cell: Option<&'a [T]>,
}

/// The way back, from what [`forward`] read and wrote. `of_cell` becomes the gradient of the first cell, `[B, H]`.
///
/// # Errors
/// Where there is no memory for the gradients of the gates of some times.
pub fn backward<T: GemmNumber + Float>(
    sizes: Sizes,
    x: &[T],
    weights: Weights<'_, T>,
    [states, cells, gates]: [&[T]; 3],
    incoming: Incoming<'_, T>,
    gradients: Gradients<'_, T>,
    of_cell: &mut [T],
) -> Result<(), OutOfMemory> {
    sizes.check(GATES, x, &weights, states);
    let (times, hidden, width) = (sizes.times, sizes.hidden, sizes.states());
    assert!(cells.len() == states.len() && gates.len() == GATES * times * width, "lengths");
    assert!(incoming.output.is_none_or(|g| g.len() == times * width), "length of the gradient");
    start(gradients.state, incoming.state);
    start(of_cell, incoming.cell);
    let weight = Weight::new(weights.hh, GATES * hidden, hidden, sizes.batch);
    let mut of_gates = Buffer::<T>::try_recycled(total(&[(GATES * width, sizes.longest_stretch())])?)?;
    let part = sizes.rows() * hidden;
    let mut of_weights = OfWeights { sizes, x, weights, states, out: gradients, beta: T::ZERO };
    for steps in sizes.stretches().rev() {
        let stretch = sizes.times_of(&steps);
        let of_gates = &mut of_gates[..GATES * width * stretch.len()];
        let tasks = strips(of_gates, [stretch.len(), GATES * width], GATES * part)
            .zip(of_weights.out.state.chunks_mut(part.max(1)))
            .zip(of_cell.chunks_mut(part.max(1)))
            .enumerate();
        share(tasks, sizes.nanoseconds(steps.len(), GATES), |(task, ((of_gates, of_state), of_cell))| {
            let (first, len) = (*task * part, of_state.len());
            for step in steps.clone().rev() {
                let place = sizes.place(step);
                let of_gates = of_gates.row_mut(place.time - stretch.start);
                T::run(Backward {
                    hidden,
                    gates: &gates[GATES * (place.time * width + first)..][..GATES * len],
                    cell_before: &cells[place.before * width + first..][..len],
                    cell: &cells[place.after * width + first..][..len],
                    of_output: incoming.output.map(|g| &g[place.time * width + first..][..len]),
                    of_state,
                    of_cell,
                    of_gates,
                });
                weight.product(of_gates, T::ZERO, of_state)?;
            }
            Ok(())
        })?;
        of_weights.add(stretch, [of_gates, of_gates])?;
    }
    Ok(())
}

struct Backward<'a, T> {
    hidden: usize,
    gates: &'a [T],
    cell_before: &'a [T],
    cell: &'a [T],
    of_output: Option<&'a [T]>,
    /// What comes from the times after.
    of_state: &'a [T],
    /// As `of_state`; replaced by what goes to the time before.
    of_cell: &'a mut [T],
    of_gates: &'a mut [T],
}

impl<T: Float> Kernel for Backward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let n = self.hidden;
        let rows = self.gates.chunks_exact(GATES * n).zip(self.of_gates.chunks_exact_mut(GATES * n));
        let rows = rows.zip(self.cell_before.chunks_exact(n)).zip(self.cell.chunks_exact(n));
        let rows = rows.zip(self.of_state.chunks_exact(n)).zip(self.of_cell.chunks_exact_mut(n)).enumerate();
        for (row, (((((gates, of_gates), before), cell), of_state), of_cell)) in rows {
            let of_output = self.of_output.map(|g| &g[row * n..][..n]);
            for j in (0..n).step_by(BLOCK) {
                let (mut i, mut f) = (load(&gates[..n], j), load(&gates[n..2 * n], j));
                let (mut g, mut o) = (load(&gates[2 * n..3 * n], j), load(&gates[3 * n..], j));
                let (before, cell) = (load(before, j), load(cell, j));
                let mut dc = load(of_cell, j);
                let dh = match of_output {
                    Some(of_output) => sum(of_state, of_output, j),
                    None => load(of_state, j),
                };
                for l in 0..BLOCK {
                    let bent = cell[l].tanh();
                    let d = (dh[l] * o[l]).mul_add((-bent).mul_add(bent, T::ONE), dc[l]);
                    dc[l] = d * f[l];
                    let (of_i, of_g) = (d * g[l], d * i[l]);
                    f[l] = d * before[l] * (f[l] * (T::ONE - f[l]));
                    i[l] = of_i * (i[l] * (T::ONE - i[l]));
                    g[l] = of_g * (-g[l]).mul_add(g[l], T::ONE);
                    o[l] = dh[l] * bent * (o[l] * (T::ONE - o[l]));
                }
                store(&i, &mut of_gates[..n], j);
                store(&f, &mut of_gates[n..2 * n], j);
                store(&g, &mut of_gates[2 * n..3 * n], j);
                store(&o, &mut of_gates[3 * n..], j);
                store(&dc, of_cell, j);
            }
        }
    }
}
