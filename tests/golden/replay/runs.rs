//! Whole training runs from a seed.

use chainrule::nn::sequential;
use chainrule::optim::clip_grad_norm_;
use chainrule::prelude::*;
use serde_json::{Value as Json, json};

use super::{Replay, optim};
use crate::call::Call;
use crate::check::{Accuracy, SINGLE, numbers};
use crate::directory::{Case, strings};
use crate::stop::{Outcome, mismatch};
use crate::tables::schedulers::{self, StepArgument};
use crate::value::{Leaves, float};

pub(crate) const REPLAY: Replay = Replay { name: "runs", draws: true, subject, case: replay };

fn subject(case: &Case<'_>) -> String {
    format!("{} {}", case.text("run"), case.text("optimizer")).trim_end().into()
}

fn replay(case: &Case<'_>) -> Outcome<Accuracy> {
    // The runs were recorded on one thread.
    manual_seed(case.json["seed"].as_u64().unwrap_or(0));
    match case.text("run") {
        "simple_model" => simple_model(case)?,
        "small_cnn" => small_cnn(case)?,
        other => return mismatch(format!("an unknown run {other:?}")),
    }
    Ok(Accuracy::default())
}

/// A linear model on random data, with a loader that shuffles.
fn simple_model(case: &Case<'_>) -> Outcome<()> {
    let dataset = TensorDataset::new((Tensor::randn([100, 10])?, Tensor::randint(0, 2, [100])?))?;
    let loader = DataLoader::new(&dataset).batch_size(10).shuffle(true);
    let model = Linear::new(10, 2)?;
    let criterion = CrossEntropyLoss::new();
    let mut optimizer = Sgd::new(model.parameters(), SgdOptions { lr: 0.01, ..Default::default() })?;
    let (mut lines, mut values) = (Vec::new(), Vec::new());
    for epoch in 1..=3 {
        for training in [true, false] {
            let mut total = 0.0;
            for batch in loader.iter() {
                let (inputs, targets) = batch?;
                optimizer.zero_grad();
                let loss = criterion.forward(&model.forward(&inputs)?, &targets)?;
                if training {
                    loss.backward()?;
                    optimizer.step()?;
                }
                total += loss.item()? * inputs.size(0)? as f64;
            }
            let mean = total / dataset.len() as f64;
            let what = if training { ", Train Loss" } else { " Validation Loss" };
            lines.push(format!("Epoch {epoch}{what}: {mean:.4}"));
            values.push(mean);
        }
    }
    if lines != strings(&case.json["lines"]) {
        return mismatch(format!("printed {lines:?}"));
    }
    close("values", &values, &case.json["values"])
}

/// A small convolutional network, trained on one batch for 40 steps.
fn small_cnn(case: &Case<'_>) -> Outcome<()> {
    let (x, y) = (Tensor::randn([64, 1, 12, 12])?, Tensor::randint(0, 10, [64])?);
    let model = sequential![
        Conv2d::builder(1, 6, 3).padding(1).build()?,
        BatchNorm2d::new(6)?,
        ReLU::new(),
        MaxPool2d::new(2)?,
        Conv2d::new(6, 8, 3)?,
        ReLU::new(),
        Flatten::new(),
        Linear::new(128, 32)?,
        Tanh::new(),
        Linear::new(32, 10)?,
    ];
    let options = match case.text("optimizer") {
        "SGD" => json!({"lr": 0.05, "momentum": 0.9, "weight_decay": 1e-4, "nesterov": true}),
        "Adam" => json!({"lr": 5e-4}),
        "RMSprop" => json!({"lr": 1e-3, "centered": true, "momentum": 0.5}),
        _ => json!({"lr": 1e-3}),
    };
    let mut leaves = Leaves::new(case);
    let encode =
        |value: &Json| json!({"scalar": value, "kind": if value.is_boolean() { "bool" } else { "float" }});
    let options: serde_json::Map<String, Json> = options
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), encode(value)))
        .collect();
    let options = Call::new(&mut leaves, &Json::Null, &[], &options.into())?;
    let mut optimizer = optim::construct(case.text("optimizer"), &[(model.parameters(), options)])?;
    let cosine = json!({"name": "CosineAnnealingLR", "kwargs": {"T_max": {"scalar": 40, "kind": "int"}}});
    let mut scheduler = schedulers::build(&cosine, &mut leaves, optimizer.hyperparameters())?;
    let criterion = CrossEntropyLoss { label_smoothing: 0.1, ..Default::default() };
    let (mut losses, mut norms) = (Vec::new(), Vec::new());
    for _ in 0..40 {
        model.zero_grad();
        let loss = criterion.forward(&model.forward(&x)?, &y)?;
        loss.backward()?;
        losses.push(loss.item()?);
        norms.push(clip_grad_norm_(model.parameters(), 1.0)?);
        optimizer.step()?;
        scheduler.step(StepArgument::None, optimizer.hyperparameters())?;
    }
    close("losses", &losses, &case.json["losses"])?;
    close("grad_norms", &norms, &case.json["grad_norms"])?;
    let state = model.state_dict()?;
    for (key, name) in [("final_running_mean", "1.running_mean"), ("final_last_bias", "9.bias")] {
        let Some(tensor) = state.get(name) else { return mismatch(format!("there is no {name}")) };
        close(key, &numbers(tensor)?, &case.json[key])?;
    }
    Ok(())
}

fn close(what: &str, got: &[f64], want: &Json) -> Outcome<()> {
    let want: Vec<f64> = want.as_array().into_iter().flatten().filter_map(float).collect();
    if got.len() != want.len() {
        return mismatch(format!("{} {what}, not {}", got.len(), want.len()));
    }
    for (i, (&got, &want)) in got.iter().zip(&want).enumerate() {
        let error = SINGLE.error(got, want);
        if error > 1.0 {
            return mismatch(format!(
                "{what}: element {i} is {got}, not {want}: {error:.3} times the tolerance"
            ));
        }
    }
    Ok(())
}
