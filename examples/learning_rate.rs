//! What a learning rate does: too small, right, too large.
//!
//!     cargo run --release --example learning_rate
//!
//! A straight line is fitted to points by gradient descent. Its loss is a bowl, so what has to come out is known: along
//! the direction of curvature λ a step multiplies the distance to the minimum by 1 − lr·λ. Below lr = 2/λ that shrinks
//! it, above it grows, for the largest λ first. So the losses below
//!
//! - fall slowly where the learning rate is small,
//! - fall fast where it is about half of the limit,
//! - go on falling while the parameters already jump from one side to the other just below the limit (on a bowl that is
//!   all; of a network the loss goes up and down),
//! - rise from step to step above it, by more each time, until they are infinite and then NaN.
//!
//! Of a network nobody knows λ; what it looks like is the same. A loss that rises from the start, or is NaN, asks for a
//! learning rate ten times smaller; a loss that falls in a straight line asks for a larger one. Schedulers do both in
//! one run: a warm-up starts small, and a decay ends small. Clipping gradients bounds a step that would jump too far.

#[macro_use]
#[path = "support/print.rs"]
mod print; // a `println!` that may be piped into `head`

use chainrule::prelude::*;

const STEPS: usize = 200;
const SHOWN: [usize; 7] = [0, 1, 2, 5, 20, 100, STEPS];

fn main() -> Result<()> {
    manual_seed(0);
    let x = Tensor::randn([64, 1])?;
    let y = &x * 3.0 + 1.0 + Tensor::randn([64, 1])? * 0.1;

    // The loss is the mean of (w·x + b − y)², whose second derivatives are 2·x², 2·x and 2, in the mean.
    let (a, b) = (2.0 * x.square()?.mean()?.item()?, 2.0 * x.mean()?.item()?);
    let largest = (a + 2.0) / 2.0 + (((a - 2.0) / 2.0).powi(2) + b * b).sqrt();
    let limit = 2.0 / largest;
    println!("The largest curvature is {largest:.3}, so the learning rate has to stay below {limit:.3}.\n");

    print!("{:>22}", "loss after step");
    SHOWN.iter().for_each(|step| print!("{step:>11}"));
    println!();
    for part in [0.01, 0.1, 0.5, 0.97, 1.03, 1.5] {
        let losses = descend(&x, &y, part * limit)?;
        print!("lr {:>6.4} ({part:>4} limit)", part * limit);
        SHOWN.iter().for_each(|&step| print!("{:>11}", shown(losses[step])));
        println!();
    }
    Ok(())
}

/// The losses before the first step and after each.
fn descend(x: &Tensor, y: &Tensor, lr: f64) -> Result<Vec<f64>> {
    manual_seed(1); // the same first weights for each
    let model = Linear::new(1, 1)?;
    let mut optimizer = Sgd::new(model.parameters(), SgdOptions { lr, ..Default::default() })?;
    let mut losses = Vec::new();
    for _ in 0..=STEPS {
        let loss = MSELoss::new().forward(&model.forward(x)?, y)?;
        losses.push(loss.item()?);
        optimizer.zero_grad();
        loss.backward()?;
        optimizer.step()?;
    }
    Ok(losses)
}

fn shown(loss: f64) -> String {
    if loss < 1e4 { format!("{loss:.4}") } else { format!("{loss:.1e}") }
}
