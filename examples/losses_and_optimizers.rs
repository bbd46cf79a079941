//! Losses for regression and classification, and three optimizers on the same task.
//!
//!     cargo run --release --example losses_and_optimizers

#[macro_use]
#[path = "support/print.rs"]
mod print; // a `println!` that may be piped into `head`

use chainrule::prelude::*;

fn main() -> Result<()> {
    regression_losses()?;
    classification_losses()?;
    optimizers()
}

fn regression_losses() -> Result<()> {
    let predictions = Tensor::new([2.5, 0.0, 2.0, 8.0]).requires_grad_(true)?;
    let targets = Tensor::new([3.0, -0.5, 2.0, 4.0]);
    println!("Regression: the last prediction is an outlier.");
    let losses = [
        ("mean squared error", MSELoss::new().forward(&predictions, &targets)?),
        ("mean absolute error", L1Loss::new().forward(&predictions, &targets)?),
        ("Huber loss", HuberLoss::new().forward(&predictions, &targets)?),
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
    println!("{:>20}: {:.4}", "focal loss", FocalLoss::new().forward(&logits, &classes)?.item()?);
    let (probabilities, truth) = (Tensor::new([0.9, 0.2, 0.6]), Tensor::new([1.0, 0.0, 1.0]));
    println!(
        "{:>20}: {:.4}",
        "binary cross-entropy",
        BCELoss::new().forward(&probabilities, &truth)?.item()?
    );
    let (scores, signs) = (Tensor::new([1.5, -0.3, 0.2]), Tensor::new([1.0, -1.0, 1.0]));
    println!("{:>20}: {:.4}", "hinge loss", HingeLoss::new().forward(&scores, &signs)?.item()?);
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
