//! Losses with a margin, of single elements.

use super::*;

#[test]
fn hinge_embedding() {
    let case = |label, options: HingeEmbeddingLoss, want: &[f64]| {
        check(
            label,
            &[wave(1.0, [2, 3])],
            |x| hinge_embedding_loss(&x[0], &Tensor::new([[1, -1, -1], [-1, 1, 0]]), &options),
            want,
        )
    };
    case(
        "none",
        HingeEmbeddingLoss { reduction: None, ..Default::default() },
        &[-1.213774554927432, 1.6526822606921376],
    );
    case("mean", HingeEmbeddingLoss::new(), &[1.3737848715614411, 1.3524131169017093]);
    case(
        "sum",
        HingeEmbeddingLoss { reduction: Sum, ..Default::default() },
        &[8.242709229368646, 8.114478701410256],
    );
    check(
        "margin",
        &[wave(1.0, [2, 3])],
        |x| {
            hinge_embedding_loss(
                &x[0],
                &Tensor::new([[1, -1, -1]]),
                &HingeEmbeddingLoss { margin: 1.7, ..Default::default() },
            )
        },
        &[0.7296410020397309, 0.19248953926162343],
    );
}

#[test]
fn margin_ranking() {
    let case = |label, options: MarginRankingLoss, want: &[f64]| {
        check(
            label,
            &[wave(1.0, [2, 3]), wave(2.0, [2, 3]), wave(3.0, [2, 3])],
            |x| margin_ranking_loss(&x[0], &x[1], &x[2], &options),
            want,
        )
    };
    case(
        "none",
        MarginRankingLoss { reduction: None, ..Default::default() },
        &[0.43932828738433827, 0.10211170018221116, -0.10211170018221116, -0.49876143971044584],
    );
    case(
        "mean",
        MarginRankingLoss::new(),
        &[1.5816797519451053, -0.4915218858282374, 0.4915218858282374, 0.31717621655362516],
    );
    case(
        "sum",
        MarginRankingLoss { reduction: Sum, ..Default::default() },
        &[9.490078511670632, -2.949131314969425, 2.949131314969425, 1.9030572993217507],
    );
    case(
        "margin mean",
        MarginRankingLoss { margin: 0.7, ..Default::default() },
        &[2.2816797519451053, -0.4915218858282374, 0.4915218858282374, 0.31717621655362516],
    );
    check(
        "sizes of 1",
        &[wave(1.0, [2, 1]), wave(2.0, [2, 3])],
        |x| margin_ranking_loss(&x[0], &x[1], &Tensor::new([[1, -1, 1]]), &MarginRankingLoss::new()),
        &[0.37327500713856665, -0.04148480783568723, 0.5999329595470011],
    );
}

#[test]
fn soft_margin() {
    let case = |label, options: SoftMarginLoss, want: &[f64]| {
        check(
            label,
            &[wave(1.0, [2, 3])],
            |x| soft_margin_loss(&x[0], &f64s([[1, -1, -1], [-1, 1, 1]])?, &options),
            want,
        )
    };
    case("none", SoftMarginLoss { reduction: None }, &[2.570145148216362, 0.50977516243984]);
    case("mean", SoftMarginLoss::new(), &[0.5439567255307224, -0.2812639453658552]);
    case("sum", SoftMarginLoss { reduction: Sum }, &[3.2637403531843345, -1.6875836721951314]);
}

#[test]
fn hinge() {
    let case = |label, options: HingeLoss, want: &[f64]| {
        check(
            label,
            &[wave(1.0, [2, 3])],
            |x| hinge_loss(&x[0], &Tensor::new([[1, -1, -1], [-1, 1, 1]]), &options),
            want,
        )
    };
    case("none", HingeLoss { squared: false, reduction: None }, &[3.6197609249259974, 1.9409672588835667]);
    case(
        "squared none",
        HingeLoss { squared: true, reduction: None },
        &[10.220816342418642, 4.364566946282184],
    );
    case(
        "mean",
        HingeLoss { squared: false, ..Default::default() },
        &[0.6287580572331214, -0.46346483760432267],
    );
    case(
        "squared mean",
        HingeLoss { squared: true, ..Default::default() },
        &[1.2633857511742217, -0.3243186536616067],
    );
    case("sum", HingeLoss { squared: false, reduction: Sum }, &[3.7725483433987286, -2.780789025625936]);
    case(
        "squared sum",
        HingeLoss { squared: true, reduction: Sum },
        &[7.58031450704533, -1.9459119219696406],
    );
}
