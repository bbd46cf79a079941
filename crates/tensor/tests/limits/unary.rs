//! Functions of one number.

use std::f64::consts::{FRAC_2_SQRT_PI, LN_2, LN_10, PI};

use chainrule_tensor::{DType, Result, Tensor};

use crate::functions::{cdf, erf, pdf, sech2, sigmoid, sign, times};
use crate::{fault, gradients, numbers, tensor};

/// An operation, and what it is with its first and second derivative.
pub(crate) struct Unary {
    pub(crate) name: &'static str,
    call: fn(&Tensor) -> Result<Tensor>,
    is: [fn(f64) -> f64; 3],
}

const fn row(name: &'static str, call: fn(&Tensor) -> Result<Tensor>, is: [fn(f64) -> f64; 3]) -> Unary {
    Unary { name, call, is }
}

/// √(2/π)·(x + 0.044715·x³), and its derivatives.
fn inner(x: f64) -> [f64; 3] {
    let scale = (2.0 / PI).sqrt();
    [scale * (x + 0.044715 * x.powi(3)), scale * (1.0 + 0.134145 * x * x), scale * 0.26829 * x]
}

fn gelu_tanh_second(x: f64) -> f64 {
    let [u, du, ddu] = inner(x);
    times(sech2(u), du + 0.5 * x * ddu - x * u.tanh() * du * du)
}

pub(crate) const UNARY: &[Unary] = &[
    row("abs", Tensor::abs, [f64::abs, sign, |_| 0.0]),
    row("ceil", Tensor::ceil, [f64::ceil, |_| 0.0, |_| 0.0]),
    row(
        "clamp",
        |x| x.clamp(Some(-2.0), Some(f64::INFINITY)),
        [
            |x| x.max(-2.0),
            // At a bound it is 0, by convention.
            |x| f64::from(x > -2.0 && x < f64::INFINITY),
            |_| 0.0,
        ],
    ),
    row(
        "clamp",
        |x| x.clamp(Some(f64::NEG_INFINITY), None),
        [|x| x, |x| f64::from(x > f64::NEG_INFINITY), |_| 0.0],
    ),
    row("cos", Tensor::cos, [f64::cos, |x| -x.sin(), |x| -x.cos()]),
    row(
        "elu",
        |x| x.elu(1.5),
        [
            |x| if x > 0.0 { x } else { 1.5 * x.exp_m1() },
            |x| if x > 0.0 { 1.0 } else { 1.5 * x.exp() },
            |x| if x >= 0.0 { 0.0 } else { 1.5 * x.exp() },
        ],
    ),
    row(
        "erf",
        Tensor::erf,
        [erf, |x| FRAC_2_SQRT_PI * (-x * x).exp(), |x| times((-x * x).exp(), -2.0 * x * FRAC_2_SQRT_PI)],
    ),
    row("exp", Tensor::exp, [f64::exp, f64::exp, f64::exp]),
    row("expm1", Tensor::expm1, [f64::exp_m1, f64::exp, f64::exp]),
    row("floor", Tensor::floor, [f64::floor, |_| 0.0, |_| 0.0]),
    row(
        "gelu",
        Tensor::gelu,
        [|x| times(cdf(x), x), |x| cdf(x) + times(pdf(x), x), |x| times(pdf(x), 2.0 - x * x)],
    ),
    row(
        "gelu_tanh",
        Tensor::gelu_tanh,
        [
            |x| times(0.5 + 0.5 * inner(x)[0].tanh(), x),
            |x| 0.5 + 0.5 * inner(x)[0].tanh() + times(sech2(inner(x)[0]), 0.5 * x * inner(x)[1]),
            gelu_tanh_second,
        ],
    ),
    row(
        "leaky_relu",
        |x| x.leaky_relu(0.01),
        [|x| if x > 0.0 { x } else { 0.01 * x }, |x| if x > 0.0 { 1.0 } else { 0.01 }, |_| 0.0],
    ),
    row("leaky_relu", |x| x.leaky_relu(0.0), [|x| x.max(0.0), |x| f64::from(x > 0.0), |_| 0.0]),
    row("log", Tensor::log, [f64::ln, |x| 1.0 / x, |x| -1.0 / x / x]),
    row("log10", Tensor::log10, [f64::log10, |x| 1.0 / LN_10 / x, |x| -1.0 / LN_10 / x / x]),
    row("log1p", Tensor::log1p, [f64::ln_1p, |x| 1.0 / (1.0 + x), |x| -(1.0 + x).powi(-2)]),
    row("log2", Tensor::log2, [f64::log2, |x| 1.0 / LN_2 / x, |x| -1.0 / LN_2 / x / x]),
    row("neg", Tensor::neg, [|x| -x, |_| -1.0, |_| 0.0]),
    row("pow", |x| x.pow(0.0), [|_| 1.0, |_| 0.0, |_| 0.0]),
    row("pow", |x| x.pow(1.0), [|x| x, |_| 1.0, |_| 0.0]),
    row("pow", |x| x.pow(1.75), [|x| x.powf(1.75), |x| 1.75 * x.powf(0.75), |x| 1.3125 * x.powf(-0.25)]),
    row("pow", |x| x.pow(3.0), [|x| x.powf(3.0), |x| 3.0 * x * x, |x| 6.0 * x]),
    row("pow", |x| x.pow(4.0), [|x| x.powf(4.0), |x| 4.0 * x.powf(3.0), |x| 12.0 * x * x]),
    row("pow", |x| x.pow(-2.5), [|x| x.powf(-2.5), |x| -2.5 * x.powf(-3.5), |x| 8.75 * x.powf(-4.5)]),
    row("reciprocal", Tensor::reciprocal, [|x| 1.0 / x, |x| -1.0 / x / x, |x| 2.0 / x / x / x]),
    row("relu", Tensor::relu, [|x| x.max(0.0), |x| f64::from(x > 0.0), |_| 0.0]),
    row("round", Tensor::round, [f64::round_ties_even, |_| 0.0, |_| 0.0]),
    row(
        "rsqrt",
        Tensor::rsqrt,
        [|x| 1.0 / x.sqrt(), |x| -0.5 * (1.0 / x.sqrt()).powi(3), |x| 0.75 * (1.0 / x.sqrt()).powi(5)],
    ),
    row(
        "sigmoid",
        Tensor::sigmoid,
        [sigmoid, |x| sigmoid(x) * sigmoid(-x), |x| sigmoid(x) * sigmoid(-x) * (sigmoid(-x) - sigmoid(x))],
    ),
    row("sign", Tensor::sign, [sign, |_| 0.0, |_| 0.0]),
    row(
        "silu",
        Tensor::silu,
        [
            |x| times(sigmoid(x), x),
            |x| times(sigmoid(x), 1.0 + times(sigmoid(-x), x)),
            |x| times(sigmoid(x) * sigmoid(-x), 2.0 + x * (sigmoid(-x) - sigmoid(x))),
        ],
    ),
    row("sin", Tensor::sin, [f64::sin, f64::cos, |x| -x.sin()]),
    row(
        "softplus",
        |x| x.softplus(1.0, 20.0),
        [|x| if x > 20.0 { x } else { x.exp().ln_1p() }, sigmoid, |x| sigmoid(x) * sigmoid(-x)],
    ),
    row(
        "softplus",
        |x| x.softplus(0.5, 1e30),
        [
            |x| x.max(0.0) + 2.0 * (-0.5 * x.abs()).exp().ln_1p(),
            |x| sigmoid(0.5 * x),
            |x| 0.5 * sigmoid(0.5 * x) * sigmoid(-0.5 * x),
        ],
    ),
    row("sqrt", Tensor::sqrt, [f64::sqrt, |x| 0.5 / x.sqrt(), |x| -0.25 / x.sqrt().powi(3)]),
    row("square", Tensor::square, [|x| x * x, |x| 2.0 * x, |_| 2.0]),
    row(
        "tan",
        Tensor::tan,
        [f64::tan, |x| 1.0 + x.tan() * x.tan(), |x| 2.0 * x.tan() * (1.0 + x.tan() * x.tan())],
    ),
    row("tanh", Tensor::tanh, [f64::tanh, sech2, |x| -2.0 * x.tanh() * sech2(x)]),
    row("trunc", Tensor::trunc, [f64::trunc, |_| 0.0, |_| 0.0]),
];

