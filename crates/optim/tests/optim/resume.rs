//! Saving and going on.

use chainrule_optim::*;
use chainrule_tensor::{ErrorKind, Parameter, Shape, StateDict, Tensor};

use crate::{numbers, parameter, tensor, tensor_f32, values, with_lr};

const NAMES: [&str; 3] = ["encoder.weight", "encoder.bias", "head.weight"];

/// Three named parameters; the last is f32.
fn model() -> Vec<Parameter> {
    model_of::<SgdOptions>()
}

/// The same with all of them matrices where the algorithm takes no others.
pub(crate) fn model_of<A: Algorithm + Default>() -> Vec<Parameter> {
    let vectors = A::default().accepts(&Shape::from([3])).is_ok();
    let shape = |n: usize| if vectors { Shape::from([n]) } else { Shape::from([1, n]) };
    let body = |seed, n| Parameter::new(tensor(&numbers(seed, n), shape(n))).unwrap();
    let head = Parameter::new(tensor_f32(&numbers(3, 20), [4, 5])).unwrap();
    let parameters = vec![body(1, 40), body(2, 3), head];
    parameters.iter().zip(NAMES).for_each(|(p, name)| p.set_name(name));
    parameters
}

pub(crate) fn set_gradients(parameters: &[Parameter], step: u64) {
    for p in parameters {
        let seed = step * 10 + p.numel() as u64;
        let gradient = numbers(seed, p.numel());
        // The bias misses some steps, so that the counts differ.
        let has = p.numel() != 3 || step % 3 == 1;
        let shape = p.shape();
        let is_f32 = p.dtype() == chainrule_tensor::DType::F32;
        let gradient = if is_f32 { tensor_f32(&gradient, shape) } else { tensor(&gradient, shape) };
        p.set_grad(has.then_some(gradient)).unwrap();
    }
}

pub(crate) fn train<A: Algorithm>(
    optimizer: &mut Optimizer<A>,
    parameters: &[Parameter],
    steps: std::ops::Range<u64>,
) {
    for step in steps {
        set_gradients(parameters, step);
        optimizer.step().unwrap();
    }
}

pub(crate) fn bits(parameters: &[Parameter]) -> Vec<Vec<f64>> {
    let wide = |p: &Parameter| match p.tensor().to_vec::<f64>() {
        Ok(values) => values,
        Err(_) => p.tensor().to_vec::<f32>().unwrap().into_iter().map(f64::from).collect(),
    };
    parameters.iter().map(wide).collect()
}

/// Two groups, in the order given.
pub(crate) fn optimizer<A: Algorithm>(parameters: &[Parameter], options: &A, swapped: bool) -> Optimizer<A> {
    let other = with_lr(options, 0.03);
    let (a, b, c) = (parameters[0].clone(), parameters[1].clone(), parameters[2].clone());
    let encoder = if swapped { vec![b, a] } else { vec![a, b] };
    let mut groups = vec![
        ParamGroup::new(encoder, options.clone()).named("encoder"),
        ParamGroup::new([c], other).named("head"),
    ];
    if swapped {
        groups.reverse();
    }
    Optimizer::with_groups(groups).unwrap()
}

/// What is done with every optimizer.
pub(crate) trait Visit {
    fn visit<A: Algorithm + Default>(&mut self, options: A);
}

