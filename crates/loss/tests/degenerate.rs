//! Inputs at the end of what is meant: infinities, nothing at all, everything ignored. Values are PyTorch's, in f64,
//! where nothing else is said; where PyTorch has NaN for 0·∞, the limit.

use chainrule_loss::*;
use chainrule_tensor::{DType, Result, Tensor};

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

fn vector(values: &[f64]) -> Tensor {
    Tensor::from_slice(values, [values.len()]).and_then(|x| x.requires_grad_(true)).expect("a leaf")
}

/// Checks losses and the gradient that their sum gives to the first tensor.
#[track_caller]
fn check(x: &Tensor, losses: Result<Tensor>, want: &[f64], gradient: &[f64]) {
    let losses = losses.expect("losses");
    same(&losses, want);
    losses.sum().and_then(|sum| sum.backward()).expect("a backward pass");
    same(&x.grad().expect("a gradient"), gradient);
}

#[track_caller]
fn same(got: &Tensor, want: &[f64]) {
    let got = got.to_vec::<f64>().expect("f64");
    let same = |(g, w): (&f64, &f64)| {
        g == w || (g.is_nan() && w.is_nan()) || (g - w).abs() <= 1e-12 * (1.0 + w.abs())
    };
    assert!(got.len() == want.len() && got.iter().zip(want).all(same), "{got:?} instead of {want:?}");
}

#[test]
fn infinite_logits() {
    let (x, y) = (vector(&[INF, INF, -INF, -INF, 1e3, -1e3]), vector(&[1.0, 0.0, 1.0, 0.0, 0.0, 1.0]));
    let options = BCEWithLogitsLoss { reduction: Reduction::None, ..Default::default() };
    let losses = binary_cross_entropy_with_logits(&x, &y, &options);
    check(&x, losses, &[0.0, INF, INF, 0.0, 1e3, 1e3], &[0.0, 1.0, -1.0, 0.0, 1.0, -1.0]);
}

/// PyTorch's overflow: infinite from a product of −710 on, with a gradient that is not a number.
#[test]
fn large_scores_of_the_soft_margin_loss() {
    let (x, y) = (vector(&[1e3, -1e3, 0.0]), Tensor::new([1, 1, -1]));
    let losses = soft_margin_loss(&x, &y, &SoftMarginLoss { reduction: Reduction::None });
    check(&x, losses, &[0.0, 1e3, 2f64.ln()], &[0.0, -1.0, 0.5]);
}

#[test]
fn probabilities_of_zero() {
    let (x, y) = (vector(&[-1.0, -INF, -1.0, 0.0, -INF]), vector(&[0.0, 0.0, 0.5, 0.5, 0.5]));
    let losses = kl_div(&x, &y, &KLDivLoss { reduction: Reduction::None, log_target: false });
    check(
        &x,
        losses,
        &[0.0, 0.0, 0.15342640972002736, -0.34657359027997264, INF],
        &[0.0, 0.0, -0.5, -0.5, -0.5],
    );
    let (x, y) = (vector(&[-1.0, -1.0, -INF]), vector(&[-INF, -1.0, -1.0]));
    let losses = kl_div(&x, &y, &KLDivLoss { reduction: Reduction::None, log_target: true });
    let e = (-1f64).exp();
    check(&x, losses, &[0.0, 0.0, INF], &[0.0, -e, -e]);
}

#[test]
fn errors_that_are_infinite_or_not_numbers() {
    let (x, y) = (vector(&[1.0, 1.0, NAN, 0.0, INF]), Tensor::new([0.0, 0.5, 0.0, 0.0, 0.0]));
    let y = y.to_dtype(DType::F64).expect("a cast");
    let losses = smooth_l1_loss(&x, &y, &SmoothL1Loss { beta: 0.5, reduction: Reduction::None });
    check(&x, losses, &[0.75, 0.25, NAN, 0.0, INF], &[1.0, 1.0, NAN, 0.0, 1.0]);
    x.zero_grad();
    let options = HuberLoss { delta: 0.5, reduction: Reduction::None, ..Default::default() };
    check(&x, huber_loss(&x, &y, &options), &[0.375, 0.125, NAN, 0.0, INF], &[0.5, 0.5, NAN, 0.0, 0.5]);
}

