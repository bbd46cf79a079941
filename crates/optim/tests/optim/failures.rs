//! What fails changes nothing: loading states that do not fit, options switched on later, steps of L-BFGS, averages.

use chainrule_optim::*;
use chainrule_tensor::{ErrorKind, Parameter, Result, StateDict, Tensor, bail};

use crate::{numbers, parameter, tensor, values};

fn with_gradient(n: usize) -> Parameter {
    let p = parameter(1, n);
    p.set_grad(Some(tensor(&numbers(2, n), [n]))).unwrap();
    p
}

#[test]
fn a_state_that_does_not_fit_an_option_switched_on_later_is_an_error_of_the_step() {
    let p = with_gradient(4);
    p.set_name("w");
    let mut optimizer = Adam::new([p.clone()], AdamOptions::default()).unwrap();
    optimizer.step().unwrap();
    // The largest averages of another size, which only `amsgrad` would look at.
    let dict = optimizer.state_dict().unwrap();
    let mut other = StateDict::new();
    for (name, tensor) in dict.iter() {
        other.insert(name, tensor.clone()).unwrap();
    }
    other.insert("w.max_exp_avg_sq", tensor(&[1.0, 2.0], [2])).unwrap();
    *other.metadata_mut() = dict.metadata().clone();
    let groups = other.metadata_mut().get_mut("param_groups").unwrap();
    *groups = groups.replace("\"exp_avg_sq\"]", "\"exp_avg_sq\",\"max_exp_avg_sq\"]");
    optimizer.load_state_dict(&other).unwrap();
    optimizer.step().unwrap();

    let (before, state) = (values(&p), optimizer.state_dict().unwrap());
    optimizer.param_groups_mut()[0].options.amsgrad = true;
    for _ in 0..2 {
        let line = line!() + 1;
        let error = optimizer.step().unwrap_err();
        assert_eq!((error.location().unwrap().file(), error.location().unwrap().line()), (file!(), line));
        assert_eq!(error.kind(), ErrorKind::Shape);
        let words = "parameter w: its max_exp_avg_sq has shape [2] instead of [4]";
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(values(&p), before);
    }
    optimizer.param_groups_mut()[0].options.amsgrad = false;
    let now = optimizer.state_dict().unwrap();
    assert_eq!(now.metadata(), state.metadata());
    optimizer.step().unwrap();
}

#[test]
fn states_in_any_order_and_with_more_than_is_wanted_are_sorted() {
    let p = with_gradient(4);
    p.set_name("w");
    let amsgrad = || AdamOptions { amsgrad: true, ..Default::default() };
    let mut optimizer = Adam::new([p.clone()], amsgrad()).unwrap();
    for _ in 0..3 {
        optimizer.step().unwrap();
    }
    let (start, dict) = (p.tensor().detach(), optimizer.state_dict().unwrap());
    optimizer.step().unwrap();
    let want = values(&p);

    let mut mixed = dict.clone();
    let groups = mixed.metadata_mut().get_mut("param_groups").unwrap();
    let lists = [
        "[\"exp_avg\",\"exp_avg_sq\",\"max_exp_avg_sq\"]",
        "[\"max_exp_avg_sq\",\"exp_avg_sq\",\"exp_avg\"]",
    ];
    assert!(groups.contains(lists[0]), "{groups}");
    *groups = groups.replace(lists[0], lists[1]);
    p.set(&start).unwrap();
    let mut other = Adam::new([p.clone()], amsgrad()).unwrap();
    other.load_state_dict(&mixed).unwrap();
    other.step().unwrap();
    assert_eq!(values(&p), want);
}

