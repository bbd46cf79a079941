//! Losses of classes.

use super::*;

#[test]
fn nll() {
    let case = |label, options: NLLLoss, want: &[f64]| {
        check(label, &[wave(1.0, [3, 4])], |x| nll_loss(&x[0], &Tensor::new([2, 0, 2]), &options), want)
    };
    case("none", NLLLoss { reduction: None, ..Default::default() }, &[2.153521246333944, 0.87180208641117]);
    case("mean", NLLLoss::new(), &[-0.30999833972168095, -0.33730248775364835]);
    case("sum", NLLLoss { reduction: Sum, ..Default::default() }, &[-0.9299950191650428, -1.011907463260945]);
    case(
        "ignore_index",
        NLLLoss { weight: Some(between(0.5, 2.0, 3.0, [4])), ignore_index: 0, ..Default::default() },
        &[-0.5480869124000178, 0.08611978307675061],
    );
    let case = |label, options: NLLLoss, want: &[f64]| {
        check(label, &[wave(1.0, [3, 4])], |x| nll_loss(&x[0], &Tensor::new([2, -100, 1]), &options), want)
    };
    case(
        "weight none",
        NLLLoss { weight: Some(between(0.5, 2.0, 3.0, [4])), reduction: None, ..Default::default() },
        &[0.9553587477570957, 2.1781275827948416],
    );
    case(
        "weight mean",
        NLLLoss { weight: Some(between(0.5, 2.0, 3.0, [4])), ..Default::default() },
        &[0.401136439019119, 0.43830576743001015],
    );
    case(
        "weight sum",
        NLLLoss { weight: Some(between(0.5, 2.0, 3.0, [4])), reduction: Sum, ..Default::default() },
        &[0.5372924030933226, 0.5870779519506798],
    );
    check(
        "one row",
        &[wave(1.0, [4])],
        |x| {
            nll_loss(
                &x[0],
                &Tensor::new(3),
                &NLLLoss { weight: Some(between(0.5, 2.0, 3.0, [4])), ..Default::default() },
            )
        },
        &[1.964905225248665, 1.2362742244740663],
    );
    let case = |label, options: NLLLoss, want: &[f64]| {
        check(
            label,
            &[wave(1.0, [2, 4, 2, 2])],
            |x| nll_loss(&x[0], &Tensor::new([[[0, 2], [1, 3]], [[2, -100], [0, 0]]]), &options),
            want,
        )
    };
    case(
        "positions none",
        NLLLoss { weight: Some(between(0.5, 2.0, 3.0, [4])), reduction: None, ..Default::default() },
        &[8.300061613117848, 2.18634207212326],
    );
    case(
        "positions mean",
        NLLLoss { weight: Some(between(0.5, 2.0, 3.0, [4])), ..Default::default() },
        &[-0.9207837769063876, -1.2975856326505832],
    );
    case(
        "positions sum",
        NLLLoss { weight: Some(between(0.5, 2.0, 3.0, [4])), reduction: Sum, ..Default::default() },
        &[-7.244105625479536, -10.20852844802147],
    );
}

#[test]
fn focal() {
    let case = |label, options: FocalLoss, want: &[f64]| {
        check(label, &[wave(1.0, [3, 4])], |x| focal_loss(&x[0], &Tensor::new([2, 0, 2]), &options), want)
    };
    case(
        "none",
        FocalLoss { gamma: 2.0, reduction: None, ..Default::default() },
        &[7.80853784627088, 4.318905227147265],
    );
    case("mean", FocalLoss { gamma: 2.0, ..Default::default() }, &[1.730350178904751, 1.0424119240308234]);
    case(
        "sum",
        FocalLoss { gamma: 2.0, reduction: Sum, ..Default::default() },
        &[5.191050536714253, 3.1272357720924697],
    );
    let case = |label, options: FocalLoss, want: &[f64]| {
        check(label, &[wave(1.0, [3, 4])], |x| focal_loss(&x[0], &Tensor::new([2, -100, 1]), &options), want)
    };
    case(
        "weight, gamma none",
        FocalLoss {
            weight: Some(between(0.5, 2.0, 3.0, [4])),
            gamma: 1.5,
            reduction: None,
            ..Default::default()
        },
        &[2.7515081412205884, 3.409391504042903],
    );
    case(
        "weight, gamma mean",
        FocalLoss { weight: Some(between(0.5, 2.0, 3.0, [4])), gamma: 1.5, ..Default::default() },
        &[1.6722293736864873, 1.1503580416049688],
    );
    case(
        "weight, gamma sum",
        FocalLoss {
            weight: Some(between(0.5, 2.0, 3.0, [4])),
            gamma: 1.5,
            reduction: Sum,
            ..Default::default()
        },
        &[3.3444587473729745, 2.3007160832099376],
    );
    let case = |label, options: FocalLoss, want: &[f64]| {
        check(
            label,
            &[wave(1.0, [2, 4, 2, 2])],
            |x| focal_loss(&x[0], &Tensor::new([[[0, 2], [1, 3]], [[2, -100], [0, 0]]]), &options),
            want,
        )
    };
    case(
        "positions none",
        FocalLoss {
            weight: Some(between(0.5, 2.0, 3.0, [4])),
            gamma: 2.0,
            reduction: None,
            ..Default::default()
        },
        &[7.891402659552918, 0.12957240588534052],
    );
    case(
        "positions mean",
        FocalLoss { weight: Some(between(0.5, 2.0, 3.0, [4])), gamma: 2.0, ..Default::default() },
        &[0.8647163672700232, -0.07310520834790457],
    );
    case(
        "positions sum",
        FocalLoss {
            weight: Some(between(0.5, 2.0, 3.0, [4])),
            gamma: 2.0,
            reduction: Sum,
            ..Default::default()
        },
        &[6.053014570890163, -0.5117364584353323],
    );
}

