//! Options and parameters that are refused, and what the errors say.

use chainrule_optim::*;
use chainrule_tensor::{ErrorKind, Parameter};

use crate::{numbers, parameter, tensor, values};

/// The options are refused when the optimizer is made and when they are set later, and nothing moves.
fn refused<A: Algorithm + Default>(options: A, words: &[&str]) {
    let matrix = || Parameter::new(tensor(&numbers(1, 4), [2, 2])).unwrap();
    let p = matrix();
    let error = Optimizer::new([p.clone()], options.clone()).expect_err("options out of range");
    assert_eq!(error.kind(), ErrorKind::Value);
    assert_eq!(error.location().unwrap().file(), file!(), "{error}");
    for word in words.iter().chain([&A::NAME]) {
        assert!(error.to_string().contains(word), "{error}");
    }
    let mut optimizer = Optimizer::new([p.clone()], A::default()).unwrap();
    optimizer.param_groups_mut()[0].options = options.clone();
    p.set_grad(Some(tensor(&numbers(2, 4), [2, 2]))).unwrap();
    assert!(optimizer.step().is_err());
    assert_eq!(values(&p), numbers(1, 4), "nothing moves");
    assert!(optimizer.add_param_group(ParamGroup::new([matrix()], options)).is_err());
    assert_eq!(optimizer.param_groups().len(), 1);
}

/// Rows of options out of range with the words of the error: the option's name and its value. And of every number
/// among the options there is a row, so that a new one without a check is noticed.
macro_rules! refused {
    ($($options:ident { $($field:ident: $value:expr => $words:expr),+ $(,)? })+) => {
        $(
            let mut fields = Vec::new();
            $(
                refused($options { $field: $value, ..Default::default() }, &$words);
                fields.push(stringify!($field));
            )+
            every_number_is_in(&$options::default(), &fields);
        )+
    };
}

/// Each field of the options that holds numbers occurs in a list.
fn every_number_is_in<A: Algorithm>(options: &A, fields: &[&str]) {
    let json = serde_json::to_value(options).unwrap();
    for (field, value) in json.as_object().unwrap() {
        if value.is_number() || value.is_array() {
            assert!(fields.contains(&field.as_str()), "{}: no row for {field}", A::NAME);
        }
    }
}

