//! Schedulers by PyTorch's names.

use chainrule::Result;
use chainrule::optim::scheduler::*;
use chainrule::optim::{Hyperparameters, LrScheduler};
use serde_json::Value as Json;

use crate::call::Call;
use crate::stop::{Outcome, Stop, not_built};
use crate::tables::modules::Given;
use crate::take::Take;
use crate::value::{Leaves, Value};

/// A PyTorch name and our constructor, which is given the schedulers inside, if there are any.
type Entry = (&'static str, fn(&Call, Optimizer<'_>, Vec<Box<dyn LrScheduler>>) -> Outcome<AnyScheduler>);

type Optimizer<'a> = &'a mut dyn Hyperparameters;

const ENTRIES: &[Entry] = &[
    ("ChainedScheduler", |_, o, inside| plain(ChainedScheduler::new(o, inside))),
    ("ConstantLR", |c, o, _| plain(ConstantLR::new(o, c.or("factor", 1.0 / 3.0)?, c.or("total_iters", 5)?))),
    ("CosineAnnealingLR", |c, o, _| plain(CosineAnnealingLR::new(o, c.get("T_max")?, c.or("eta_min", 0.0)?))),
    ("CosineAnnealingWarmRestarts", |c, o, _| {
        let (t_0, t_mult, eta_min) = (c.get("T_0")?, c.or("T_mult", 1)?, c.or("eta_min", 0.0)?);
        Ok(AnyScheduler::WarmRestarts(CosineAnnealingWarmRestarts::new(o, t_0, t_mult, eta_min)?))
    }),
    ("CyclicLR", |c, o, _| {
        // Without a function of one's own PyTorch does not look at this.
        c.value("scale_mode");
        let schedule = CyclicLRSchedule::new(c.get::<PerGroup>("base_lr")?, c.get::<PerGroup>("max_lr")?)
            .given(c.optional("step_size_up")?, |s, v| CyclicLRSchedule { step_size_up: v, ..s })
            .given(c.optional("mode")?, |s, mode| CyclicLRSchedule { mode, ..s })
            .given(c.optional("gamma")?, |s, gamma| CyclicLRSchedule { gamma, ..s })
            .given(c.optional("cycle_momentum")?, |s, v| CyclicLRSchedule { cycle_momentum: v, ..s })
            .given(c.optional("base_momentum")?, |s, v| CyclicLRSchedule { base_momentum: v, ..s })
            .given(c.optional("max_momentum")?, |s, v| CyclicLRSchedule { max_momentum: v, ..s });
        let step_size_down = c.optional("step_size_down")?;
        plain(CyclicLR::with_schedule(o, CyclicLRSchedule { step_size_down, ..schedule }))
    }),
    ("ExponentialLR", |c, o, _| plain(ExponentialLR::new(o, c.get("gamma")?))),
    ("LinearLR", |c, o, _| {
        let (start, end) = (c.or("start_factor", 1.0 / 3.0)?, c.or("end_factor", 1.0)?);
        plain(LinearLR::new(o, start, end, c.or("total_iters", 5)?))
    }),
    ("MultiStepLR", |c, o, _| {
        plain(MultiStepLR::new(o, c.get::<Vec<u64>>("milestones")?, c.or("gamma", 0.1)?))
    }),
    ("OneCycleLR", |c, o, _| {
        let total_steps = match c.optional("total_steps")? {
            Some(total) => total,
            None => c.get::<u64>("epochs")? * c.get::<u64>("steps_per_epoch")?,
        };
        let schedule = OneCycleLRSchedule::new(c.get::<PerGroup>("max_lr")?, total_steps)
            .given(c.optional("pct_start")?, |s, v| OneCycleLRSchedule { pct_start: v, ..s })
            .given(c.optional("anneal_strategy")?, |s, v| OneCycleLRSchedule { anneal_strategy: v, ..s })
            .given(c.optional("cycle_momentum")?, |s, v| OneCycleLRSchedule { cycle_momentum: v, ..s })
            .given(c.optional("base_momentum")?, |s, v| OneCycleLRSchedule { base_momentum: v, ..s })
            .given(c.optional("max_momentum")?, |s, v| OneCycleLRSchedule { max_momentum: v, ..s })
            .given(c.optional("div_factor")?, |s, v| OneCycleLRSchedule { div_factor: v, ..s })
            .given(c.optional("final_div_factor")?, |s, v| OneCycleLRSchedule { final_div_factor: v, ..s })
            .given(c.optional("three_phase")?, |s, v| OneCycleLRSchedule { three_phase: v, ..s });
        plain(OneCycleLR::with_schedule(o, schedule))
    }),
    ("PolynomialLR", |c, o, _| plain(PolynomialLR::new(o, c.or("total_iters", 5)?, c.or("power", 1.0)?))),
    ("ReduceLROnPlateau", |c, o, _| {
        let options = serde_json::from_value(c.options()?)
            .map_err(|error| Stop::NotBuilt(format!("option not built: ReduceLROnPlateau: {error}")))?;
        Ok(AnyScheduler::Plateau(ReduceLROnPlateau::new(o, options)?))
    }),
    ("SequentialLR", |c, o, inside| plain(SequentialLR::new(o, inside, c.get::<Vec<u64>>("milestones")?))),
    ("StepLR", |c, o, _| plain(StepLR::new(o, c.get("step_size")?, c.or("gamma", 0.1)?))),
];