#[test]
fn variances_below_the_least() {
    let (v, x, y) = (vector(&[0.0, 1e-8, 2.0]), vector(&[1.0, 2.0, 3.0]), vector(&[0.0; 3]));
    let options = GaussianNLLLoss { reduction: Reduction::None, ..Default::default() };
    check(
        &v,
        gaussian_nll_loss(&x, &y, &v, &options),
        &[499993.092244721, 1999993.092244721, 2.5965735902799727],
        &[-499999500000.0, -1999999500000.0, -0.875],
    );
    same(&x.grad().expect("a gradient"), &[1e6, 2e6, 1.5]);
}

/// PyTorch's gradient for a count of 0 is not a number, because of the term that it leaves out.
#[test]
fn counts_of_zero() {
    let (y, x) = (vector(&[0.0, 1.0, 1.5]), vector(&[0.0, 0.5, 2.0]));
    let options = PoissonNLLLoss { full: true, reduction: Reduction::None, ..Default::default() };
    check(
        &y,
        poisson_nll_loss(&x, &y, &options),
        &[1.0, 1.1487212707001282, 4.618924848351652],
        &[0.0, -0.5, -1.2612015585585024],
    );
    same(&x.grad().expect("a gradient"), &[1.0, 0.6487212707001282, 5.88905609893065]);
}

#[test]
fn targets_that_are_no_labels() {
    let x = vector(&[1.0, 1.0, -2.0, 2.0, 0.5, 0.5, -0.5]);
    let y = vector(&[1.0, -1.0, -1.0, -1.0, 0.0, 0.3, 1.0]).detach();
    let losses = hinge_embedding_loss(
        &x,
        &y,
        &HingeEmbeddingLoss { reduction: Reduction::None, ..Default::default() },
    );
    check(&x, losses, &[1.0, 0.0, 3.0, 0.0, 1.0, 1.0, -0.5], &[1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0]);
}

#[test]
fn vectors_without_a_direction() -> Result<()> {
    let zero = Tensor::from_vec(vec![0.0; 6], [2, 3])?.requires_grad_(true)?;
    let other = Tensor::from_vec(vec![1.0, 0.0, 0.0, 1e-9, 0.0, 0.0], [2, 3])?;
    let options = CosineEmbeddingLoss { margin: -0.5, reduction: Reduction::None };
    let losses = cosine_embedding_loss(&zero, &other, &Tensor::new([1, -1]), &options);
    check(&zero, losses, &[1.0, 0.5], &[-1000000.0019974014, 0.0, 0.0, 999.9995039961738, 0.0, 0.0]);
    let ones = Tensor::from_vec(vec![1.0; 4], [1, 4])?;
    let anchor = ones.clone().requires_grad_(true)?;
    let losses = triplet_margin_loss(&anchor, &ones, &ones, &TripletMarginLoss::new());
    check(&anchor, losses, &[1.0], &[0.0; 4]);
    Ok(())
}

#[test]
fn everything_is_ignored() -> Result<()> {
    let y = Tensor::new([-100, -100]);
    for (reduction, want) in [(Reduction::Mean, NAN), (Reduction::MeanOrZero, 0.0), (Reduction::Sum, 0.0)] {
        let x = Tensor::from_vec(vec![-1.0, -INF, -2.0, -INF], [2, 2])?.requires_grad_(true)?;
        let losses = nll_loss(&x, &y, &NLLLoss { reduction, ..Default::default() });
        check(&x, losses, &[want], &[0.0; 4]);
        let x = Tensor::from_vec(vec![-1.0, 0.5, -2.0, 3.0], [2, 2])?.requires_grad_(true)?;
        let losses = focal_loss(&x, &y, &FocalLoss { reduction, ..Default::default() });
        check(&x, losses, &[want], &[0.0; 4]);
    }
    Ok(())
}