#[test]
fn hyperparameters_out_of_range_are_refused_with_their_value() {
    const NAN: f64 = f64::NAN;
    const INFINITY: f64 = f64::INFINITY;
    refused! {
        SgdOptions {
            lr: -0.1 => ["lr", "-0.1"], lr: NAN => ["lr", "NaN"], lr: INFINITY => ["lr", "inf"],
            momentum: -0.5 => ["momentum", "-0.5"], dampening: NAN => ["dampening", "NaN"],
            weight_decay: -0.25 => ["weight_decay", "-0.25"], nesterov: true => ["nesterov", "momentum 0 "],
        }
        RmsPropOptions {
            lr: -0.1 => ["lr", "-0.1"], alpha: 1.5 => ["alpha", "1.5"], alpha: -0.5 => ["alpha", "-0.5"],
            alpha: NAN => ["alpha", "NaN"], eps: -1e-3 => ["eps", "-0.001"], momentum: -1.0 => ["momentum", "-1"],
            weight_decay: -1.0 => ["weight_decay", "-1"],
        }
        AdamOptions {
            lr: NAN => ["lr", "NaN"], betas: (1.0, 0.9) => ["betas.0", "1"], betas: (0.9, -0.1) => ["betas.1", "-0.1"],
            betas: (0.9, NAN) => ["betas.1", "NaN"], eps: -1.0 => ["eps", "-1"],
            weight_decay: -1.0 => ["weight_decay", "-1"],
        }
        AdamWOptions {
            lr: -0.1 => ["lr", "-0.1"], betas: (-0.5, 0.9) => ["betas.0", "-0.5"], betas: (0.9, 1.0) => ["betas.1", "1"],
            eps: INFINITY => ["eps", "inf"], weight_decay: -1.0 => ["weight_decay", "-1"],
        }
        AdagradOptions {
            lr: -0.1 => ["lr", "-0.1"], lr_decay: -0.5 => ["lr_decay", "-0.5"], eps: -0.5 => ["eps", "-0.5"],
            initial_accumulator_value: -0.5 => ["initial_accumulator_value", "-0.5"],
            weight_decay: -0.5 => ["weight_decay", "-0.5"],
        }
        AdadeltaOptions {
            lr: -0.1 => ["lr", "-0.1"], rho: 1.1 => ["rho", "1.1"], eps: -1.0 => ["eps", "-1"],
            weight_decay: NAN => ["weight_decay", "NaN"],
        }
        AdamaxOptions {
            lr: -0.1 => ["lr", "-0.1"], betas: (0.0, 1.0) => ["betas.1", "1"], betas: (NAN, 0.9) => ["betas.0", "NaN"],
            eps: -1.0 => ["eps", "-1"], weight_decay: -1.0 => ["weight_decay", "-1"],
        }
        NAdamOptions {
            lr: INFINITY => ["lr", "inf"], betas: (1.0, 0.0) => ["betas.0", "1"], betas: (0.0, 2.0) => ["betas.1", "2"],
            eps: -1.0 => ["eps", "-1"], weight_decay: -1.0 => ["weight_decay", "-1"],
            momentum_decay: -0.5 => ["momentum_decay", "-0.5"],
        }
        RAdamOptions {
            lr: -0.1 => ["lr", "-0.1"], betas: (0.9, 1.5) => ["betas.1", "1.5"], betas: (-1.0, 0.5) => ["betas.0", "-1"],
            eps: -1.0 => ["eps", "-1"], weight_decay: -1.0 => ["weight_decay", "-1"],
        }
        RpropOptions {
            lr: -0.1 => ["lr", "-0.1"], etas: (1.0, 1.2) => ["etas.0", "1"], etas: (0.5, 0.9) => ["etas.1", "0.9"],
            etas: (0.5, INFINITY) => ["etas.1", "inf"], step_sizes: (-1.0, 1.0) => ["step_sizes.0", "-1"],
            step_sizes: (0.0, NAN) => ["step_sizes.1", "NaN"], step_sizes: (2.0, 1.0) => ["step_sizes", "2 > 1"],
        }
        AsgdOptions {
            lr: -0.1 => ["lr", "-0.1"], lambd: -0.5 => ["lambd", "-0.5"], alpha: -0.5 => ["alpha", "-0.5"],
            t0: NAN => ["t0", "NaN"], weight_decay: -0.5 => ["weight_decay", "-0.5"],
        }
        LionOptions {
            lr: -0.1 => ["lr", "-0.1"], betas: (-0.1, 0.9) => ["betas.0", "-0.1"], betas: (0.1, 1.0) => ["betas.1", "1"],
            weight_decay: -0.5 => ["weight_decay", "-0.5"],
        }
        AdafactorOptions {
            lr: -0.1 => ["lr", "-0.1"], beta2_decay: 0.5 => ["beta2_decay", "0.5"],
            eps: (Some(-1.0), 0.0) => ["eps.0", "-1"], eps: (None, -0.5) => ["eps.1", "-0.5"], d: 0.5 => ["d must", "0.5"],
            weight_decay: -0.5 => ["weight_decay", "-0.5"],
        }
        SparseAdamOptions {
            lr: -0.1 => ["lr", "-0.1"], eps: 0.0 => ["eps", "0"], betas: (0.9, 1.0) => ["betas.1", "1"],
            betas: (-0.9, 0.5) => ["betas.0", "-0.9"],
        }
        MuonOptions {
            lr: -0.5 => ["lr", "-0.5"], momentum: -0.5 => ["momentum", "-0.5"],
            weight_decay: -0.5 => ["weight_decay", "-0.5"], ns_steps: 100 => ["ns_steps", "100"], eps: -1.0 => ["eps", "-1"],
            ns_coefficients: (NAN, 0.0, 0.0) => ["ns_coefficients.0", "NaN"],
            ns_coefficients: (1.0, NAN, 0.0) => ["ns_coefficients.1", "NaN"],
            ns_coefficients: (1.0, 0.0, INFINITY) => ["ns_coefficients.2", "inf"],
        }
    }
    refused(
        SgdOptions { nesterov: true, momentum: 0.9, dampening: 0.1, ..Default::default() },
        &["nesterov", "dampening 0.1"],
    );
}

#[test]
fn options_of_lbfgs_out_of_range_are_refused_with_their_value() {
    let refused = |options: LbfgsOptions, words: &[&str]| {
        let error = Lbfgs::new([parameter(1, 3)], options).unwrap_err().to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
    };
    refused(LbfgsOptions { lr: -0.5, ..Default::default() }, &["lr", "-0.5"]);
    refused(LbfgsOptions { tolerance_grad: f64::NAN, ..Default::default() }, &["tolerance_grad", "NaN"]);
    refused(
        LbfgsOptions { tolerance_change: f64::INFINITY, ..Default::default() },
        &["tolerance_change", "inf"],
    );
    refused(LbfgsOptions { max_iter: 0, ..Default::default() }, &["max_iter", "0"]);
    refused(LbfgsOptions { history_size: 0, ..Default::default() }, &["history_size", "0"]);
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
