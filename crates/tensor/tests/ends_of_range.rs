//! Reductions and normalisations at the ends of the range of their type, and around large means: what fits comes out. The
//! numbers are those of mathematics.

use chainrule_tensor::autograd::{GradOptions, grad};
use chainrule_tensor::{DType, Result, Tensor};

fn tensor(values: &[f64], dtype: DType) -> Tensor {
    Tensor::from_slice(values, values.len()).and_then(|x| x.to_dtype(dtype)).unwrap()
}

fn numbers(x: &Tensor) -> Vec<f64> {
    x.to_dtype(DType::F64).unwrap().to_vec().unwrap()
}

#[track_caller]
fn assert_near(what: &str, got: &[f64], want: &[f64], tolerance: f64) {
    let near = |(g, w): (&f64, &f64)| (g - w).abs() <= tolerance * w.abs() || g == w;
    assert!(got.len() == want.len() && got.iter().zip(want).all(near), "{what}: {got:?} instead of {want:?}");
}

/// The value and the gradient of f, by the fused way and by the formula.
#[track_caller]
fn check(dtype: DType, x: &[f64], f: impl Fn(&Tensor) -> Result<Tensor>, value: &[f64], slope: &[f64]) {
    let tolerance = if dtype == DType::F32 { 3e-6 } else { 1e-13 };
    let x = tensor(x, dtype).requires_grad_(true).unwrap();
    let y = f(&x).unwrap();
    assert_near("value", &numbers(&y), value, tolerance);
    for create_graph in [false, true] {
        let options = GradOptions { create_graph, retain_graph: true, ..Default::default() };
        let ones = Tensor::ones_like(&y).unwrap();
        let got = grad(&[&y], &[&x], &[Some(&ones)], options).unwrap();
        let got = numbers(got[0].as_ref().unwrap());
        assert_near(&format!("gradient ({create_graph})"), &got, slope, tolerance);
    }
}

const F32: DType = DType::F32;
const F64: DType = DType::F64;

#[test]
fn means_of_large_numbers() {
    let third = 1.0 / 3.0;
    check(F32, &[3e38; 3], |x| x.mean(), &[3e38], &[third; 3]);
    check(F64, &[1.7e308; 3], |x| x.mean(), &[1.7e308], &[third; 3]);
    check(F64, &[1.7e308, 1.7e308, -1.7e308], |x| x.sum(), &[1.7e308], &[1.0; 3]);
    // Over two dimensions that are no neighbours, the first of which gives too much.
    let outer_and_inner = |x: &Tensor| x.reshape([2, 1, 2])?.sum_dim([0, 2], false);
    check(F32, &[3e38, 3e38, -3e38, -2e38], outer_and_inner, &[1e38], &[1.0; 4]);
    check(F64, &[1.5e308, 1.5e308, -1.5e308, -1e308], outer_and_inner, &[5e307], &[1.0; 4]);
}

#[test]
fn spread_of_large_and_small_numbers() {
    let x: Vec<f64> = (0..10).map(|i| if i % 2 == 0 { 1e19 } else { -1e19 }).collect();
    let slope = |factor: f64| x.iter().map(|v| v / 1e19 * factor).collect::<Vec<_>>();
    check(F32, &x, |x| x.var(), &[1e39 / 9.0], &slope(2e19 / 9.0));
    check(F32, &x, |x| x.std(), &[1e19 * (10f64 / 9.0).sqrt()], &slope(1.0 / (90f64).sqrt()));
    for (dtype, size) in
        [(F32, 1e38), (F32, 1e-38), (F64, 1e200), (F64, 1e-200), (F64, 1.2e308), (F64, 1e-300)]
    {
        let root = 2f64.sqrt();
        check(dtype, &[size, -size], |x| x.std(), &[size * root], &[1.0 / root, -1.0 / root]);
        check(dtype, &[size; 3], |x| x.std(), &[0.0], &[0.0; 3]);
    }
    check(F32, &[10000001.0, 10000002.0], |x| x.var(), &[0.5], &[-1.0, 1.0]);
    check(F64, &[1e16, 1e16 + 2.0], |x| x.var(), &[2.0], &[-2.0, 2.0]);
    check(F64, &[1e16, 1e16 + 2.0], |x| x.std(), &[2f64.sqrt()], &[-(0.5f64.sqrt()), 0.5f64.sqrt()]);
    // Each way in which dimensions lie: inner, outer, in the middle, around one that is kept.
    let x = [1e6 + 1.0, 1e6 + 2.0, 5.0, 5.5, 1e6 + 4.0, 1e6 + 5.0, 6.0, 6.5];
    let of = |shape: [usize; 3], dims: &'static [isize]| {
        move |x: &Tensor| x.reshape(shape)?.var_dim(dims, 1.0, false)
    };
    check(
        F32,
        &x,
        of([2, 2, 2], &[2]),
        &[0.5, 0.125, 0.5, 0.125],
        &[-1.0, 1.0, -0.5, 0.5, -1.0, 1.0, -0.5, 0.5],
    );
    check(F32, &x, of([2, 2, 2], &[0]), &[4.5, 4.5, 0.5, 0.5], &[-3.0, -3.0, -1.0, -1.0, 3.0, 3.0, 1.0, 1.0]);
    let want = [10.0 / 3.0, 1.25 / 3.0];
    let slope = [-2.0, -1.0, -0.75, -0.25, 1.0, 2.0, 0.25, 0.75].map(|v: f64| v * 2.0 / 3.0);
    let slope = [slope[0], slope[1], -0.5, -1.0 / 6.0, slope[4], slope[5], 1.0 / 6.0, 0.5];
    check(F32, &x, of([2, 2, 2], &[0, 2]), &want, &slope);
    let y: Vec<f64> = [0, 1, 4, 5, 2, 3, 6, 7].map(|i: usize| x[i]).to_vec();
    let turned = [0, 1, 4, 5, 2, 3, 6, 7].map(|i: usize| slope[i]);
    check(
        F32,
        &y,
        |x| x.reshape([2, 2, 2])?.permute([1, 0, 2])?.var_dim([0, 2], 1.0, false),
        &[
            // The dimensions change places, and with them what is reduced.
            want[0], want[1],
        ],
        &turned,
    );
}

