//! Losses at the ends of the range of f32, and of scores that are far from 0: what fits comes out. The numbers are those of
//! mathematics.

use chainrule_loss::{
    CosineEmbeddingLoss, CrossEntropyLoss, DiceLoss, GaussianNLLLoss, L1Loss, MSELoss, MultiMarginLoss,
    Reduction, cosine_embedding_loss, cross_entropy, dice_loss, gaussian_nll_loss, l1_loss, mse_loss,
    multi_margin_loss,
};
use chainrule_tensor::{Result, Tensor};

fn leaf(values: &[f32], shape: &[usize]) -> Tensor {
    Tensor::from_slice(values, shape).and_then(|x| x.requires_grad_(true)).unwrap()
}

#[track_caller]
fn assert_near(got: f64, want: f64) {
    assert!((got - want).abs() <= 2e-6 * want.abs(), "{got:e} instead of {want:e}");
}

#[track_caller]
fn assert_gradient(x: &Tensor, want: &[f64]) {
    let got = x.grad().unwrap().to_vec::<f32>().unwrap();
    assert_eq!(got.len(), want.len());
    got.iter().zip(want).for_each(|(&got, &want)| assert_near(f64::from(got), want));
}

#[test]
fn the_mean_of_large_losses_is_a_number() -> Result<()> {
    let zeros = Tensor::zeros([3])?;
    let x = leaf(&[3e38; 3], &[3]);
    let weight = Some(Tensor::ones([3])?);
    for options in [L1Loss::new(), L1Loss { weight, ..Default::default() }] {
        for reduction in [Reduction::Mean, Reduction::MeanOrZero, Reduction::BatchMean] {
            if options.weight.is_some() && reduction == Reduction::BatchMean {
                continue;
            }
            let loss = l1_loss(&x, &zeros, &L1Loss { reduction, ..options.clone() })?;
            assert_near(loss.item()?, 3e38);
        }
    }
    for reduction in [Reduction::Mean, Reduction::MeanOrZero, Reduction::BatchMean] {
        assert_near(reduction.reduce(&x)?.item()?, 3e38);
    }
    // The square of the one that is not 0 is no number of f32.
    let x = leaf(&[2e19, 0.0, 0.0, 0.0], &[4]);
    let loss = mse_loss(&x, &Tensor::zeros([4])?, &MSELoss::new())?;
    assert_near(loss.item()?, 1e38);
    loss.backward()?;
    assert_gradient(&x, &[1e19, 0.0, 0.0, 0.0]);
    let small = leaf(&[1e-30, 3e-30], &[2]);
    let weight = Some(Tensor::new([1e-30, 1e-30]));
    let loss = l1_loss(&small, &Tensor::zeros([2])?, &L1Loss { weight, ..Default::default() })?;
    assert_near(loss.item()?, 2e-30);
    Ok(())
}

#[test]
fn probabilities_of_scores_that_are_far_from_0_are_exact() -> Result<()> {
    let e = 1f64.exp();
    let want = [1.0 / (1.0 + e) - 1.0, e / (1.0 + e)];
    for shift in [1e5f32, -1e5, 4e6] {
        // Rows, columns, and targets that are probabilities.
        let x = leaf(&[shift, shift + 1.0], &[1, 2]);
        let loss = cross_entropy(&x, &Tensor::new([0]), &CrossEntropyLoss::new())?;
        assert_near(loss.item()?, (1.0 + e).ln());
        loss.backward()?;
        assert_gradient(&x, &want);
        let x = leaf(&[shift, shift, shift + 1.0, shift + 1.0], &[1, 2, 2]);
        cross_entropy(&x, &Tensor::new([[0, 0]]), &CrossEntropyLoss::new())?.backward()?;
        assert_gradient(&x, &[want[0] / 2.0, want[0] / 2.0, want[1] / 2.0, want[1] / 2.0]);
        for shape in [&[1, 2][..], &[1, 2, 1]] {
            let x = leaf(&[shift, shift + 1.0], shape);
            let target = Tensor::new([1.0, 0.0]).reshape(shape)?;
            cross_entropy(&x, &target, &CrossEntropyLoss::new())?.backward()?;
            assert_gradient(&x, &want);
        }
    }
    let x = leaf(&[1e7, 1e7], &[1, 2]);
    let options = MultiMarginLoss { margin: 0.5, ..Default::default() };
    assert_near(multi_margin_loss(&x, &Tensor::new([0]), &options)?.item()?, 0.25);
    Ok(())
}

#[test]
fn gradients_of_long_vectors_are_small() -> Result<()> {
    let (a, b) = (leaf(&[1e30, 0.0], &[1, 2]), Tensor::new([[1e30, 1e30]]));
    let loss = cosine_embedding_loss(&a, &b, &Tensor::new([1]), &CosineEmbeddingLoss::new())?;
    assert_near(loss.item()?, 1.0 - 0.5f64.sqrt());
    loss.backward()?;
    let grad = a.grad().unwrap().to_vec::<f32>()?;
    assert!(grad[0].abs() < 1e-36);
    assert_near(f64::from(grad[1]), -1e-30 * 0.5f64.sqrt());
    // 1 − 2·xy/(x² + y²) with x = 2y: by x it is −2y/(x² + y²) + 4x²y/(x² + y²)², 0.24/y.
    let x = leaf(&[2e30], &[1, 1, 1]);
    let options = DiceLoss { squared: true, smooth: 0.0, ..Default::default() };
    let loss = dice_loss(&x, &Tensor::new([[[1e30]]]), &options)?;
    assert_near(loss.item()?, 0.2);
    loss.backward()?;
    assert_gradient(&x, &[0.24e-30]);
    Ok(())
}

#[test]
fn a_square_divided_by_a_variance_as_large() -> Result<()> {
    let (x, y, var) = (leaf(&[1e25], &[1]), Tensor::zeros([1])?, leaf(&[1e25], &[1]));
    let loss = gaussian_nll_loss(&x, &y, &var, &GaussianNLLLoss::new())?;
    assert_near(loss.item()?, 0.5 * (1e25f64.ln() + 1e25));
    loss.backward()?;
    assert_gradient(&x, &[1.0]);
    assert_gradient(&var, &[-0.5]);
    Ok(())
}
