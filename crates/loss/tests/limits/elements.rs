//! Losses of single elements.

use super::*;

/// A loss at points: the operands, the loss, and its derivatives with respect to each.
struct Case<const N: usize> {
    name: &'static str,
    call: fn([&Tensor; N]) -> Result<Tensor>,
    points: Vec<([f64; N], f64, [f64; N])>,
}

impl<const N: usize> Case<N> {
    fn check(&self) {
        for dtype in FLOATS {
            // In vectors and in what is left behind them.
            let points: Vec<_> = self.points.iter().cycle().take(self.points.len() * 20 + 1).collect();
            let column = |k: usize| points.iter().map(|point| point.0[k]).collect::<Vec<f64>>();
            let operands: [Tensor; N] = std::array::from_fn(|k| leaf(&column(k), &[points.len()], dtype));
            let losses = (self.call)(operands.each_ref()).expect("losses");
            let want: Vec<f64> = points.iter().map(|point| point.1).collect();
            agree(self.name, &numbers(&losses), &want, dtype);
            for create_graph in [false, true] {
                let found = gradients(&losses, &operands.each_ref(), create_graph);
                for (k, found) in found.iter().enumerate() {
                    let want: Vec<f64> = points.iter().map(|point| point.2[k]).collect();
                    let what = format!("{}: gradient {k}, recorded {create_graph}", self.name);
                    agree(&what, &numbers(found), &want, dtype);
                }
                if create_graph && found[0].requires_grad() {
                    let second = numbers(&gradients(&found[0], &[&operands[0]], false)[0]);
                    assert!(second.iter().all(|v| !v.is_nan()), "{} of {dtype}: {second:?}", self.name);
                }
            }
        }
    }
}

fn logits(weight: Option<f64>, pos_weight: Option<f64>) -> BCEWithLogitsLoss {
    let number = |v: Option<f64>| v.map(|v| Tensor::new([v]));
    BCEWithLogitsLoss { weight: number(weight), pos_weight: number(pos_weight), reduction: NONE }
}

#[test]
fn binary_cross_entropy_of_infinite_logits() {
    let points = vec![
        ([INF, 1.0], 0.0, [0.0, -INF]),
        ([INF, 0.0], INF, [1.0, -INF]),
        ([-INF, 0.0], 0.0, [0.0, INF]),
        ([-INF, 1.0], INF, [-1.0, INF]),
        ([INF, 0.5], INF, [0.5, -INF]),
        ([-INF, 0.5], INF, [-0.5, INF]),
        ([3e38, 1.0], 0.0, [0.0, -3e38]),
        ([-3e38, 1.0], 3e38, [-1.0, 3e38]),
        ([1000.0, 0.25], 750.0, [0.75, -1000.0]),
        ([0.0, 0.25], 2f64.ln(), [0.25, 0.0]),
    ];
    let call = |[x, y]: [&Tensor; 2]| binary_cross_entropy_with_logits(x, y, &logits(None, None));
    Case { name: "binary_cross_entropy_with_logits", call, points }.check();
    // A third operand, the weight of positive targets: its derivative is −y·ln σ(x).
    let call = |[x, y, p]: [&Tensor; 3]| {
        let options = BCEWithLogitsLoss { pos_weight: Some(p.clone()), ..logits(None, None) };
        binary_cross_entropy_with_logits(x, y, &options)
    };
    let points = vec![
        ([INF, 1.0, 3.0], 0.0, [0.0, -INF, 0.0]),
        ([INF, 0.0, 3.0], INF, [1.0, -INF, 0.0]),
        ([-INF, 0.0, 3.0], 0.0, [0.0, INF, 0.0]),
        ([-INF, 1.0, 3.0], INF, [-3.0, INF, INF]),
        ([-INF, 1.0, 0.0], 0.0, [0.0, 0.0, INF]),
        ([-INF, 0.0, 0.5], 0.0, [0.0, INF, 0.0]),
        ([-100.0, 1.0, 3.0], 300.0, [-3.0, 300.0, 100.0]),
        ([-100.0, 0.5, 3.0], 150.0, [-1.5, 300.0, 50.0]),
        ([0.0, 1.0, 3.0], 3.0 * 2f64.ln(), [-1.5, 2.0 * 2f64.ln(), 2f64.ln()]),
    ];
    Case { name: "pos_weight", call, points }.check();
}

