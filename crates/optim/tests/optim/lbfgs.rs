//! L-BFGS.

use chainrule_optim::*;
use chainrule_tensor::{Error, ErrorKind, Parameter, Result, StateDict, Tensor};

use crate::{numbers, parameter, tensor, tensor_f32, values};

/// Rosenbrock's function of all values one after the other.
fn rosenbrock(parameters: &[Parameter]) -> Result<Tensor> {
    parameters.iter().for_each(Parameter::zero_grad);
    let v = parameters_to_vector(parameters)?;
    let n = v.numel() - 1;
    let (a, b) = (v.narrow(0, 0, n)?, v.narrow(0, 1, n)?);
    let loss = (b.sub(&a.square()?)?.square()? * 100.0 + (1.0 - a).square()?).sum()?;
    loss.backward()?;
    Ok(loss)
}

fn start() -> Vec<Parameter> {
    let a = Parameter::new(tensor(&[-1.2, 1.0, 0.5, -0.7], [2, 2])).unwrap();
    let b = Parameter::new(tensor(&[2.0], [1])).unwrap();
    a.set_name("a");
    b.set_name("b");
    vec![a, b]
}

fn all(parameters: &[Parameter]) -> Vec<f64> {
    parameters.iter().flat_map(values).collect()
}

fn train(optimizer: &mut Lbfgs, parameters: &[Parameter], steps: usize) -> Vec<f64> {
    (0..steps).map(|_| optimizer.step(|| rosenbrock(parameters)).unwrap().item().unwrap()).collect()
}

fn wolfe() -> LbfgsOptions {
    LbfgsOptions { line_search_fn: Some(LineSearch::StrongWolfe), ..Default::default() }
}

/// What `torch.optim.LBFGS` gives in f64 after four steps: values, losses, evaluations, iterations.
#[test]
fn steps_are_those_of_pytorch() {
    let cases = [
        (
            LbfgsOptions { lr: 1e-3, max_iter: 4, ..Default::default() },
            [
                -1.1829432139826264,
                0.9786785081293905,
                0.46430607111601907,
                -0.7879269703960057,
                1.994611400543274,
            ],
            [370.59999999999997, 368.3366376089509, 360.4742788913769, 346.8192788305303],
            (16, 16),
        ),
        (
            LbfgsOptions { max_iter: 5, ..wolfe() },
            [
                0.20486681775562454,
                0.014746059095224317,
                0.014945672533339886,
                -0.00012290546549992808,
                -0.0013351670081328405,
            ],
            [370.59999999999997, 21.530865950080866, 4.636168074055928, 4.355447896902508],
            (24, 19),
        ),
        (
            LbfgsOptions { lr: 0.5, max_iter: 3, history_size: 2, ..wolfe() },
            [
                -0.416910879607478,
                0.18812111535059595,
                0.030209477332533964,
                0.014020981067238768,
                0.0033710061238540895,
            ],
            [370.59999999999997, 169.04620597659886, 108.68509505770803, 8.667926286447265],
            (13, 8),
        ),
    ];
    for (options, want, losses, counts) in cases {
        let parameters = start();
        let mut optimizer = Lbfgs::new(parameters.clone(), options).unwrap();
        let got = train(&mut optimizer, &parameters, 4);
        for (got, want) in all(&parameters).iter().zip(want).chain(got.iter().zip(losses)) {
            assert!((got - want).abs() <= 1e-9 * want.abs().max(1.0), "{got} instead of {want}");
        }
        assert_eq!((optimizer.func_evals(), optimizer.n_iter()), counts);
    }
}

