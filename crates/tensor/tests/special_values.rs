//! Infinities, NaN, ties and signs: results and gradients are those of PyTorch 2.15, whose numbers stand here.

use chainrule_tensor::{DType, Result, Tensor};

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

fn tensor(values: &[f64]) -> Tensor {
    Tensor::from_slice(values, values.len()).unwrap()
}

#[track_caller]
fn assert_same(got: &[f64], want: &[f64]) {
    let same = |(g, w): (&f64, &f64)| g == w || (g.is_nan() && w.is_nan()) || (g - w).abs() < 1e-12;
    assert!(got.len() == want.len() && got.iter().zip(want).all(same), "{got:?} instead of {want:?}");
}

/// The values of an operation and the gradients of their sum, for each of the inputs.
#[track_caller]
fn check(inputs: &[&[f64]], f: impl Fn(&[Tensor]) -> Result<Tensor>, values: &[f64], gradients: &[&[f64]]) {
    let inputs: Vec<Tensor> = inputs.iter().map(|x| tensor(x).requires_grad_(true).unwrap()).collect();
    let y = f(&inputs).unwrap();
    assert_same(&y.to_vec::<f64>().unwrap(), values);
    y.sum().unwrap().backward().unwrap();
    for (x, want) in inputs.iter().zip(gradients) {
        assert_same(&x.grad().unwrap().to_vec::<f64>().unwrap(), want);
    }
}

#[test]
fn power_at_zero_and_below() {
    check(
        &[&[0.0, 0.0, 0.0, -2.0, 2.0, NAN, 0.0], &[0.0, 2.0, -1.0, 2.0, NAN, 0.0, NAN]],
        |x| x[0].pow(&x[1]),
        &[1.0, 0.0, INF, 4.0, NAN, 1.0, NAN],
        &[&[0.0, 0.0, -INF, -4.0, NAN, 0.0, NAN], &[0.0, 0.0, -INF, NAN, NAN, NAN, NAN]],
    );
    check(&[&[0.0, 1.0, NAN, -1.0]], |x| x[0].pow(0.0), &[1.0; 4], &[&[0.0; 4]]);
}

#[test]
fn a_nan_wins_and_ties_share() {
    check(
        &[&[0.0, 1.0, NAN, 2.0], &[0.0, 0.0, 1.0, NAN]],
        |x| x[0].maximum(&x[1]),
        &[0.0, 1.0, NAN, NAN],
        &[&[0.5, 1.0, 1.0, 1.0], &[0.5, 0.0, 1.0, 1.0]],
    );
    check(&[&[0.0, 2.0, 2.0]], |x| x[0].amax(0, false), &[2.0], &[&[0.0, 0.5, 0.5]]);
    check(&[&[0.0, NAN, 2.0, NAN]], |x| x[0].max(), &[NAN], &[&[0.0, 0.5, 0.0, 0.5]]);
    check(&[&[2.0, NAN, 2.0, NAN]], |x| Ok(x[0].max_dim(0, false)?.0), &[NAN], &[&[0.0, 1.0, 0.0, 0.0]]);
    check(&[&[1.0, 2.0, 2.0]], |x| Ok(x[0].max_dim(0, false)?.0), &[2.0], &[&[0.0, 1.0, 0.0]]);
    for x in [tensor(&[1.0, NAN, NAN]), tensor(&[1.0, 2.0, 2.0])] {
        assert_eq!(x.argmax().unwrap().item().unwrap(), 1.0);
    }
    assert_eq!(tensor(&[1.0, NAN, NAN]).argmin().unwrap().item().unwrap(), 1.0);
}

#[test]
fn clamp_at_and_beyond_its_bounds() {
    let clamp = |min, max| move |x: &[Tensor]| x[0].clamp(min, max);
    let x: &[f64] = &[-1.0, 0.0, 0.5, 1.0, 2.0, NAN];
    let gradient: &[f64] = &[0.0, 0.0, 1.0, 0.0, 0.0, 0.0];
    check(&[x], clamp(Some(0.0), Some(1.0)), &[0.0, 0.0, 0.5, 1.0, 1.0, NAN], &[gradient]);
    check(&[x], clamp(Some(2.0), Some(1.0)), &[1.0, 1.0, 1.0, 1.0, 1.0, NAN], &[&[0.0; 6]]);
    check(&[&[1.0, 2.0]], clamp(Some(NAN), Some(3.0)), &[NAN, NAN], &[&[0.0, 0.0]]);
}