#[test]
fn a_row_that_is_ignored_may_hold_anything() -> Result<()> {
    let x = Tensor::from_vec(vec![-INF, NAN, -2.0, -1.0], [2, 2])?.requires_grad_(true)?;
    let options = NLLLoss { reduction: Reduction::None, ..Default::default() };
    check(&x, nll_loss(&x, &Tensor::new([-100, 0]), &options), &[0.0, 2.0], &[0.0, 0.0, -1.0, 0.0]);
    Ok(())
}

/// A class that counts for nothing is not one that is ignored: a mean over no weight shows.
#[test]
fn a_class_of_weight_zero() -> Result<()> {
    let y = Tensor::new([2, 1]);
    let cases = [
        ([0.0, 1.0, 2.0], Reduction::None, vec![INF, 0.4], [0.0, 0.0, -2.0, 0.0, -1.0, 0.0]),
        ([1.0, 1.0, 0.0], Reduction::None, vec![0.0, 0.4], [0.0, 0.0, 0.0, 0.0, -1.0, 0.0]),
        ([1.0, 1.0, 0.0], Reduction::Mean, vec![0.4], [0.0, 0.0, 0.0, 0.0, -1.0, 0.0]),
        ([0.0, 0.0, 0.0], Reduction::Mean, vec![NAN], [0.0, 0.0, NAN, 0.0, NAN, 0.0]),
    ];
    for (weight, reduction, want, gradient) in cases {
        let x = Tensor::from_vec(vec![-1.0, -2.0, -INF, -0.3, -0.4, -0.7], [2, 3])?.requires_grad_(true)?;
        let options = NLLLoss {
            weight: Some(Tensor::from_vec(weight.to_vec(), [3])?),
            reduction,
            ..Default::default()
        };
        check(&x, nll_loss(&x, &y, &options), &want, &gradient);
    }
    Ok(())
}

/// The limit of ln y + 1 − x; PyTorch has NaN there, from 0·∞.
#[test]
fn the_gradient_of_a_target_of_zero() -> Result<()> {
    let y = vector(&[0.0, 0.5]);
    let options = KLDivLoss { reduction: Reduction::None, ..Default::default() };
    let x = Tensor::from_vec(vec![-0.5, -1.0], [2])?;
    check(&y, kl_div(&x, &y, &options), &[0.0, 0.5 * 0.5f64.ln() + 0.5], &[-INF, 0.5f64.ln() + 2.0]);
    Ok(())
}

/// A sequence that does not fit into its frames, one without labels, one without either, one without frames.
#[test]
fn sequences_that_do_not_fit() -> Result<()> {
    let x = [0.5f64.ln(), 0.25f64.ln(), 0.25f64.ln()].repeat(8);
    let call = |zero_infinity| {
        let x = Tensor::from_vec(x.clone(), [2, 4, 3])?.requires_grad_(true)?;
        let y = Tensor::new([[1, 1], [0, 0], [0, 0], [2, 0]]);
        let options = CTCLoss { zero_infinity, reduction: Reduction::None, ..Default::default() };
        let (frames, labels) = (Tensor::new([2, 1, 0, 0]), Tensor::new([2, 0, 0, 1]));
        Ok::<_, chainrule_tensor::Error>((x.clone(), ctc_loss(&x, &y, &frames, &labels, &options)))
    };
    let mut gradient = [0.0; 24];
    gradient[3] = -1.0;
    let (x, losses) = call(true)?;
    check(&x, losses, &[0.0, 2f64.ln(), 0.0, 0.0], &gradient);
    [0, 12].into_iter().for_each(|start| gradient[start..start + 3].fill(NAN));
    let (x, losses) = call(false)?;
    check(&x, losses, &[INF, 2f64.ln(), 0.0, INF], &gradient);
    Ok(())
}

