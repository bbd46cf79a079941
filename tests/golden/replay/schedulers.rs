//! Schedulers: the learning rates and momenta, step by step.

use chainrule::Parameter;
use chainrule::Tensor;
use serde_json::Value as Json;

use super::{Replay, optim};
use crate::call::Call;
use crate::check::Accuracy;
use crate::directory::Case;
use crate::stop::{Outcome, mismatch};
use crate::tables::optimizers::AnyOptimizer;
use crate::tables::schedulers::{self, StepArgument};
use crate::value::{Leaves, Value, float};

pub(crate) const REPLAY: Replay = Replay {
    name: "schedulers",
    draws: false,
    subject: |case| case.json["sched"]["name"].as_str().unwrap_or("").into(),
    case: replay,
};

fn replay(case: &Case<'_>) -> Outcome<Accuracy> {
    let mut leaves = Leaves::new(case);
    let wanted = &case.json["optim"];
    let defaults = Call::new(&mut leaves, &Json::Null, &[], &wanted["kwargs"])?;
    let mut groups = Vec::new();
    for lr in wanted["lrs"].as_array().into_iter().flatten().filter_map(float) {
        let lr = Value::Scalar(lr.into());
        groups.push((vec![Parameter::new(Tensor::new([1.0]))?], defaults.with(vec![("lr".into(), lr)])));
    }
    let mut optimizer = optim::construct(wanted["name"].as_str().unwrap_or(""), &groups)?;
    let mut scheduler = schedulers::build(&case.json["sched"], &mut leaves, optimizer.hyperparameters())?;
    for step in 0..=case.json["steps"].as_u64().unwrap_or(0) as usize {
        if step > 0 {
            optimizer.step()?;
            let number = |key: &str| case.json[key].get(step - 1).and_then(float);
            let argument = match (number("metrics"), number("epochs")) {
                (Some(metric), _) => StepArgument::Metric(metric),
                (_, Some(epoch)) => StepArgument::Epoch(epoch),
                _ => StepArgument::None,
            };
            scheduler.step(argument, optimizer.hyperparameters())?;
        }
        compare("learning rate", step, &case.json["lr"][step], |group| Ok(Some(optimizer.lr(group)?)))?;
        if case.json.get("momentum").is_some() {
            let momentum = |group| AnyOptimizer::hyperparameters(optimizer.as_mut()).momentum(group);
            compare("momentum", step, &case.json["momentum"][step], momentum)?;
        }
    }
    Ok(Accuracy::default())
}

fn compare(
    what: &str,
    step: usize,
    row: &Json,
    mut ours: impl FnMut(usize) -> chainrule::Result<Option<f64>>,
) -> Outcome<()> {
    for (group, want) in row.as_array().into_iter().flatten().filter_map(float).enumerate() {
        let got = ours(group)?.unwrap_or(f64::NAN);
        let near = got == want || (got - want).abs() <= 1e-12 * want.abs();
        if !near {
            return mismatch(format!("{what} of group {group} after {step} steps is {got:e}, not {want:e}"));
        }
    }
    Ok(())
}
