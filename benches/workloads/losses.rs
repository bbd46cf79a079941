//! Every loss, forward and back: those of single elements on a million, those of classes on 4096 rows of 1000.

use std::sync::Arc;

use chainrule::prelude::*;

use crate::data::{integers, numbers, uniform};
use crate::kernels::both_ways;
use crate::{Step, Workload};

const ELEMENTS: usize = 1_000_000;
const ROWS: usize = 4096;
const CLASSES: usize = 1000;

pub(crate) const WORKLOADS: &[Workload] = &[
    ("mse_loss_fb", || elements(numbers, |x, y| MSELoss::new().forward(x, y))),
    ("l1_loss_fb", || elements(numbers, |x, y| L1Loss::new().forward(x, y))),
    ("smooth_l1_loss_fb", || {
        elements(numbers, |x, y| SmoothL1Loss { beta: 0.5, ..Default::default() }.forward(x, y))
    }),
    ("huber_loss_fb", || {
        elements(numbers, |x, y| HuberLoss { delta: 0.5, ..Default::default() }.forward(x, y))
    }),
    ("bce_fb", || {
        let y = probabilities("l.p.y")?;
        both_ways([probabilities("l.p.x")?], move |[x]| BCELoss::new().forward(x, &y))
    }),
    ("bce_with_logits_fb", || elements(unit, |x, y| BCEWithLogitsLoss::new().forward(x, y))),
    ("bce_pos_weight_fb", || {
        let pos_weight = Some(uniform("l.pw", [CLASSES], 0.5, 3.0)?);
        let criterion = BCEWithLogitsLoss { pos_weight, ..Default::default() };
        let y = uniform("l.pw.y", [ROWS, CLASSES], 0.0, 1.0)?;
        both_ways([numbers("l.pw.x", [ROWS, CLASSES])?], move |[x]| criterion.forward(x, &y))
    }),
    ("kl_div_fb", || {
        let y = probabilities("l.kl.y")?;
        let criterion = KLDivLoss { reduction: Reduction::Sum, ..Default::default() };
        both_ways([numbers("l.kl.x", [ELEMENTS])?], move |[x]| criterion.forward(x, &y))
    }),
    ("poisson_nll_loss_fb", || elements(unit, |x, y| PoissonNLLLoss::new().forward(x, y))),
    ("gaussian_nll_loss_fb", || {
        let y = numbers("l.g.y", [ELEMENTS])?;
        let inputs = [numbers("l.g.x", [ELEMENTS])?, uniform("l.g.v", [ELEMENTS], 0.1, 2.0)?];
        both_ways(inputs, move |[x, v]| GaussianNLLLoss::new().forward(x, &y, v))
    }),
    ("hinge_loss_fb", || elements(labels, |x, y| HingeLoss::new().forward(x, y))),
    ("hinge_embedding_loss_fb", || elements(labels, |x, y| HingeEmbeddingLoss::new().forward(x, y))),
    ("soft_margin_loss_fb", || elements(labels, |x, y| SoftMarginLoss::new().forward(x, y))),
    ("margin_ranking_loss_fb", || {
        let y = labels("l.mr.y", [ELEMENTS])?;
        let inputs = [numbers("l.mr.a", [ELEMENTS])?, numbers("l.mr.b", [ELEMENTS])?];
        let criterion = MarginRankingLoss { margin: 0.1, ..Default::default() };
        both_ways(inputs, move |[a, b]| criterion.forward(a, b, &y))
    }),
    ("binary_focal_loss_fb", || {
        elements(
            |name, shape| integers(name, shape, 2)?.to_dtype(DType::F32),
            |x, y| BinaryFocalLoss::new().forward(x, y),
        )
    }),
    ("dice_loss_fb", || {
        let shape = [16, 4, 128, 128];
        let y = integers("l.dice.y", shape, 2)?.to_dtype(DType::F32)?;
        both_ways([uniform("l.dice.x", shape, 0.0, 1.0)?], move |[x]| DiceLoss::new().forward(x, &y))
    }),
    ("nll_loss_fb", || classes(|x, y| NLLLoss::new().forward(x, y))),
    ("focal_loss_fb", || classes(|x, y| FocalLoss::new().forward(x, y))),
    ("multi_margin_loss_fb", || classes(|x, y| MultiMarginLoss::new().forward(x, y))),
    ("ce_weighted_fb", || {
        let weight = Some(uniform("l.ce.w", [CLASSES], 0.5, 2.0)?);
        let criterion = CrossEntropyLoss { weight, label_smoothing: 0.1, ..Default::default() };
        classes(move |x, y| criterion.forward(x, y))
    }),
    ("ce_probabilities_fb", || {
        let y = uniform("l.cp.y", [ROWS, CLASSES], 0.0, 0.002)?;
        both_ways([scores()?], move |[x]| CrossEntropyLoss::new().forward(x, &y))
    }),
    ("ce_images_fb", || {
        let y = integers("l.ci.y", [8, 128, 128], 21)?;
        let x = uniform("l.ci.x", [8, 21, 128, 128], -3.0, 3.0)?;
        both_ways([x], move |[x]| CrossEntropyLoss::new().forward(x, &y))
    }),
    ("multilabel_margin_loss_fb", || {
        let y = first_labels(5)?;
        both_ways([scores()?], move |[x]| MultiLabelMarginLoss::new().forward(x, &y))
    }),
    ("multilabel_soft_margin_loss_fb", || {
        let y = integers("l.ms.y", [ROWS, CLASSES], 2)?.to_dtype(DType::F32)?;
        both_ways([scores()?], move |[x]| MultiLabelSoftMarginLoss::new().forward(x, &y))
    }),
    ("cosine_embedding_loss_fb", || {
        let y = labels("l.cos.y", [ROWS])?;
        let criterion = CosineEmbeddingLoss { margin: 0.1, ..Default::default() };
        both_ways(vectors("l.cos")?, move |[a, b]| criterion.forward(a, b, &y))
    }),
    ("triplet_margin_loss_fb", || {
        let criterion = TripletMarginLoss { swap: true, ..Default::default() };
        both_ways(vectors("l.tri")?, move |[a, p, n]| criterion.forward(a, p, n))
    }),
    ("triplet_margin_with_distance_loss_fb", || {
        let distance = Arc::new(|a: &Tensor, b: &Tensor| a.sub(b)?.abs()?.sum_dim(-1, false));
        let criterion =
            TripletMarginWithDistanceLoss { distance_function: Some(distance), ..Default::default() };
        both_ways(vectors("l.tri")?, move |[a, p, n]| criterion.forward(a, p, n))
    }),
    ("ctc_loss_fb", || {
        let [frames, batch, classes, length] = [100, 32, 64, 20];
        let x = uniform("l.ctc.x", [frames, batch, classes], -3.0, 3.0)?.log_softmax(-1)?;
        let y = integers("l.ctc.y", [batch, length], classes as u64 - 1)?.add(1)?;
        let lengths = [frames, length].map(|n| Tensor::full([batch], n as f64, DType::I64));
        let [frames, length] = lengths;
        let (frames, length) = (frames?, length?);
        both_ways([x], move |[x]| CTCLoss::new().forward(x, &y, &frames, &length))
    }),
];

