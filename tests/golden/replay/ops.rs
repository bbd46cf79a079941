//! Operations: results, gradients, gradients of gradients.

use chainrule::Tensor;
use chainrule::autograd::{GradOptions, grad};

use super::Replay;
use crate::call::Call;
use crate::check::{Accuracy, Checker, DOUBLE, Tolerance, is_zero};
use crate::directory::{Case, strings};
use crate::stop::{Outcome, mismatch};
use crate::tables::operations;
use crate::value::Leaves;

pub(crate) const REPLAY: Replay = Replay { name: "ops", draws: false, subject, case: replay };

/// For `f64` results of linear algebra.
const LINEAR_ALGEBRA: Tolerance = Tolerance { rtol: 1e-6, atol: 1e-6 };

fn subject(case: &Case<'_>) -> String {
    match case.text("variant") {
        "" => case.text("op").to_string(),
        variant => format!("{}:{variant}", case.text("op")),
    }
}

fn replay(case: &Case<'_>) -> Outcome<Accuracy> {
    let mut leaves = Leaves::new(case);
    let call = Call::of_case(&mut leaves, case.json)?;
    let output = operations::call(case.text("fn"), &call)?;
    let op = case.text("op");
    let is_linear_algebra = op.starts_with("linalg.") || op == "cdist";
    let double = if is_linear_algebra { LINEAR_ALGEBRA } else { DOUBLE };
    let mut checker = Checker::new(case).double(double);
    let outputs = output.compare(&case.json["out"], &mut checker)?;
    for name in case.names("mut") {
        match call.changed(name) {
            Some(new) => checker.output(&format!("m.{name}"), &new)?,
            None => return mismatch(format!("PyTorch changes {name} in place, here it stays as it is")),
        }
    }
    gradients(case, &leaves, &outputs, &mut checker)?;
    if case.json.get("gg").is_some() {
        second_order(case, &leaves, &outputs, &mut checker)?;
    }
    Ok(checker.accuracy())
}

/// The outputs that gradients flow from, with their cotangents.
pub(crate) fn roots(case: &Case<'_>, outputs: &[(String, Tensor)]) -> Outcome<Vec<(Tensor, Tensor)>> {
    let with_cotangent = case.names("cot");
    // Where PyTorch's gradients reach no input, ours need not set out.
    let arrives = !case.names("grads").is_empty() || !case.names("pgrads").is_empty();
    let mut roots = Vec::new();
    for (name, output) in outputs.iter().filter(|(name, _)| with_cotangent.contains(&name.as_str())) {
        if !output.requires_grad() {
            if arrives {
                return mismatch(format!("{name} is not tracked"));
            }
            continue;
        }
        roots.push((output.clone(), case.tensor(&format!("c.{name}"))?));
    }
    Ok(roots)
}

/// Gradients of Σ root · cotangent with respect to inputs.
fn differentiate(
    roots: &[(Tensor, Tensor)],
    inputs: &[&Tensor],
    create_graph: bool,
) -> Outcome<Vec<Option<Tensor>>> {
    let (outputs, cotangents): (Vec<_>, Vec<_>) = roots.iter().map(|(out, c)| (out, Some(c))).unzip();
    // The graph is walked again for second derivatives.
    let options = GradOptions { create_graph, retain_graph: true, allow_unused: true };
    Ok(grad(&outputs, inputs, &cotangents, options)?)
}

/// First derivatives, by the way back that an ordinary training step takes.
pub(crate) fn gradients(
    case: &Case<'_>,
    leaves: &Leaves<'_>,
    outputs: &[(String, Tensor)],
    checker: &mut Checker<'_>,
) -> Outcome<()> {
    let roots = roots(case, outputs)?;
    let (wanted, unwanted) = (case.names("grads"), case.names("nograd"));
    if roots.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = wanted.iter().chain(&unwanted).copied().collect();
    let inputs = names.iter().map(|name| leaves.get(name)).collect::<Outcome<Vec<_>>>()?;
    let found = differentiate(&roots, &inputs, false)?;
    for (name, gradient) in names.iter().zip(found) {
        match gradient {
            Some(gradient) if wanted.contains(name) => checker.gradient(&format!("g.{name}"), &gradient)?,
            Some(gradient) if !is_zero(&gradient)? => return mismatch(format!("{name} has a gradient")),
            None if wanted.contains(name) => return mismatch(format!("{name} has no gradient")),
            _ => {}
        }
    }
    Ok(())
}

/// Derivatives of S = Σ g · v, where g are the first derivatives, with respect to inputs and cotangents.
fn second_order(
    case: &Case<'_>,
    leaves: &Leaves<'_>,
    outputs: &[(String, Tensor)],
    checker: &mut Checker<'_>,
) -> Outcome<()> {
    let plan = &case.json["gg"];
    let mut roots = roots(case, outputs)?;
    for (_, cotangent) in &mut roots {
        *cotangent = cotangent.clone().requires_grad_(true)?;
    }
    let inputs = case.names("grads");
    let tensors = inputs.iter().map(|name| leaves.get(name)).collect::<Outcome<Vec<_>>>()?;
    let first = differentiate(&roots, &tensors, true)?;
    let mut seconds = Vec::new();
    for (name, gradient) in inputs.iter().zip(first) {
        let Some(gradient) = gradient else { return mismatch(format!("{name} has no recorded gradient")) };
        checker.gradient_again("(recorded)", &format!("g.{name}"), &gradient)?;
        if strings(&plan["v"]).contains(name) && gradient.requires_grad() {
            seconds.push((gradient, case.tensor(&format!("v.{name}"))?));
        }
    }
    let mut names: Vec<(String, Tensor)> = Vec::new();
    for name in &inputs {
        names.push((format!("gg.{name}"), leaves.get(name)?.clone()));
    }
    for (name, (_, cotangent)) in case.names("cot").iter().zip(&roots) {
        names.push((format!("ggc.{name}"), cotangent.clone()));
    }
    let targets: Vec<&Tensor> = names.iter().map(|(_, tensor)| tensor).collect();
    let found = match seconds.is_empty() {
        true => vec![None; targets.len()],
        false => differentiate(&seconds, &targets, false)?,
    };
    let wanted: Vec<String> = [("gg", "in"), ("ggc", "cot")]
        .iter()
        .flat_map(|(prefix, key)| {
            strings(&plan[*key]).into_iter().map(move |name| format!("{prefix}.{name}"))
        })
        .collect();
    for ((name, target), gradient) in names.iter().zip(found) {
        // A second derivative that does not depend on the input may be zeros or nothing.
        let gradient = gradient.map_or_else(|| Tensor::zeros_like(target), Ok)?;
        if wanted.contains(name) {
            checker.gradient(name, &gradient)?;
        } else if !is_zero(&gradient)? {
            return mismatch(format!("{name} is not zero"));
        }
    }
    Ok(())
}