#[test]
fn options_that_json_cannot_say_are_not_saved() {
    let p = with_gradient(2);
    let mut optimizer = Adam::new([p.clone()], AdamOptions::default()).unwrap();
    optimizer.step().unwrap();
    for lr in [f64::NAN, f64::INFINITY, -1.0] {
        optimizer.param_groups_mut()[0].options.lr = lr;
        assert!(optimizer.state_dict().unwrap_err().to_string().contains("lr"));
    }
    let mut lbfgs = Lbfgs::new([p], LbfgsOptions::default()).unwrap();
    lbfgs.options_mut().tolerance_grad = f64::NAN;
    assert!(lbfgs.state_dict().unwrap_err().to_string().contains("tolerance_grad"));
}

/// (x − 1)² + 10·(y − 3)², an error at some calls.
fn closure(w: &Parameter, calls: &mut usize, fails_at: usize) -> Result<Tensor> {
    *calls += 1;
    w.zero_grad();
    let far = w.tensor().sub(&tensor(&[1.0, 3.0], [2]))?;
    let loss = far.mul(&far)?.mul(&tensor(&[1.0, 10.0], [2]))?.sum()?;
    loss.backward()?;
    if *calls == fails_at {
        bail!(Value, "closure", "no loss at call {fails_at}");
    }
    Ok(loss)
}

#[test]
fn a_step_of_lbfgs_whose_closure_fails_changes_nothing() {
    for line_search_fn in [None, Some(LineSearch::StrongWolfe)] {
        let options = LbfgsOptions { line_search_fn, max_iter: 3, history_size: 2, ..Default::default() };
        let (w, other) = (parameter(5, 2), parameter(5, 2));
        let mut optimizer = Lbfgs::new([w.clone()], options.clone()).unwrap();
        let mut undisturbed = Lbfgs::new([other.clone()], options).unwrap();
        for _ in 0..4 {
            for fails_at in 1..4 {
                let (before, state) = (values(&w), optimizer.state_dict().unwrap());
                let mut calls = 0;
                if let Err(error) = optimizer.step(|| closure(&w, &mut calls, fails_at)) {
                    assert!(error.to_string().contains("no loss at call"), "{error}");
                    assert_eq!(values(&w), before);
                    let now = optimizer.state_dict().unwrap();
                    assert_eq!(now.metadata(), state.metadata());
                    for (name, tensor) in state.iter() {
                        let now = now.get(name).unwrap().to_vec::<f64>().unwrap();
                        assert_eq!(now, tensor.to_vec::<f64>().unwrap(), "{name}");
                    }
                } else {
                    // It came to its end before; so does the other.
                    assert!(calls < fails_at);
                    undisturbed.step(|| closure(&other, &mut 0, 0)).unwrap();
                }
            }
            optimizer.step(|| closure(&w, &mut 0, 0)).unwrap();
            undisturbed.step(|| closure(&other, &mut 0, 0)).unwrap();
            assert_eq!(values(&w), values(&other));
        }
    }
}

#[test]
fn lbfgs_takes_as_many_iterations_and_evaluations_as_can_be_counted() {
    for line_search_fn in [None, Some(LineSearch::StrongWolfe)] {
        for max_eval in [None, Some(u64::MAX)] {
            let options = LbfgsOptions {
                max_iter: u64::MAX,
                max_eval,
                history_size: usize::MAX,
                line_search_fn,
                ..Default::default()
            };
            let w = parameter(5, 2);
            let mut optimizer = Lbfgs::new([w.clone()], options).unwrap();
            optimizer.step(|| closure(&w, &mut 0, 0)).unwrap();
            let found = values(&w);
            assert!((found[0] - 1.0).abs() < 1e-6 && (found[1] - 3.0).abs() < 1e-6, "{found:?}");
        }
    }
}

#[test]
fn lbfgs_leaves_out_differences_whose_products_overflow() {
    // The loss is 1e160·x², with gradients of 1e160: squares of them are beyond f64.
    let w = Parameter::new(tensor(&[1.0], [1])).unwrap();
    let mut optimizer = Lbfgs::new([w.clone()], LbfgsOptions { lr: 1e-8, ..Default::default() }).unwrap();
    for _ in 0..3 {
        optimizer
            .step(|| {
                w.zero_grad();
                let loss = w.tensor().square()?.sum()?.mul(1e160)?;
                loss.backward()?;
                Ok(loss)
            })
            .unwrap();
        assert!(values(&w)[0].is_finite());
    }
}