/// Every optimizer of the engine, with options that make it keep all the state that it can.
pub(crate) fn every_optimizer(visitor: &mut impl Visit) {
    visitor.visit(SgdOptions { momentum: 0.9, dampening: 0.1, weight_decay: 0.01, ..Default::default() });
    visitor.visit(SgdOptions::default());
    visitor.visit(RmsPropOptions { momentum: 0.5, centered: true, ..Default::default() });
    visitor.visit(AdamOptions { lr: 0.02, amsgrad: true, ..Default::default() });
    visitor.visit(AdamWOptions { lr: 0.02, ..Default::default() });
    visitor.visit(AdagradOptions { lr_decay: 0.1, initial_accumulator_value: 0.1, ..Default::default() });
    visitor.visit(AdadeltaOptions { rho: 0.8, ..Default::default() });
    visitor.visit(AdamaxOptions { weight_decay: 0.01, ..Default::default() });
    visitor.visit(NAdamOptions { momentum_decay: 0.1, ..Default::default() });
    visitor.visit(RAdamOptions { betas: (0.8, 0.9), ..Default::default() });
    visitor.visit(RpropOptions { etas: (0.4, 1.3), ..Default::default() });
    visitor.visit(AsgdOptions { lambd: 0.1, t0: 2.0, ..Default::default() });
    visitor.visit(LionOptions { weight_decay: 0.1, ..Default::default() });
    visitor.visit(AdafactorOptions { eps: (Some(1e-6), 1e-3), ..Default::default() });
    visitor.visit(SparseAdamOptions { betas: (0.8, 0.9), ..Default::default() });
    visitor.visit(MuonOptions { momentum: 0.7, ..Default::default() });
}

/// Saved after any step.
struct Resumes;

impl Visit for Resumes {
    fn visit<A: Algorithm + Default>(&mut self, options: A) {
        let whole = model_of::<A>();
        train(&mut optimizer(&whole, &options, false), &whole, 0..9);
        for saved_at in 0..9 {
            let first = model_of::<A>();
            let mut before = optimizer(&first, &options, false);
            train(&mut before, &first, 0..saved_at);
            let file = before.state_dict().unwrap().to_bytes().unwrap();

            let second = model_of::<A>();
            second.iter().zip(&first).for_each(|(p, from)| p.set(&from.tensor()).unwrap());
            let mut after = optimizer(&second, &A::default(), true);
            after.load_state_dict(&StateDict::from_bytes(&file).unwrap()).unwrap();
            train(&mut after, &second, saved_at..9);
            assert_eq!(bits(&second), bits(&whole), "{options:?} saved after {saved_at} steps");
        }
    }
}

#[test]
fn a_resumed_run_gives_the_same_bits_in_another_order_of_parameters() {
    every_optimizer(&mut Resumes);
}

#[test]
fn state_is_called_by_the_name_of_its_parameter() {
    let parameters = model();
    let mut adam = Adam::new(parameters.clone(), AdamOptions::default()).unwrap();
    parameters[0].set_grad(Some(tensor(&[1.0; 40], [40]))).unwrap();
    adam.step().unwrap();
    let state = adam.state_dict().unwrap();
    let names: Vec<&str> = state.names().collect();
    assert_eq!(names, ["encoder.weight.exp_avg", "encoder.weight.exp_avg_sq"], "none without an update");
    assert_eq!(state.metadata()["optimizer"], "Adam");
    let saved = state.get("encoder.weight.exp_avg").unwrap().to_vec::<f64>().unwrap();
    adam.step().unwrap();
    let later = state.get("encoder.weight.exp_avg").unwrap().to_vec::<f64>().unwrap();
    assert_eq!(saved, later, "a state dict does not change when training goes on");
}

#[test]
fn parameters_without_a_name_go_by_their_place() {
    let parameters: Vec<Parameter> = (0..3).map(|i| parameter(i, 2)).collect();
    parameters[1].set_name("weight");
    let options = SgdOptions { momentum: 0.5, ..Default::default() };
    let mut sgd = Sgd::new(parameters.clone(), options).unwrap();
    parameters.iter().for_each(|p| p.set_grad(Some(tensor(&[1.0; 2], [2]))).unwrap());
    sgd.step().unwrap();
    let state = sgd.state_dict().unwrap();
    let names: Vec<&str> = state.names().map(|name| name.strip_suffix(".momentum_buffer").unwrap()).collect();
    assert_eq!(names, ["param.0", "weight", "param.2"]);
    sgd.load_state_dict(&state).unwrap();
}

