//! Losses of vectors, regions and sequences.

use std::sync::Arc;

use super::*;

#[test]
fn cosine_embedding() {
    let case = |label, options: CosineEmbeddingLoss, want: &[f64]| {
        check(
            label,
            &[wave(1.0, [4, 3]), wave(2.0, [4, 3])],
            |x| cosine_embedding_loss(&x[0], &x[1], &Tensor::new([1, -1, 1, -1]), &options),
            want,
        )
    };
    case(
        "none",
        CosineEmbeddingLoss { reduction: None, ..Default::default() },
        &[0.605351382144158, -1.2503518484465448, -0.18549835700558004],
    );
    case(
        "mean",
        CosineEmbeddingLoss::new(),
        &[0.49429227014597354, 0.02670859780364314, -0.007099551453728689],
    );
    case(
        "sum",
        CosineEmbeddingLoss { reduction: Sum, ..Default::default() },
        &[1.9771690805838942, 0.10683439121457255, -0.028398205814914756],
    );
    check(
        "margin",
        &[wave(1.0, [4, 3]), wave(2.0, [4, 3])],
        |x| {
            cosine_embedding_loss(
                &x[0],
                &x[1],
                &Tensor::new([-1, -1, 0, -1]),
                &CosineEmbeddingLoss { margin: -0.6, ..Default::default() },
            )
        },
        &[0.8798517324295048, 0.4099168406487039, 0.15615044390423977],
    );
    check(
        "one pair",
        &[wave(1.0, [3]), wave(2.0, [3])],
        |x| {
            cosine_embedding_loss(
                &x[0],
                &x[1],
                &Tensor::new(-1),
                &CosineEmbeddingLoss { margin: -0.9, ..Default::default() },
            )
        },
        &[1.5635117771611786, 0.49050839848591005, 0.16560512014508594],
    );
}

#[test]
fn triplet_margin() {
    let case = |label, options: TripletMarginLoss, want: &[f64]| {
        check(
            label,
            &[wave(1.0, [4, 3]), wave(2.5, [4, 3]), wave(4.0, [4, 3])],
            |x| triplet_margin_loss(&x[0], &x[1], &x[2], &options),
            want,
        )
    };
    case(
        "none",
        TripletMarginLoss { reduction: None, ..Default::default() },
        &[-0.29621657474504054, 3.5493252562029003, -0.8816283402089777, -2.667696915993923],
    );
    case(
        "mean",
        TripletMarginLoss::new(),
        &[0.037196828747338984, -0.44569971763808186, 0.11070878939769087, 0.33499092824039095],
    );
    case(
        "sum",
        TripletMarginLoss { reduction: Sum, ..Default::default() },
        &[0.14878731498935593, -1.7827988705523274, 0.4428351575907635, 1.3399637129615638],
    );
    case(
        "margin 3 mean",
        TripletMarginLoss { margin: 3.0, ..Default::default() },
        &[1.4443349290675689, -1.61852169656594, -0.10241888334731808, 1.720940579913258],
    );
    case(
        "p 1 mean",
        TripletMarginLoss { p: 1.0, ..Default::default() },
        &[0.2184591118999144, -0.7515734153521505, 0.10944119281357079, 0.6421322225385797],
    );
    case(
        "p 3, eps mean",
        TripletMarginLoss { p: 3.0, eps: 0.1, margin: 2.5, ..Default::default() },
        &[1.1219970331688922, -1.4154197872538066, -0.0910488395432531, 1.50646862679706],
    );
    case(
        "swap mean",
        TripletMarginLoss { swap: true, margin: 2.5, ..Default::default() },
        &[2.513555739848621, 0.10241888334731808, -2.5360994433520023, 2.4336805600046842],
    );
    let case = |label, options: TripletMarginWithDistanceLoss, want: &[f64]| {
        check(
            label,
            &[wave(1.0, [4, 3]), wave(2.5, [4, 3]), wave(4.0, [4, 3])],
            |x| triplet_margin_with_distance_loss(&x[0], &x[1], &x[2], &options),
            want,
        )
    };
    case(
        "a distance of its own",
        TripletMarginWithDistanceLoss {
            distance_function: Some(Arc::new(|a, b| a.sub(b)?.square()?.sum_dim(-1, false))),
            margin: 4.0,
            swap: true,
            ..Default::default()
        },
        &[4.371058675054437, 0.7506528800775087, -12.016461140683761, 11.265808260606251],
    );
    case(
        "the default distance",
        TripletMarginWithDistanceLoss { reduction: Sum, ..Default::default() },
        &[0.14878731498935593, -1.7827988705523274, 0.4428351575907635, 1.3399637129615638],
    );
}

