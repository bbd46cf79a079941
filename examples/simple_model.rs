//! Training and validation loss: the smallest complete training script.
//!
//!     cargo run --release --example simple_model
//!
//! The random numbers are those of PyTorch, so the same script there prints the same six lines after
//! `torch.manual_seed(0)`.

#[macro_use]
#[path = "support/print.rs"]
mod print; // a `println!` that may be piped into `head`

use chainrule::prelude::*;

// A linear layer: 10 inputs, 2 outputs.
#[derive(Module)]
struct SimpleModel {
    layer: Linear,
}

impl Forward for SimpleModel {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.layer.forward(x)
    }
}

fn main() -> Result<()> {
    manual_seed(0);

    // Random data: 100 samples of 10 features, in two classes.
    let features = Tensor::randn([100, 10])?;
    let targets = Tensor::randint(0, 2, [100])?;
    let dataset = TensorDataset::new((features, targets))?;
    let train_loader = DataLoader::new(&dataset).batch_size(10).shuffle(true);

    let model = SimpleModel { layer: Linear::new(10, 2)? };
    let criterion = CrossEntropyLoss::new();
    let mut optimizer = Sgd::new(model.parameters(), SgdOptions { lr: 0.01, ..Default::default() })?;

    let num_epochs = 3;
    for epoch in 1..=num_epochs {
        // Training.
        model.train();
        let mut train_loss = 0.0;
        for batch in &train_loader {
            let (inputs, targets) = batch?;
            optimizer.zero_grad(); // forget the gradients of the step before
            let outputs = model.forward(&inputs)?; // forward pass
            let loss = criterion.forward(&outputs, &targets)?;
            loss.backward()?; // gradients
            optimizer.step()?; // new weights
            train_loss += loss.item()? * inputs.size(0)? as f64;
        }
        train_loss /= dataset.len() as f64;
        println!("Epoch {epoch}, Train Loss: {train_loss:.4}");

        // Validation, on the training data for once: real projects use other data.
        model.eval();
        let mut valid_loss = 0.0;
        for batch in &train_loader {
            let (inputs, targets) = batch?;
            // Without a graph, since nothing will be differentiated.
            let loss = no_grad(|| criterion.forward(&model.forward(&inputs)?, &targets))?;
            valid_loss += loss.item()? * inputs.size(0)? as f64;
        }
        valid_loss /= dataset.len() as f64;
        println!("Epoch {epoch} Validation Loss: {valid_loss:.4}");
    }
    Ok(())
}