/// Where numbers of a dtype end, and some in between.
fn points(dtype: DType) -> Vec<f64> {
    let (most, least) = if dtype == DType::F32 {
        (f64::from(f32::MAX), 2f64.powi(-140))
    } else {
        (f64::MAX, 2f64.powi(-1060))
    };
    let mut points = vec![0.0, least, 1.0, 30.0, 100.0, 1000.0, 1e20, most, f64::INFINITY];
    points.extend(points.clone().iter().map(|x| -x));
    // Of f32 the number is meant that is stored.
    if dtype == DType::F32 {
        points.iter_mut().for_each(|x| *x = f64::from(*x as f32));
    }
    points
}

#[test]
fn values_and_derivatives_are_the_limits() {
    let mut faults = Vec::new();
    for Unary { name, call, is: [f, df, ddf] } in UNARY {
        for dtype in [DType::F32, DType::F64] {
            let points = points(dtype);
            // In vectors and in what is left behind them.
            let many: Vec<f64> = points.iter().cycle().take(points.len() * 7 + 5).copied().collect();
            let x = tensor(&many, dtype).requires_grad_(true).expect("a leaf");
            let y = call(&x).expect("values");
            let fused = gradients(&y, &[&x], false).swap_remove(0);
            let slope = gradients(&y, &[&x], true).swap_remove(0);
            let bend = if slope.requires_grad() {
                numbers(&gradients(&slope, &[&x], false).swap_remove(0))
            } else {
                vec![0.0; many.len()]
            };
            let found = [
                ("value", numbers(&y), f),
                ("derivative", numbers(&fused), df),
                ("derivative by tensors", numbers(&slope), df),
                ("second derivative", bend, ddf),
            ];
            for (what, got, want) in found {
                for (&got, &x) in got.iter().zip(&many) {
                    if let Some(fault) = fault(got, want(x), dtype) {
                        faults.push(format!("{name} of {dtype} {x:e}: the {what} is {fault}"));
                    }
                }
            }
        }
    }
    faults.sort();
    faults.dedup();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
