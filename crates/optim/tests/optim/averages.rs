//! Averages of weights, weight decay by group, and parameters as a vector.

use chainrule_optim::*;
use chainrule_tensor::{Parameter, StateDict, Tensor, copies_on_write};

use crate::{numbers, parameter, tensor, tensor_f32, values};

fn model() -> Vec<Parameter> {
    let narrow = Parameter::new(tensor_f32(&numbers(2, 6), [2, 3])).unwrap();
    let parameters = vec![parameter(1, 50), narrow];
    parameters.iter().zip(["bias", "weight"]).for_each(|(p, name)| p.set_name(name));
    parameters
}

fn go(parameters: &[Parameter], step: u64) {
    parameters[0].set(&tensor(&numbers(10 + step, 50), [50])).unwrap();
    parameters[1].set(&tensor_f32(&numbers(20 + step, 6), [2, 3])).unwrap();
}

fn averages(averaged: &AveragedModel) -> (Vec<f64>, Vec<f32>) {
    let all: Vec<Tensor> = averaged.averages().collect();
    (all[0].to_vec().unwrap(), all[1].to_vec().unwrap())
}

#[test]
fn averages_are_their_formulas() {
    for averaging in [Averaging::Swa, Averaging::Ema { decay: 0.9 }, Averaging::Ema { decay: 0.2 }] {
        let parameters = model();
        let mut averaged = AveragedModel::new(parameters.clone(), averaging).unwrap();
        assert_eq!(averages(&averaged).0, numbers(1, 50), "at first the values as they are");
        let mut want: Vec<f64> = Vec::new();
        for step in 0..7 {
            go(&parameters, step);
            averaged.update_parameters().unwrap();
            let x = numbers(10 + step, 50);
            if step == 0 {
                want = x;
                assert_eq!(averages(&averaged).0, want, "the first update is a copy");
                continue;
            }
            let share = match averaging {
                Averaging::Swa => 1.0 / (step + 1) as f64,
                Averaging::Ema { decay } => 1.0 - decay,
            };
            want.iter_mut().zip(x).for_each(|(a, x)| *a = *a * (1.0 - share) + share * x);
            for (got, want) in averages(&averaged).0.iter().zip(&want) {
                assert!((got - want).abs() < 1e-14, "{averaging:?}: {got} instead of {want}");
            }
        }
        assert_eq!(averaged.n_averaged(), 7);
    }
    let parameters = model();
    let mut averaged = AveragedModel::new(parameters.clone(), Averaging::Swa).unwrap();
    for step in 0..3 {
        go(&parameters, step);
        averaged.update_parameters().unwrap();
    }
    let mean = |i: usize| (0..3).map(|step| numbers(20 + step, 6)[i]).sum::<f64>() / 3.0;
    for (i, got) in averages(&averaged).1.into_iter().enumerate() {
        assert!((f64::from(got) - mean(i)).abs() < 1e-6);
    }
}

#[test]
fn averages_are_exchanged_copied_saved_and_loaded() {
    let parameters = model();
    let mut averaged = AveragedModel::new(parameters.clone(), Averaging::Ema { decay: 0.7 }).unwrap();
    for step in 0..3 {
        go(&parameters, step);
        averaged.update_parameters().unwrap();
    }
    let (average, present) = (averages(&averaged).0, values(&parameters[0]));
    averaged.swap().unwrap();
    assert_eq!((values(&parameters[0]), averages(&averaged).0), (average.clone(), present.clone()));
    averaged.swap().unwrap();
    assert_eq!((values(&parameters[0]), averages(&averaged).0), (present, average.clone()));

    let other = model();
    averaged.copy_to(&other).unwrap();
    assert_eq!(values(&other[0]), average);
    assert!(averaged.copy_to(&other[..1]).is_err());
    assert!(averaged.copy_to([&other[1], &other[0]]).is_err());

    let state = averaged.state_dict().unwrap();
    assert_eq!(state.names().collect::<Vec<_>>(), ["n_averaged", "module.bias", "module.weight"]);
    let state = StateDict::from_bytes(&state.to_bytes().unwrap()).unwrap();
    let second = model();
    let mut resumed = AveragedModel::new(second.clone(), Averaging::Ema { decay: 0.7 }).unwrap();
    resumed.load_state_dict(&state).unwrap();
    assert_eq!(resumed.n_averaged(), 3);
    for step in 3..6 {
        go(&parameters, step);
        go(&second, step);
        averaged.update_parameters().unwrap();
        resumed.update_parameters().unwrap();
        assert_eq!(averages(&averaged), averages(&resumed));
    }
    assert_eq!(
        state.get("module.bias").unwrap().to_vec::<f64>().unwrap(),
        average,
        "a state dict does not change"
    );

    let before = averages(&resumed);
    let mut broken = state.clone();
    broken.remove("module.bias");
    broken.insert("bias", Tensor::new([1.0])).unwrap();
    broken.remove("n_averaged");
    let error = resumed.load_state_dict(&broken).unwrap_err().to_string();
    for word in ["missing tensor module.bias", "unexpected tensor bias", "n_averaged is not a count"] {
        assert!(error.contains(word), "{error}");
    }
    assert_eq!(averages(&resumed), before);
}

