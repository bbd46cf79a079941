//! The loss of an epoch: `running_loss += loss.item() * inputs.size(0)`, divided by the size of the dataset.
//!
//!     cargo run --release --example running_loss
//!
//! The loss of a batch is the mean over its samples. To get the mean over the whole dataset, each batch has to
//! count as often as it has samples: the last batch is often smaller than the others.

#[macro_use]
#[path = "support/print.rs"]
mod print; // a `println!` that may be piped into `head`

use chainrule::prelude::*;

const EPOCHS: usize = 5;

fn main() -> Result<()> {
    manual_seed(0);
    // Points in the plane; the target is a noisy straight line.
    let inputs = Tensor::randn([100, 2])?;
    let noise = Tensor::randn([100, 1])? * 0.1;
    let targets = inputs.matmul(&Tensor::new([[2.0], [-3.0]]))? + noise;
    let dataset = TensorDataset::new((inputs, targets))?;

    // 70 and 30 samples: with 32 in a batch the last ones have 6 and 30.
    let [train, val] = random_split(&dataset, [70, 30])?;
    let dataset_sizes = [("train", train.len()), ("val", val.len())];
    let loaders =
        [DataLoader::new(&train).batch_size(32).shuffle(true), DataLoader::new(&val).batch_size(32)];

    let model = Linear::new(2, 1)?;
    let criterion = MSELoss::new();
    let mut optimizer = Sgd::new(model.parameters(), SgdOptions { lr: 0.1, ..Default::default() })?;

    for epoch in 1..=EPOCHS {
        for ((phase, dataset_size), loader) in dataset_sizes.iter().zip(&loaders) {
            let training = *phase == "train";
            if training {
                model.train()
            } else {
                model.eval()
            }

            let mut running_loss = 0.0;
            let mut sum_of_batch_losses = 0.0;
            for batch in loader.iter() {
                let (inputs, targets) = batch?;
                if training {
                    optimizer.zero_grad();
                    let loss = criterion.forward(&model.forward(&inputs)?, &targets)?;
                    loss.backward()?;
                    optimizer.step()?;
                    // `item` gives a plain number: nothing of the graph is kept.
                    running_loss += loss.item()? * inputs.size(0)? as f64;
                    sum_of_batch_losses += loss.item()?;
                } else {
                    let loss = no_grad(|| criterion.forward(&model.forward(&inputs)?, &targets))?;
                    running_loss += loss.item()? * inputs.size(0)? as f64;
                    sum_of_batch_losses += loss.item()?;
                }
            }

            let epoch_loss = running_loss / *dataset_size as f64;
            let unweighted = sum_of_batch_losses / loader.len() as f64;
            println!("epoch {epoch} {phase:>5}: loss {epoch_loss:.4} (mean of batch means: {unweighted:.4})");
        }
    }
    Ok(())
}
