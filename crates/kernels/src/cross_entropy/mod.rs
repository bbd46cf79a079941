//! Cross-entropy between logits and targets, fused: softmax, logarithm, weights and label smoothing in one
//! pass over each row, forward and backward.
//!
//! Logits are contiguous `[N, C, S]` (S: positions that each have a class; 1 for plain classification, where
//! rows are contiguous). Losses are not reduced. The forward functions keep the log-sum-exp of each row, from which the
//! backward functions rebuild the probabilities.

mod indices;
mod probabilities;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use indices::{backward, forward};
pub use probabilities::{backward_probabilities, forward_probabilities};

use crate::Float;

/// The largest logit of a row, and the logarithm of the sum of the exponentials of the differences to it: apart, since the
/// sum of large numbers and small ones is not exact.
pub type LogSumExp<T> = [T; 2];

/// The estimated time for an element, in nanoseconds.
const NS: f64 = 2.0;
/// Elements in a task, where rows are short.
const PIECE: usize = 16_384;
/// Columns that are worked on together, where S is not 1.
const WIDTH: usize = 128;

/// The weights of the classes; 1 each where none are given.
fn class_weights<T: Float>(weight: Option<&[T]>, classes: usize) -> Cow<'_, [T]> {
    let weights = weight.map_or_else(|| Cow::Owned(vec![T::ONE; classes]), Cow::Borrowed);
    assert_eq!(weights.len(), classes, "number of class weights");
    weights
}

/// A log-sum-exp in the type of the logits, and the factor that makes up for the rounding: e to the power of what was added.
#[inline(always)]
fn rounded_log<T: Float>(log_sum_exp: f64) -> (T, f64) {
    let rounded = T::from_f64(log_sum_exp);
    let more = rounded.to_f64() - log_sum_exp;
    let factor = if more.abs() < 1e-4 {
        1.0 + more
    } else if more.is_finite() {
        more.exp()
    } else {
        1.0
    };
    (rounded, factor)
}

/// The parts of the `[N, S]` outputs from `first` on that belong to one sample:
/// `run(sample, first column, range of the part)`.
fn samples(first: usize, len: usize, s: usize, mut run: impl FnMut(usize, usize, std::ops::Range<usize>)) {
    let mut done = 0;
    while done < len {
        let (sample, column) = ((first + done) / s, (first + done) % s);
        let width = (s - column).min(len - done);
        run(sample, column, done..done + width);
        done += width;
    }
}
