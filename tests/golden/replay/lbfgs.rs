//! LBFGS, which asks for the loss itself: the parameter and the loss after every step, and how often it asked.

use chainrule::{Parameter, Result, Tensor};
use serde_json::Value as Json;

use crate::call::Call;
use crate::check::{Accuracy, Checker, DOUBLE, Tolerance};
use crate::directory::Case;
use crate::stop::{Outcome, mismatch};
use crate::tables::optimizers;
use crate::value::Leaves;

type Objective = dyn Fn(&Tensor) -> Result<Tensor>;

pub(crate) fn replay(case: &Case<'_>) -> Outcome<Accuracy> {
    let mut leaves = Leaves::new(case);
    let options = Call::new(&mut leaves, &Json::Null, &[], &case.json["kwargs"])?;
    let parameter = Parameter::new(case.tensor("p0")?)?;
    let mut optimizer = optimizers::lbfgs(vec![parameter.clone()], &options)?;
    options.all_taken("LBFGS")?;
    let objective: Box<Objective> = match case.text("problem") {
        "quadratic" => {
            let (a, b) = (case.tensor("A")?, case.tensor("b")?);
            Box::new(move |x| x.matmul(&a.matmul(x)?)?.mul(0.5)?.sub(&b.matmul(x)?))
        }
        "rosenbrock" => Box::new(rosenbrock),
        other => return mismatch(format!("an unknown problem {other:?}")),
    };
    let sign = case.number("sign").unwrap_or(1.0);
    let (mut trajectory, mut losses) = (Vec::new(), Vec::new());
    for _ in 0..case.json["steps"].as_u64().unwrap_or(0) {
        let loss = optimizer.step(|| {
            parameter.zero_grad();
            let loss = objective(&parameter.tensor())?.mul(sign)?;
            loss.backward()?;
            Ok(loss)
        })?;
        losses.push(loss.detach());
        trajectory.push(parameter.tensor().detach().mul(1.0)?);
    }
    // How far the way bends when the start is moved a little.
    let allowed = (1e4 * case.number("sens").unwrap_or(0.0)).max(DOUBLE.atol);
    let mut checker = Checker::new(case).double(Tolerance { rtol: allowed, atol: allowed });
    checker.output("traj.p0", &Tensor::stack(&trajectory, 0)?)?;
    checker.output("loss", &Tensor::stack(&losses, 0)?)?;
    if case.text("dtype") == "float64" {
        counts(case, "func_evals", optimizer.func_evals())?;
        counts(case, "n_iter", optimizer.n_iter())?;
    }
    Ok(checker.accuracy())
}

/// Σ 100·(xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)²
fn rosenbrock(x: &Tensor) -> Result<Tensor> {
    let n = x.numel() - 1;
    let (here, next) = (x.narrow(0, 0, n)?, x.narrow(0, 1, n)?);
    let valley = next.sub(&here.square()?)?.square()?.mul(100.0)?;
    valley.add(&here.mul(-1.0)?.add(1.0)?.square()?)?.sum()
}

fn counts(case: &Case<'_>, key: &str, got: u64) -> Outcome<()> {
    match case.json["info"][key].as_u64() {
        Some(want) if want != got => mismatch(format!("{key} is {got}, not {want}")),
        _ => Ok(()),
    }
}