/// What PyTorch's `step` is given.
pub(crate) enum StepArgument {
    None,
    Metric(f64),
    Epoch(f64),
}

/// A scheduler, by what its step can be given.
pub(crate) enum AnyScheduler {
    Plain(Box<dyn LrScheduler>),
    WarmRestarts(CosineAnnealingWarmRestarts),
    Plateau(ReduceLROnPlateau),
}

fn plain<S: LrScheduler + 'static>(scheduler: Result<S>) -> Outcome<AnyScheduler> {
    Ok(AnyScheduler::Plain(Box::new(scheduler?)))
}

impl AnyScheduler {
    pub(crate) fn step(&mut self, argument: StepArgument, optimizer: Optimizer<'_>) -> Outcome<()> {
        match (self, argument) {
            (AnyScheduler::Plain(scheduler), StepArgument::None) => scheduler.step(optimizer)?,
            (AnyScheduler::WarmRestarts(scheduler), StepArgument::None) => scheduler.step(optimizer)?,
            (AnyScheduler::WarmRestarts(scheduler), StepArgument::Epoch(epoch)) => {
                scheduler.step_to(optimizer, epoch)?;
            }
            (AnyScheduler::Plateau(scheduler), StepArgument::Metric(metric)) => {
                scheduler.step(optimizer, metric)?;
            }
            _ => return Err(Stop::Inexpressible("the scheduler's step takes something else".into())),
        }
        Ok(())
    }

    /// As a scheduler inside of another.
    fn inside(self) -> Outcome<Box<dyn LrScheduler>> {
        match self {
            AnyScheduler::Plain(scheduler) => Ok(scheduler),
            AnyScheduler::WarmRestarts(scheduler) => Ok(Box::new(scheduler)),
            AnyScheduler::Plateau(_) => {
                Err(Stop::Inexpressible("a scheduler that needs a metric, inside of one".into()))
            }
        }
    }
}

/// Makes the scheduler that is described, and sees to it that every option was taken.
pub(crate) fn build(json: &Json, leaves: &mut Leaves<'_>, optimizer: Optimizer<'_>) -> Outcome<AnyScheduler> {
    let name = json["name"].as_str().unwrap_or("");
    let Some((_, construct)) = ENTRIES.iter().find(|(other, _)| *other == name) else {
        return not_built(format!("scheduler not built: {name}"));
    };
    let mut inside = Vec::new();
    for scheduler in json["schedulers"].as_array().into_iter().flatten() {
        inside.push(build(scheduler, leaves, optimizer)?.inside()?);
    }
    let options = Call::new(leaves, &Json::Null, &[], &json["kwargs"])?;
    let scheduler = construct(&options, optimizer, inside)?;
    options.all_taken(name)?;
    Ok(scheduler)
}

impl Take<'_> for PerGroup {
    fn take(value: &Value) -> Outcome<Self> {
        match value {
            Value::Sequence(_) => Ok(Vec::<f64>::take(value)?.into()),
            _ => Ok(f64::take(value)?.into()),
        }
    }
}

impl Take<'_> for CyclicMode {
    fn take(value: &Value) -> Outcome<Self> {
        match <&str>::take(value)? {
            "triangular" => Ok(CyclicMode::Triangular),
            "triangular2" => Ok(CyclicMode::Triangular2),
            "exp_range" => Ok(CyclicMode::ExpRange),
            other => Err(Stop::Inexpressible(format!("is {other:?}"))),
        }
    }
}

impl Take<'_> for AnnealStrategy {
    fn take(value: &Value) -> Outcome<Self> {
        match <&str>::take(value)? {
            "cos" => Ok(AnnealStrategy::Cos),
            "linear" => Ok(AnnealStrategy::Linear),
            other => Err(Stop::Inexpressible(format!("is {other:?}"))),
        }
    }
}
