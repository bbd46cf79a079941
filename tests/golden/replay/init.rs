//! Initialisers, and the values that modules begin with.

use chainrule::random::manual_seed;
use chainrule::{DType, Parameter, Shape, Tensor};
use serde_json::Value as Json;

use super::{Replay, modules};
use crate::call::Call;
use crate::check::{Accuracy, Checker, numbers};
use crate::directory::Case;
use crate::stop::{Outcome, mismatch};
use crate::tables::initializers;
use crate::value::{Leaves, Value, float};

pub(crate) const REPLAY: Replay = Replay { name: "init", draws: true, subject, case: replay };

/// How many values of each parameter of a module are looked at, at least.
const SAMPLES: usize = 20_000;

fn subject(case: &Case<'_>) -> String {
    ["fn", "module", "kind"]
        .iter()
        .map(|key| case.text(key))
        .find(|text| !text.is_empty())
        .unwrap_or("")
        .into()
}

fn replay(case: &Case<'_>) -> Outcome<Accuracy> {
    match case.text("kind") {
        "gain" => {
            let got = initializers::gain(case.text("nonlinearity"), case.number("param"))?;
            near("the gain", got, number(case, "gain"))?;
        }
        "fan" => {
            let [fan_in, fan_out] = initializers::fans(&shape(&case.json["shape"]))?;
            near("fan_in", fan_in as f64, number(case, "fan_in"))?;
            near("fan_out", fan_out as f64, number(case, "fan_out"))?;
        }
        "random" => drawn(case)?,
        "fixed" => {
            let mut checker = Checker::new(case);
            checker.output("o0", &filled(case, case.text("fn"), &[])?)?;
        }
        "orthogonal" => orthogonal(case)?,
        "trunc_normal" => truncated(case)?,
        "sparse" => sparse(case)?,
        "module" => module(case)?,
        other => return mismatch(format!("a case of an unknown kind {other:?}")),
    }
    Ok(Accuracy::default())
}

/// A tensor that an initialiser filled.
fn filled(case: &Case<'_>, function: &str, more: &[(&str, f64)]) -> Outcome<Tensor> {
    let mut leaves = Leaves::new(case);
    let options = Call::new(&mut leaves, &Json::Null, &[], &case.json["kwargs"])?;
    let more = more.iter().map(|&(name, value)| (name.to_string(), Value::Scalar(value.into())));
    let options = options.with(more.collect());
    let shape = match case.json.get("shape") {
        Some(sizes) => shape(sizes),
        None => Shape::from([200_000]),
    };
    let parameter = Parameter::new(Tensor::zeros(shape)?)?;
    initializers::fill(function, &parameter, &options)?;
    Ok(parameter.tensor().detach())
}

/// The same numbers as when the distribution is drawn from directly.
fn drawn(case: &Case<'_>) -> Outcome<()> {
    manual_seed(0);
    let got = numbers(&filled(case, case.text("fn"), &[])?)?;
    manual_seed(0);
    let (shape, of) = (shape(&case.json["shape"]), |key| number(case, key));
    let want = match case.text("dist") {
        "uniform" => Tensor::uniform(shape, of("a"), of("b"), DType::F32)?,
        _ => Tensor::normal(shape, of("mean"), of("std"), DType::F32)?,
    };
    for (i, (got, want)) in got.iter().zip(numbers(&want)?).enumerate() {
        if (got - want).abs() > 1e-6 * want.abs() {
            return mismatch(format!("element {i} is {got:e}, not {want:e}"));
        }
    }
    Ok(())
}

/// Rows or columns are orthogonal to each other.
fn orthogonal(case: &Case<'_>) -> Outcome<()> {
    manual_seed(0);
    let matrix = filled(case, "orthogonal_", &[])?.to_dtype(DType::F64)?.flatten(1, -1)?;
    let matrix = if case.text("gram_side") == "rows" { matrix } else { matrix.t()? };
    let gram = matrix.matmul(&matrix.t()?)?;
    let n = gram.size(0)?;
    let diagonal = number(case, "gram_diag");
    for (i, got) in numbers(&gram)?.into_iter().enumerate() {
        let want = if i % (n + 1) == 0 { diagonal } else { 0.0 };
        if (got - want).abs() > 1e-5 * (1.0 + diagonal) {
            return mismatch(format!("element {i} of the Gram matrix is {got:e}, not {want:e}"));
        }
    }
    Ok(())
}

