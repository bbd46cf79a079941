//! Gated recurrent units (Cho et al. 2014), with PyTorch's three gates in its order: r, z, n.

use super::pass::{BLOCK, load, start, store, sum};
use super::weight::Weight;
use super::{Gradients, OfWeights, Sizes, Weights, share};
use crate::gemm::GemmNumber;
use crate::memory::{OutOfMemory, total};
use crate::simd::Kernel;
use crate::strips::strips;
use crate::{Buffer, Float};

/// The number of gates.
pub const GATES: usize = 3;

/// The way through a sequence. With the sums a of what comes from the input and s of what comes from the state before,
/// each with its bias: r = sigmoid(a + s), z = sigmoid(a + s), n = tanh(a + r·s), state = (1 − z)·n + z·(state before).
///
/// x is `[T, B, I]`. Of `states` `[T + 1, B, H]`, the place [`Sizes::first_state`] holds the first; the others are
/// written, and so is what the way back needs: `gates` `[T, B, 3·H]`, and n's part s, `[T, B, H]`.
///
/// # Errors
/// Where there is no memory for the sums of one time or a copy of the weights.
pub fn forward<T: GemmNumber + Float>(
    sizes: Sizes,
    x: &[T],
    weights: Weights<'_, T>,
    states: &mut [T],
    gates: &mut [T],
    of_state: &mut [T],
) -> Result<(), OutOfMemory> {
    sizes.check(GATES, x, &weights, states);
    let (times, hidden, width) = (sizes.times, sizes.hidden, sizes.states());
    assert!(of_state.len() == times * width && gates.len() == GATES * of_state.len(), "lengths");
    let of_inputs = Weight::transposed(weights.ih, sizes.inputs, GATES * hidden, sizes.batch)?;
    let of_states = Weight::transposed(weights.hh, hidden, GATES * hidden, sizes.batch)?;
    let zeros = Buffer::try_zeros(if weights.bias.is_none() { GATES * hidden } else { 0 })?;
    let bias = weights.bias.unwrap_or([&zeros; 2]);
    let part = sizes.rows() * hidden;
    let mut sums = Buffer::<T>::try_recycled(GATES * width)?;
    for steps in sizes.stretches() {
        let stretch = sizes.times_of(&steps);
        let gates = &mut gates[GATES * stretch.start * width..GATES * stretch.end * width];
        of_inputs.product_of_all(&x[stretch.start * sizes.batch * sizes.inputs..], gates)?;
        let tasks = strips(states, [times + 1, width], part)
            .zip(strips(gates, [stretch.len(), GATES * width], GATES * part))
            .zip(strips(of_state, [times, width], part))
            .zip(sums.chunks_mut((GATES * part).max(1)));
        share(tasks, sizes.nanoseconds(steps.len(), GATES), |(((states, gates), of_state), sums)| {
            for step in steps.clone() {
                let place = sizes.place(step);
                let (before, state) = states.row_and_row_mut(place.before, place.after);
                of_states.product(before, T::ZERO, sums)?;
                let gates = gates.row_mut(place.time - stretch.start);
                T::run(Forward {
                    hidden,
                    bias,
                    gates,
                    sums,
                    before,
                    of_state: of_state.row_mut(place.time),
                    state,
                });
            }
            Ok(())
        })?;
    }
    Ok(())
}

struct Forward<'a, T> {
    hidden: usize,
    bias: [&'a [T]; 2],
    /// What comes from the inputs; replaced by the gates.
    gates: &'a mut [T],
    /// What comes from the state before.
    sums: &'a [T],
    before: &'a [T],
    of_state: &'a mut [T],
    state: &'a mut [T],
}

impl<T: Float> Kernel for Forward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let n = self.hidden;
        let (input_bias, state_bias) = (self.bias[0], self.bias[1]);
        let rows = self.gates.chunks_exact_mut(GATES * n).zip(self.sums.chunks_exact(GATES * n));
        let rows = rows.zip(self.before.chunks_exact(n)).zip(self.of_state.chunks_exact_mut(n));
        let rows = rows.zip(self.state.chunks_exact_mut(n));
        for ((((gates, sums), before), of_state), state) in rows {
            for j in (0..n).step_by(BLOCK) {
                let mut r = sum(&gates[..n], &input_bias[..n], j);
                let mut z = sum(&gates[n..2 * n], &input_bias[n..2 * n], j);
                let mut new = sum(&gates[2 * n..], &input_bias[2 * n..], j);
                let r_sum = sum(&sums[..n], &state_bias[..n], j);
                let z_sum = sum(&sums[n..2 * n], &state_bias[n..2 * n], j);
                let new_sum = sum(&sums[2 * n..], &state_bias[2 * n..], j);
                let mut h = load(before, j);
                for l in 0..BLOCK {
                    r[l] = (r[l] + r_sum[l]).sigmoid();
                    z[l] = (z[l] + z_sum[l]).sigmoid();
                    new[l] = r[l].mul_add(new_sum[l], new[l]).tanh();
                    h[l] = z[l].mul_add(h[l] - new[l], new[l]);
                }
                store(&r, &mut gates[..n], j);
                store(&z, &mut gates[n..2 * n], j);
                store(&new, &mut gates[2 * n..], j);
                store(&new_sum, of_state, j);
                store(&h, state, j);
            }
        }
    }
}

