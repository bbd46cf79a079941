//! The simple recurrent layer (Elman 1990): state = f(what comes from the input + what comes from the state before).

use super::pass::{BLOCK, load, start, store, sum};
use super::weight::Weight;
use super::{Gradients, OfWeights, Sizes, Weights, share};
use crate::gemm::GemmNumber;
use crate::memory::{OutOfMemory, total};
use crate::simd::Kernel;
use crate::strips::strips;
use crate::{Buffer, Float};

/// The function f of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// tanh x
    Tanh,
    /// max(x, 0)
    Relu,
}

impl Activation {
    #[inline(always)]
    fn of<T: Float>(self, x: T) -> T {
        match self {
            Activation::Tanh => x.tanh(),
            // A NaN stays.
            Activation::Relu => x.maximum(T::ZERO),
        }
    }

    /// The derivative, by the value.
    #[inline(always)]
    fn derivative<T: Float>(self, y: T) -> T {
        match self {
            Activation::Tanh => (-y).mul_add(y, T::ONE),
            Activation::Relu if y > T::ZERO => T::ONE,
            Activation::Relu => T::ZERO,
        }
    }
}

/// The way through a sequence. x is `[T, B, I]`. Of `states` `[T + 1, B, H]`, the place [`Sizes::first_state`] holds the
/// first; the others are written.
///
/// # Errors
/// Where there is no memory for the sums of some times or a copy of the weights.
pub fn forward<T: GemmNumber + Float>(
    sizes: Sizes,
    activation: Activation,
    x: &[T],
    weights: Weights<'_, T>,
    states: &mut [T],
) -> Result<(), OutOfMemory> {
    sizes.check(1, x, &weights, states);
    let (times, hidden, width) = (sizes.times, sizes.hidden, sizes.states());
    let of_inputs = Weight::transposed(weights.ih, sizes.inputs, hidden, sizes.batch)?;
    let of_states = Weight::transposed(weights.hh, hidden, hidden, sizes.batch)?;
    let bias = weights.bias(hidden)?;
    let part = sizes.rows() * hidden;
    let mut sums = Buffer::<T>::try_recycled(total(&[(width, sizes.longest_stretch())])?)?;
    for steps in sizes.stretches() {
        let stretch = sizes.times_of(&steps);
        let sums = &mut sums[..stretch.len() * width];
        of_inputs.product_of_all(&x[stretch.start * sizes.batch * sizes.inputs..], sums)?;
        let tasks = strips(states, [times + 1, width], part).zip(strips(sums, [stretch.len(), width], part));
        share(tasks, sizes.nanoseconds(steps.len(), 1), |(states, sums)| {
            for step in steps.clone() {
                let place = sizes.place(step);
                let sums = sums.row_mut(place.time - stretch.start);
                let (before, state) = states.row_and_row_mut(place.before, place.after);
                of_states.product(before, T::ONE, sums)?;
                T::run(Forward { hidden, activation, bias: &bias, sums, state });
            }
            Ok(())
        })?;
    }
    Ok(())
}

struct Forward<'a, T> {
    hidden: usize,
    activation: Activation,
    bias: &'a [T],
    sums: &'a [T],
    state: &'a mut [T],
}

impl<T: Float> Kernel for Forward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let n = self.hidden;
        for (sums, state) in self.sums.chunks_exact(n).zip(self.state.chunks_exact_mut(n)) {
            for j in (0..n).step_by(BLOCK) {
                let mut h = sum(sums, self.bias, j);
                for h in &mut h {
                    *h = self.activation.of(*h);
                }
                store(&h, state, j);
            }
        }
    }
}

/// The way back, from what [`forward`] read and wrote, and from the gradients of the outputs `[T, B, H]` and of the last
/// state `[B, H]`, as far as there are any.
///
/// # Errors
/// Where there is no memory for the gradients of the sums of some times.
pub fn backward<T: GemmNumber + Float>(
    sizes: Sizes,
    activation: Activation,
    x: &[T],
    weights: Weights<'_, T>,
    states: &[T],
    [of_output, of_last]: [Option<&[T]>; 2],
    gradients: Gradients<'_, T>,
) -> Result<(), OutOfMemory> {
    sizes.check(1, x, &weights, states);
    let (times, hidden, width) = (sizes.times, sizes.hidden, sizes.states());
    assert!(of_output.is_none_or(|g| g.len() == times * width), "length of the gradient");
    start(gradients.state, of_last);
    let weight = Weight::new(weights.hh, hidden, hidden, sizes.batch);
    let mut of_sums = Buffer::<T>::try_recycled(total(&[(width, sizes.longest_stretch())])?)?;
    let part = sizes.rows() * hidden;
    let mut of_weights = OfWeights { sizes, x, weights, states, out: gradients, beta: T::ZERO };
    for steps in sizes.stretches().rev() {
        let stretch = sizes.times_of(&steps);
        let of_sums = &mut of_sums[..width * stretch.len()];
        let tasks = strips(of_sums, [stretch.len(), width], part)
            .zip(of_weights.out.state.chunks_mut(part.max(1)))
            .enumerate();
        share(tasks, sizes.nanoseconds(steps.len(), 1), |(task, (of_sums, carried))| {
            let (first, len) = (*task * part, carried.len());
            for step in steps.clone().rev() {
                let place = sizes.place(step);
                let of_sums = of_sums.row_mut(place.time - stretch.start);
                T::run(Backward {
                    hidden,
                    activation,
                    state: &states[place.after * width + first..][..len],
                    of_output: of_output.map(|g| &g[place.time * width + first..][..len]),
                    carried,
                    of_sums,
                });
                weight.product(of_sums, T::ZERO, carried)?;
            }
            Ok(())
        })?;
        of_weights.add(stretch, [of_sums, of_sums])?;
    }
    Ok(())
}

struct Backward<'a, T> {
    hidden: usize,
    activation: Activation,
    state: &'a [T],
    of_output: Option<&'a [T]>,
    /// The state's gradient, from the times after.
    carried: &'a [T],
    of_sums: &'a mut [T],
}

impl<T: Float> Kernel for Backward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let n = self.hidden;
        let rows = self.state.chunks_exact(n).zip(self.carried.chunks_exact(n));
        for (row, ((state, carried), of_sums)) in rows.zip(self.of_sums.chunks_exact_mut(n)).enumerate() {
            let of_output = self.of_output.map(|g| &g[row * n..][..n]);
            for j in (0..n).step_by(BLOCK) {
                let state = load(state, j);
                let mut d = match of_output {
                    Some(of_output) => sum(carried, of_output, j),
                    None => load(carried, j),
                };
                for l in 0..BLOCK {
                    d[l] *= self.activation.derivative(state[l]);
                }
                store(&d, of_sums, j);
            }
        }
    }
}
