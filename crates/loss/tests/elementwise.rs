//! Losses of single elements, against PyTorch's values in f64.

use chainrule_loss::{BCELoss, L1Loss, MSELoss, Reduction, binary_cross_entropy, l1_loss, mse_loss};
use chainrule_tensor::{Result, Tensor};

fn vector(values: &[f64]) -> Result<Tensor> {
    Tensor::from_slice(values, [values.len()])?.requires_grad_(true)
}

fn gradient(x: &Tensor) -> Result<Vec<f64>> {
    x.grad().expect("a gradient").to_vec()
}

#[test]
fn logarithms_of_probabilities_are_clamped() -> Result<()> {
    let x = vector(&[0.0, 1.0, 0.0, 1.0, 1e-20])?;
    let y = vector(&[0.0, 1.0, 1.0, 0.0, 1.0])?;
    let loss = binary_cross_entropy(&x, &y, &BCELoss { reduction: Reduction::None, ..Default::default() })?;
    assert_eq!(loss.to_vec::<f64>()?, [0.0, 0.0, 100.0, 100.0, 46.051701859880914]);
    loss.sum()?.backward()?;
    assert_eq!(gradient(&x)?, [0.0, 0.0, -1e12, 1e12, -1e12]);
    let infinity = f64::INFINITY;
    assert_eq!(gradient(&y)?, [infinity, -infinity, infinity, -infinity, 46.051701859880914]);
    Ok(())
}

#[test]
fn the_weight_of_a_mean_does_not_change_what_it_divides_by() -> Result<()> {
    let (x, y) = (vector(&[0.25, 0.5])?, vector(&[1.0, 0.0])?);
    let weight = Some(Tensor::from_vec(vec![3.0], [1])?);
    let loss = binary_cross_entropy(&x, &y, &BCELoss { weight, ..Default::default() })?;
    assert!((loss.item()? - 1.5 * 8f64.ln()).abs() < 1e-15);
    loss.backward()?;
    assert_eq!(gradient(&x)?, [-6.0, 3.0]);
    Ok(())
}

#[test]
fn squared_and_absolute_errors() -> Result<()> {
    let (x, y) = (vector(&[1.0, 2.0, -1.0])?, vector(&[1.0, 4.0, -2.0])?);
    let squared = mse_loss(&x, &y, &MSELoss::new())?;
    assert_eq!(squared.item()?, 5.0 / 3.0);
    squared.backward()?;
    assert_eq!(gradient(&x)?, [0.0, -4.0 / 3.0, 2.0 / 3.0]);
    assert_eq!(gradient(&y)?, [0.0, 4.0 / 3.0, -2.0 / 3.0]);
    let (x, y) = (x.detach().requires_grad_(true)?, y.detach());
    let absolute = l1_loss(&x, &y, &L1Loss { reduction: Reduction::Sum, ..Default::default() })?;
    assert_eq!(absolute.item()?, 3.0);
    absolute.backward()?;
    assert_eq!(gradient(&x)?, [0.0, -1.0, 1.0]);
    Ok(())
}

#[test]
fn the_mean_of_nothing_is_nan_and_the_sum_zero() -> Result<()> {
    let empty = Tensor::zeros([0, 2])?;
    let loss = |reduction| mse_loss(&empty, &empty, &MSELoss { reduction, ..Default::default() })?.item();
    assert!(loss(Reduction::Mean)?.is_nan());
    assert_eq!(loss(Reduction::Sum)?, 0.0);
    assert_eq!(loss(Reduction::MeanOrZero)?, 0.0);
    Ok(())
}

#[test]
fn the_position_of_what_is_no_probability_is_named() -> Result<()> {
    let mut values = vec![0.5f32; 600];
    values[517] = -0.25;
    let x = Tensor::from_vec(values, [3, 200])?;
    let error = binary_cross_entropy(&x, &x, &BCELoss::new()).expect_err("a probability below 0");
    let message = error.message();
    assert!(message.contains("-0.25") && message.contains("(2, 117)"), "{message}");
    Ok(())
}
