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
