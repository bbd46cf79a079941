//! Recurrent layers over whole sequences, one layer in one direction: [`lstm`], [`gru`] and [`rnn`].
//!
//! A sequence is gone through in stretches of times. What the inputs contribute to the gates is one product for all times
//! of a stretch. Then each time is one product with the state before it, added to that, and one pass over the gates. On
//! the way back the gradients of the gates come first, from the last time to the first, and then those of the weights,
//! one product each for all times of a stretch. The sequences of a batch do not know of each other: threads take some of
//! them each through a stretch, and need not wait for one another at each time.

pub mod gru;
pub mod lstm;
mod pass;
pub mod rnn;
#[cfg(test)]
mod tests;
mod weight;

use std::ops::Range;

use crate::gemm::{GemmNumber, Matrix, gemm};
use crate::memory::{OutOfMemory, try_collect};
use crate::parallel;
use crate::reduce;
use crate::{Buffer, Float};

/// A batch of at least this many sequences is shared out by sequences, a smaller one by what is done at each time.
const BATCH: usize = 8;
/// The fewest sequences in a task.
const FEWEST: usize = 4;
/// The most sequences in a task: what they need at one time stays in the second-level cache.
const MOST: usize = 64;

/// Rows of gates in a stretch of times.
const STRETCH: usize = 256;

/// The sizes of a layer and its input.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// The number of times, T.
    pub times: usize,
    /// The number of sequences, B.
    pub batch: usize,
    /// The numbers that come in at each time, I.
    pub inputs: usize,
    /// The numbers of a state, H.
    pub hidden: usize,
    /// Whether it runs from the last time to the first.
    pub reverse: bool,
}

/// The weights of a layer with G gates.
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a, T> {
    /// Of the inputs, `[G·H, I]`.
    pub ih: &'a [T],
    /// Of the state before, `[G·H, H]`.
    pub hh: &'a [T],
    /// Added to what comes from the inputs and from the state, `[G·H]` each; zeros where absent.
    pub bias: Option<[&'a [T]; 2]>,
}

/// Where gradients go: to what is wanted.
#[derive(Debug)]
pub struct Gradients<'a, T> {
    /// Of the input, `[T, B, I]`.
    pub input: Option<&'a mut [T]>,
    /// Of the first state, `[B, H]`. It is always there, because it is worked in on the way.
    pub state: &'a mut [T],
    /// Of the weights of the inputs.
    pub ih: Option<&'a mut [T]>,
    /// Of the weights of the state.
    pub hh: Option<&'a mut [T]>,
    /// Of both biases.
    pub bias: Option<[&'a mut [T]; 2]>,
}

/// Where a step of a sequence reads and writes. States have one place more than there are times, for the first.
#[derive(Clone, Copy)]
struct Place {
    time: usize,
    before: usize,
    after: usize,
}

impl Sizes {
    /// Where the first state is put among the states `[T + 1, B, H]`; each other place is that of an output.
    pub fn first_state(&self) -> usize {
        if self.reverse { self.times } else { 0 }
    }

    /// Where the last state is.
    pub fn last_state(&self) -> usize {
        self.times - self.first_state()
    }

    /// Where the output of the first time is: from here on are the outputs `[T, B, H]`.
    pub fn first_output(&self) -> usize {
        usize::from(!self.reverse)
    }

    fn place(&self, step: usize) -> Place {
        match self.reverse {
            false => Place { time: step, before: step, after: step + 1 },
            true => {
                Place { time: self.times - 1 - step, before: self.times - step, after: self.times - 1 - step }
            }
        }
    }

    /// The length of one time's states.
    fn states(&self) -> usize {
        self.batch * self.hidden
    }

    /// How many sequences a task has. This does not show in results: each number is computed in the same way.
    fn rows(&self) -> usize {
        if self.batch < BATCH {
            return self.batch.max(1);
        }
        let pieces = parallel::num_threads().min(self.batch / FEWEST).max(self.batch.div_ceil(MOST));
        self.batch.div_ceil(pieces)
    }

    /// The estimated time of `steps` steps with `gates` gates, in nanoseconds.
    fn nanoseconds(&self, steps: usize, gates: usize) -> f64 {
        let (cells, gates) = ((steps * self.states()) as f64, gates as f64);
        cells * gates * (self.hidden as f64 / 50.0 + 1.0)
    }

    fn check<T>(&self, gates: usize, x: &[T], weights: &Weights<'_, T>, states: &[T]) {
        // None of the products that follow from these is larger.
        let places = self.times.checked_add(1);
        let largest = places.and_then(|places| product(&[gates, places, self.batch, self.hidden]));
        assert!(largest.is_some() && product(&[gates, self.hidden]).is_some(), "sizes beyond all addresses");
        let wide = gates * self.hidden;
        let of = |len: usize, sizes: &[usize]| product(sizes) == Some(len);
        assert!(of(x.len(), &[self.times, self.batch, self.inputs]), "length of the input");
        assert!(
            of(weights.ih.len(), &[wide, self.inputs]) && of(weights.hh.len(), &[wide, self.hidden]),
            "weights"
        );
        assert!(weights.bias.is_none_or(|both| both.iter().all(|bias| bias.len() == wide)), "biases");
        assert_eq!(states.len(), (self.times + 1) * self.states(), "length of the states");
    }

    /// The steps in stretches of a few hundred rows, which stay in the second-level cache: all that is done with a
    /// stretch is done before the next. Their length shows in how sums are rounded, so it depends on the sizes alone.
    fn stretches(&self) -> impl DoubleEndedIterator<Item = Range<usize>> + use<> {
        let times = self.times;
        let pieces = times.div_ceil((STRETCH / self.batch.max(1)).max(1));
        let len = times.div_ceil(pieces.max(1));
        (0..pieces).map(move |i| i * len..((i + 1) * len).min(times))
    }

    fn longest_stretch(&self) -> usize {
        self.stretches().map(|steps| steps.len()).max().unwrap_or(0)
    }

    /// The times of a stretch of steps.
    fn times_of(&self, steps: &Range<usize>) -> Range<usize> {
        if self.reverse { self.times - steps.end..self.times - steps.start } else { steps.clone() }
    }
}

/// The gradients of weights and inputs, from those of the gates, stretch by stretch.
struct OfWeights<'a, T> {
    sizes: Sizes,
    x: &'a [T],
    weights: Weights<'a, T>,
    states: &'a [T],
    out: Gradients<'a, T>,
    /// 0 until a first stretch has been added.
    beta: T,
}