/// Which of two parameters of one name a state belongs to cannot be told, so it is neither saved nor loaded.
#[test]
fn parameters_of_one_name_are_refused_with_what_to_do() {
    for (first, second) in [("weight", "weight"), ("param.1", "")] {
        let parameters = [parameter(1, 2), parameter(2, 2)];
        let mut sgd = Sgd::new(parameters.clone(), SgdOptions::default()).unwrap();
        let state = sgd.state_dict().unwrap();
        parameters[0].set_name(first);
        if !second.is_empty() {
            parameters[1].set_name(second);
        }
        for error in [sgd.state_dict().unwrap_err(), sgd.load_state_dict(&state).unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Value);
            for word in [first, "ask the whole model for its parameters"] {
                assert!(error.to_string().contains(word), "{error}");
            }
            assert_eq!(error.location().unwrap().file(), file!());
        }
        assert_eq!(sgd.unused_parameters().len(), 2, "a list of names may have one twice");
    }
}

/// A momentum that was switched on after the last step has no buffer yet. That is no fault of the file.
#[test]
fn state_that_the_next_step_will_make_is_not_missed() {
    let momentum = SgdOptions { lr: 0.1, momentum: 0.5, dampening: 0.5, ..Default::default() };
    let run = |through_a_file: bool| {
        let p = parameter(1, 3);
        let mut sgd = Sgd::new([p.clone()], SgdOptions { lr: 0.1, ..Default::default() }).unwrap();
        let step = |sgd: &mut Sgd| {
            p.set_grad(Some(tensor(&[1.0, 2.0, 3.0], [3]))).unwrap();
            sgd.step().unwrap();
        };
        step(&mut sgd);
        sgd.param_groups_mut()[0].options = momentum.clone();
        if through_a_file {
            let state = sgd.state_dict().unwrap();
            sgd = Sgd::new([p.clone()], SgdOptions::default()).unwrap();
            sgd.load_state_dict(&state).unwrap();
        }
        step(&mut sgd);
        step(&mut sgd);
        values(&p)
    };
    assert_eq!(run(true), run(false));
}

/// A state dict that does not fit is refused with words that say why, and nothing changes.
fn does_not_fit(change: impl FnOnce(&mut StateDict), words: &[&str]) {
    let parameters = model();
    let mut adam = Adam::new(parameters.clone(), AdamOptions::default()).unwrap();
    train(&mut adam, &parameters, 0..2);
    let mut state = adam.state_dict().unwrap();
    let own = state.to_bytes().unwrap();
    state.metadata_mut().iter_mut().for_each(|(_, v)| *v = v.replace("\"lr\":0.001", "\"lr\":0.5"));
    change(&mut state);
    let error = adam.load_state_dict(&state).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    assert_eq!(error.location().unwrap().file(), file!());
    for word in words {
        assert!(error.to_string().contains(word), "{word:?} is not in: {error}");
    }
    assert_eq!(adam.state_dict().unwrap().to_bytes().unwrap(), own, "nothing changes");
}

fn replace(state: &mut StateDict, from: &str, to: &str) {
    let groups = state.metadata_mut().get_mut("param_groups").unwrap();
    assert!(groups.contains(from), "{groups}");
    *groups = groups.replace(from, to);
}

