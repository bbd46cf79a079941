//! Clipping of gradients.

use chainrule_optim::*;
use chainrule_tensor::{ErrorKind, Parameter, Tensor};

use crate::{numbers, parameter, tensor};

fn with_gradients(gradients: &[&[f64]]) -> Vec<Parameter> {
    let parameters: Vec<Parameter> = gradients.iter().map(|g| parameter(1, g.len())).collect();
    for (p, g) in parameters.iter().zip(gradients) {
        p.set_grad(Some(tensor(g, [g.len()]))).unwrap();
    }
    parameters
}

fn gradient(parameter: &Parameter) -> Vec<f64> {
    parameter.grad().unwrap().to_vec().unwrap()
}

#[test]
fn the_norm_is_that_of_all_gradients_together() {
    let (a, b) = (numbers(1, 50_000), numbers(2, 7));
    let mut parameters = with_gradients(&[&a, &b]);
    parameters.push(parameter(3, 4));
    let want = a.iter().chain(&b).map(|g| g * g).sum::<f64>().sqrt();
    let norm = clip_grad_norm_(&parameters, 2.0).unwrap();
    assert!((norm - want).abs() < 1e-10 * want);
    let factor = 2.0 / (want + 1e-6);
    for (got, g) in
        gradient(&parameters[0]).into_iter().chain(gradient(&parameters[1])).zip(a.iter().chain(&b))
    {
        assert!((got - g * factor).abs() < 1e-12);
    }
    assert!(parameters[2].grad().is_none());
}

#[test]
fn gradients_within_the_limit_stay_and_one_at_the_limit_shrinks_a_little() {
    let parameters = with_gradients(&[&[3.0, 4.0]]);
    assert_eq!(clip_grad_norm_(&parameters, 5.1).unwrap(), 5.0);
    assert_eq!(gradient(&parameters[0]), [3.0, 4.0]);
    assert_eq!(clip_grad_norm_(&parameters, 5.0).unwrap(), 5.0);
    assert!((gradient(&parameters[0])[0] - 3.0 * (5.0 / (5.0 + 1e-6))).abs() < 1e-15);
    assert_eq!(clip_grad_norm_([&parameter(1, 2)], 1.0).unwrap(), 0.0);
}

#[test]
fn other_norms_are_those_of_the_definition() {
    let parameters = with_gradients(&[&[3.0, -4.0], &[1.0]]);
    for (p, want) in
        [(1.0, 8.0), (f64::INFINITY, 4.0), (3.0, 92f64.cbrt()), (0.5, (3f64.sqrt() + 3.0).powi(2))]
    {
        let options = ClipGradNormOptions { norm_type: p, ..Default::default() };
        let norm = clip_grad_norm_with(&parameters, 1e9, options).unwrap();
        assert!((norm - want).abs() < 1e-12 * want, "{p}: {norm}");
    }
}

#[test]
fn norms_that_are_not_finite_are_refused_or_passed_on() {
    let strict = ClipGradNormOptions { error_if_nonfinite: true, ..Default::default() };
    for bad in [f64::NAN, f64::INFINITY] {
        let parameters = with_gradients(&[&[bad, 1.0], &[2.0]]);
        let error = clip_grad_norm_with(&parameters, 1.0, strict).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFinite);
        assert_eq!(gradient(&parameters[1]), [2.0], "nothing changes");
        clip_grad_norm_(&parameters, 1.0).unwrap();
        let other = gradient(&parameters[1])[0];
        assert!(if bad.is_nan() { other.is_nan() } else { other == 0.0 });
        assert!(gradient(&parameters[0])[0].is_nan());
    }
    assert!(clip_grad_norm_(with_gradients(&[&[1.0]]), -1.0).is_err());
    assert!(clip_grad_norm_(with_gradients(&[&[1.0]]), f64::NAN).is_err());
    assert!(get_total_norm([Tensor::new([1i64])], 2.0).is_err());
}

#[test]
fn values_are_clamped() {
    let parameters = with_gradients(&[&[3.0, -4.0, 0.5, f64::NAN, f64::INFINITY]]);
    clip_grad_value_(&parameters, 1.0).unwrap();
    let got = gradient(&parameters[0]);
    assert_eq!(got[..3], [1.0, -1.0, 0.5]);
    assert!(got[3].is_nan() && got[4] == 1.0);
    assert!(clip_grad_value_(&parameters, -1.0).is_err());
}