#[test]
fn it_finds_the_minimum_in_either_direction_and_dtype() {
    let parameters = start();
    let mut optimizer = Lbfgs::new(parameters.clone(), wolfe()).unwrap();
    train(&mut optimizer, &parameters, 8);
    assert!(all(&parameters).iter().all(|x| (x - 1.0).abs() < 1e-4), "{:?}", all(&parameters));

    let p = Parameter::new(tensor_f32(&[3.0, -2.0], [2])).unwrap();
    let mut optimizer = Lbfgs::new([p.clone()], LbfgsOptions { maximize: true, ..wolfe() }).unwrap();
    let mut step = || {
        optimizer.step(|| {
            p.zero_grad();
            let loss = p.tensor().sub(&Tensor::new([1.0, 5.0]))?.square()?.sum()?.neg()?;
            loss.backward()?;
            Ok(loss)
        })
    };
    assert_eq!(step().unwrap().item().unwrap(), -53.0, "the loss from before the step");
    step().unwrap();
    let got = p.tensor().to_vec::<f32>().unwrap();
    assert!((got[0] - 1.0).abs() < 1e-5 && (got[1] - 5.0).abs() < 1e-5, "{got:?}");
}

#[test]
fn the_first_direction_is_the_gradient_and_its_length_depends_on_it() {
    let p = parameter(1, 2);
    p.set(&tensor(&[0.0, 0.0], [2])).unwrap();
    let mut optimizer = Lbfgs::new([p.clone()], LbfgsOptions { max_iter: 1, ..Default::default() }).unwrap();
    let linear = || {
        p.zero_grad();
        let loss = p.tensor().mul(&tensor(&[1.0, 10.0], [2]))?.sum()?;
        loss.backward()?;
        Ok(loss)
    };
    optimizer.step(linear).unwrap();
    let got = values(&p);
    assert!((got[0] + 1.0 / 11.0).abs() < 1e-15 && (got[1] + 10.0 / 11.0).abs() < 1e-15, "{got:?}");
}

#[test]
fn a_resumed_run_gives_the_same_bits_after_any_step() {
    for options in
        [LbfgsOptions { max_iter: 3, history_size: 2, ..wolfe() }, LbfgsOptions { lr: 1e-3, ..wolfe() }]
    {
        let whole = start();
        train(&mut Lbfgs::new(whole.clone(), options.clone()).unwrap(), &whole, 6);
        for saved_at in 0..6 {
            let first = start();
            let mut before = Lbfgs::new(first.clone(), options.clone()).unwrap();
            train(&mut before, &first, saved_at);
            let file = before.state_dict().unwrap().to_bytes().unwrap();
            let second = start();
            second.iter().zip(&first).for_each(|(p, from)| p.set(&from.tensor()).unwrap());
            let mut after = Lbfgs::new(second.clone(), LbfgsOptions::default()).unwrap();
            after.load_state_dict(&StateDict::from_bytes(&file).unwrap()).unwrap();
            assert_eq!(after.options(), &options);
            train(&mut after, &second, 6 - saved_at);
            assert_eq!(all(&second), all(&whole), "saved after {saved_at} steps");
        }
    }
}

#[test]
fn parameters_are_found_in_another_order() {
    let first = start();
    let options = LbfgsOptions { max_iter: 3, ..wolfe() };
    let mut before = Lbfgs::new(first.clone(), options.clone()).unwrap();
    train(&mut before, &first, 2);
    let second = start();
    second.iter().zip(&first).for_each(|(p, from)| p.set(&from.tensor()).unwrap());
    let mut after = Lbfgs::new([second[1].clone(), second[0].clone()], options).unwrap();
    after.load_state_dict(&before.state_dict().unwrap()).unwrap();
    train(&mut before, &first, 2);
    train(&mut after, &second, 2);
    for (a, b) in all(&first).into_iter().zip(all(&second)) {
        assert!((a - b).abs() < 1e-9, "{a} and {b}");
    }
}

