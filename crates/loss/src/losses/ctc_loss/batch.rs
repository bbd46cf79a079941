//! The sequences of a batch, checked.

use chainrule_tensor::{DType, Result, Shape, Tensor, bail};

use super::NAME;

/// A sequence: how many frames count, and its labels.
pub(super) struct Sequence {
    pub(super) frames: usize,
    pub(super) labels: Vec<usize>,
}

/// What is known of a batch besides the probabilities.
pub(super) struct Batch {
    /// T, N, C.
    pub(super) dims: [usize; 3],
    /// The class that stands for "no label".
    pub(super) blank: usize,
    pub(super) sequences: Vec<Sequence>,
    /// The shape of the losses: `[N]`, or 0-d.
    pub(super) losses: Shape,
}

impl Batch {
    #[track_caller]
    pub(super) fn new(
        log_probs: &Tensor,
        targets: &Tensor,
        input_lengths: &Tensor,
        target_lengths: &Tensor,
        blank: usize,
    ) -> Result<Batch> {
        let shape = log_probs.shape();
        let dims = match **shape {
            [t, n, c] => [t, n, c],
            [t, c] => [t, 1, c],
            _ => bail!(Shape, NAME, "log_probs has shape {shape}: it must be [T, N, C] or [T, C]"),
        };
        let [t, n, c] = dims;
        if t == 0 {
            bail!(Shape, NAME, "log_probs has shape {shape}, without a frame");
        }
        if blank >= c {
            bail!(Index, NAME, "blank {blank} is out of range for {c} classes");
        }
        let inputs = lengths("input_lengths", input_lengths, log_probs, n)?;
        let outputs = lengths("target_lengths", target_lengths, log_probs, n)?;
        if targets.dtype() != DType::I64 {
            bail!(DType, NAME, "targets holds {}: labels are int64", targets.dtype());
        }
        let targets = targets.contiguous()?;
        let all = targets.as_slice::<i64>()?;
        // Where the labels of the sequences begin, and how many there may be.
        let total: usize = outputs.iter().sum();
        let (stride, room) = match **targets.shape() {
            [rows, s] if rows == n && log_probs.rank() == 3 => (Some(s), s),
            [s] if s == total || (log_probs.rank() == 2 && s >= total) => (None, s),
            _ => bail!(
                Shape,
                NAME,
                "targets has shape {}: for log_probs of shape {shape} it must be [{n}, S], or [{total}], the sum of target_lengths",
                targets.shape()
            ),
        };
        let (mut sequences, mut start) = (Vec::with_capacity(n), 0);
        for (i, (&frames, &len)) in inputs.iter().zip(&outputs).enumerate() {
            if frames > t {
                bail!(Value, NAME, "input length {frames} of sequence {i} is more than the {t} frames");
            }
            if len > room {
                bail!(Value, NAME, "target length {len} of sequence {i} is more than the {room} labels");
            }
            let first = stride.map_or(start, |stride| i * stride);
            start += len;
            let labels = &all[first..first + len];
            if let Some(label) = labels.iter().find(|&&label| !(0..c as i64).contains(&label)) {
                bail!(Index, NAME, "label {label} of sequence {i} is out of range for {c} classes");
            }
            sequences.push(Sequence { frames, labels: labels.iter().map(|&label| label as usize).collect() });
        }
        let losses = if log_probs.rank() == 3 { Shape::from([n]) } else { Shape::from([]) };
        Ok(Batch { dims, blank, sequences, losses })
    }

    /// The states of the longest sequence: its labels with a blank before, between and after them.
    pub(super) fn states(&self) -> usize {
        2 * self.sequences.iter().map(|s| s.labels.len()).max().unwrap_or(0) + 1
    }

    /// The shape of the lattices of all sequences: `[N, T, states]`.
    pub(super) fn lattice(&self) -> Shape {
        let [t, n, _] = self.dims;
        Shape::from([n, t, self.states()])
    }
}

impl Sequence {
    /// The number of states.
    pub(super) fn states(&self) -> usize {
        2 * self.labels.len() + 1
    }

    /// The class of a state.
    pub(super) fn class(&self, state: usize, blank: usize) -> usize {
        if state.is_multiple_of(2) { blank } else { self.labels[state / 2] }
    }

    /// Whether a state may follow on the one two before it, leaving out a blank between different labels.
    pub(super) fn may_skip(&self, state: usize, blank: usize) -> bool {
        state >= 2 && state % 2 == 1 && {
            let class = self.class(state, blank);
            class != blank && class != self.class(state - 2, blank)
        }
    }
}

/// Lengths, one for each sequence.
#[track_caller]
fn lengths(name: &str, lengths: &Tensor, log_probs: &Tensor, n: usize) -> Result<Vec<usize>> {
    if lengths.dtype() != DType::I64 {
        bail!(DType, NAME, "{name} holds {}: lengths are int64", lengths.dtype());
    }
    let fits = *lengths.shape() == [n] || (log_probs.rank() == 2 && lengths.rank() == 0);
    if !fits {
        let (shape, own) = (log_probs.shape(), lengths.shape());
        bail!(Shape, NAME, "{name} has shape {own}: log_probs of shape {shape} have {n} sequences");
    }
    let lengths = lengths.to_vec::<i64>()?;
    if let Some(length) = lengths.iter().find(|&&length| length < 0) {
        bail!(Value, NAME, "{name} holds {length}: lengths are not negative");
    }
    Ok(lengths.into_iter().map(|length| length as usize).collect())
}
