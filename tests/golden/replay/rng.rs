//! Seeded draws: random tensors, new modules, shuffled loaders.

use chainrule::data::{
    DataLoader, RandomSampler, Sampler, Subset, TensorDataset, WeightedRandomSampler, random_split,
};
use chainrule::random::{manual_seed, with_default};
use chainrule::{DType, Error, ErrorKind, Parameter, Shape, Tensor};
use serde_json::{Value as Json, json};

use super::Replay;
use crate::call::Call;
use crate::check::{Accuracy, numbers};
use crate::directory::Case;
use crate::stop::{Outcome, mismatch, not_built};
use crate::tables::{initializers, modules};
use crate::value::{Leaves, Value, dtype, float};

pub(crate) const REPLAY: Replay =
    Replay { name: "rng", draws: true, subject: |case| case.text("call").into(), case: replay };

fn replay(case: &Case<'_>) -> Outcome<Accuracy> {
    manual_seed(case.json["seed"].as_u64().unwrap_or(0));
    let got = draw(case)?;
    equal(&got, &case.json["values"])?;
    Ok(Accuracy::default())
}

/// The values that a case asks for, as JSON.
fn draw(case: &Case<'_>) -> Outcome<Json> {
    let name = case.text("call");
    let a = &case.json["args"];
    let float_type = if case.text("dtype") == "float64" { DType::F64 } else { DType::F32 };
    let n = |i: usize| a[i].as_u64().unwrap_or(0) as usize;
    let x = |i: usize| float(&a[i]).unwrap_or(f64::NAN);
    Ok(match name {
        "rand" => floats(&[Tensor::uniform(n(0), 0.0, 1.0, float_type)?])?,
        "randn" => floats(&[Tensor::normal(n(0), 0.0, 1.0, float_type)?])?,
        "randn_twice" => floats(&[Tensor::randn(n(0))?, Tensor::randn(n(1))?])?,
        "rand_then_randn" => floats(&[Tensor::rand(n(0))?, Tensor::randn(n(1))?])?,
        "uniform_" => floats(&[Tensor::uniform(n(2), x(0), x(1), dtype(case.text("dtype"))?)?])?,
        "normal_" => floats(&[Tensor::normal(n(2), x(0), x(1), dtype(case.text("dtype"))?)?])?,
        "randint" => json!(Tensor::randint(x(0) as i64, x(1) as i64, n(2))?.to_vec::<i64>()?),
        "randperm" => json!(Tensor::randperm(n(0))?.to_vec::<i64>()?),
        "bernoulli_p" => {
            let (probabilities, mut out) = (vec![x(0) as f32; n(1)], vec![false; n(1)]);
            with_default(|g| g.bernoulli_each(&mut out, &probabilities)).map_err(refused)?;
            json!(out.into_iter().map(|one| f64::from(u8::from(one))).collect::<Vec<_>>())
        }
        "multinomial" => {
            let weights: Vec<f32> = list(&a[0]).into_iter().map(|w| w as f32).collect();
            json!(with_default(|g| g.multinomial(&weights, n(1), a[2] == true)).map_err(refused)?)
        }
        "WeightedRandomSampler" => {
            let weights = list(&a[0]);
            let samples = weights.len();
            let sampler = WeightedRandomSampler::new(weights, n(1)).replacement(a[2] == true);
            json!(sampler.indices(samples)?)
        }
        "RandomSampler" => json!(RandomSampler::new().indices(n(0))?),
        "random_split" => {
            let lengths: Vec<usize> = list(&a[1]).into_iter().map(|length| length as usize).collect();
            let Ok(lengths) = <[usize; 2]>::try_from(lengths) else {
                return not_built("the driver splits in two parts");
            };
            let parts = random_split(&TensorDataset::new(Tensor::arange(n(0))?)?, lengths)?;
            json!(parts.iter().map(Subset::indices).collect::<Vec<_>>())
        }
        "DataLoader.shuffle" => {
            let epochs = (0..3).map(|_| epoch(&loader(n(0), n(1))?)).collect::<Outcome<Vec<_>>>()?;
            json!(epochs)
        }
        "DataLoader.shuffle_drop_last" => {
            let loader = loader(n(0), n(1))?.drop_last(true);
            json!([epoch(&loader)?, epoch(&loader)?])
        }
        _ if name.starts_with("nn.init.") => initialized(case, name.trim_start_matches("nn.init."))?,
        _ if name.starts_with("nn.") => module(case, name)?,
        _ => return mismatch(format!("a case of an unknown kind {name:?}")),
    })
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::Value, "draw", message)
}

