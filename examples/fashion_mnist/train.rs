//! Training.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use chainrule::prelude::*;

use super::Outcome;
use super::data::Data;
use super::evaluate::evaluate;
use super::model::Cnn;
use super::options::Options;

/// Trains, prints each epoch, and saves the weights whenever the validation accuracy is the best so far.
pub fn train(data: &Data, options: &Options, out: &mut impl Write) -> Outcome {
    check_place(&options.save)?;
    let (train_loader, eval_loader) = (data.train(), data.validation());
    let model = Cnn::new()?;
    let mut optimizer = Adam::new(model.parameters(), AdamOptions { lr: options.lr, ..Default::default() })?;
    let loss_func = CrossEntropyLoss::new();
    let mut best = BestWeights::highest();

    for epoch in 1..=options.epochs.get() {
        writeln!(out, "{}", "-".repeat(60))?;
        writeln!(out, "Training and validation {epoch}:")?;
        let start = Instant::now();

        // Training. The losses and accuracies are those of the weights before each step.
        model.train();
        let (mut train_loss, mut train_acc) = (RunningMean::new(), RunningMean::new());
        let mut progress = Progress::new(format!("epoch {epoch}"), train_loader.len());
        for batch in &train_loader {
            let (batch_x, batch_y) = batch?;
            optimizer.zero_grad();
            let output = model.forward(&batch_x)?;
            let loss = loss_func.forward(&output, &batch_y)?;
            train_loss.update(loss.item()?, batch_x.size(0)?);
            train_acc.update_sum(correct(&output, &batch_y)? as f64, batch_x.size(0)?);
            loss.backward()?;
            optimizer.step()?;
            progress.step(format_args!("loss {:.4}", train_loss.mean()));
        }
        drop(progress); // clears the bar
        writeln!(out, "train loss: {:.6}, train acc: {:.6}", train_loss.mean(), train_acc.mean())?;

        // Validation.
        let (val_loss, val_acc) = evaluate(&model, &eval_loader)?;
        writeln!(out, "val_loss: {val_loss:.6}, val_acc: {val_acc:.6}")?;
        let seconds = start.elapsed().as_secs_f64();
        writeln!(out, "Training and validation {epoch} took {seconds:.6} s")?;

        if best.update(&model, val_acc)? {
            model.state_dict()?.save(&options.save)?;
        }
    }

    best.restore(&model)?;
    let (val_loss, val_acc) = evaluate(&model, &eval_loader)?;
    let file = options.save.display();
    writeln!(out, "{}", "-".repeat(60))?;
    writeln!(out, "The best weights, which are saved in {file} and can be read with --evaluate {file}:")?;
    writeln!(out, "val_loss: {val_loss:.6}, val_acc: {val_acc:.6}")?;
    Ok(())
}

/// An error now rather than after the first epoch where the weights have no place to be saved.
fn check_place(file: &Path) -> Result<()> {
    let directory = match file.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => file,
    };
    let trouble = if file.is_dir() {
        "is a directory, not a file to save weights in".to_string()
    } else if !directory.is_dir() {
        "weights cannot be saved there: there is no such directory".to_string()
    } else if file.exists() && !file.is_file() {
        "is not a file to save weights in".to_string()
    } else if let Err(error) = try_directory(directory) {
        format!("weights cannot be saved there: {error}")
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::Io, "fashion_mnist", format!("{}: {trouble}", file.display())))
}

/// Makes a file in a directory, as saving does, and removes it.
fn try_directory(directory: &Path) -> std::io::Result<()> {
    let trial = directory.join(format!(".fashion_mnist-{}", std::process::id()));
    std::fs::File::create_new(&trial)?;
    std::fs::remove_file(&trial)
}
