//! What the size of a batch does: how often the parameters are updated, and how noisy each update is.
//!
//!     cargo run --release --example batch_size
//!
//! The same network sees the same 1024 samples ten times, in batches of one sample (stochastic gradient descent in the
//! narrow sense), of a few (mini-batches) and of all (gradient descent). What comes out:
//!
//! - Smaller batches make more updates out of the same samples, so the loss falls faster from epoch to epoch. Each
//!   update costs something besides its samples, so an epoch takes longer.
//! - The gradient of a batch is the mean of those of its samples, and scatters around that of all with a standard
//!   deviation that falls with the root of the size: 16 times the samples make it 4 times as exact. The column
//!   "noise" is that deviation over the length of the whole gradient, before training.
//! - Noisy steps should be small ones, and exact steps may be large: the last rows give batches of 1 a tenth of the
//!   learning rate, with which they end about as well, and all samples at once twice as much. That is about what the
//!   network bears (see the example `learning_rate`), and ten updates are few all the same.

#[macro_use]
#[path = "support/print.rs"]
mod print; // a `println!` that may be piped into `head`

use std::time::Instant;

use chainrule::prelude::*;

const SAMPLES: usize = 1024;
const EPOCHS: usize = 10;

fn main() -> Result<()> {
    manual_seed(0);
    // A wave, with noise.
    let x = Tensor::randn([SAMPLES, 1])?;
    let y = (&x * 2.0).sin()? + Tensor::randn([SAMPLES, 1])? * 0.1;
    let data = TensorDataset::new((x, y))?;

    println!("batch    lr   noise   updates   loss after 1 epoch   after {EPOCHS}   time of an epoch");
    for (batch, lr) in [(1, 0.05), (8, 0.05), (64, 0.05), (SAMPLES, 0.05), (1, 0.005), (SAMPLES, 0.1)] {
        let noise = noise(&data, batch)?;
        let start = Instant::now();
        let losses = train(&data, batch, lr)?;
        let milliseconds = start.elapsed().as_secs_f64() * 1e3 / EPOCHS as f64;
        println!(
            "{batch:>5} {lr:>5} {noise:>7.2} {:>9} {:>20.4} {:>10.4} {milliseconds:>15.2} ms",
            EPOCHS * SAMPLES.div_ceil(batch),
            losses[0],
            losses[EPOCHS - 1],
        );
    }
    Ok(())
}

fn network() -> Result<Sequential> {
    manual_seed(1); // the same first weights for each
    Ok(sequential![Linear::new(1, 32)?, Tanh::new(), Linear::new(32, 1)?])
}

fn loss(model: &Sequential, (x, y): &(Tensor, Tensor)) -> Result<Tensor> {
    MSELoss::new().forward(&model.forward(x)?, y)
}

/// The loss over all samples after each epoch.
fn train(data: &TensorDataset<(Tensor, Tensor)>, batch: usize, lr: f64) -> Result<Vec<f64>> {
    let model = network()?;
    let mut optimizer = Sgd::new(model.parameters(), SgdOptions { lr, ..Default::default() })?;
    let loader = DataLoader::new(data).batch_size(batch).shuffle(true);
    let all = data.get_all()?;
    let mut losses = Vec::new();
    for _ in 0..EPOCHS {
        for samples in &loader {
            optimizer.zero_grad();
            loss(&model, &samples?)?.backward()?;
            optimizer.step()?;
        }
        losses.push(no_grad(|| loss(&model, &all))?.item()?);
    }
    Ok(losses)
}

/// By how much the gradients of batches scatter around that of all samples, relative to its length.
fn noise(data: &TensorDataset<(Tensor, Tensor)>, batch: usize) -> Result<f64> {
    let model = network()?;
    let gradient = |samples: &(Tensor, Tensor)| -> Result<Tensor> {
        model.parameters().iter().for_each(Parameter::zero_grad);
        loss(&model, samples)?.backward()?;
        let gradients = model.parameters().into_iter().filter_map(|p| p.grad()).map(|g| g.reshape([-1]));
        Tensor::cat(&gradients.collect::<Result<Vec<_>>>()?.iter().collect::<Vec<_>>(), 0)
    };
    let all = gradient(&data.get_all()?)?;
    let (mut squares, mut batches) = (0.0, 0.0);
    for samples in &DataLoader::new(data).batch_size(batch).shuffle(true) {
        squares += gradient(&samples?)?.sub(&all)?.square()?.sum()?.item()?;
        batches += 1.0;
    }
    Ok((squares / batches).sqrt() / all.square()?.sum()?.item()?.sqrt())
}
