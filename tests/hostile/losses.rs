//! Losses: any options, inputs and targets that mostly fit each other.

use chainrule::loss::*;
use chainrule::{DType, Tensor};

use crate::case::{Call, call};
use crate::draw::Draw;

fn reduction(d: &mut Draw) -> Reduction {
    d.pick(&[Reduction::Mean, Reduction::Sum, Reduction::None])
}

/// Two tensors of one shape, mostly, and a weight that broadcasts or not.
fn pair(d: &mut Draw) -> (Tensor, Tensor, Option<Tensor>) {
    let (shape, dtype) = (d.shape(), d.float_dtype());
    let other = if d.pick(&[false, false, false, true]) { d.shape() } else { shape.clone() };
    let x = d.tensor_like(&shape, dtype);
    (x, d.tensor_like(&other, dtype), d.maybe(|d| d.tensor_like(&shape, dtype)))
}

/// Logits `[N, C]` or `[N, C, d]` with classes.
fn classes(d: &mut Draw) -> (Tensor, Tensor, Option<Tensor>) {
    let (n, c, dtype) = (d.small(), d.small(), d.float_dtype());
    let rest: Vec<usize> = (0..d.pick(&[0, 0, 1, 2])).map(|_| d.small().min(4)).collect();
    let x = d.tensor_like(&[&[n, c][..], &rest].concat(), dtype);
    let target = d.index_tensor(&[&[n][..], &rest].concat(), c);
    (x, target, d.maybe(|d| d.tensor_like(&[c], dtype)))
}