#[test]
fn dice() {
    let case = |label, options: DiceLoss, want: &[f64]| {
        check(
            label,
            &[between(0.0, 1.0, 1.0, [2, 3, 2, 2]), between(0.0, 1.0, 2.0, [2, 3, 2, 2])],
            |x| dice_loss(&x[0], &x[1], &options),
            want,
        )
    };
    case(
        "none",
        DiceLoss { smooth: 1.0, squared: false, batch: false, reduction: None },
        &[0.6030274095863541, -0.8919679129121942, -0.5952687254526735],
    );
    case(
        "squared none",
        DiceLoss { smooth: 0.5, squared: true, batch: false, reduction: None },
        &[0.30873966503232086, -0.47130042452693, 0.27489055218437575],
    );
    case(
        "batch none",
        DiceLoss { smooth: 0.5, squared: false, batch: true, reduction: None },
        &[0.8916982789325131, -2.9063928100465395, -2.14246808742224],
    );
    case(
        "mean",
        DiceLoss { smooth: 1.0, squared: false, batch: false, ..Default::default() },
        &[0.2962902647847154, -0.7551816542365297, -0.5954319605098084],
    );
    case(
        "squared mean",
        DiceLoss { smooth: 0.5, squared: true, batch: false, ..Default::default() },
        &[0.13595826323878252, -0.3336932195337696, 0.09766460256616424],
    );
    case(
        "batch mean",
        DiceLoss { smooth: 0.5, squared: false, batch: true, ..Default::default() },
        &[0.34452875328233906, -0.8993777493741048, -0.7126063300699104],
    );
    case(
        "sum",
        DiceLoss { smooth: 1.0, squared: false, batch: false, reduction: Sum },
        &[1.7777415887082921, -4.531089925419177, -3.572591763058851],
    );
    case(
        "squared sum",
        DiceLoss { smooth: 0.5, squared: true, batch: false, reduction: Sum },
        &[0.8157495794326951, -2.0021593172026173, 0.585987615396985],
    );
    case(
        "batch sum",
        DiceLoss { smooth: 0.5, squared: false, batch: true, reduction: Sum },
        &[1.0335862598470171, -2.698133248122314, -2.137818990209731],
    );
}

#[test]
fn ctc() {
    let case = |label, options: CTCLoss, want: &[f64]| {
        check(
            label,
            &[wave(1.0, [5, 3, 4])],
            |x| {
                ctc_loss(
                    &x[0].log_softmax(-1)?,
                    &Tensor::new([[1, 1, 2], [3, 3, 3], [3, 3, 3]]),
                    &Tensor::new([5, 3, 4]),
                    &Tensor::new([3, 1, 0]),
                    &options,
                )
            },
            want,
        )
    };
    case("none", CTCLoss { reduction: None, ..Default::default() }, &[16.479171169634125, 8.26264126571735]);
    case("mean", CTCLoss::new(), &[5.553742338708759, 2.3029873515688064]);
    case("sum", CTCLoss { reduction: Sum, ..Default::default() }, &[22.068150899237843, 10.186324576692542]);
    check(
        "labels one after the other",
        &[wave(1.0, [6, 3, 4])],
        |x| {
            ctc_loss(
                &x[0].log_softmax(-1)?,
                &Tensor::new([3, 3, 1, 0]),
                &Tensor::new([6, 4, 2]),
                &Tensor::new([2, 1, 1]),
                &CTCLoss { blank: 2, ..Default::default() },
            )
        },
        &[3.550103049063717, 2.0471723010773615],
    );
    let case = |label, options: CTCLoss, want: &[f64]| {
        check(
            label,
            &[wave(1.0, [5, 3, 4])],
            |x| {
                ctc_loss(
                    &x[0].log_softmax(-1)?,
                    &Tensor::new([[1, 1], [2, 3], [3, 3]]),
                    &Tensor::new([5, 5, 2]),
                    &Tensor::new([2, 2, 2]),
                    &options,
                )
            },
            want,
        )
    };
    case(
        "zero_infinity none",
        CTCLoss { zero_infinity: true, reduction: None, ..Default::default() },
        &[20.173311290678164, 14.947525602945854],
    );
    case(
        "zero_infinity mean",
        CTCLoss { zero_infinity: true, ..Default::default() },
        &[2.1839655038422747, 1.6177309518731562],
    );
    case(
        "zero_infinity sum",
        CTCLoss { zero_infinity: true, reduction: Sum, ..Default::default() },
        &[13.103793023053647, 9.706385711238937],
    );
    check(
        "one sequence",
        &[wave(1.0, [6, 3])],
        |x| {
            ctc_loss(
                &x[0].log_softmax(-1)?,
                &Tensor::new([2, 1, 1]),
                &Tensor::new(6),
                &Tensor::new(3),
                &CTCLoss::new(),
            )
        },
        &[1.7242580672854386, 1.3129876017224436],
    );
}
