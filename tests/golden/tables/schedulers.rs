//! Schedulers by PyTorch's names.

use chainrule::Result;
use chainrule::optim::*;
use serde_json::Value as Json;

use crate::call::Call;
use crate::stop::{Outcome, not_built};
use crate::value::Leaves;

/// A PyTorch name and our constructor.
type Entry = (&'static str, fn(&Call, &mut dyn Hyperparameters) -> Outcome<Box<dyn AnyScheduler>>);

const ENTRIES: &[Entry] =
    &[("StepLR", |c, optimizer| scheduler(StepLR::new(optimizer, c.get("step_size")?, c.or("gamma", 0.1)?)))];

/// What PyTorch's `step` is given.
pub(crate) enum StepArgument {
    None,
    Metric(f64),
    Epoch(f64),
}

/// A scheduler of any kind.
pub(crate) trait AnyScheduler {
    fn step(&mut self, argument: StepArgument, optimizer: &mut dyn Hyperparameters) -> Outcome<()>;
}

/// A scheduler whose step takes nothing.
struct Plain<S>(S);

impl<S: LrScheduler> AnyScheduler for Plain<S> {
    fn step(&mut self, argument: StepArgument, optimizer: &mut dyn Hyperparameters) -> Outcome<()> {
        match argument {
            StepArgument::None => Ok(self.0.step(optimizer)?),
            StepArgument::Epoch(_) => not_built("option not built: a step to a given epoch"),
            StepArgument::Metric(_) => not_built("option not built: a step by a metric"),
        }
    }
}

fn scheduler<S: LrScheduler + 'static>(scheduler: Result<S>) -> Outcome<Box<dyn AnyScheduler>> {
    Ok(Box::new(Plain(scheduler?)))
}

/// Makes the scheduler that is described, and sees to it that every option was taken.
pub(crate) fn build(
    json: &Json,
    leaves: &mut Leaves<'_>,
    optimizer: &mut dyn Hyperparameters,
) -> Outcome<Box<dyn AnyScheduler>> {
    let name = json["name"].as_str().unwrap_or("");
    let Some((_, construct)) = ENTRIES.iter().find(|(other, _)| *other == name) else {
        return not_built(format!("scheduler not built: {name}"));
    };
    let options = Call::new(leaves, &Json::Null, &[], &json["kwargs"])?;
    let scheduler = construct(&options, optimizer)?;
    options.all_taken(name)?;
    Ok(scheduler)
}