#[test]
fn a_state_that_does_not_fit_is_refused() {
    let parameters = start();
    let mut optimizer = Lbfgs::new(parameters.clone(), wolfe()).unwrap();
    train(&mut optimizer, &parameters, 1);
    let good = optimizer.state_dict().unwrap();
    let refused = |optimizer: &mut Lbfgs, change: &dyn Fn(&mut StateDict), word: &str| {
        let mut state = good.clone();
        change(&mut state);
        let error = optimizer.load_state_dict(&state).unwrap_err();
        assert_eq!((error.kind(), error.location().unwrap().file()), (ErrorKind::Data, file!()), "{error}");
        assert!(error.to_string().contains(word), "{error}");
        assert_eq!(optimizer.state_dict().unwrap().to_bytes().unwrap(), good.to_bytes().unwrap());
    };
    let o = &mut optimizer;
    refused(o, &|s| drop(s.remove("d")), "missing tensor d");
    refused(o, &|s| s.insert("e", Tensor::new([1.0])).unwrap(), "unexpected tensor e");
    refused(o, &|s| replace(s, "\"name\":\"b\"", "\"name\":\"c\""), "has no parameter c");
    refused(o, &|s| replace(s, "\"history_size\":100", "\"history_size\":0"), "history_size must be");
    refused(
        o,
        &|s| {
            s.remove("d");
            s.insert("d", Tensor::new([1.0])).unwrap();
        },
        "d has shape [1]",
    );
    let adam = Adam::new(start(), AdamOptions::default()).unwrap().state_dict().unwrap();
    let error = o.load_state_dict(&adam).unwrap_err().to_string();
    assert!(error.contains("Adam") && error.contains("LBFGS"), "{error}");
}

fn replace(state: &mut StateDict, from: &str, to: &str) {
    let json = state.metadata_mut().get_mut("lbfgs").unwrap();
    assert!(json.contains(from), "{json}");
    *json = json.replacen(from, to, 1);
}

#[test]
fn bad_options_and_closures_are_refused() {
    let refused = |options: LbfgsOptions, words: &[&str]| {
        let error = Lbfgs::new([parameter(1, 2)], options).unwrap_err();
        assert_eq!((error.kind(), error.location().unwrap().file()), (ErrorKind::Value, file!()), "{error}");
        assert!(words.iter().all(|word| error.to_string().contains(word)), "{error}");
    };
    refused(LbfgsOptions { lr: -0.5, ..Default::default() }, &["lr", "-0.5"]);
    refused(LbfgsOptions { max_iter: 0, ..Default::default() }, &["max_iter"]);
    refused(LbfgsOptions { history_size: 0, ..Default::default() }, &["history_size"]);
    refused(LbfgsOptions { tolerance_grad: f64::NAN, ..Default::default() }, &["tolerance_grad", "NaN"]);
    assert!(Lbfgs::new([], LbfgsOptions::default()).is_err());
    let p = parameter(1, 2);
    assert!(Lbfgs::new([p.clone(), p.clone()], LbfgsOptions::default()).is_err());
    let narrow = Parameter::new(tensor_f32(&numbers(1, 2), [2])).unwrap();
    assert!(Lbfgs::new([p.clone(), narrow], LbfgsOptions::default()).is_err());

    let mut optimizer = Lbfgs::new([p.clone()], wolfe()).unwrap();
    let error = optimizer.step(|| p.tensor().sum()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Graph);
    assert!(error.to_string().contains("backward"), "{error}");
    // One that fails in the middle of a line search: the search is where it began.
    let mut calls = 0;
    let result = optimizer.step(|| {
        calls += 1;
        if calls == 2 {
            return Err(Error::new(ErrorKind::Data, "closure", "no more data"));
        }
        p.zero_grad();
        let loss = p.tensor().square()?.sum()?;
        loss.backward()?;
        Ok(loss)
    });
    assert_eq!(result.unwrap_err().operation(), "closure");
    assert_eq!(values(&p), numbers(1, 2));
}

#[test]
fn schedulers_change_its_learning_rate() {
    let mut optimizer = Lbfgs::new([parameter(1, 2)], LbfgsOptions::default()).unwrap();
    let mut scheduler = StepLR::new(&mut optimizer, 1, 0.5).unwrap();
    scheduler.step(&mut optimizer).unwrap();
    assert_eq!((optimizer.options().lr, optimizer.initial_lr(0).unwrap()), (0.5, 1.0));
    assert!(OneCycleLR::new(&mut optimizer, 1.0, 3).is_err());
}