#[test]
fn damaged_states_of_lbfgs_are_refused() {
    let w = parameter(5, 2);
    let mut optimizer = Lbfgs::new([w.clone()], LbfgsOptions::default()).unwrap();
    optimizer.step(|| closure(&w, &mut 0, 0)).unwrap();
    let dict = optimizer.state_dict().unwrap();
    let with = |from: &str, to: &str| {
        let mut dict = dict.clone();
        let json = dict.metadata_mut().get_mut("lbfgs").unwrap();
        assert!(json.contains(from), "{json}");
        *json = json.replace(from, to);
        dict
    };
    let shape = "\"shape\":[2]";
    for bad in [
        with(shape, "\"shape\":[9223372036854775808,4]"),
        with(
            "[{\"name\"",
            "[{\"name\":\"other\",\"shape\":[4294967296,4294967296],\"dtype\":\"F64\"},{\"name\"",
        ),
        with("\"n_iter\":", "\"n_iter\":-"),
        with("\"ro\":[", "\"ro\":[null,"),
        with("\"ro\":[", "\"ro\":[1.0,"),
        with("\"lr\":1.0", "\"lr\":null"),
    ] {
        assert!(optimizer.load_state_dict(&bad).is_err(), "{:?}", bad.metadata());
    }
    let start = dict.metadata()["lbfgs"].find("\"n_iter\":").unwrap();
    let count: String =
        dict.metadata()["lbfgs"][start + 9..].chars().take_while(char::is_ascii_digit).collect();
    let most = with(&format!("\"n_iter\":{count}"), "\"n_iter\":18446744073709551615");
    optimizer.load_state_dict(&most).unwrap();
    w.set(&tensor(&[0.0, 0.0], [2])).unwrap();
    optimizer.step(|| closure(&w, &mut 0, 0)).unwrap();
    assert!(values(&w).iter().all(|x| x.is_finite()));
}

#[test]
fn averages_of_one_parameter_twice_are_refused() {
    let p = parameter(1, 3);
    let error = AveragedModel::new([p.clone(), parameter(2, 3), p], Averaging::Swa).unwrap_err();
    assert!(error.to_string().contains("parameter 2 (shape [3]) occurs twice"), "{error}");
}

#[test]
fn averages_take_any_count() {
    let p = parameter(1, 3);
    let mut averaged = AveragedModel::new([p.clone()], Averaging::Swa).unwrap();
    averaged.update_parameters().unwrap();
    let mut dict = StateDict::new();
    for (name, tensor) in averaged.state_dict().unwrap().iter().filter(|(name, _)| *name != "n_averaged") {
        dict.insert(name, tensor.clone()).unwrap();
    }
    let before = values(&p);
    for count in [i64::MAX, (1 << 53) + 1] {
        let mut dict = dict.clone();
        dict.insert("n_averaged", Tensor::full_of([], count).unwrap()).unwrap();
        averaged.load_state_dict(&dict).unwrap();
        let saved = averaged.state_dict().unwrap();
        assert_eq!(saved.get("n_averaged").unwrap().to_scalar::<i64>().unwrap(), count);
        averaged.update_parameters().unwrap();
        assert_eq!(averaged.averages().next().unwrap().to_vec::<f64>().unwrap(), before);
        averaged.state_dict().unwrap();
    }
    let mut bad = dict.clone();
    bad.insert("n_averaged", Tensor::full_of([], -1i64).unwrap()).unwrap();
    assert!(averaged.load_state_dict(&bad).is_err() && averaged.load_state_dict(&dict).is_err());
}