#[test]
fn where_all_is_allowed_nothing_changes() {
    for gradient_ in [1e300, f64::INFINITY] {
        let parameters = with_gradients(&[&[gradient_, -1.0]]);
        clip_grad_norm_(&parameters, f64::INFINITY).unwrap();
        assert_eq!(gradient(&parameters[0]), [gradient_, -1.0]);
    }
    let parameters = with_gradients(&[&[f64::NAN, -1.0]]);
    assert!(clip_grad_norm_(&parameters, f64::INFINITY).unwrap().is_nan());
    assert!(gradient(&parameters[0])[1].is_nan());
    let parameters = with_gradients(&[&[3.0, -4.0]]);
    clip_grad_norm_(&parameters, 0.0).unwrap();
    assert_eq!(gradient(&parameters[0]), [0.0, 0.0]);
}

#[test]
fn unusual_norms_are_those_of_the_definition_and_none_is_zero() {
    // Of the norms of the tensors, as in PyTorch: with 0 that is the number of tensors that are not all 0.
    for (norm_type, want) in
        [(0.0, 2.0), (f64::NEG_INFINITY, 0.0), (-1.0, 0.0), (-2.0, 0.0), (f64::INFINITY, 4.0)]
    {
        let parameters = with_gradients(&[&[3.0, -4.0], &[0.0], &[1.0]]);
        let options = ClipGradNormOptions { norm_type, ..Default::default() };
        assert_eq!(clip_grad_norm_with(&parameters, 1e9, options).unwrap(), want, "{norm_type}");
        assert_eq!(clip_grad_norm_with::<Parameter>([], 1.0, options).unwrap(), 0.0);
        assert_eq!(clip_grad_norm_with([parameter(1, 3)], 0.0, options).unwrap(), 0.0);
    }
    let nan = ClipGradNormOptions { norm_type: f64::NAN, ..Default::default() };
    let parameters = with_gradients(&[&[3.0, -4.0]]);
    assert!(clip_grad_norm_with(&parameters, 1.0, nan).unwrap_err().to_string().contains("NaN"));
    assert_eq!(gradient(&parameters[0]), [3.0, -4.0]);
    clip_grad_value_::<Parameter>([], 1.0).unwrap();
    for bad in [f64::NAN, f64::INFINITY, -0.5] {
        assert!(clip_grad_value_(&parameters, bad).is_err());
    }
}

#[test]
fn a_factor_below_the_normal_numbers_keeps_its_digits() {
    let p = Parameter::new(Tensor::zeros([10_000]).unwrap()).unwrap();
    p.set_grad(Some(Tensor::full_of([10_000], 3e38f32).unwrap())).unwrap();
    let norm = clip_grad_norm_([&p], 0.5).unwrap();
    assert!((norm / 3e40 - 1.0).abs() < 1e-6);
    let got = p.grad().unwrap().to_vec::<f32>().unwrap()[0];
    assert!((f64::from(got) / 0.005 - 1.0).abs() < 1e-5, "{got}");
}

#[test]
fn a_parameter_that_is_given_twice_is_scaled_twice_as_in_pytorch() {
    let parameters = with_gradients(&[&[3.0, 4.0]]);
    let norm = clip_grad_norm_([&parameters[0], &parameters[0]], 1.0).unwrap();
    assert!((norm - 50f64.sqrt()).abs() < 1e-12);
    assert!((gradient(&parameters[0])[0] - 3.0 / 50.0).abs() < 1e-6);
}

#[test]
fn gradients_that_somebody_else_holds_are_copied_and_others_changed_in_place() {
    let parameters = with_gradients(&[&[3.0, 4.0], &[5.0]]);
    let kept = parameters[0].grad().unwrap();
    let address = |p: &Parameter| p.grad().unwrap().as_slice::<f64>().unwrap().as_ptr();
    let before = address(&parameters[1]);
    clip_grad_value_(&parameters, 1.0).unwrap();
    assert_eq!(address(&parameters[1]), before);
    assert_eq!(kept.to_vec::<f64>().unwrap(), [3.0, 4.0]);
    assert_eq!(gradient(&parameters[0]), [1.0, 1.0]);
}
