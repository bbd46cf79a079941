//! Functions on the gradients and values of parameters.

use chainrule::optim::{
    ClipGradNormOptions, clip_grad_norm_with, clip_grad_value_, get_total_norm, parameters_to_vector,
    vector_to_parameters,
};
use chainrule::{Parameter, Tensor};
use serde_json::Value as Json;

use super::Replay;
use crate::call::Call;
use crate::check::{Accuracy, Checker};
use crate::directory::Case;
use crate::stop::{Outcome, Stop, mismatch, not_built};
use crate::value::{Leaves, dtype};

pub(crate) const REPLAY: Replay =
    Replay { name: "utils", draws: false, subject: |case| case.text("fn").into(), case: replay };

fn replay(case: &Case<'_>) -> Outcome<Accuracy> {
    let mut parameters = Vec::new();
    for i in 0..case.json["params"].as_u64().unwrap_or(0) as usize {
        let parameter = Parameter::new(case.tensor(&format!("p{i}"))?)?;
        if case.json["has_grad"][i] == true {
            parameter.set_grad(Some(case.tensor(&format!("g{i}"))?))?;
        }
        parameters.push(parameter);
    }
    let function = case.text("fn");
    let mut leaves = Leaves::new(case);
    let call = Call::new(&mut leaves, &Json::Null, &[], &case.json["kwargs"])?;
    let result = apply(case, &call, &parameters);
    call.all_taken(function)?;
    let returned = match (result, case.json.get("raises").is_some()) {
        (Err(Stop::Refused(_)), true) => return Ok(Accuracy::default()),
        (Ok(_), true) => return mismatch(format!("accepted; PyTorch says: {}", case.text("message"))),
        (result, _) => result?,
    };
    let mut checker = Checker::new(case);
    for name in case.names("out") {
        let parameter = || name[2..].parse::<usize>().ok().and_then(|i| parameters.get(i));
        let got = match name {
            "total" | "vec" => returned.clone(),
            _ if name.starts_with("og") => parameter().and_then(Parameter::grad),
            _ => parameter().map(|parameter| parameter.tensor().detach()),
        };
        let Some(mut got) = got else { return mismatch(format!("there is no {name}")) };
        if name == "total" {
            // A number in double precision, where PyTorch has a tensor.
            got = got.to_dtype(dtype(case.text("dtype"))?)?;
        }
        checker.output(name, &got)?;
    }
    Ok(checker.accuracy())
}

/// Calls the function; gives what it returns, as a tensor.
fn apply(case: &Case<'_>, c: &Call, parameters: &[Parameter]) -> Outcome<Option<Tensor>> {
    let total = |norm: f64| Tensor::from_vec(vec![norm], []).map(Some);
    match case.text("fn") {
        "clip_grad_norm_" => {
            let d = ClipGradNormOptions::default();
            let options = ClipGradNormOptions {
                norm_type: c.or("norm_type", d.norm_type)?,
                error_if_nonfinite: c.or("error_if_nonfinite", d.error_if_nonfinite)?,
            };
            Ok(total(clip_grad_norm_with(parameters, c.get("max_norm")?, options)?)?)
        }
        "clip_grad_value_" => {
            clip_grad_value_(parameters, c.get("clip_value")?)?;
            Ok(None)
        }
        "get_total_norm" => {
            let gradients: Vec<Tensor> = parameters.iter().filter_map(Parameter::grad).collect();
            Ok(total(get_total_norm(gradients, c.get("norm_type")?)?)?)
        }
        "parameters_to_vector" => Ok(Some(parameters_to_vector(parameters)?)),
        "vector_to_parameters" => {
            vector_to_parameters(&case.tensor("vec_in")?, parameters)?;
            Ok(None)
        }
        function => not_built(format!("function not built: {function}")),
    }
}
