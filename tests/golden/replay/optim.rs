//! Optimizers: the parameters after every step, and the state at the end.

use chainrule::{Parameter, Tensor};
use serde_json::Value as Json;

use super::{Replay, lbfgs};
use crate::call::Call;
use crate::check::{Accuracy, Checker};
use crate::directory::{Case, dtype};
use crate::stop::{Outcome, mismatch};
use crate::tables::optimizers::{self, AnyOptimizer};
use crate::value::{Leaves, float};

pub(crate) const REPLAY: Replay =
    Replay { name: "optim", draws: false, subject: |case| case.text("optim").into(), case: replay };

/// Parameters, and their options.
pub(crate) type Group = (Vec<Parameter>, Call);

/// Makes an optimizer, and sees to it that every option was taken.
pub(crate) fn construct(name: &str, groups: &[Group]) -> Outcome<Box<dyn AnyOptimizer>> {
    let optimizer = optimizers::entry(name)?(groups)?;
    groups.iter().try_for_each(|(_, options)| options.all_taken(name))?;
    Ok(optimizer)
}

fn replay(case: &Case<'_>) -> Outcome<Accuracy> {
    if case.json.get("problem").is_some() {
        return lbfgs::replay(case);
    }
    let name = case.text("optim");
    if case.json["sparse"] == true {
        return sparse(case, name);
    }
    let mut leaves = Leaves::new(case);
    let defaults = Call::new(&mut leaves, &Json::Null, &[], &case.json["kwargs"])?;
    let parameters = (0..3).map(|i| parameter(case, i)).collect::<Outcome<Vec<_>>>()?;
    let mut groups = Vec::new();
    for group in case.json["groups"].as_array().into_iter().flatten() {
        let options = defaults.with(leaves.named(&group["kwargs"])?);
        let members = group["params"].as_array().into_iter().flatten().filter_map(Json::as_u64);
        groups.push((members.map(|i| parameters[i as usize].clone()).collect(), options));
    }
    let optimizer = construct(name, &groups)?;
    let gradients = (0..3).map(|i| case.set_tensor(&format!("g{i}"))).collect::<Outcome<Vec<_>>>()?;
    let gradient = |step: u64, i: usize| {
        let missing =
            case.json["missing"].as_array().into_iter().flatten().any(|at| at[0] == step && at[1] == i);
        if missing { Ok(None) } else { Ok(Some(gradients[i].select(0, step as isize)?)) }
    };
    run(case, optimizer, &parameters, gradient)
}

/// One parameter, whose gradient lists rows with their numbers.
fn sparse(case: &Case<'_>, name: &str) -> Outcome<Accuracy> {
    let mut leaves = Leaves::new(case);
    let options = Call::new(&mut leaves, &Json::Null, &[], &case.json["kwargs"])?;
    let parameters = vec![named(case.tensor("p0")?, 0)?];
    let optimizer = construct(name, &[(parameters.clone(), options)])?;
    let (rows, values) = (case.tensor("idx")?, case.tensor("val")?);
    let zeros = Tensor::zeros_like(&case.tensor("p0")?)?;
    run(case, optimizer, &parameters, |step, _| {
        let step = step as isize;
        Ok(Some(zeros.index_add(0, &rows.select(0, step)?, &values.select(0, step)?)?))
    })
}

/// Makes all steps, with the gradients of each step and parameter, and compares.
fn run(
    case: &Case<'_>,
    mut optimizer: Box<dyn AnyOptimizer>,
    parameters: &[Parameter],
    gradient: impl Fn(u64, usize) -> Outcome<Option<Tensor>>,
) -> Outcome<Accuracy> {
    let mut trajectories = vec![Vec::new(); parameters.len()];
    for step in 0..case.json["steps"].as_u64().unwrap_or(0) {
        for (i, parameter) in parameters.iter().enumerate() {
            parameter.set_grad(gradient(step, i)?)?;
        }
        optimizer.step()?;
        for (trajectory, parameter) in trajectories.iter_mut().zip(parameters) {
            // A copy of the values: the optimizer goes on in place.
            trajectory.push(parameter.tensor().detach().mul(1.0)?);
        }
    }
    let mut checker = Checker::new(case);
    for name in case.names("traj") {
        let i: usize = name[1..].parse().unwrap_or(usize::MAX);
        checker.output(&format!("traj.{name}"), &Tensor::stack(&trajectories[i], 0)?)?;
    }
    state(case, optimizer.as_ref(), &mut checker)?;
    Ok(checker.accuracy())
}

fn parameter(case: &Case<'_>, i: usize) -> Outcome<Parameter> {
    named(case.set_tensor(&format!("p{i}"))?, i)
}

fn named(value: Tensor, i: usize) -> Outcome<Parameter> {
    let parameter = Parameter::new(value)?;
    parameter.set_name(&format!("p{i}"));
    Ok(parameter)
}

/// Compares the state: tensors with tensors, and the count of steps.
fn state(case: &Case<'_>, optimizer: &dyn AnyOptimizer, checker: &mut Checker<'_>) -> Outcome<()> {
    let ours = optimizer.state_dict()?;
    for (parameter, entries) in case.json["state"].as_object().into_iter().flatten() {
        for (key, want) in entries.as_object().into_iter().flatten() {
            if key == "step" {
                let want = match want["tensor"].as_str() {
                    Some(name) => case.tensor(name)?.item()?,
                    None => float(&want["scalar"]).unwrap_or(f64::NAN),
                };
                let got = optimizers::steps(&ours, parameter)?;
                if got != want {
                    return mismatch(format!("{parameter} was updated {got} times, not {want}"));
                }
            } else if let Some(name) = want["tensor"].as_str() {
                match ours.get(&format!("{parameter}.{key}")) {
                    // PyTorch keeps single numbers in float32, whatever the parameters are in.
                    Some(number) if number.rank() == 0 => {
                        checker.output(name, &number.to_dtype(dtype(&case.stored(name)?)?)?)?;
                    }
                    Some(tensor) => checker.output(name, tensor)?,
                    None => return mismatch(format!("there is no state {parameter}.{key}")),
                }
            }
        }
    }
    Ok(())
}