/// Each loss of an empty batch.
fn empty(reduction: Reduction) -> Result<Vec<Tensor>> {
    let x = Tensor::zeros([0, 3])?;
    let (y, one) = (Tensor::full([0], 1.0, DType::I64)?, Tensor::zeros([0])?);
    let many = Tensor::full([0, 3], 0.0, DType::I64)?;
    let map = Tensor::zeros([0, 2, 4])?;
    let frames = Tensor::zeros([4, 0, 3])?;
    Ok(vec![
        mse_loss(&x, &x, &MSELoss { reduction, ..Default::default() })?,
        l1_loss(&x, &x, &L1Loss { reduction, ..Default::default() })?,
        smooth_l1_loss(&x, &x, &SmoothL1Loss { reduction, ..Default::default() })?,
        huber_loss(&x, &x, &HuberLoss { reduction, ..Default::default() })?,
        binary_cross_entropy(&x, &x, &BCELoss { reduction, ..Default::default() })?,
        binary_cross_entropy_with_logits(&x, &x, &BCEWithLogitsLoss { reduction, ..Default::default() })?,
        kl_div(&x, &x, &KLDivLoss { reduction, ..Default::default() })?,
        cross_entropy(&x, &y, &CrossEntropyLoss { reduction, ..Default::default() })?,
        nll_loss(&x, &y, &NLLLoss { reduction, ..Default::default() })?,
        gaussian_nll_loss(&x, &x, &x, &GaussianNLLLoss { reduction, ..Default::default() })?,
        poisson_nll_loss(&x, &x, &PoissonNLLLoss { full: true, reduction, ..Default::default() })?,
        hinge_embedding_loss(&x, &x, &HingeEmbeddingLoss { reduction, ..Default::default() })?,
        margin_ranking_loss(&x, &x, &x, &MarginRankingLoss { reduction, ..Default::default() })?,
        soft_margin_loss(&x, &x, &SoftMarginLoss { reduction })?,
        cosine_embedding_loss(&x, &x, &one, &CosineEmbeddingLoss { reduction, ..Default::default() })?,
        triplet_margin_loss(&x, &x, &x, &TripletMarginLoss { reduction, ..Default::default() })?,
        hinge_loss(&x, &x, &HingeLoss { reduction, ..Default::default() })?,
        binary_focal_loss(&x, &x, &BinaryFocalLoss { reduction, ..Default::default() })?,
        focal_loss(&x, &y, &FocalLoss { reduction, ..Default::default() })?,
        dice_loss(&map, &map, &DiceLoss { reduction, ..Default::default() })?,
        multi_margin_loss(&x, &y, &MultiMarginLoss { reduction, ..Default::default() })?,
        multilabel_margin_loss(&x, &many, &MultiLabelMarginLoss { reduction })?,
        multilabel_soft_margin_loss(&x, &x, &MultiLabelSoftMarginLoss { reduction, ..Default::default() })?,
        ctc_loss(&frames, &many, &y, &y, &CTCLoss { reduction, ..Default::default() })?,
    ])
}

#[test]
fn the_mean_of_nothing_is_nan_and_the_sum_zero() -> Result<()> {
    for (i, loss) in empty(Reduction::Mean)?.iter().enumerate() {
        assert!(loss.item()?.is_nan(), "loss {i}: {loss}");
    }
    for reduction in [Reduction::Sum, Reduction::MeanOrZero] {
        for (i, loss) in empty(reduction)?.iter().enumerate() {
            assert_eq!(loss.item()?, 0.0, "loss {i}, {reduction:?}");
        }
    }
    assert!(empty(Reduction::None)?.iter().all(|losses| losses.numel() == 0));
    Ok(())
}
