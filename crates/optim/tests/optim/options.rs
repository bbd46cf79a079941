//! Options and parameters that are refused, and what the errors say.

use chainrule_optim::*;
use chainrule_tensor::{ErrorKind, Parameter};

use crate::{numbers, parameter, tensor, values};

/// The option is refused when the optimizer is made and when it is set later; the message names it.
fn refused<A: Algorithm + Default>(options: A, words: &[&str]) {
    let p = parameter(1, 3);
    let error = Optimizer::new([p.clone()], options.clone()).expect_err("options out of range");
    assert_eq!(error.kind(), ErrorKind::Value);
    assert_eq!(error.location().unwrap().file(), file!(), "{error}");
    for word in words.iter().chain([&A::NAME]) {
        assert!(error.to_string().contains(word), "{error}");
    }
    let mut optimizer = Optimizer::new([p.clone()], A::default()).unwrap();
    optimizer.param_groups_mut()[0].options = options.clone();
    p.set_grad(Some(tensor(&numbers(2, 3), [3]))).unwrap();
    assert!(optimizer.step().is_err());
    assert_eq!(values(&p), numbers(1, 3), "nothing moves");
    assert!(optimizer.add_param_group(ParamGroup::new([parameter(1, 3)], options)).is_err());
    assert_eq!(optimizer.param_groups().len(), 1);
}

#[test]
fn hyperparameters_out_of_range_are_refused_with_their_value() {
    for lr in [-0.1, f64::NAN, f64::INFINITY] {
        let value = lr.to_string();
        refused(SgdOptions { lr, ..Default::default() }, &["lr", &value]);
        refused(RmsPropOptions { lr, ..Default::default() }, &["lr", &value]);
        refused(AdamOptions { lr, ..Default::default() }, &["lr", &value]);
        refused(AdamWOptions { lr, ..Default::default() }, &["lr", &value]);
        refused(AdagradOptions { lr, ..Default::default() }, &["lr", &value]);
        refused(AdadeltaOptions { lr, ..Default::default() }, &["lr", &value]);
        refused(AdamaxOptions { lr, ..Default::default() }, &["lr", &value]);
        refused(NAdamOptions { lr, ..Default::default() }, &["lr", &value]);
        refused(RAdamOptions { lr, ..Default::default() }, &["lr", &value]);
        refused(RpropOptions { lr, ..Default::default() }, &["lr", &value]);
        refused(AsgdOptions { lr, ..Default::default() }, &["lr", &value]);
        refused(LionOptions { lr, ..Default::default() }, &["lr", &value]);
        refused(AdafactorOptions { lr, ..Default::default() }, &["lr", &value]);
        refused(SparseAdamOptions { lr, ..Default::default() }, &["lr", &value]);
    }
    refused(SgdOptions { momentum: -0.5, ..Default::default() }, &["momentum", "-0.5"]);
    refused(SgdOptions { dampening: f64::NAN, ..Default::default() }, &["dampening", "NaN"]);
    refused(SgdOptions { weight_decay: -0.25, ..Default::default() }, &["weight_decay", "-0.25"]);
    refused(SgdOptions { nesterov: true, ..Default::default() }, &["nesterov", "momentum 0 "]);
    refused(
        SgdOptions { nesterov: true, momentum: 0.9, dampening: 0.1, ..Default::default() },
        &["nesterov", "dampening 0.1"],
    );
    refused(RmsPropOptions { alpha: 1.5, ..Default::default() }, &["alpha", "1.5"]);
    refused(RmsPropOptions { alpha: -0.5, ..Default::default() }, &["alpha", "-0.5"]);
    refused(RmsPropOptions { eps: -1e-3, ..Default::default() }, &["eps", "-0.001"]);
    refused(RmsPropOptions { momentum: -1.0, ..Default::default() }, &["momentum", "-1"]);
    refused(RmsPropOptions { weight_decay: -1.0, ..Default::default() }, &["weight_decay", "-1"]);
    refused(AdamOptions { betas: (1.0, 0.9), ..Default::default() }, &["betas.0", "1"]);
    refused(AdamOptions { betas: (0.9, -0.1), ..Default::default() }, &["betas.1", "-0.1"]);
    refused(AdamOptions { betas: (0.9, f64::NAN), ..Default::default() }, &["betas.1", "NaN"]);
    refused(AdamOptions { eps: -1.0, ..Default::default() }, &["eps", "-1"]);
    refused(AdamOptions { weight_decay: -1.0, ..Default::default() }, &["weight_decay", "-1"]);
    refused(AdamWOptions { weight_decay: -1.0, ..Default::default() }, &["weight_decay", "-1"]);
    refused(AdagradOptions { lr_decay: -0.5, ..Default::default() }, &["lr_decay", "-0.5"]);
    refused(
        AdagradOptions { initial_accumulator_value: -0.5, ..Default::default() },
        &["initial_accumulator_value", "-0.5"],
    );
    refused(AdagradOptions { weight_decay: -0.5, ..Default::default() }, &["weight_decay", "-0.5"]);
    refused(AdagradOptions { eps: -0.5, ..Default::default() }, &["eps", "-0.5"]);
    refused(AdadeltaOptions { rho: 1.1, ..Default::default() }, &["rho", "1.1"]);
    refused(AdadeltaOptions { eps: -1.0, ..Default::default() }, &["eps", "-1"]);
    refused(AdamaxOptions { betas: (0.0, 1.0), ..Default::default() }, &["betas.1", "1"]);
    refused(AdamaxOptions { eps: -1.0, ..Default::default() }, &["eps", "-1"]);
    refused(NAdamOptions { betas: (1.0, 0.0), ..Default::default() }, &["betas.0", "1"]);
    refused(NAdamOptions { momentum_decay: -0.5, ..Default::default() }, &["momentum_decay", "-0.5"]);
    refused(RAdamOptions { betas: (0.9, 1.5), ..Default::default() }, &["betas.1", "1.5"]);
    refused(RAdamOptions { weight_decay: -1.0, ..Default::default() }, &["weight_decay", "-1"]);
    refused(RpropOptions { etas: (1.0, 1.2), ..Default::default() }, &["etas.0", "1"]);
    refused(RpropOptions { etas: (0.5, 0.9), ..Default::default() }, &["etas.1", "0.9"]);
    refused(RpropOptions { step_sizes: (2.0, 1.0), ..Default::default() }, &["step_sizes", "2 > 1"]);
    refused(AsgdOptions { lambd: -0.5, ..Default::default() }, &["lambd", "-0.5"]);
    refused(AsgdOptions { alpha: -0.5, ..Default::default() }, &["alpha", "-0.5"]);
    refused(AsgdOptions { t0: f64::NAN, ..Default::default() }, &["t0", "NaN"]);
    refused(AdafactorOptions { beta2_decay: 0.5, ..Default::default() }, &["beta2_decay", "0.5"]);
    refused(AdafactorOptions { eps: (Some(-1.0), 0.0), ..Default::default() }, &["eps.0", "-1"]);
    refused(AdafactorOptions { eps: (None, -0.5), ..Default::default() }, &["eps.1", "-0.5"]);
    refused(AdafactorOptions { d: 0.5, ..Default::default() }, &["d must", "0.5"]);
    refused(SparseAdamOptions { eps: 0.0, ..Default::default() }, &["eps", "0"]);
    refused(SparseAdamOptions { betas: (0.9, 1.0), ..Default::default() }, &["betas.1", "1"]);
    refused(LionOptions { betas: (-0.1, 0.9), ..Default::default() }, &["betas.0", "-0.1"]);
}