/// What counts for nothing costs nothing, how wrong it ever is.
#[test]
fn infinite_losses_of_weight_zero() {
    for dtype in FLOATS {
        let weight = Some(leaf(&[0.0, 2.0], &[2], dtype).detach());
        let (x, y) = (leaf(&[-INF, 0.0], &[2], dtype), leaf(&[1.0, 1.0], &[2], dtype).detach());
        let options = BCEWithLogitsLoss { weight: weight.clone(), ..logits(None, None) };
        check(
            "weight 0",
            &x,
            binary_cross_entropy_with_logits(&x, &y, &options),
            &[0.0, 2.0 * 2f64.ln()],
            &[0.0, -1.0],
        );
        for reduction in [Reduction::Sum, Reduction::Mean] {
            let scale = if reduction == Reduction::Mean { 0.5 } else { 1.0 };
            let options = BCEWithLogitsLoss { weight: weight.clone(), reduction, pos_weight: None };
            let loss = binary_cross_entropy_with_logits(&x, &y, &options);
            check("weight 0, reduced", &x, loss, &[scale * 2.0 * 2f64.ln()], &[0.0, -scale]);
            let loss = mse_loss(&x, &y, &MSELoss { weight: weight.clone(), reduction });
            check(
                "squared errors",
                &x,
                loss,
                &[if reduction == Reduction::Mean { 1.0 } else { 2.0 }],
                &[0.0, -4.0 * scale],
            );
        }
    }
}

#[test]
fn several_labels_at_a_time() {
    for dtype in FLOATS {
        let (x, y) =
            (leaf(&[INF, -INF, 0.0], &[1, 3], dtype), leaf(&[1.0, 0.0, 1.0], &[1, 3], dtype).detach());
        for reduction in [NONE, Reduction::Mean] {
            let options = MultiLabelSoftMarginLoss { reduction, weight: None };
            let loss = multilabel_soft_margin_loss(&x, &y, &options);
            check("multilabel_soft_margin_loss", &x, loss, &[2f64.ln() / 3.0], &[0.0, 0.0, -0.5 / 3.0]);
        }
    }
}

#[test]
fn logistic_loss_of_infinite_scores() {
    let call = |[x, y]: [&Tensor; 2]| soft_margin_loss(x, y, &SoftMarginLoss { reduction: NONE });
    let points = vec![
        ([INF, 1.0], 0.0, [0.0, 0.0]),
        ([-INF, 1.0], INF, [-1.0, INF]),
        ([INF, -1.0], INF, [1.0, INF]),
        ([-INF, -1.0], 0.0, [0.0, 0.0]),
        ([1e30, 1.0], 0.0, [0.0, 0.0]),
        ([1e30, -1.0], 1e30, [1.0, -1e30]),
    ];
    // The derivative with respect to the label is −x·σ(−y·x).
    let points = points
        .into_iter()
        .map(|(at, loss, [dx, dy])| (at, loss, [dx, if dy == INF { -at[0] } else { dy }]))
        .collect();
    Case { name: "soft_margin_loss", call, points }.check();
}

#[test]
fn focal_loss_of_infinite_logits() {
    fn call<const GAMMA: u32>([x, y]: [&Tensor; 2]) -> Result<Tensor> {
        let options = BinaryFocalLoss { alpha: Some(0.25), gamma: f64::from(GAMMA) / 2.0, reduction: NONE };
        binary_focal_loss(x, &y.detach(), &options)
    }
    for call in [call::<0>, call::<1>, call::<2>, call::<4>] {
        let points = vec![
            ([INF, 1.0], 0.0, [0.0, 0.0]),
            ([-INF, 0.0], 0.0, [0.0, 0.0]),
            ([-INF, 1.0], INF, [-0.25, 0.0]),
            ([INF, 0.0], INF, [0.75, 0.0]),
            ([1e30, 1.0], 0.0, [0.0, 0.0]),
            ([-1e30, 1.0], 0.25e30, [-0.25, 0.0]),
        ];
        Case { name: "binary_focal_loss", call, points }.check();
    }
}

#[test]
fn divergence_of_probabilities_of_zero() {
    let e = (-1f64).exp();
    let call =
        |[x, y]: [&Tensor; 2]| kl_div(x, &y.detach(), &KLDivLoss { reduction: NONE, log_target: false });
    let points = vec![
        ([-INF, 0.0], 0.0, [0.0, 0.0]),
        ([-1.0, 0.0], 0.0, [0.0, 0.0]),
        ([-INF, 0.5], INF, [-0.5, 0.0]),
        ([-1.0, 0.5], 0.5 * 0.5f64.ln() + 0.5, [-0.5, 0.0]),
    ];
    Case { name: "kl_div", call, points }.check();
    let call = |[x, y]: [&Tensor; 2]| kl_div(x, y, &KLDivLoss { reduction: NONE, log_target: true });
    let points = vec![
        ([-INF, -INF], 0.0, [0.0, 0.0]),
        ([-1.0, -INF], 0.0, [0.0, 0.0]),
        ([-INF, -1.0], INF, [-e, INF]),
        // A probability that is too small for the dtype is not 0.
        ([-INF, -1000.0], INF, [0.0, INF]),
        ([-1.0, -1000.0], 0.0, [0.0, 0.0]),
        ([-1.0, -1.0], 0.0, [-e, e]),
    ];
    Case { name: "kl_div of logarithms", call, points }.check();
}