/// A value as the cases write them down, from one without a kind.
fn encoded(json: &Json) -> Value {
    match json {
        Json::Bool(x) => Value::Scalar((*x).into()),
        Json::Number(x) if x.is_i64() => Value::Scalar(x.as_i64().unwrap_or(0).into()),
        Json::Number(x) => Value::Scalar(x.as_f64().unwrap_or(f64::NAN).into()),
        Json::String(text) => Value::Str(text.clone()),
        Json::Array(items) => Value::Sequence(items.iter().map(encoded).collect()),
        _ => Value::None,
    }
}

/// The arguments of a case, which have no kinds here.
fn arguments(case: &Case<'_>, names: &[&str]) -> Outcome<Call> {
    let call = Call::new(&mut Leaves::new(case), &Json::Null, &[], &Json::Null)?;
    let positional = case.json["args"].as_array().into_iter().flatten();
    let positional = names.iter().zip(positional).map(|(name, value)| (name.to_string(), encoded(value)));
    let named = case.json["kwargs"].as_object().into_iter().flatten();
    let named = named.map(|(name, value)| (name.clone(), encoded(value)));
    Ok(call.with(positional.chain(named).collect()))
}

/// The parameters of a new module, in the order that the case gives; of the first, perhaps, only 64 values.
fn module(case: &Case<'_>, name: &str) -> Outcome<Json> {
    let entry = modules::entry(name)?;
    let built = entry.build(&arguments(case, &entry.constructor)?)?;
    let Some(module) = built.module else { return mismatch("the module holds nothing") };
    let state = module.state_dict()?;
    let (order, cut) = match case.text("order") {
        "" => ("weight", false),
        order => order.strip_prefix("first 64 of ").map_or((order, false), |rest| (rest, true)),
    };
    let mut values = Vec::new();
    for (i, name) in order.split(',').enumerate() {
        let Some(tensor) = state.get(name) else { return mismatch(format!("there is no {name}")) };
        let tensor = numbers(tensor)?;
        let kept = if cut && i == 0 { 64 } else { tensor.len() };
        values.extend_from_slice(&tensor[..kept]);
    }
    Ok(json!(values))
}

/// A tensor that an initialiser filled.
fn initialized(case: &Case<'_>, name: &str) -> Outcome<Json> {
    let sizes: Shape = list(&case.json["args"][0]).into_iter().map(|size| size as usize).collect();
    let parameter = Parameter::new(Tensor::zeros(sizes)?)?;
    initializers::fill(name, &parameter, &arguments(case, &[])?)?;
    floats(&[parameter.tensor().detach()])
}

fn loader(samples: usize, batch_size: usize) -> Outcome<DataLoader<TensorDataset<Tensor>>> {
    let dataset = TensorDataset::new(Tensor::arange(samples)?)?;
    Ok(DataLoader::new(&dataset).batch_size(batch_size).shuffle(true))
}

fn epoch(loader: &DataLoader<TensorDataset<Tensor>>) -> Outcome<Vec<Vec<i64>>> {
    loader.iter().map(|batch| Ok(batch?.to_vec::<i64>()?)).collect()
}

/// The numbers of tensors, one after the other.
fn floats(tensors: &[Tensor]) -> Outcome<Json> {
    let values = tensors.iter().map(numbers).collect::<Outcome<Vec<_>>>()?;
    Ok(json!(values.concat()))
}

fn list(json: &Json) -> Vec<f64> {
    json.as_array().into_iter().flatten().filter_map(float).collect()
}

/// Integers and the shape of lists are equal, floats nearly.
fn equal(got: &Json, want: &Json) -> Outcome<()> {
    match (got, want) {
        (Json::Array(ours), Json::Array(theirs)) if ours.len() == theirs.len() => {
            ours.iter().zip(theirs).try_for_each(|(got, want)| equal(got, want))
        }
        (Json::Number(ours), Json::Number(theirs)) => {
            let near = match (ours.as_i64(), theirs.as_i64()) {
                (Some(ours), Some(theirs)) => ours == theirs,
                _ => {
                    let (ours, theirs) =
                        (ours.as_f64().unwrap_or(f64::NAN), theirs.as_f64().unwrap_or(f64::NAN));
                    (ours - theirs).abs() <= 1e-6 * theirs.abs()
                }
            };
            if near { Ok(()) } else { mismatch(format!("{ours} instead of {theirs}")) }
        }
        _ => mismatch("a list of another length"),
    }
}
