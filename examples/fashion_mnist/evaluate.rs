//! Validation.

use std::io::Write;
use std::path::Path;

use chainrule::prelude::*;

use super::Outcome;
use super::data::Data;
use super::model::Cnn;

/// The mean loss and the accuracy over some images, without training.
pub fn evaluate(model: &Cnn, loader: &DataLoader<FashionMnist>) -> Result<(f64, f64)> {
    let loss_func = CrossEntropyLoss::new();
    let (mut val_loss, mut val_acc) = (RunningMean::new(), RunningMean::new());
    let mut progress = Progress::new("validation", loader.len());
    model.eval();
    no_grad(|| {
        for batch in loader {
            let (batch_x, batch_y) = batch?;
            let out = model.forward(&batch_x)?;
            val_loss.update(loss_func.forward(&out, &batch_y)?.item()?, batch_x.size(0)?);
            val_acc.update_sum(correct(&out, &batch_y)? as f64, batch_x.size(0)?);
            progress.step(format_args!("loss {:.4}", val_loss.mean()));
        }
        Ok((val_loss.mean(), val_acc.mean()))
    })
}

/// Prints the validation loss and accuracy of weights in a file.
pub fn from_file(file: &Path, data: &Data, out: &mut impl Write) -> Outcome {
    let model = Cnn::new()?;
    model.load_state_dict(&StateDict::load(file)?).map_err(|error| error.context(file.display()))?;
    let (val_loss, val_acc) = evaluate(&model, &data.validation())?;
    writeln!(out, "Weights of {}:", file.display())?;
    writeln!(out, "val_loss: {val_loss:.6}, val_acc: {val_acc:.6}")?;
    Ok(())
}