/// All samples are within the limits, with the mean and the deviation that PyTorch's have.
fn truncated(case: &Case<'_>) -> Outcome<()> {
    manual_seed(0);
    let names = ["mean", "std", "a", "b"];
    let options: Vec<(&str, f64)> = names.iter().map(|&name| (name, number(case, name))).collect();
    let values = numbers(&filled(case, "trunc_normal_", &options)?)?;
    let (mean, std) = moments(&values);
    let [_, spread, low, high] = names.map(|name| number(case, name));
    if values.iter().any(|v| !(low..=high).contains(v)) {
        return mismatch("a value is outside of the limits");
    }
    within("the mean", mean, number(case, "measured_mean"), 0.02 * spread)?;
    within("the deviation", std, number(case, "measured_std"), 0.02 * spread)
}

/// So many zeros in each column.
fn sparse(case: &Case<'_>) -> Outcome<()> {
    manual_seed(0);
    let matrix = filled(case, "sparse_", &[("sparsity", number(case, "sparsity"))])?;
    let zeros = matrix.eq(0.0)?.sum_dim(0, false)?.to_vec::<i64>()?;
    match zeros.iter().find(|&&n| n as f64 != number(case, "zeros_per_column")) {
        Some(n) => mismatch(format!("a column has {n} zeros")),
        None => Ok(()),
    }
}

/// Every parameter and buffer of new modules has its distribution.
fn module(case: &Case<'_>) -> Outcome<()> {
    manual_seed(0);
    for (name, want) in case.json["params"].as_object().into_iter().flatten() {
        let mut values = Vec::new();
        while values.len() < SAMPLES {
            let mut leaves = Leaves::new(case);
            let built = modules::construct(case, &mut leaves, case.text("module"))?;
            let Some(module) = built.module else { return mismatch("the module holds nothing") };
            let state = module.state_dict()?;
            if case.json["params"].as_object().map_or(0, |params| params.len()) != state.len() {
                return mismatch("other parameters and buffers than PyTorch's");
            }
            let Some(tensor) = state.get(name) else { return mismatch(format!("there is no {name}")) };
            if *tensor.shape() != shape(&want["shape"]) {
                return mismatch(format!("{name} has shape {}", tensor.shape()));
            }
            let row = want["zero_row"].as_u64().map(|row| row as usize);
            let width = tensor.shape().last().copied().unwrap_or(1);
            for (i, value) in numbers(&tensor.to_dtype(DType::F64)?)?.into_iter().enumerate() {
                match row {
                    Some(row) if i / width == row => near(&format!("the padding row of {name}"), value, 0.0)?,
                    _ => values.push(value),
                }
            }
            if want["dist"] == "constant" {
                break;
            }
        }
        distribution(name, want, &values)?;
    }
    Ok(())
}

fn distribution(name: &str, want: &Json, values: &[f64]) -> Outcome<()> {
    let of = |key: &str| float(&want[key]).unwrap_or(f64::NAN);
    let (mean, std) = match want["dist"].as_str() {
        Some("uniform") => {
            let (low, high) = (of("a"), of("b"));
            let slack = 1e-6 * (high - low);
            if let Some(v) = values.iter().find(|&&v| v < low - slack || v > high + slack) {
                return mismatch(format!("{name} holds {v}, outside of {low} to {high}"));
            }
            ((low + high) / 2.0, (high - low) / 12f64.sqrt())
        }
        Some("normal") => (of("mean"), of("std")),
        _ => return values.iter().try_for_each(|&value| near(name, value, of("value"))),
    };
    // Six standard errors.
    let error = 6.0 * std / (values.len() as f64).sqrt();
    let (got_mean, got_std) = moments(values);
    within(&format!("the mean of {name}"), got_mean, mean, error)?;
    within(&format!("the deviation of {name}"), got_std, std, error)
}

fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt())
}

fn near(what: &str, got: f64, want: f64) -> Outcome<()> {
    within(what, got, want, 1e-12 * want.abs())
}

fn within(what: &str, got: f64, want: f64, tolerance: f64) -> Outcome<()> {
    match (got - want).abs() <= tolerance {
        true => Ok(()),
        false => mismatch(format!("{what} is {got:e}, not {want:e}")),
    }
}

fn number(case: &Case<'_>, key: &str) -> f64 {
    float(&case.json[key]).unwrap_or(f64::NAN)
}

fn shape(sizes: &Json) -> Shape {
    sizes.as_array().into_iter().flatten().filter_map(Json::as_u64).map(|n| n as usize).collect()
}