#[test]
fn products_and_their_gradients() {
    check(F32, &[1e13, 0.0, 0.0, 1e13, 1e13, 0.0, 1e13, 1e13, 1e13], |x| x.prod(), &[0.0], &[0.0; 9]);
    check(F64, &[1e200, 0.0, 0.0, 1e200, 1e200], |x| x.prod(), &[0.0], &[0.0; 5]);
    check(F32, &[1e30, 1e30, 1e-30, 1e-30], |x| x.prod(), &[1.0], &[1e-30, 1e-30, 1e30, 1e30]);
    check(F64, &[1e200, 1e200, 1e-200, 1e-200], |x| x.prod(), &[1.0], &[1e-200, 1e-200, 1e200, 1e200]);
    check(F32, &[1e30, 1e-38, 1e-20], |x| x.prod(), &[1e-28], &[0.0, 1e10, 1e-8]);
    check(F32, &[1e30, 1e30], |x| x.prod(), &[f64::INFINITY], &[1e30, 1e30]);
}

#[test]
fn norms_of_large_and_small_numbers() {
    check(F32, &[1e20, 1.0, 1.0], |x| x.norm(2.0), &[1e20], &[1.0, 1e-20, 1e-20]);
    let half = 0.5f64.sqrt();
    for (dtype, size) in [(F32, 1e-25), (F32, 2e38), (F32, 1e-38), (F64, 1e200), (F64, 1e-200), (F64, 4e307)]
    {
        for (p, value, slope) in [
            (2.0, 2f64.sqrt(), half),
            (3.0, 2f64.cbrt(), 2f64.powf(-2.0 / 3.0)),
            (0.5, 4.0, 2.0),
            (1.0, 2.0, 1.0),
            (-1.0, 0.5, 0.25),
            (f64::INFINITY, 1.0, 0.5),
            (f64::NEG_INFINITY, 1.0, 0.5),
        ] {
            // A norm that is no number of f32 has a gradient nonetheless.
            let too_large = dtype == F32 && value * size > f64::from(f32::MAX);
            let value = if too_large { f64::INFINITY } else { value * size };
            check(dtype, &[size, size], |x| x.norm(p), &[value], &[slope; 2]);
        }
        assert_eq!(numbers(&tensor(&[size, 0.0, size], dtype).norm(0.0).unwrap()), [2.0]);
    }
    let outer_and_inner = |x: &Tensor| x.reshape([2, 1, 2])?.norm_dim(2.0, [0, 2], false);
    check(F32, &[1e30, 1e30, 1e30, 1e30], outer_and_inner, &[2e30], &[0.5; 4]);
    check(F64, &[1e300, 1e300, 1e300, 1e300], outer_and_inner, &[2e300], &[0.5; 4]);
}