#[test]
fn an_infinite_gradient_stops_where_a_function_is_constant() {
    check(&[&[-1.0, 0.0, 4.0]], |x| x[0].relu()?.sqrt(), &[0.0, 0.0, 2.0], &[&[0.0, 0.0, 0.25]]);
    let clamped = |x: &[Tensor]| x[0].clamp(Some(0.0), None)?.sqrt();
    check(&[&[-1.0, 0.0, 4.0]], clamped, &[0.0, 0.0, 2.0], &[&[0.0, 0.0, 0.25]]);
    check(&[&[0.0, 4.5]], |x| x[0].floor()?.sqrt(), &[0.0, 2.0], &[&[0.0, 0.0]]);
    // An unused branch is no constant: 0 times an infinity.
    let chosen = |x: &[Tensor]| Tensor::where_(&x[0].gt(0.0)?, &x[0].sqrt()?, 0.0);
    check(&[&[0.0, 4.0]], chosen, &[0.0, 2.0], &[&[NAN, 0.25]]);
}

#[test]
fn rows_of_infinities() {
    let x: &[f64] = &[-INF, -INF];
    check(&[x], |x| x[0].logsumexp(0, false), &[-INF], &[&[NAN, NAN]]);
    check(&[x], |x| x[0].softmax(0), &[NAN, NAN], &[&[NAN, NAN]]);
    let x: &[f64] = &[INF, 1.0];
    check(&[x], |x| x[0].logsumexp(0, false), &[INF], &[&[NAN, 0.0]]);
    let x: &[f64] = &[-INF, 1.0];
    check(&[x], |x| x[0].logsumexp(0, false), &[1.0], &[&[0.0, 1.0]]);
    check(&[x], |x| x[0].softmax(0), &[0.0, 1.0], &[&[0.0, 0.0]]);
}

#[test]
fn products_and_norms_at_zero() {
    check(&[&[0.0, 2.0, 3.0]], |x| x[0].prod(), &[0.0], &[&[6.0, 0.0, 0.0]]);
    check(&[&[0.0, 0.0, 3.0]], |x| x[0].prod(), &[0.0], &[&[0.0, 0.0, 0.0]]);
    for p in [0.5, 1.0, 1.5, 2.0, 3.0, INF] {
        check(&[&[0.0, 0.0]], |x| x[0].norm(p), &[0.0], &[&[0.0, 0.0]]);
    }
    check(&[&[0.0, 2.0, -2.0]], |x| x[0].norm(INF), &[2.0], &[&[0.0, 0.5, -0.5]]);
    check(&[&[0.0, 1.0, -2.0]], |x| x[0].norm(-1.0), &[0.0], &[&[0.0, 0.0, 0.0]]);
}

#[test]
fn variance_of_too_few() {
    check(&[&[1.0]], |x| x[0].var(), &[NAN], &[&[NAN]]);
    check(&[&[1.0]], |x| x[0].std(), &[NAN], &[&[NAN]]);
    check(&[&[1.0, 1.0]], |x| x[0].std(), &[0.0], &[&[0.0, 0.0]]);
    check(&[&[1.0, 2.0]], |x| x[0].var_dim(0, 3.0, false), &[INF], &[&[1.0, -1.0]]);
    check(&[&[1.0, 2.0]], |x| x[0].std_dim(0, 3.0, false), &[INF], &[&[0.0, 0.0]]);
}

#[test]
fn remainder_has_the_sign_of_the_divisor() {
    check(
        &[&[5.0, -5.0, 5.0, -5.0, 1.0, INF, 5.0, -1.0], &[3.0, 3.0, -3.0, -3.0, 0.0, 2.0, INF, INF]],
        |x| x[0].remainder(&x[1]),
        &[2.0, 1.0, -1.0, -2.0, NAN, NAN, 5.0, INF],
        &[&[1.0; 8], &[-1.0, 2.0, 2.0, -1.0, -INF, NAN, 0.0, 1.0]],
    );
}

#[test]
fn integers_stay_integers_where_torch_keeps_them() {
    let x = Tensor::new([1, 2, -3]);
    let integers = |y: Result<Tensor>| y.unwrap().to_vec::<i64>().unwrap();
    assert_eq!(integers(x.abs()), [1, 2, 3]);
    assert_eq!(integers(x.pow(2)), [1, 4, 9]);
    assert_eq!(integers(x.pow(&Tensor::new([-1, -2, 3]))), [1, 0, -27]);
    assert_eq!(integers(x.remainder(2)), [1, 0, 1]);
    assert_eq!(integers(x.cumsum(0)), [1, 3, 0]);
    assert_eq!(integers(x.prod()), [-6]);
    assert_eq!(integers(Tensor::new([true, true]).cumsum(0)), [1, 2]);
    for y in [x.sqrt(), x.pow(0.5), x.remainder(2.5), x.logsumexp(0, false), x.clamp(Some(0.5), None)] {
        assert_eq!(y.unwrap().dtype(), DType::F32);
    }
}

#[test]
fn nothing_to_reduce() {
    let none = tensor(&[]);
    let value = |y: Result<Tensor>| y.unwrap().item().unwrap();
    assert_eq!(value(none.prod()), 1.0);
    assert_eq!(value(none.logsumexp(0, false)), -INF);
    assert_eq!(value(none.norm(2.0)), 0.0);
    assert_eq!((value(none.any()), value(none.all())), (0.0, 1.0));
    assert!(value(none.var()).is_nan());
}