#[test]
fn averages_out_of_range_are_refused() {
    for decay in [-0.1, 1.1, f64::NAN] {
        let error = AveragedModel::new(model(), Averaging::Ema { decay }).unwrap_err();
        assert!(error.to_string().contains(&decay.to_string()), "{error}");
        assert_eq!(error.location().unwrap().file(), file!());
    }
    assert!(AveragedModel::new([], Averaging::Swa).is_err());
}

#[test]
fn biases_and_norms_do_not_decay() {
    let shapes: [&[usize]; 5] = [&[3, 2], &[3], &[], &[4, 3, 2, 2], &[7]];
    let parameters: Vec<Parameter> = shapes
        .iter()
        .map(|&shape| Parameter::new(tensor(&numbers(1, shape.iter().product()), shape)).unwrap())
        .collect();
    let options = SgdOptions { lr: 1.0, weight_decay: 0.5, ..Default::default() };
    let mut optimizer = Sgd::with_groups(weight_decay_groups(parameters.clone(), options).unwrap()).unwrap();
    let names: Vec<_> =
        optimizer.param_groups().iter().map(|g| (g.name().unwrap(), g.parameters().len())).collect();
    assert_eq!(names, [("decay", 2), ("no_decay", 3)]);
    for p in &parameters {
        p.set_grad(Some(Tensor::zeros_like(&p.tensor()).unwrap())).unwrap();
    }
    optimizer.step().unwrap();
    for (p, shape) in parameters.iter().zip(shapes) {
        let factor = if shape.len() > 1 { 0.5 } else { 1.0 };
        let want: Vec<f64> = numbers(1, p.numel()).into_iter().map(|x| x * factor).collect();
        assert_eq!(values(p), want);
    }
    let error = weight_decay_groups(parameters, RpropOptions::default()).err().unwrap();
    assert!(error.to_string().contains("Rprop"), "{error}");
}

#[test]
fn every_algorithm_with_weight_decay_can_be_grouped() {
    fn check<A: Algorithm + Default>() {
        let [decay, no_decay] = weight_decay_groups([parameter(1, 2)], A::default()).unwrap();
        let json = serde_json::to_string(&no_decay.options).unwrap();
        assert!(json.contains("\"weight_decay\":0.0"), "{json}");
        assert_eq!((decay.parameters().len(), no_decay.parameters().len()), (0, 1));
    }
    check::<SgdOptions>();
    check::<AdamOptions>();
    check::<AdamWOptions>();
    check::<RmsPropOptions>();
    check::<AdagradOptions>();
    check::<AdadeltaOptions>();
    check::<AdamaxOptions>();
    check::<NAdamOptions>();
    check::<RAdamOptions>();
    check::<AsgdOptions>();
    check::<LionOptions>();
    check::<AdafactorOptions>();
    check::<MuonOptions>();
}

#[test]
fn a_vector_is_all_parameters_and_back() {
    let (a, b) = (parameter(1, 6), parameter(2, 2));
    let vector = parameters_to_vector([&a, &b]).unwrap();
    assert_eq!(vector.to_vec::<f64>().unwrap(), [numbers(1, 6), numbers(2, 2)].concat());
    vector.square().unwrap().sum().unwrap().backward().unwrap();
    let grad = b.grad().unwrap().to_vec::<f64>().unwrap();
    assert_eq!(grad, values(&b).iter().map(|x| 2.0 * x).collect::<Vec<_>>());

    let new = numbers(3, 8);
    vector_to_parameters(&tensor(&new, [8]), [&a, &b]).unwrap();
    assert_eq!([values(&a), values(&b)].concat(), new);
    for bad in [tensor(&new, [2, 4]), tensor(&new[..7], [7]), tensor_f32(&new, [8])] {
        assert!(vector_to_parameters(&bad, [&a, &b]).is_err());
        assert_eq!([values(&a), values(&b)].concat(), new);
    }
    let none: [&Parameter; 0] = [];
    assert!(parameters_to_vector(none).is_err());
}

/// An average that shared memory with the parameter would make the next step of the optimizer copy it.
#[test]
fn averages_have_memory_of_their_own() {
    let p = parameter(1, 5);
    let mut averaged = AveragedModel::new([p.clone()], Averaging::Swa).unwrap();
    averaged.update_parameters().unwrap();
    let address = p.tensor().as_slice::<f64>().unwrap().as_ptr();
    p.update(|x: &mut [f64]| x[0] = 9.0).unwrap();
    assert_eq!(p.tensor().as_slice::<f64>().unwrap().as_ptr(), address, "{} copies", copies_on_write());
    assert_eq!(averages(&AveragedModel::new(model(), Averaging::Swa).unwrap()).0[0], numbers(1, 50)[0]);
}
