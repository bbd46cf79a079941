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

/// Steps of a run after which rounding has not grown yet.
const EARLY: usize = 10;

/// How far losses may be from PyTorch's at any step, relative to them. Gradient norms are not held to it: two of the
/// runs leave it late, by up to 6e-4.
const LOSS_RTOL: f64 = 1e-4;

/// A small convolutional network, trained on one batch for 40 steps.
///
/// Rounding errors grow on the way, in PyTorch as here: where a unit switches on or off, and in the bias before the
/// batch normalisation, whose gradient is nothing but rounding noise, which Adam and its kin scale up to steps of full
/// size. So the same run in double precision shows how far PyTorch's single precision is from the truth, and the
/// later values may be four times as far from it. The first steps must agree without that.
fn small_cnn(case: &Case<'_>) -> Outcome<()> {
    let (x, y) = (Tensor::randn([64, 1, 12, 12])?, Tensor::randint(0, 10, [64])?);
    let model = network(DType::F32)?;
    let double = network(DType::F64)?;
    let mut state = StateDict::new();
    for (name, value) in model.state_dict()?.iter() {
        let dtype = if value.dtype().is_float() { DType::F64 } else { value.dtype() };
        state.insert(name, value.to_dtype(dtype)?)?;
    }
    double.load_state_dict(&state)?;
    let truth = train(case, &double, &x.to_dtype(DType::F64)?, &y)?;
    for ((key, got), (_, truth)) in train(case, &model, &x, &y)?.iter().zip(&truth) {
        let want: Vec<f64> = case.json[*key].as_array().into_iter().flatten().filter_map(float).collect();
        if got.len() > EARLY {
            close(&format!("early {key}"), &got[..EARLY], &json!(want.get(..EARLY)))?;
            let far = |(got, want): (&f64, &f64)| (got - want).abs() > LOSS_RTOL * want.abs();
            if *key == "losses"
                && let Some(step) = got.iter().zip(&want).position(far)
            {
                return mismatch(format!("{key}: step {step} is {}, not {}", got[step], want[step]));
            }
        }
        let worst =
            |ours: &[f64]| ours.iter().zip(truth).map(|(&v, &t)| SINGLE.error(v, t)).fold(0.0, f64::max);
        let (error, torch) = (worst(got), worst(&want));
        if got.len() != want.len()
            || (close(key, got, &case.json[*key]).is_err() && error > (4.0 * torch).max(1.0))
        {
            return mismatch(format!("{key}: {error:.3} tolerances from the truth, PyTorch {torch:.3}"));
        }
    }
    Ok(())
}

fn network(dtype: DType) -> Outcome<Sequential> {
    Ok(sequential![
        Conv2d::builder(1, 6, 3).padding(1).dtype(dtype).build()?,
        BatchNorm2d::builder(6).dtype(dtype).build()?,
        ReLU::new(),
        MaxPool2d::new(2)?,
        Conv2d::builder(6, 8, 3).dtype(dtype).build()?,
        ReLU::new(),
        Flatten::new(),
        Linear::builder(128, 32).dtype(dtype).build()?,
        Tanh::new(),
        Linear::builder(32, 10).dtype(dtype).build()?,
    ])
}

/// Trains the network as the case says; gives what the case has recorded, by its names.
fn train(
    case: &Case<'_>,
    model: &Sequential,
    x: &Tensor,
    y: &Tensor,
) -> Outcome<Vec<(&'static str, Vec<f64>)>> {
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
        let loss = criterion.forward(&model.forward(x)?, y)?;
        loss.backward()?;
        losses.push(loss.item()?);
        norms.push(clip_grad_norm_(model.parameters(), 1.0)?);
        optimizer.step()?;
        scheduler.step(StepArgument::None, optimizer.hyperparameters())?;
    }
    let state = model.state_dict()?;
    let last = |name: &str| state.get(name).map_or(Ok(Vec::new()), numbers);
    Ok(vec![
        ("losses", losses),
        ("grad_norms", norms),
        ("final_running_mean", last("1.running_mean")?),
        ("final_last_bias", last("9.bias")?),
    ])
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
