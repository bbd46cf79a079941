//! Seeded draws: random tensors, new modules, shuffled loaders.

use chainrule::data::{
    DataLoader, RandomSampler, Sampler, Subset, TensorDataset, WeightedRandomSampler, random_split,
};
use chainrule::random::{default_state, manual_seed};
use chainrule::{DType, Parameter, Shape, Tensor};
use serde_json::{Value as Json, json};

use super::Replay;
use crate::call::Call;
use crate::check::{Accuracy, numbers};
use crate::directory::Case;
use crate::stop::{Outcome, mismatch, not_built};
use crate::tables::{initializers, modules};
use crate::value::{Leaves, Value, float};

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
    let (name, args) = (case.text("call"), &case.json["args"]);
    match name {
        "sequence" => {
            let steps = args.as_array().into_iter().flatten();
            let step = |step: &Json| {
                let (name, dtype) = (step[0].as_str().unwrap_or(""), step[2].as_str().unwrap_or(""));
                drawn(name, &step[1], dtype)
            };
            Ok(steps.map(step).collect::<Outcome<Vec<_>>>()?.into())
        }
        _ if name.starts_with("nn.init.") => initialized(case, name.trim_start_matches("nn.init.")),
        _ if name.starts_with("nn.") => module(case, name),
        _ => drawn(name, args, case.text("dtype")),
    }
}

/// One call.
fn drawn(name: &str, a: &Json, dtype_name: &str) -> Outcome<Json> {
    let float_type = if dtype_name == "float64" { DType::F64 } else { DType::F32 };
    let n = |i: usize| a[i].as_u64().unwrap_or(0) as usize;
    let x = |i: usize| float(&a[i]).unwrap_or(f64::NAN);
    let whole = |i: usize| a[i].as_i64().unwrap_or(0);
    let tensor = |i: usize| numbers_of(&a[i], float_type);
    let ones = |i: usize| laid_out(&a[i], &a[i + 1], float_type);
    Ok(match name {
        "rand" => floats(&[Tensor::uniform(n(0), 0.0, 1.0, float_type)?])?,
        "randn" => floats(&[Tensor::normal(n(0), 0.0, 1.0, float_type)?])?,
        "randn_twice" => floats(&[Tensor::randn(n(0))?, Tensor::randn(n(1))?])?,
        "rand_then_randn" => floats(&[Tensor::rand(n(0))?, Tensor::randn(n(1))?])?,
        "uniform_" => floats(&[Tensor::uniform(n(2), x(0), x(1), float_type)?])?,
        "normal_" => floats(&[Tensor::normal(n(2), x(0), x(1), float_type)?])?,
        "exponential_" => floats(&[Tensor::exponential(n(1), x(0), float_type)?])?,
        "cauchy_" => floats(&[Tensor::cauchy(n(2), x(0), x(1), float_type)?])?,
        "log_normal_" => floats(&[Tensor::log_normal(n(2), x(0), x(1), float_type)?])?,
        "geometric_" => floats(&[Tensor::geometric(n(1), x(0), float_type)?])?,
        "bernoulli_" => floats(&[Tensor::bernoulli(n(1), x(0))?.to_dtype(float_type)?])?,
        "bernoulli" => floats(&[tensor(0)?.bernoulli_each()?])?,
        "bernoulli_p" => floats(&[Tensor::full(n(1), x(0), float_type)?.bernoulli_each()?])?,
        "normal" => floats(&[tensor(0)?.normal_each(&tensor(1)?)?])?,
        "poisson" => floats(&[tensor(0)?.poisson()?])?,
        "binomial" => floats(&[tensor(0)?.binomial(&tensor(1)?)?])?,
        "gamma" => floats(&[tensor(0)?.gamma()?])?,
        "dirichlet" => floats(&[tensor(0)?.dirichlet()?])?,
        "beta" => {
            let both = Tensor::stack(&[&tensor(0)?, &tensor(1)?], -1)?;
            floats(&[both.dirichlet()?.select(-1, 0)?])?
        }
        "randint" => json!(Tensor::randint(whole(0), whole(1), n(2))?.to_vec::<i64>()?),
        "randperm" => json!(Tensor::randperm(n(0))?.to_vec::<i64>()?),
        "rand_like" => floats(&[ones(0)?.rand_like()?])?,
        "randn_like" => floats(&[ones(0)?.randn_like()?])?,
        "randint_like" => floats(&[ones(2)?.randint_like(whole(0), whole(1))?])?,
        "dropout" => floats(&[ones(1)?.dropout(x(0), true)?])?,
        "get_rng_state" => json!(default_state().to_tensor()?.to_vec::<i64>()?),
        "multinomial" => json!(tensor(0)?.multinomial(n(1), a[2] == true)?.to_vec::<i64>()?),
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
        _ => return mismatch(format!("a case of an unknown kind {name:?}")),
    })
}

/// A tensor of numbers, or of rows of them.
fn numbers_of(json: &Json, dtype: DType) -> Outcome<Tensor> {
    let rows = json.as_array().map_or(0, Vec::len);
    let matrix = json[0].is_array();
    let values =
        if matrix { json.as_array().into_iter().flatten().flat_map(list).collect() } else { list(json) };
    let shape = if matrix { vec![rows, values.len() / rows.max(1)] } else { vec![rows] };
    Ok(Tensor::from_vec(values, shape)?.to_dtype(dtype)?)
}

/// Ones of this shape whose dimensions were permuted after they were made.
fn laid_out(shape: &Json, order: &Json, dtype: DType) -> Outcome<Tensor> {
    let shape: Vec<usize> = list(shape).into_iter().map(|size| size as usize).collect();
    let order: Vec<isize> = list(order).into_iter().map(|dim| dim as isize).collect();
    Ok(Tensor::full(shape, 1.0, dtype)?.permute(order)?)
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