pub(crate) fn calls() -> Vec<Call> {
    vec![
        call("MSELoss", |d| {
            let (x, y, weight) = pair(d);
            MSELoss { reduction: reduction(d), weight }.forward(&x, &y)
        }),
        call("L1Loss", |d| {
            let (x, y, weight) = pair(d);
            L1Loss { reduction: reduction(d), weight }.forward(&x, &y)
        }),
        call("SmoothL1Loss", |d| {
            let (x, y, _) = pair(d);
            SmoothL1Loss { reduction: reduction(d), beta: d.number() }.forward(&x, &y)
        }),
        call("HuberLoss", |d| {
            let (x, y, weight) = pair(d);
            HuberLoss { reduction: reduction(d), delta: d.number(), weight }.forward(&x, &y)
        }),
        call("BCELoss", |d| {
            let (x, y, weight) = pair(d);
            BCELoss { reduction: reduction(d), weight }.forward(&x.sigmoid()?, &y)
        }),
        call("BCELoss of anything", |d| {
            let (x, y, weight) = pair(d);
            BCELoss { reduction: reduction(d), weight }.forward(&x, &y)
        }),
        call("BCEWithLogitsLoss", |d| {
            let (x, y, weight) = pair(d);
            let pos_weight = d.maybe(Draw::tensor);
            BCEWithLogitsLoss { reduction: reduction(d), weight, pos_weight }.forward(&x, &y)
        }),
        call("KLDivLoss", |d| {
            let (x, y, _) = pair(d);
            KLDivLoss { reduction: d.pick(&[Reduction::Mean, Reduction::Sum]), log_target: d.flag() }
                .forward(&x, &y)
        }),
        call("CrossEntropyLoss", |d| {
            let (x, y, weight) = classes(d);
            let (ignore_index, label_smoothing) = (d.index() as i64, d.number());
            CrossEntropyLoss { weight, ignore_index, reduction: reduction(d), label_smoothing }
                .forward(&x, &y)
        }),
        call("CrossEntropyLoss of probabilities", |d| {
            let (x, y, _) = pair(d);
            CrossEntropyLoss { reduction: reduction(d), label_smoothing: d.number(), ..Default::default() }
                .forward(&x, &y)
        }),
        call("NLLLoss", |d| {
            let (x, y, weight) = classes(d);
            NLLLoss { weight, ignore_index: d.index() as i64, reduction: reduction(d) }.forward(&x, &y)
        }),
        call("FocalLoss", |d| {
            let (x, y, weight) = classes(d);
            let (gamma, ignore_index) = (d.number(), d.index() as i64);
            FocalLoss { weight, gamma, ignore_index, reduction: reduction(d) }.forward(&x, &y)
        }),
        call("BinaryFocalLoss", |d| {
            let (x, y, _) = pair(d);
            let (alpha, gamma) = (d.maybe(Draw::number), d.number());
            BinaryFocalLoss { alpha, gamma, reduction: reduction(d) }.forward(&x, &y)
        }),
        call("DiceLoss", |d| {
            let (x, y, _) = pair(d);
            let (smooth, squared, batch) = (d.number(), d.flag(), d.flag());
            DiceLoss { smooth, squared, batch, reduction: reduction(d) }.forward(&x, &y)
        }),
        call("PoissonNLLLoss", |d| {
            let (x, y, _) = pair(d);
            let (log_input, full, eps) = (d.flag(), d.flag(), d.number());
            PoissonNLLLoss { log_input, full, eps, reduction: reduction(d) }.forward(&x, &y)
        }),
        call("GaussianNLLLoss", |d| {
            let (x, y, var) = pair(d);
            let var = var.unwrap_or_else(|| y.clone());
            let (full, eps) = (d.flag(), d.number());
            GaussianNLLLoss { full, eps, reduction: reduction(d) }.forward(&x, &y, &var)
        }),
        call("HingeEmbeddingLoss", |d| {
            let (x, y, _) = pair(d);
            HingeEmbeddingLoss { margin: d.number(), reduction: reduction(d) }.forward(&x, &y)
        }),
        call("HingeLoss", |d| {
            let (x, y, _) = pair(d);
            HingeLoss { squared: d.flag(), reduction: reduction(d) }.forward(&x, &y)
        }),
        call("SoftMarginLoss", |d| {
            let (x, y, _) = pair(d);
            SoftMarginLoss { reduction: reduction(d) }.forward(&x, &y)
        }),
        call("MarginRankingLoss", |d| {
            let (x, y, target) = pair(d);
            let target = target.unwrap_or_else(|| y.clone());
            MarginRankingLoss { margin: d.number(), reduction: reduction(d) }.forward(&x, &y, &target)
        }),
        call("CosineEmbeddingLoss", |d| {
            let (n, width, dtype) = (d.small(), d.small(), d.float_dtype());
            let (x, y) = (d.tensor_like(&[n, width], dtype), d.tensor_like(&[n, width], dtype));
            let target = d.tensor_like(&[n], dtype);
            CosineEmbeddingLoss { margin: d.number(), reduction: reduction(d) }.forward(&x, &y, &target)
        }),
        call("TripletMarginLoss", |d| {
            let (n, width, dtype) = (d.small(), d.small(), d.float_dtype());
            let [a, p, q] = [0; 3].map(|_| d.tensor_like(&[n, width], dtype));
            let (margin, eps, swap) = (d.number(), d.number(), d.flag());
            TripletMarginLoss { margin, p: d.number(), eps, swap, reduction: reduction(d) }
                .forward(&a, &p, &q)
        }),
        call("TripletMarginWithDistanceLoss", |d| {
            let (n, width, dtype) = (d.small(), d.small(), d.float_dtype());
            let [a, p, q] = [0; 3].map(|_| d.tensor_like(&[n, width], dtype));
            let loss = TripletMarginWithDistanceLoss {
                margin: d.number(),
                swap: d.flag(),
                reduction: reduction(d),
                ..Default::default()
            };
            loss.forward(&a, &p, &q)
        }),
        call("MultiMarginLoss", |d| {
            let (x, y, weight) = classes(d);
            let p = d.pick(&[1, 2, 0, 3, u32::MAX]);
            MultiMarginLoss { p, margin: d.number(), weight, reduction: reduction(d) }.forward(&x, &y)
        }),
        call("MultiLabelMarginLoss", |d| {
            let (x, _, _) = classes(d);
            let target = d.index_tensor(x.shape(), 3);
            MultiLabelMarginLoss { reduction: reduction(d) }.forward(&x, &target)
        }),
        call("MultiLabelSoftMarginLoss", |d| {
            let (x, y, _) = pair(d);
            let weight = d.maybe(Draw::tensor);
            MultiLabelSoftMarginLoss { weight, reduction: reduction(d) }.forward(&x, &y)
        }),
        call("CTCLoss", |d| {
            let (times, batch, c, length) = (d.small(), d.small(), d.small(), d.small());
            let x = d.floats(&[times, batch, c]);
            let targets = d.index_tensor(&[batch, length], c);
            let lengths = |d: &mut Draw, n: usize| {
                let list = (0..batch).map(|_| d.pick(&[n as i64, n as i64, 0, 1, -1, i64::MAX])).collect();
                Tensor::from_vec::<i64>(list, [batch])
            };
            let (inputs, outputs) = (lengths(d, times)?, lengths(d, length)?);
            let loss = CTCLoss { blank: d.size(), reduction: reduction(d), zero_infinity: d.flag() };
            loss.forward(&x, &targets, &inputs, &outputs)
        }),
        call("Reduction::reduce", |d| reduction(d).reduce(&d.tensor())),
        call("losses of integers", |d| {
            let shape = d.shape();
            let (x, y) = (d.tensor_like(&shape, DType::I64), d.tensor_like(&shape, DType::I64));
            _ = CrossEntropyLoss::new().forward(&x, &y);
            _ = BCELoss::new().forward(&x, &y);
            _ = NLLLoss::new().forward(&x, &y);
            MSELoss::new().forward(&x, &y)
        }),
    ]
}
