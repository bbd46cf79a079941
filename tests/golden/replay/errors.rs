//! Calls that must be refused with an error.

use chainrule::Parameter;

use super::{Replay, modules, optim};
use crate::call::Call;
use crate::check::Accuracy;
use crate::directory::Case;
use crate::stop::{Outcome, Stop, mismatch};
use crate::tables::{operations, optimizers};
use crate::value::{Leaves, Value};

pub(crate) const REPLAY: Replay =
    Replay { name: "errors", draws: false, subject: |case| case.text("op").into(), case: replay };

fn replay(case: &Case<'_>) -> Outcome<Accuracy> {
    if case.text("class") == "python" {
        return Err(Stop::Inexpressible("optimizers take parameters, not pairs of names and tensors".into()));
    }
    let result = match case.text("kind") {
        "op" => operation(case),
        "module" => modules::construct_and_call(case).map(drop),
        "optim" => optimizer(case),
        other => mismatch(format!("a case of an unknown kind {other:?}")),
    };
    match result {
        Err(Stop::Refused(_)) => Ok(Accuracy::default()),
        Err(other) => Err(other),
        Ok(()) => mismatch(format!("accepted; PyTorch says: {}", case.text("message"))),
    }
}

fn operation(case: &Case<'_>) -> Outcome<()> {
    let mut leaves = Leaves::new(case);
    let call = Call::of_case(&mut leaves, case.json)?;
    if call.has_memory_format() {
        return Err(Stop::Inexpressible("there are no memory formats".into()));
    }
    operations::call(case.text("fn"), &call).map(drop)
}

/// The constructor of an optimizer, on a list of parameters or of groups.
fn optimizer(case: &Case<'_>) -> Outcome<()> {
    let mut leaves = Leaves::new(case);
    let defaults = Call::new(&mut leaves, &case.json["args"], &[], &case.json["kwargs"])?;
    let Value::Sequence(items) = leaves.decode(&case.json["params"])? else {
        return Err(Stop::Inexpressible("the parameters are not a list".into()));
    };
    // The same tensor is the same parameter.
    let mut known: Vec<(String, Parameter)> = Vec::new();
    let mut parameter = |value: &Value| match value {
        Value::Tensor(tensor, name) => match known.iter().find(|(other, _)| other == name) {
            Some((_, parameter)) => Ok(parameter.clone()),
            None => {
                let parameter = Parameter::new(tensor.detach())?;
                known.push((name.clone(), parameter.clone()));
                Ok(parameter)
            }
        },
        _ => Err(Stop::Inexpressible("a parameter is not a tensor".into())),
    };
    let mut groups = Vec::new();
    let mut ungrouped = Vec::new();
    for item in &items {
        let Value::Dict(entries) = item else {
            ungrouped.push(parameter(item)?);
            continue;
        };
        let mut parameters = Vec::new();
        let mut options = Vec::new();
        for (key, value) in entries {
            match (key.as_str(), value) {
                ("params", Value::Sequence(several)) => {
                    parameters = several.iter().map(&mut parameter).collect::<Outcome<_>>()?;
                }
                ("params", one) => parameters = vec![parameter(one)?],
                _ => options.push((key.clone(), value.clone())),
            }
        }
        groups.push((parameters, defaults.with(options)));
    }
    if groups.is_empty() || !ungrouped.is_empty() {
        groups.push((ungrouped, defaults.with(Vec::new())));
    }
    let name = case.text("op").trim_start_matches("optim.");
    if name == "LBFGS" {
        // It has no groups.
        let parameters = groups.iter().flat_map(|(parameters, _)| parameters.clone()).collect();
        return optimizers::lbfgs(parameters, &defaults).map(drop);
    }
    optim::construct(name, &groups).map(drop)
}