/// The way back, from what [`forward`] read and wrote (states, gates and n's part), and from the gradients of the
/// outputs `[T, B, H]` and of the last state `[B, H]`, as far as there are any.
///
/// # Errors
/// Where there is no memory for the gradients of the sums of some times.
pub fn backward<T: GemmNumber + Float>(
    sizes: Sizes,
    x: &[T],
    weights: Weights<'_, T>,
    [states, gates, of_state]: [&[T]; 3],
    [of_output, of_last]: [Option<&[T]>; 2],
    gradients: Gradients<'_, T>,
) -> Result<(), OutOfMemory> {
    sizes.check(GATES, x, &weights, states);
    let (times, hidden, width) = (sizes.times, sizes.hidden, sizes.states());
    assert!(of_state.len() == times * width && gates.len() == GATES * of_state.len(), "lengths");
    assert!(of_output.is_none_or(|g| g.len() == times * width), "length of the gradient");
    start(gradients.state, of_last);
    let weight = Weight::new(weights.hh, GATES * hidden, hidden, sizes.batch);
    let longest = total(&[(GATES * width, sizes.longest_stretch())])?;
    let (mut of_inputs, mut of_sums) =
        (Buffer::<T>::try_recycled(longest)?, Buffer::<T>::try_recycled(longest)?);
    let part = sizes.rows() * hidden;
    let mut of_weights = OfWeights { sizes, x, weights, states, out: gradients, beta: T::ZERO };
    for steps in sizes.stretches().rev() {
        let stretch = sizes.times_of(&steps);
        let of_inputs = &mut of_inputs[..GATES * width * stretch.len()];
        let of_sums = &mut of_sums[..GATES * width * stretch.len()];
        let tasks = strips(of_inputs, [stretch.len(), GATES * width], GATES * part)
            .zip(strips(of_sums, [stretch.len(), GATES * width], GATES * part))
            .zip(of_weights.out.state.chunks_mut(part.max(1)))
            .enumerate();
        share(tasks, sizes.nanoseconds(steps.len(), GATES), |(task, ((of_inputs, of_sums), carried))| {
            let (first, len) = (*task * part, carried.len());
            for step in steps.clone().rev() {
                let place = sizes.place(step);
                let of_sums = of_sums.row_mut(place.time - stretch.start);
                T::run(Backward {
                    hidden,
                    gates: &gates[GATES * (place.time * width + first)..][..GATES * len],
                    before: &states[place.before * width + first..][..len],
                    of_state: &of_state[place.time * width + first..][..len],
                    of_output: of_output.map(|g| &g[place.time * width + first..][..len]),
                    carried,
                    of_inputs: of_inputs.row_mut(place.time - stretch.start),
                    of_sums,
                });
                weight.product(of_sums, T::ONE, carried)?;
            }
            Ok(())
        })?;
        of_weights.add(stretch, [of_inputs, of_sums])?;
    }
    Ok(())
}

struct Backward<'a, T> {
    hidden: usize,
    gates: &'a [T],
    before: &'a [T],
    of_state: &'a [T],
    of_output: Option<&'a [T]>,
    /// The state's gradient, from the times after; replaced by what goes straight to the state before.
    carried: &'a mut [T],
    /// The gradients of what comes from the inputs.
    of_inputs: &'a mut [T],
    /// The gradients of what comes from the state before.
    of_sums: &'a mut [T],
}

impl<T: Float> Kernel for Backward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let n = self.hidden;
        let rows = self.of_inputs.chunks_exact_mut(GATES * n).zip(self.of_sums.chunks_exact_mut(GATES * n));
        let rows = rows.zip(self.gates.chunks_exact(GATES * n)).zip(self.before.chunks_exact(n));
        let rows = rows.zip(self.of_state.chunks_exact(n)).zip(self.carried.chunks_exact_mut(n)).enumerate();
        for (row, (((((of_inputs, of_sums), gates), before), of_state), carried)) in rows {
            let of_output = self.of_output.map(|g| &g[row * n..][..n]);
            for j in (0..n).step_by(BLOCK) {
                let (mut r, mut z) = (load(&gates[..n], j), load(&gates[n..2 * n], j));
                let mut new = load(&gates[2 * n..], j);
                let (mut new_sum, before) = (load(of_state, j), load(before, j));
                let mut dh = match of_output {
                    Some(of_output) => sum(carried, of_output, j),
                    None => load(carried, j),
                };
                for l in 0..BLOCK {
                    let of_new = dh[l] * (T::ONE - z[l]) * (-new[l]).mul_add(new[l], T::ONE);
                    let of_z = dh[l] * (before[l] - new[l]) * (z[l] * (T::ONE - z[l]));
                    dh[l] *= z[l];
                    z[l] = of_z;
                    let of_r = of_new * new_sum[l] * (r[l] * (T::ONE - r[l]));
                    new[l] = of_new;
                    new_sum[l] = of_new * r[l];
                    r[l] = of_r;
                }
                for of_both in [&mut *of_inputs, &mut *of_sums] {
                    store(&r, &mut of_both[..n], j);
                    store(&z, &mut of_both[n..2 * n], j);
                }
                store(&new, &mut of_inputs[2 * n..], j);
                store(&new_sum, &mut of_sums[2 * n..], j);
                store(&dh, carried, j);
            }
        }
    }
}