#[test]
fn a_state_dict_that_does_not_fit_is_refused() {
    let metadata = |key: &'static str, value: &'static str| {
        move |s: &mut StateDict| drop(s.metadata_mut().insert(key.into(), value.into()))
    };
    does_not_fit(metadata("optimizer", "SGD"), &["SGD", "Adam"]);
    does_not_fit(|s| s.metadata_mut().clear(), &["not that of an optimizer"]);
    does_not_fit(metadata("param_groups", "[{"), &["param_groups"]);
    does_not_fit(metadata("param_groups", "[]"), &["0 parameter groups instead of 1"]);
    does_not_fit(|s| drop(s.remove("head.weight.exp_avg")), &["missing tensor head.weight.exp_avg"]);
    does_not_fit(|s| s.insert("other", Tensor::new(1.0)).unwrap(), &["unexpected tensor other"]);
    does_not_fit(
        |s| {
            s.remove("head.weight.exp_avg").unwrap();
            s.insert("head.weight.exp_avg", tensor_f32(&[0.0; 20], [5, 4])).unwrap();
            s.remove("encoder.weight.exp_avg").unwrap();
            s.insert("encoder.weight.exp_avg", tensor_f32(&[0.0; 40], [40])).unwrap();
        },
        &["head.weight.exp_avg has shape [5, 4] instead of [4, 5]", "float32 instead of float64"],
    );
    does_not_fit(
        |s| replace(s, "encoder.bias", "decoder.bias"),
        &["missing parameter encoder.bias", "unexpected parameter decoder.bias"],
    );
    does_not_fit(
        |s| replace(s, "[4,5]", "[5,4]"),
        &["head.weight has shape [5, 4] (float32) instead of [4, 5]"],
    );
    does_not_fit(|s| replace(s, "\"eps\":1e-8", "\"eps\":-1.0"), &["eps", "-1"]);
    // Steps without the averages that they would have left.
    does_not_fit(
        |s| {
            replace(s, "[\"exp_avg\",\"exp_avg_sq\"]", "[]");
            let names: Vec<String> = s.names().map(str::to_string).collect();
            names.iter().for_each(|name| drop(s.remove(name)));
        },
        &["encoder.weight has 2 steps but no exp_avg", "head.weight has 2 steps but no exp_avg_sq"],
    );
    does_not_fit(
        |s| replace(s, "[\"exp_avg\",\"exp_avg_sq\"]", "[\"exp_avg\",\"exp_avg_sq\",\"exp_avg\"]"),
        &["encoder.weight lists exp_avg twice"],
    );
    // One name twice, whether instead of another or beside all of them.
    does_not_fit(
        |s| replace(s, "encoder.bias", "encoder.weight"),
        &["two parameters are called encoder.weight"],
    );
    does_not_fit(
        |s| {
            replace(
                s,
                "\"parameters\":[",
                "\"parameters\":[{\"name\":\"head.weight\",\"shape\":[4,5],\"dtype\":\"F32\",\"steps\":0,\"state\":[]},",
            )
        },
        &["two parameters are called head.weight"],
    );
    does_not_fit(|s| replace(s, "\"lr\":0.5", "\"lr\":0.5,\"rl\":1"), &["rl"]);
}

#[test]
fn a_group_that_is_saved_twice_is_refused() {
    let parameters = model();
    let mut adam = optimizer(&parameters, &AdamOptions::default(), false);
    let mut state = adam.state_dict().unwrap();
    replace(&mut state, "\"name\":\"head\"", "\"name\":\"encoder\"");
    let error = adam.load_state_dict(&state).unwrap_err().to_string();
    assert!(error.contains("two parameter groups are called \"encoder\""), "{error}");
}

#[test]
fn step_counts_are_kept_for_each_parameter() {
    let parameters = model();
    let mut adam = Adam::new(parameters.clone(), AdamOptions::default()).unwrap();
    train(&mut adam, &parameters, 0..5);
    let groups = adam.state_dict().unwrap().metadata()["param_groups"].clone();
    for (name, steps) in NAMES.iter().zip([5, 2, 5]) {
        let entry = groups.split(&format!("\"name\":\"{name}\"")).nth(1).unwrap();
        let count = entry.split("\"steps\":").nth(1).unwrap();
        assert!(count.starts_with(&format!("{steps},")), "{name}: {groups}");
    }
    assert_ne!(values(&parameters[1]), numbers(2, 3));
}
