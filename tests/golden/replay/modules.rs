//! Modules: results, gradients of inputs and parameters, buffers afterwards.

use std::sync::Arc;

use chainrule::autograd::GradOptions;
use chainrule::nn::Module;
use chainrule::{StateDict, Tensor};

use super::{Replay, ops};
use crate::call::Call;
use crate::check::{Accuracy, Checker, is_zero};
use crate::directory::{Case, strings};
use crate::output::Output;
use crate::stop::{Outcome, mismatch};
use crate::tables::modules::{self, Built};
use crate::value::{Leaves, dtype};

pub(crate) const REPLAY: Replay =
    Replay { name: "modules", draws: false, subject: |case| case.text("module").into(), case: replay };

/// Builds the module and calls it; what is refused on the way is an error of either.
pub(crate) fn construct_and_call(case: &Case<'_>) -> Outcome<Output> {
    let mut leaves = Leaves::new(case);
    let built = construct(case, &mut leaves, case.text("op"))?;
    call(case, &mut leaves, &built)
}

/// Builds the module.
pub(crate) fn construct(case: &Case<'_>, leaves: &mut Leaves<'_>, module: &str) -> Outcome<Built> {
    let entry = modules::entry(module)?;
    let mut arguments = Call::new(leaves, &case.json["args"], &entry.constructor, &case.json["kwargs"])?;
    if !case.text("dtype").is_empty() {
        arguments.dtype = dtype(case.text("dtype"))?;
    }
    entry.build(&arguments)
}

fn call(case: &Case<'_>, leaves: &mut Leaves<'_>, built: &Built) -> Outcome<Output> {
    let arguments = Call::new(leaves, &case.json["fargs"], &built.inputs, &case.json["fkwargs"])?;
    let output = (built.forward)(&arguments)?;
    arguments.all_taken("forward")?;
    Ok(output)
}

fn replay(case: &Case<'_>) -> Outcome<Accuracy> {
    let mut leaves = Leaves::new(case);
    let built = construct(case, &mut leaves, case.text("module"))?;
    let states: Vec<&str> = [case.names("params"), case.names("buffers")].concat();
    if let Some(module) = &built.module {
        let mut state = StateDict::new();
        for name in &states {
            state.insert(*name, case.tensor(&format!("s.{name}"))?)?;
        }
        module.load_state_dict(&state)?;
        if case.json["train"] == true { module.train() } else { module.eval() }
    }
    let output = call(case, &mut leaves, &built)?;
    let mut checker = Checker::new(case);
    let outputs = output.compare(&case.json["out"], &mut checker)?;
    for (output, cotangent) in ops::roots(case, &outputs)? {
        // Several outputs share their graph.
        let options = GradOptions { retain_graph: true, ..Default::default() };
        options.backward(&output, Some(&cotangent))?;
    }
    for name in case.names("grads") {
        gradient(&mut checker, &format!("g.{name}"), leaves.get(name)?.grad())?;
    }
    if let Some(module) = &built.module {
        parameters(case, module, &mut checker)?;
        let after = module.state_dict()?;
        for name in states {
            let Some(value) = after.get(name) else { return mismatch(format!("{name} is no longer there")) };
            let changes = strings(&case.json["after"]).contains(&name);
            checker.output(&format!("{}.{name}", if changes { "b" } else { "s" }), value)?;
        }
    }
    Ok(checker.accuracy())
}

fn parameters(case: &Case<'_>, module: &Arc<dyn Module>, checker: &mut Checker<'_>) -> Outcome<()> {
    let named = module.named_parameters();
    let find = |name: &str| named.iter().find(|(n, _)| n == name).map(|(_, parameter)| parameter);
    for name in case.names("pgrads") {
        let Some(parameter) = find(name) else { return mismatch(format!("there is no parameter {name}")) };
        gradient(checker, &format!("pg.{name}"), parameter.grad())?;
    }
    for name in case.names("nograd") {
        if let Some(gradient) = find(name).and_then(|parameter| parameter.grad())
            && !is_zero(&gradient)?
        {
            return mismatch(format!("{name} has a gradient"));
        }
    }
    Ok(())
}

fn gradient(checker: &mut Checker<'_>, name: &str, gradient: Option<Tensor>) -> Outcome<()> {
    match gradient {
        Some(gradient) => checker.gradient(name, &gradient),
        None => mismatch(format!("{name}: there is no gradient")),
    }
}