#[test]
fn counts_that_are_zero_or_expected_infinitely() {
    let call = |[x, y]: [&Tensor; 2]| {
        poisson_nll_loss(x, y, &PoissonNLLLoss { reduction: NONE, ..Default::default() })
    };
    let points = vec![
        ([-INF, 0.0], 0.0, [0.0, INF]),
        ([-INF, 2.0], INF, [-2.0, INF]),
        ([INF, 0.0], INF, [INF, -INF]),
        ([INF, 2.0], INF, [INF, -INF]),
        ([0.0, 2.0], 1.0, [-1.0, 0.0]),
    ];
    Case { name: "poisson_nll_loss", call, points }.check();
    let call = |[x, y]: [&Tensor; 2]| {
        poisson_nll_loss(x, y, &PoissonNLLLoss { log_input: false, eps: 0.0, reduction: NONE, full: false })
    };
    let points = vec![
        ([0.0, 0.0], 0.0, [1.0, INF]),
        ([0.0, 2.0], INF, [-INF, INF]),
        ([INF, 2.0], INF, [1.0, -INF]),
        ([1.0, 2.0], 1.0, [-1.0, 0.0]),
    ];
    Case { name: "poisson_nll_loss of counts", call, points }.check();
}

#[test]
fn large_errors_and_variances() {
    let call = |[x, y, v]: [&Tensor; 3]| {
        gaussian_nll_loss(x, y, v, &GaussianNLLLoss { reduction: NONE, ..Default::default() })
    };
    let half = 0.5e30 + 0.5 * 1e10f64.ln();
    let points = vec![
        ([1e20, 0.0, 1e10], half, [1e10, -1e10, -0.5e20]),
        ([1.0, 0.0, INF], INF, [0.0, 0.0, 0.0]),
        ([INF, 0.0, 1.0], INF, [INF, -INF, -INF]),
        ([1.0, 0.0, 2.0], 0.5 * (2f64.ln() + 0.5), [0.5, -0.5, 0.125]),
    ];
    Case { name: "gaussian_nll_loss", call, points }.check();
    let call = |[x, y]: [&Tensor; 2]| smooth_l1_loss(x, y, &SmoothL1Loss { beta: 1e30, reduction: NONE });
    let points = vec![
        ([1e20, 0.0], 0.5e10, [1e-10, -1e-10]),
        ([INF, 0.0], INF, [1.0, -1.0]),
        ([-3e38, 0.0], 3e38 - 0.5e30, [-1.0, 1.0]),
    ];
    Case { name: "smooth_l1_loss", call, points }.check();
    let call = |[x, y]: [&Tensor; 2]| huber_loss(x, y, &HuberLoss { reduction: NONE, ..Default::default() });
    let points = vec![([3e38, 0.0], 3e38, [1.0, -1.0]), ([-INF, 0.0], INF, [-1.0, 1.0])];
    Case { name: "huber_loss", call, points }.check();
}

#[test]
fn margins_of_infinite_scores() {
    let hinge =
        |squared| move |x: &Tensor, y: &Tensor| hinge_loss(x, y, &HingeLoss { squared, reduction: NONE });
    for dtype in FLOATS {
        for squared in [false, true] {
            let x = leaf(&[INF, -INF, INF], &[3], dtype);
            let y = leaf(&[1.0, -1.0, -1.0], &[3], dtype);
            let losses = hinge(squared)(&x, &y).expect("losses");
            agree("hinge_loss", &numbers(&losses), &[0.0, 0.0, INF], dtype);
            for create_graph in [false, true] {
                let found = gradients(&losses, &[&x, &y], create_graph);
                agree("hinge_loss", &numbers(&found[0]), &[0.0, 0.0, if squared { INF } else { 1.0 }], dtype);
                agree("hinge_loss", &numbers(&found[1]), &[0.0, 0.0, -INF], dtype);
            }
        }
        let (a, b, y) = (
            leaf(&[INF, -INF, 3e38], &[3], dtype),
            leaf(&[0.0, 0.0, 3e38], &[3], dtype),
            leaf(&[1.0; 3], &[3], dtype),
        );
        let losses = margin_ranking_loss(&a, &b, &y, &MarginRankingLoss { margin: 0.5, reduction: NONE })
            .expect("losses");
        agree("margin_ranking_loss", &numbers(&losses), &[0.0, INF, 0.5], dtype);
        for create_graph in [false, true] {
            let found = gradients(&losses, &[&a, &b, &y], create_graph);
            agree("margin_ranking_loss", &numbers(&found[0]), &[0.0, -1.0, -1.0], dtype);
            agree("margin_ranking_loss", &numbers(&found[2]), &[0.0, INF, 0.0], dtype);
        }
    }
}

#[test]
fn probabilities_at_the_ends() {
    let call = |[x, y]: [&Tensor; 2]| {
        binary_cross_entropy(x, &y.detach(), &BCELoss { reduction: NONE, weight: None })
    };
    // Logarithms are not taken below −100, as in PyTorch.
    let points = vec![
        ([0.0, 0.0], 0.0, [0.0, 0.0]),
        ([1.0, 1.0], 0.0, [0.0, 0.0]),
        ([0.0, 1.0], 100.0, [-1e12, 0.0]),
        ([1.0, 0.0], 100.0, [1e12, 0.0]),
    ];
    Case { name: "binary_cross_entropy", call, points }.check();
}
