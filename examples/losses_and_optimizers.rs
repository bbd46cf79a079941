//! Losses for regression and classification, losses of one's own, and three optimizers on the same task.
//!
//!     cargo run --release --example losses_and_optimizers

use chainrule::prelude::*;

fn main() -> Result<()> {
    regression_losses()?;
    classification_losses()?;
    optimizers()
}

/// Huber loss: squared where the error is small, linear where it is large, so that outliers count less.
///
/// A loss of one's own is a function of tensors; its gradient needs nothing to be written.
fn huber_loss(predictions: &Tensor, targets: &Tensor, delta: f64) -> Result<Tensor> {
    let error = predictions.sub(targets)?.abs()?;
    let quadratic = error.clamp(None, Some(delta))?;
    let linear = error.sub(&quadratic)?;
    (quadratic.square()? * 0.5 + linear * delta).mean()
}

/// Hinge loss of scores against targets of −1 and 1, as support vector machines use it.
fn hinge_loss(scores: &Tensor, targets: &Tensor) -> Result<Tensor> {
    (1.0 - scores.mul(targets)?).relu()?.mean()
}

/// Focal loss: cross-entropy in which samples that are predicted well already count less, against classes of
/// very different frequency.
fn focal_loss(logits: &Tensor, targets: &Tensor, gamma: f64) -> Result<Tensor> {
    let criterion = CrossEntropyLoss { reduction: Reduction::None, ..Default::default() };
    let cross_entropy = criterion.forward(logits, targets)?;
    let probability = (-&cross_entropy).exp()?;
    (1.0 - probability).pow(gamma)?.mul(&cross_entropy)?.mean()
}

fn regression_losses() -> Result<()> {
    let predictions = Tensor::new([2.5, 0.0, 2.0, 8.0]).requires_grad_(true)?;
    let targets = Tensor::new([3.0, -0.5, 2.0, 4.0]);
    println!("Regression: the last prediction is an outlier.");
    let losses = [
        ("mean squared error", MSELoss::new().forward(&predictions, &targets)?),
        ("mean absolute error", L1Loss::new().forward(&predictions, &targets)?),
        ("Huber loss", huber_loss(&predictions, &targets, 1.0)?),
    ];
    for (name, loss) in losses {
        predictions.zero_grad();
        loss.backward()?;
        let gradient = predictions.grad().map(|gradient| gradient.to_string()).unwrap_or_default();
        println!("{name:>20}: {:.4}, gradient {gradient}", loss.item()?);
    }
    Ok(())
}

fn classification_losses() -> Result<()> {
    println!("\nClassification:");
    let logits = Tensor::new([[2.0, 0.5, -1.0], [0.1, 0.2, 0.3]]);
    let classes = Tensor::new([0, 2]);
    println!("{:>20}: {:.4}", "cross-entropy", CrossEntropyLoss::new().forward(&logits, &classes)?.item()?);
    println!("{:>20}: {:.4}", "focal loss", focal_loss(&logits, &classes, 2.0)?.item()?);
    let (probabilities, truth) = (Tensor::new([0.9, 0.2, 0.6]), Tensor::new([1.0, 0.0, 1.0]));
    println!(
        "{:>20}: {:.4}",
        "binary cross-entropy",
        BCELoss::new().forward(&probabilities, &truth)?.item()?
    );
    let (scores, signs) = (Tensor::new([1.5, -0.3, 0.2]), Tensor::new([1.0, -1.0, 1.0]));
    println!("{:>20}: {:.4}", "hinge loss", hinge_loss(&scores, &signs)?.item()?);
    Ok(())
}

/// Three classes of points in the plane.
fn points() -> Result<(Tensor, Tensor)> {
    let targets = Tensor::randint(0, 3, [300])?;
    let centres = Tensor::new([[0.0, 2.0], [-2.0, -1.0], [2.0, -1.0]]);
    let inputs = centres.index_select(0, &targets)? + Tensor::randn([300, 2])?;
    Ok((inputs, targets))
}

fn optimizers() -> Result<()> {
    println!("\nThe same model and data, 100 steps:");
    let model = || {
        manual_seed(1); // the same first weights for each
        Ok(sequential![Linear::new(2, 16)?, ReLU::new(), Linear::new(16, 3)?])
    };
    manual_seed(0);
    let data = points()?;
    let m = model()?;
    report("SGD", &m, &data, Sgd::new(m.parameters(), SgdOptions { lr: 0.1, ..Default::default() })?)?;
    let m = model()?;
    report("Adam", &m, &data, Adam::new(m.parameters(), AdamOptions { lr: 1e-2, ..Default::default() })?)?;
    let m = model()?;
    report(
        "RMSprop",
        &m,
        &data,
        RmsProp::new(m.parameters(), RmsPropOptions { lr: 1e-2, ..Default::default() })?,
    )
}

/// The training loop, which is the same for every optimizer.
fn report<A: Algorithm>(
    name: &str,
    model: &Sequential,
    (inputs, targets): &(Tensor, Tensor),
    mut optimizer: Optimizer<A>,
) -> Result<()> {
    let loss_fn = CrossEntropyLoss::new();
    let mut losses = Vec::new();
    for _ in 0..100 {
        // Forward pass.
        let predictions = model.forward(inputs)?;
        let loss = loss_fn.forward(&predictions, targets)?;
        losses.push(loss.item()?);

        // Backward pass.
        optimizer.zero_grad(); // forget old gradients
        loss.backward()?; // compute new ones
        optimizer.step()?; // update the parameters
    }
    let accuracy = no_grad(|| accuracy(&model.forward(inputs)?, targets))?;
    println!(
        "{name:>20}: loss {:.4} at first, {:.4} in the end, accuracy {accuracy:.4}",
        losses[0],
        losses[losses.len() - 1]
    );
    Ok(())
}