impl<T: GemmNumber + Float> OfWeights<'_, T> {
    /// Adds what comes from the gates' gradients in some times, whose parts that belong to the inputs and to the states
    /// may have different ones.
    fn add(&mut self, times: Range<usize>, [of_inputs, of_states]: [&[T]; 2]) -> Result<(), OutOfMemory> {
        let Sizes { batch, inputs, hidden, reverse, .. } = self.sizes;
        let rows = times.len() * batch;
        let wide = self.weights.hh.len() / hidden;
        let x = Matrix::row_major(&self.x[times.start * batch * inputs..], inputs);
        let before =
            Matrix::row_major(&self.states[(times.start + usize::from(reverse)) * batch * hidden..], hidden);
        let [inputs_matrix, states_matrix] = [of_inputs, of_states].map(|g| Matrix::row_major(g, wide));
        if let Some(out) = &mut self.out.hh {
            gemm((wide, hidden, rows), states_matrix.transposed(), before, self.beta, out)?;
        }
        if let Some(out) = &mut self.out.ih {
            gemm((wide, inputs, rows), inputs_matrix.transposed(), x, self.beta, out)?;
        }
        if let Some(out) = &mut self.out.input {
            let out = &mut out[times.start * batch * inputs..][..rows * inputs];
            gemm(
                (rows, inputs, wide),
                inputs_matrix,
                Matrix::row_major(self.weights.ih, inputs),
                T::ZERO,
                out,
            )?;
        }
        if let Some([ih, hh]) = &mut self.out.bias {
            let mut sums = Buffer::try_recycled(wide)?;
            let mut add = |of: &[T], out: &mut [T]| {
                reduce::sum(of, [1, rows, wide], &mut sums);
                if self.beta == T::ZERO {
                    out.copy_from_slice(&sums);
                } else {
                    out.iter_mut().zip(&*sums).for_each(|(out, &sum)| *out += sum);
                }
            };
            add(of_inputs, ih);
            if std::ptr::eq(of_inputs, of_states) {
                hh.copy_from_slice(ih);
            } else {
                add(of_states, hh);
            }
        }
        self.beta = T::ONE;
        Ok(())
    }
}

impl<T: Float> Weights<'_, T> {
    /// The sum of the biases.
    fn bias(&self, wide: usize) -> Result<Buffer<T>, OutOfMemory> {
        let mut sum = Buffer::try_zeros(wide)?;
        for bias in self.bias.into_iter().flatten() {
            sum.iter_mut().zip(bias).for_each(|(sum, &b)| *sum += b);
        }
        Ok(sum)
    }
}

/// The product of sizes, if it fits.
fn product(sizes: &[usize]) -> Option<usize> {
    sizes.iter().try_fold(1usize, |product, &n| product.checked_mul(n))
}

/// Runs each task, on several threads where it pays.
fn share<W: Send>(
    tasks: impl Iterator<Item = W>,
    total_ns: f64,
    run: impl Fn(&mut W) -> Result<(), OutOfMemory> + Sync,
) -> Result<(), OutOfMemory> {
    let count = tasks.size_hint().0;
    let mut tasks = try_collect(tasks, count)?;
    parallel::try_chunks_mut(&mut tasks, 1, total_ns, |_, task| task.iter_mut().try_for_each(&run))
}
