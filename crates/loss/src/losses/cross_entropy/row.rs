//! Cross-entropy's row in the table.

use chainrule_tensor::table::{Refusal, Row, Sample, cast, uniform, values};
use chainrule_tensor::{DType, Result, Tensor};

use super::{CrossEntropyLoss, NAME, cross_entropy};
use crate::Reduction;

/// The loss, with the weight in the dtype of the logits.
fn call(x: &[Tensor], options: &CrossEntropyLoss) -> Result<Tensor> {
    let weight = options.weight.as_ref().map(|weight| cast(weight, x[0].dtype()));
    cross_entropy(&x[0], &x[1], &CrossEntropyLoss { weight, ..options.clone() })
}

fn options() -> CrossEntropyLoss {
    CrossEntropyLoss::new()
}

fn weight(classes: usize) -> Option<Tensor> {
    Some(uniform(9, [classes], 0.5, 2.0))
}

fn sample(
    label: &'static str,
    logits: Tensor,
    target: Tensor,
    options: impl Fn() -> CrossEntropyLoss + Send + Sync + 'static,
) -> Sample {
    Sample::new(label, [logits, target], move |x| call(x, &options()))
}

fn samples() -> Vec<Sample> {
    let x = || values(1, [3, 4]);
    let y = || Tensor::new([2, 0, 2]);
    let p = || uniform(2, [3, 4], 0.0, 1.0);
    let (x_map, y_map) =
        (|| values(3, [2, 3, 2, 2]), || Tensor::new([[[0, 2], [1, 1]], [[2, -100], [0, 0]]]));
    let p_map = || uniform(4, [2, 3, 2, 2], 0.0, 1.0);
    let none = || CrossEntropyLoss { reduction: Reduction::None, ..options() };
    let sum = || CrossEntropyLoss { reduction: Reduction::Sum, ..options() };
    let all = |classes| CrossEntropyLoss { weight: weight(classes), label_smoothing: 0.2, ..options() };
    vec![
        sample("classes", x(), y(), options),
        sample("classes, none", x(), y(), none),
        sample("classes, sum", x(), y(), sum),
        sample("classes, weight", x(), y(), || CrossEntropyLoss { weight: weight(4), ..options() }),
        sample("classes, label smoothing", x(), y(), || CrossEntropyLoss {
            label_smoothing: 0.1,
            ..options()
        }),
        sample("classes, weight and label smoothing", x(), y(), move || all(4)),
        sample("classes, ignore_index", x(), y(), move || CrossEntropyLoss { ignore_index: 0, ..all(4) }),
        sample("classes, most ignored, mean or zero", x(), Tensor::new([-100, 1, -100]), move || {
            CrossEntropyLoss { reduction: Reduction::MeanOrZero, ..all(4) }
        }),
        sample("one row", values(5, [4]), Tensor::new(1), options),
        sample("positions", x_map(), y_map(), options),
        sample("positions, everything", x_map(), y_map(), move || all(3)),
        sample("positions, none", x_map(), y_map(), none),
        sample("probabilities", x(), p(), options),
        sample("probabilities, none", x(), p(), none),
        sample("probabilities, everything, sum", x(), p(), move || CrossEntropyLoss {
            reduction: Reduction::Sum,
            ..all(4)
        }),
        sample("one row of probabilities", values(5, [4]), uniform(6, [4], 0.0, 1.0), options),
        sample("positions of probabilities", x_map(), p_map(), move || all(3)),
        sample("positions of probabilities, none", x_map(), p_map(), none),
    ]
}

fn errors() -> Vec<Refusal> {
    let x = || values(1, [2, 4]);
    let refusal = |mentions, target: fn() -> Tensor, options: fn() -> CrossEntropyLoss| {
        Refusal::new(mentions, move || cross_entropy(&x(), &target(), &options()))
    };
    let y = || Tensor::new([1, 3]);
    vec![
        refusal(&["target 4", "(1)", "4 classes"], || Tensor::new([0, 4]), options),
        refusal(&["target -1", "(0)", "4 classes"], || Tensor::new([-1, 0]), options),
        refusal(&["[2, 4]", "[2]", "[3]"], || Tensor::new([0, 1, 2]), options),
        refusal(&["[2, 4]", "[2]"], || Tensor::new([[0, 1, 0, 0], [0, 0, 0, 1]]), options),
        refusal(&["float64", "float32", "[2, 4]"], || Tensor::new([[0.0; 4]; 2]), options),
        refusal(&["float64", "[2, 4]", "[2]"], || uniform(1, [2], 0.0, 1.0), options),
        refusal(&["bool"], || Tensor::new([true, false]), options),
        refusal(&["label_smoothing", "1.5"], y, || CrossEntropyLoss { label_smoothing: 1.5, ..options() }),
        refusal(&["label_smoothing", "NaN"], y, || CrossEntropyLoss {
            label_smoothing: f64::NAN,
            ..options()
        }),
        refusal(&["weight", "[4]", "[3]"], y, || CrossEntropyLoss { weight: weight(3), ..options() }),
        refusal(&["weight", "float64", "float32"], y, || CrossEntropyLoss {
            weight: Some(Tensor::new([1.0; 4])),
            ..options()
        }),
        refusal(
            &["ignore_index", "1"],
            || uniform(1, [2, 4], 0.0, 1.0),
            || CrossEntropyLoss { ignore_index: 1, ..options() },
        ),
        Refusal::new(&["weight", "detach"], move || {
            let weight = uniform(1, [4], 0.5, 1.0).requires_grad_(true)?;
            cross_entropy(&x(), &y(), &CrossEntropyLoss { weight: Some(weight), ..options() })
        }),
        Refusal::new(&["0-d"], || cross_entropy(&values(1, []), &Tensor::new(0), &options())),
        Refusal::new(&["int64"], || cross_entropy(&Tensor::new([[1, 2]]), &Tensor::new([0]), &options())),
    ]
}

/// The mean over logits of one class.
fn bench(x: &[Tensor]) -> Result<Vec<Tensor>> {
    let target = Tensor::full([x[0].shape()[0]], 7.0, DType::I64)?;
    Ok(vec![cross_entropy(&x[0], &target, &options())?])
}

pub(in crate::losses) const ROW: Row = Row {
    errors,
    bench: &[(&[&[64, 10]], bench), (&[&[4096, 1000]], bench), (&[&[512, 32_000]], bench)],
    ..Row::new(NAME, "torch.nn.functional.cross_entropy", samples)
};