#[test]
fn no_parameters_are_refused() {
    assert!(Sgd::new([], SgdOptions::default()).is_err());
    assert!(Sgd::with_groups([]).is_err());
    let empty = || ParamGroup::new([], SgdOptions::default());
    assert!(Sgd::with_groups([empty(), empty()]).is_err());
    let some = ParamGroup::new([parameter(1, 2)], SgdOptions::default());
    assert!(Sgd::with_groups([empty(), some]).is_ok(), "one group may be empty");
}

#[test]
fn a_parameter_that_occurs_twice_is_refused() {
    let p = parameter(1, 2);
    p.set_name("layer.weight");
    let group = |parameters: Vec<Parameter>| ParamGroup::new(parameters, SgdOptions::default());
    let twice = Sgd::new([p.clone(), p.clone()], SgdOptions::default()).unwrap_err();
    assert!(twice.to_string().contains("layer.weight"), "{twice}");
    assert!(Sgd::with_groups([group(vec![p.clone()]), group(vec![p.clone()])]).is_err());
    let mut optimizer = Sgd::new([p.clone()], SgdOptions::default()).unwrap();
    assert!(optimizer.add_param_group(group(vec![parameter(2, 2), p])).is_err());
    assert_eq!(optimizer.param_groups().len(), 1);
    optimizer.add_param_group(group(vec![parameter(2, 2)]).named("new")).unwrap();
    assert!(
        optimizer.add_param_group(group(vec![parameter(3, 2)]).named("new")).is_err(),
        "the name is taken"
    );
}

#[test]
fn options_of_muon_out_of_range_are_refused() {
    let refused = |options: MuonOptions, words: &[&str]| {
        let p = Parameter::new(tensor(&numbers(1, 4), [2, 2])).unwrap();
        let error = Muon::new([p], options).unwrap_err();
        assert!(words.iter().all(|word| error.to_string().contains(word)), "{error}");
    };
    refused(MuonOptions { lr: -0.5, ..Default::default() }, &["lr", "-0.5"]);
    refused(MuonOptions { momentum: -0.5, ..Default::default() }, &["momentum", "-0.5"]);
    refused(MuonOptions { weight_decay: -0.5, ..Default::default() }, &["weight_decay", "-0.5"]);
    refused(MuonOptions { ns_steps: 100, ..Default::default() }, &["ns_steps", "100"]);
    refused(
        MuonOptions { ns_coefficients: (1.0, f64::NAN, 0.0), ..Default::default() },
        &["ns_coefficients.1"],
    );
}