#[test]
fn multi_margin() {
    let case = |label, options: MultiMarginLoss, want: &[f64]| {
        check(
            label,
            &[wave(1.0, [3, 4])],
            |x| multi_margin_loss(&x[0], &Tensor::new([2, 0, 2]), &options),
            want,
        )
    };
    case(
        "none",
        MultiMarginLoss { reduction: None, ..Default::default() },
        &[4.707226738935184, 1.6364782870561059],
    );
    case("mean", MultiMarginLoss::new(), &[1.0268855098126357, 0.43636744820643525]);
    case(
        "sum",
        MultiMarginLoss { reduction: Sum, ..Default::default() },
        &[3.080656529437907, 1.309102344619306],
    );
    case(
        "p 2, margin",
        MultiMarginLoss { p: 2, margin: 0.6, ..Default::default() },
        &[2.468719454704934, 2.9187453697549843],
    );
    let case = |label, options: MultiMarginLoss, want: &[f64]| {
        check(
            label,
            &[wave(1.0, [3, 4])],
            |x| multi_margin_loss(&x[0], &Tensor::new([2, 0, 1]), &options),
            want,
        )
    };
    case(
        "weight none",
        MultiMarginLoss { weight: Some(between(0.5, 2.0, 3.0, [4])), reduction: None, ..Default::default() },
        &[4.8526597590261895, 1.1877364080478898],
    );
    case(
        "weight mean",
        MultiMarginLoss { weight: Some(between(0.5, 2.0, 3.0, [4])), ..Default::default() },
        &[1.2560213017507094, 0.2148818629686943],
    );
    case(
        "weight sum",
        MultiMarginLoss { weight: Some(between(0.5, 2.0, 3.0, [4])), reduction: Sum, ..Default::default() },
        &[3.768063905252128, 0.6446455889060829],
    );
    check(
        "one row, none",
        &[wave(1.0, [4])],
        |x| {
            multi_margin_loss(
                &x[0],
                &Tensor::new([1]),
                &MultiMarginLoss { reduction: None, ..Default::default() },
            )
        },
        &[0.3914101285940279, 0.5682302209680684],
    );
    check(
        "one row",
        &[wave(1.0, [4])],
        |x| multi_margin_loss(&x[0], &Tensor::new(1), &MultiMarginLoss::new()),
        &[0.2978828863155881, 0.4324519115581601],
    );
}

#[test]
fn multilabel_margin() {
    let case = |label, options: MultiLabelMarginLoss, want: &[f64]| {
        check(
            label,
            &[wave(1.0, [3, 4])],
            |x| {
                multilabel_margin_loss(
                    &x[0],
                    &Tensor::new([[2, 0, -1, 1], [-1, 0, 0, 0], [3, 1, 2, -1]]),
                    &options,
                )
            },
            want,
        )
    };
    case("none", MultiLabelMarginLoss { reduction: None }, &[1.3747181013828278, 0.11978575305403816]);
    case("mean", MultiLabelMarginLoss::new(), &[0.3487433138067327, 0.03038767033392467]);
    case("sum", MultiLabelMarginLoss { reduction: Sum }, &[1.046229941420198, 0.09116301100177404]);
    check(
        "one row",
        &[wave(1.0, [3])],
        |x| multilabel_margin_loss(&x[0], &Tensor::new([2, -1, 0]), &MultiLabelMarginLoss::new()),
        &[2.3148113890495474, 1.9729090089040375],
    );
}
