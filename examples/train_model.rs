//! A `train_model` function: any model, loss, optimizer and scheduler; the best weights in the end.
//!
//!     cargo run --release --example train_model

#[macro_use]
#[path = "support/print.rs"]
mod print; // a `println!` that may be piped into `head`

use chainrule::prelude::*;

/// Images and their labels.
type Images = TensorDataset<(Tensor, Tensor)>;

/// Trains, and leaves the model with the weights of the epoch whose validation loss was the lowest.
fn train_model(
    model: &(impl Module + Forward),
    criterion: &CrossEntropyLoss,
    optimizer: &mut Sgd,
    scheduler: &mut StepLR,
    [train, val]: [&DataLoader<Images>; 2],
    num_epochs: usize,
) -> Result<()> {
    let mut best_model_weights = BestWeights::lowest();

    for epoch in 0..num_epochs {
        println!("Epoch {epoch}/{}", num_epochs - 1);
        println!("{}", "-".repeat(10));

        model.train(); // set the model to training mode
        let mut running_loss = RunningMean::new();
        let mut running_corrects = 0;
        for batch in train {
            let (inputs, labels) = batch?;
            // Zero the parameter gradients.
            optimizer.zero_grad();

            let outputs = model.forward(&inputs)?;
            let (_, predictions) = outputs.max_dim(1, false)?;
            let loss = criterion.forward(&outputs, &labels)?;

            // Backward and optimize.
            loss.backward()?;
            optimizer.step()?;

            // Statistics: the loss is the mean of the batch, so it counts batch-size times.
            running_loss.update(loss.item()?, inputs.size(0)?);
            running_corrects += predictions.eq(&labels)?.sum()?.to_scalar::<i64>()?;
        }
        // Once an epoch, not once a batch: the step size is counted in epochs.
        let lr = scheduler.last_lr()[0];
        scheduler.step(optimizer)?;

        let accuracy = running_corrects as f64 / train.dataset().len() as f64;
        println!(" Loss: {:.4} Acc: {accuracy:.4} (learning rate {lr:.4})", running_loss.mean());

        let val_loss = validate(model, criterion, val)?;
        let is_best = best_model_weights.update(model, val_loss)?;
        println!(" Validation loss: {val_loss:.4}{}", if is_best { ", the best so far" } else { "" });
    }

    // Load the best model weights.
    best_model_weights.restore(model)
}

/// The mean loss over a dataset, without training.
fn validate(
    model: &(impl Module + Forward),
    criterion: &CrossEntropyLoss,
    loader: &DataLoader<Images>,
) -> Result<f64> {
    model.eval();
    let mut loss = RunningMean::new();
    no_grad(|| {
        for batch in loader {
            let (inputs, labels) = batch?;
            loss.update(criterion.forward(&model.forward(&inputs)?, &labels)?.item()?, inputs.size(0)?);
        }
        Ok(loss.mean())
    })
}

/// Noisy colour images, B × C × H × W with three channels; the label says which channel is the brightest.
fn images(count: usize) -> Result<Images> {
    let labels = Tensor::randint(0, 3, [count])?;
    let brighter = labels.one_hot(3)?.reshape([count, 3, 1, 1])?;
    let images = Tensor::randn([count, 3, 8, 8])? + brighter * 0.4;
    TensorDataset::new((images, labels))
}

fn main() -> Result<()> {
    manual_seed(0);
    let (train, val) = (images(600)?, images(200)?);
    let train = DataLoader::new(&train).batch_size(32).shuffle(true);
    let val = DataLoader::new(&val).batch_size(32);

    let model = sequential![
        Conv2d::builder(3, 8, 3).padding(1).build()?,
        ReLU::new(),
        MaxPool2d::new(2)?,
        Flatten::new(),
        Linear::new(8 * 4 * 4, 3)?,
    ];
    let criterion = CrossEntropyLoss::new();
    let options = SgdOptions { lr: 0.05, momentum: 0.9, ..Default::default() };
    let mut optimizer = Sgd::new(model.parameters(), options)?;
    // A tenth of the learning rate after every four epochs.
    let mut scheduler = StepLR::new(&mut optimizer, 4, 0.1)?;

    train_model(&model, &criterion, &mut optimizer, &mut scheduler, [&train, &val], 10)?;
    println!("Validation loss of the weights in the model now: {:.4}", validate(&model, &criterion, &val)?);
    Ok(())
}