#[test]
fn running_sums_and_log_sums() {
    let x = [1.5e308, 1.5e308, -1.5e308];
    check(F64, &x, |x| x.cumsum(0), &[1.5e308, f64::INFINITY, 1.5e308], &[3.0, 2.0, 1.0]);
    // The logarithm rounded to f32 would be a factor of e^0.004 in the gradient.
    let e = 1f64.exp();
    let softmax = [1.0 / (1.0 + e), e / (1.0 + e)];
    for shift in [1e5, 1e6, -1e6] {
        let value = shift + (1.0 + e).ln();
        check(F32, &[shift, shift + 1.0], |x| x.logsumexp(0, false), &[value], &softmax);
    }
}

/// The gradient of Σ wⱼ·x̂ⱼ for x̂ = (x − mean) / √(variance + eps).
fn normalization(x: &[f64], eps: f64, w: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let n = x.len() as f64;
    // Differences from the first are exact.
    let mean = x.iter().map(|v| (v - x[0]) / n).sum::<f64>();
    let centred = x.iter().map(|v| (v - x[0]) - mean);
    let largest = centred.clone().fold(eps.sqrt(), |most, v| most.max(v.abs()));
    let centred: Vec<f64> = centred.map(|v| v / largest).collect();
    let sigma = (centred.iter().map(|v| v * v).sum::<f64>() / n + (eps.sqrt() / largest).powi(2)).sqrt();
    let hat: Vec<f64> = centred.iter().map(|v| v / sigma).collect();
    let average = w.iter().sum::<f64>() / n;
    let product = w.iter().zip(&hat).map(|(w, h)| w * h).sum::<f64>() / n;
    let slope = w.iter().zip(&hat).map(|(w, h)| (w - average - h * product) / sigma / largest).collect();
    (hat, slope)
}

#[test]
fn normalisation_of_large_small_and_shifted_numbers() {
    let w = [1.0, -2.0, 0.5, 4.0];
    for (dtype, size, mean, eps) in [
        (F32, 1e30, 0.0, 1e-5),
        (F32, 1e37, 1e37, 1e-5),
        (F32, 1.0, 1e5, 1e-5),
        (F32, 1.0, 1e7, 1e-5),
        (F32, 1e-25, 0.0, 1e-60),
        (F64, 1e200, 0.0, 1e-5),
        (F64, 1e-200, 0.0, 1e-300),
        (F64, 1.0, 4e15, 1e-5),
    ] {
        let x: Vec<f64> = [1.0, -1.0, 2.0, -3.0].iter().map(|v| v * size + mean).collect();
        let x = numbers(&tensor(&x, dtype));
        let (hat, slope) = normalization(&x, eps, &w);
        let value: Vec<f64> = hat.iter().zip(w).map(|(h, w)| h * w).collect();
        let scaled = |y: Tensor| y.reshape([4])?.mul(&tensor(&w, dtype));
        check(dtype, &x, |x| scaled(x.layer_norm(&[4], None, None, eps)?), &value, &slope);
        check(
            dtype,
            &x,
            |x| scaled(x.reshape([4, 1])?.batch_norm(None, None, None, eps)?.output),
            &value,
            &slope,
        );
        check(dtype, &x, |x| scaled(x.reshape([1, 2, 2])?.group_norm(1, None, None, eps)?), &value, &slope);
        check(dtype, &x, |x| scaled(x.reshape([1, 1, 4])?.instance_norm(None, None, eps)?), &value, &slope);
    }
    let x = tensor(&[1e30, -1e30, 2e30, -2e30], F32);
    let want = [0.6324555, -0.6324555, 1.2649111, -1.2649111];
    assert_near("layer norm", &numbers(&x.layer_norm(&[4], None, None, 1e-5).unwrap()), &want, 1e-6);
    let y = x.reshape([4, 1]).unwrap().batch_norm(None, None, None, 1e-5).unwrap();
    assert_near("batch norm", &numbers(&y.output), &want, 1e-6);
    assert_eq!(numbers(&y.mean), [0.0]);
}

#[test]
fn statistics_of_a_batch_are_right_to_the_last_digits() {
    let x = tensor(&[100001.0, 100002.0, 100004.0, 100005.0], F32).reshape([4, 1]).unwrap();
    let y = x.batch_norm(None, None, None, 1e-5).unwrap();
    assert_eq!((numbers(&y.mean), numbers(&y.var)), (vec![100003.0], vec![2.5]));
    let y = x.mul(1e14).unwrap().batch_norm(None, None, None, 1e-5).unwrap();
    assert_near("mean", &numbers(&y.mean), &[1.00003e19], 1e-6);
    // The f32 numbers nearest to these products are a little off.
    assert_near("variance", &numbers(&y.var), &[2.5e28], 0.2);
}
