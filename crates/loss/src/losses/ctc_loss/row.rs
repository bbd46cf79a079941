//! The row in the table.

use chainrule_tensor::table::{Refusal, Row, Sample, values};
use chainrule_tensor::{Result, Tensor};

use super::{CTCLoss, NAME, ctc_loss};
use crate::{Reduction, samples};

/// The loss of logits `[5, 3, 4]`.
fn call(x: &Tensor, options: &CTCLoss) -> Result<Tensor> {
    let targets = Tensor::new([[1, 1, 2], [3, 9, 9], [9, 9, 9]]);
    let lengths = (Tensor::new([5, 3, 4]), Tensor::new([3, 1, 0]));
    ctc_loss(&x.log_softmax(-1)?, &targets, &lengths.0, &lengths.1, options)
}

fn samples() -> Vec<Sample> {
    let x = || [values(1, [5, 3, 4])];
    let mut samples =
        samples::reductions(&x(), |x, reduction| call(&x[0], &CTCLoss { reduction, ..Default::default() }));
    samples.extend([
        Sample::new("labels one after the other", x(), |x| {
            let (targets, lengths) = (Tensor::new([3, 3, 1, 0]), Tensor::new([2, 1, 1]));
            let options = CTCLoss { blank: 2, ..Default::default() };
            ctc_loss(&x[0].log_softmax(-1)?, &targets, &Tensor::new([5, 4, 2]), &lengths, &options)
        }),
        Sample::new("zero_infinity", x(), |x| {
            let (targets, lengths) = (Tensor::new([[1, 1], [2, 3], [3, 3]]), Tensor::new([2, 2, 2]));
            let options = CTCLoss { zero_infinity: true, reduction: Reduction::None, ..Default::default() };
            ctc_loss(&x[0].log_softmax(-1)?, &targets, &Tensor::new([5, 5, 2]), &lengths, &options)
        }),
        Sample::new("logarithms that are a leaf", x(), |x| {
            let (targets, lengths) = (Tensor::new([3, 3, 1, 0]), Tensor::new([2, 1, 1]));
            ctc_loss(&x[0], &targets, &Tensor::new([5, 4, 2]), &lengths, &CTCLoss { blank: 2, ..Default::default() })
        }),
        Sample::new("one sequence", [values(2, [4, 3])], |x| {
            let (targets, lengths) = (Tensor::new([2, 1]), (Tensor::new(4), Tensor::new(2)));
            ctc_loss(&x[0].log_softmax(-1)?, &targets, &lengths.0, &lengths.1, &CTCLoss::new())
        }),
    ]);
    samples
}

fn errors() -> Vec<Refusal> {
    let refusal = |mentions, targets: fn() -> Tensor, frames: fn() -> Tensor, labels: fn() -> Tensor, blank| {
        let options = CTCLoss { blank, ..Default::default() };
        Refusal::new(mentions, move || ctc_loss(&values(1, [5, 2, 4]), &targets(), &frames(), &labels(), &options))
    };
    let (y, frames, labels) =
        (|| Tensor::new([[1, 2], [3, 1]]), || Tensor::new([5, 4]), || Tensor::new([2, 1]));
    vec![
        refusal(&["input length 6", "sequence 1", "5 frames"], y, || Tensor::new([5, 6]), labels, 0),
        refusal(&["input_lengths", "-1"], y, || Tensor::new([5, -1]), labels, 0),
        refusal(&["target length 3", "sequence 0", "2 labels"], y, frames, || Tensor::new([3, 1]), 0),
        refusal(&["label 4", "sequence 1", "4 classes"], || Tensor::new([[1, 2], [4, 1]]), frames, labels, 0),
        refusal(&["blank 4", "4 classes"], y, frames, labels, 4),
        refusal(&["targets", "[4]", "[3]"], || Tensor::new([1, 2, 3, 1]), frames, labels, 0),
        refusal(&["targets", "[1, 2]"], || Tensor::new([[1, 2]]), frames, labels, 0),
        refusal(&["targets", "float32"], || Tensor::new([[1.0, 2.0], [3.0, 1.0]]), frames, labels, 0),
        refusal(&["input_lengths", "[3]", "2 sequences"], y, || Tensor::new([5, 5, 5]), labels, 0),
        refusal(&["target_lengths", "float32"], y, frames, || Tensor::new([1.0, 2.0]), 0),
        Refusal::new(&["[4]", "[T, N, C]"], || {
            let lengths = Tensor::new([1]);
            ctc_loss(&values(1, [4]), &Tensor::new([[1]]), &lengths, &lengths, &CTCLoss::new())
        }),
        Refusal::new(&["int64"], || {
            let lengths = Tensor::new([1]);
            ctc_loss(&Tensor::new([[[1, 2]]]), &Tensor::new([[1]]), &lengths, &lengths, &CTCLoss::new())
        }),
    ]
}

/// Sequences of 10 labels, over all frames.
fn bench(x: &[Tensor]) -> Result<Vec<Tensor>> {
    let [frames, n, _] = **x[0].shape() else { unreachable!("the sizes of the bench") };
    let labels = (0..n as i64 * 10).map(|i| i % 7 + 1).collect();
    let targets = Tensor::from_vec::<i64>(labels, [n, 10])?;
    let lengths = |length: usize| Tensor::from_vec(vec![length as i64; n], [n]);
    Ok(vec![ctc_loss(&x[0], &targets, &lengths(frames)?, &lengths(10)?, &CTCLoss::new())?])
}

pub(in crate::losses) const ROW: Row = Row {
    errors,
    bench: &[(&[&[50, 16, 20]], bench), (&[&[150, 32, 40]], bench)],
    ..Row::new(NAME, "torch.nn.functional.ctc_loss", samples)
};
