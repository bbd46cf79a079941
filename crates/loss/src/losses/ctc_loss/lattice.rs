//! The recursions over the lattice of a sequence: frames one way, labels and blanks the other.
//!
//! Everything is kept as logarithms and in `f64`: probabilities of long sequences are too small for numbers, and
//! sums of their logarithms too long for `f32`.

use chainrule_kernels::parallel;
use chainrule_tensor::FloatElement;

use super::batch::{Batch, Sequence};

const NONE: f64 = f64::NEG_INFINITY;

/// The logarithm of a sum of three numbers with these logarithms.
fn log_sum(a: f64, b: f64, c: f64) -> f64 {
    let (larger, least) = if a < b { (b, a) } else { (a, b) };
    let (most, middle) = if larger < c { (c, larger) } else { (larger, c) };
    if most == NONE {
        return a + b + c;
    }
    // Against the largest, the others are often below the precision of the sum.
    let rest = below(middle - most) + below(least - most);
    if rest == 0.0 { most } else { most + rest.ln_1p() }
}

/// eˣ for the difference x to the largest logarithm; 0 where adding it to 1 changes nothing. A NaN stays.
fn below(x: f64) -> f64 {
    if x < -40.0 { 0.0 } else { x.exp() }
}

/// The estimated time for a batch, in nanoseconds.
fn cost(batch: &Batch) -> f64 {
    20.0 * batch.lattice().numel() as f64
}

/// The loss of each sequence, and in `alpha`, `[N, T, states]`, the logarithm of the probability of what was seen up
/// to a frame and of being in a state there.
pub(super) fn forward<T: FloatElement>(x: &[T], batch: &Batch, losses: &mut [T], alpha: &mut [f64]) {
    let [t, n, c] = batch.dims;
    let states = batch.states();
    parallel::chunks_mut2((losses, 1), (alpha, t * states), cost(batch), |i, loss, alpha| {
        let sequence = &batch.sequences[i];
        let frame = |t: usize| &x[(t * n + i) * c..][..c];
        loss[0] = T::from_f64(-sequence_forward(sequence, batch.blank, states, frame, alpha));
    });
}

/// The logarithm of the probability of the labels of one sequence.
fn sequence_forward<'a, T: FloatElement>(
    sequence: &Sequence,
    blank: usize,
    stride: usize,
    frame: impl Fn(usize) -> &'a [T],
    alpha: &mut [f64],
) -> f64 {
    let states = sequence.states();
    alpha.fill(NONE);
    for t in 0..sequence.frames {
        let x = frame(t);
        let (before, now) = alpha.split_at_mut(t * stride);
        // States beyond these cannot have been reached yet.
        for s in 0..states.min(2 * (t + 1)) {
            let reached = match before.len().checked_sub(stride) {
                None => 0.0,
                Some(start) => {
                    let before = &before[start..];
                    let step = if s >= 1 { before[s - 1] } else { NONE };
                    let skip = if sequence.may_skip(s, blank) { before[s - 2] } else { NONE };
                    log_sum(before[s], step, skip)
                }
            };
            now[s] = reached + x[sequence.class(s, blank)].to_f64();
        }
    }
    let Some(last) = sequence.frames.checked_sub(1) else {
        return if states == 1 { 0.0 } else { NONE };
    };
    let last = &alpha[last * stride..][..states];
    log_sum(last[states - 1], if states > 1 { last[states - 2] } else { NONE }, NONE)
}

/// The probability of being in each state at each frame, given the labels; 0 where a frame does not count.
pub(super) fn occupation<T: FloatElement>(x: &[T], batch: &Batch, alpha: &[f64], occupation: &mut [f64]) {
    let [t, n, c] = batch.dims;
    let states = batch.states();
    parallel::chunks_mut(occupation, t * states, cost(batch), |i, occupation| {
        let sequence = &batch.sequences[i];
        let frame = |t: usize| &x[(t * n + i) * c..][..c];
        let alpha = &alpha[i * t * states..][..t * states];
        sequence_occupation(sequence, batch.blank, states, frame, alpha, occupation);
    });
}

fn sequence_occupation<'a, T: FloatElement>(
    sequence: &Sequence,
    blank: usize,
    stride: usize,
    frame: impl Fn(usize) -> &'a [T],
    alpha: &[f64],
    occupation: &mut [f64],
) {
    let states = sequence.states();
    occupation.fill(0.0);
    // The logarithm of the probability of what is seen from a frame on, after and at a state in the one before.
    let (mut ahead, mut beta) = (vec![NONE; states + 2], vec![NONE; states]);
    let mut whole = NONE;
    for t in (0..sequence.frames).rev() {
        for s in 0..states {
            beta[s] = if t + 1 == sequence.frames {
                if s + 2 >= states { 0.0 } else { NONE }
            } else {
                let skips = s + 2 < states && sequence.may_skip(s + 2, blank);
                log_sum(ahead[s], ahead[s + 1], if skips { ahead[s + 2] } else { NONE })
            };
        }
        let (x, alpha) = (frame(t), &alpha[t * stride..][..states]);
        if t + 1 == sequence.frames {
            whole = log_sum(alpha[states - 1], if states > 1 { alpha[states - 2] } else { NONE }, NONE);
        }
        for s in 0..states {
            ahead[s] = beta[s] + x[sequence.class(s, blank)].to_f64();
            let both = alpha[s] + beta[s];
            occupation[t * stride + s] = if both == NONE { 0.0 } else { (both - whole).exp() };
        }
    }
}

/// The gradient with respect to the logarithms: minus the probability of each class at each frame given the labels, times
/// the gradients `g` of the losses.
pub(super) fn gradient<T: FloatElement>(
    batch: &Batch,
    (losses, zero_infinity): (&[T], bool),
    occupation: &[f64],
    g: &[T],
    grad: &mut [T],
) {
    let [t, n, c] = batch.dims;
    let states = batch.states();
    parallel::chunks_mut(grad, n * c, (t * n * (c + states)) as f64, |frame, grad| {
        for (i, sequence) in batch.sequences.iter().enumerate() {
            let grad = &mut grad[i * c..][..c];
            let (counts, is_infinite) = (frame < sequence.frames, losses[i] == T::INFINITY);
            grad.fill(if counts && is_infinite && !zero_infinity { T::NAN } else { T::ZERO });
            if !counts || is_infinite {
                continue;
            }
            let occupation = &occupation[(i * t + frame) * states..];
            for (s, p) in occupation.iter().enumerate().take(sequence.states()) {
                grad[sequence.class(s, batch.blank)] -= T::from_f64(*p) * g[i];
            }
        }
    });
}
