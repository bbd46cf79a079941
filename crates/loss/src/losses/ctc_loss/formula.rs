//! The gradient written with tensor operations, so that it can be differentiated again.

use chainrule_tensor::autograd::{GradOptions, grad};
use chainrule_tensor::{Result, Tensor};

use super::batch::Batch;

/// What stands for the logarithm of 0: an infinity would make differences of it that are not numbers.
const NOTHING: f64 = -1e30;

/// Minus the probability of each class at each frame given the labels, times the gradients `g` of the losses.
pub(super) fn gradient(
    x: &Tensor,
    batch: &Batch,
    (losses, zero_infinity): (&Tensor, bool),
    g: &Tensor,
) -> Result<Tensor> {
    let [t, n, c] = batch.dims;
    // That is the derivative of the loss, which the recursion over the frames has by itself.
    let options = GradOptions { create_graph: true, ..Default::default() };
    let loss = negative_log_likelihood(&x.reshape([t, n, c])?, batch)?.sum()?;
    let Some(derivative) = grad(&[&loss], &[x], &[], options)?.swap_remove(0) else {
        return Tensor::zeros_like(x);
    };
    let frames = batch.sequences.iter().map(|s| s.frames as i64).collect();
    let counts = steps(t)?.lt(&Tensor::from_vec(frames, [1, n, 1])?)?;
    let gradient = derivative.reshape([t, n, c])?;
    let losses = losses.reshape([1, n, 1])?;
    let infinite = losses.eq(f64::INFINITY)?;
    let gradient = gradient.masked_fill(&infinite, if zero_infinity { 0.0 } else { f64::NAN })?;
    let gradient = gradient.mul(&g.reshape([1, n, 1])?.masked_fill(&infinite, 1.0)?)?;
    gradient.masked_fill(&counts.logical_not()?, 0.0)?.reshape(x.shape())
}

/// The numbers of the frames, `[T, 1, 1]`.
fn steps(t: usize) -> Result<Tensor> {
    Tensor::from_vec((0..t as i64).collect(), [t, 1, 1])
}

/// The losses, `[N]`, by the recursion over the frames of `[T, N, C]`.
fn negative_log_likelihood(x: &Tensor, batch: &Batch) -> Result<Tensor> {
    let ([t, n, _], states) = (batch.dims, batch.states());
    // For each state of each sequence: its class, whether a blank before it may be left out, where to begin, and
    // where to end. Sequences are filled up with states that nothing ends in.
    let (mut classes, mut skips) = (vec![batch.blank as i64; n * states], vec![false; n * states]);
    let (mut begins, mut ends) = (vec![false; n * states], vec![false; n * states]);
    for (i, sequence) in batch.sequences.iter().enumerate() {
        let own = sequence.states();
        for s in 0..own {
            let at = i * states + s;
            classes[at] = sequence.class(s, batch.blank) as i64;
            skips[at] = sequence.may_skip(s, batch.blank);
            begins[at] = s < 2;
            ends[at] = s + 2 >= own;
        }
    }
    let [skips, begins, ends] = [skips, begins, ends].map(|mask| Tensor::from_vec(mask, [n, states]));
    let (skips, begins, ends) = (skips?, begins?, ends?);
    let classes = Tensor::from_vec(classes, [1, n, states])?.expand([t, n, states])?;
    let seen = x.gather(-1, &classes)?.clamp(Some(NOTHING), None)?;
    let nothing = Tensor::full([n, 1], NOTHING, x.dtype())?;
    let mut alpha = Tensor::where_(&begins, &seen.select(0, 0)?, &nothing)?;
    for frame in 1..t {
        let mut ways = vec![alpha.clone()];
        if states > 1 {
            let before = |k: usize| {
                let front = nothing.expand([n, k])?;
                Tensor::cat(&[&front, &alpha.narrow(-1, 0, states - k)?], -1)
            };
            ways.extend([before(1)?, Tensor::where_(&skips, &before(2)?, &nothing)?]);
        }
        let reached = Tensor::stack(&ways, 0)?.logsumexp(0, false)?.add(&seen.select(0, frame as isize)?)?;
        let counts = batch.sequences.iter().map(|s| frame < s.frames).collect();
        alpha = Tensor::where_(&Tensor::from_vec(counts, [n, 1])?, &reached, &alpha)?;
    }
    Tensor::where_(&ends, &alpha, &nothing)?.logsumexp(-1, false)?.neg()
}