/// A loss of a million elements, whose targets `make` makes from a name.
fn elements(
    make: impl Fn(&str, [usize; 1]) -> Result<Tensor>,
    loss: impl Fn(&Tensor, &Tensor) -> Result<Tensor> + 'static,
) -> Result<Step> {
    let y = make("l.y", [ELEMENTS])?;
    both_ways([numbers("l.x", [ELEMENTS])?], move |[x]| loss(x, &y))
}

/// A loss of rows of scores whose targets are classes.
fn classes(loss: impl Fn(&Tensor, &Tensor) -> Result<Tensor> + 'static) -> Result<Step> {
    let y = integers("l.c.y", [ROWS], CLASSES as u64)?;
    both_ways([scores()?], move |[x]| loss(x, &y))
}

fn scores() -> Result<Tensor> {
    uniform("l.c.x", [ROWS, CLASSES], -3.0, 3.0)
}

fn vectors<const N: usize>(name: &str) -> Result<[Tensor; N]> {
    let vectors = (0..N).map(|i| numbers(&format!("{name}.{i}"), [ROWS, 256]));
    Ok(vectors.collect::<Result<Vec<_>>>()?.try_into().map_err(|_| ()).expect("as many as there were"))
}

fn probabilities(name: &str) -> Result<Tensor> {
    uniform(name, [ELEMENTS], 0.01, 0.99)
}

fn unit<const N: usize>(name: &str, shape: [usize; N]) -> Result<Tensor> {
    uniform(name, shape, 0.0, 1.0)
}

/// 1 and −1.
fn labels<const N: usize>(name: &str, shape: [usize; N]) -> Result<Tensor> {
    integers(name, shape, 2)?.mul(2)?.sub(1)?.to_dtype(DType::F32)
}

/// A few classes for each row, then −1.
fn first_labels(few: usize) -> Result<Tensor> {
    let first = integers("l.mm.y", [ROWS, few], CLASSES as u64)?;
    Tensor::cat(&[&first, &Tensor::full([ROWS, CLASSES - few], -1.0, DType::I64)?], 1)
}
