//! Losses where numbers end: 0·ln 0 is 0, and what fits comes out. Values and gradients are the mathematical limits, for
//! both float dtypes; expected numbers are computed in `f64` from the definitions.

mod classes;
mod elements;
mod sums;
mod vectors;

use chainrule_loss::*;
use chainrule_tensor::autograd::{GradOptions, grad};
use chainrule_tensor::{DType, Result, Tensor};

pub(crate) const INF: f64 = f64::INFINITY;
pub(crate) const FLOATS: [DType; 2] = [DType::F32, DType::F64];

/// A leaf of a dtype.
pub(crate) fn leaf(values: &[f64], shape: &[usize], dtype: DType) -> Tensor {
    let tensor = Tensor::from_slice(values, shape).and_then(|x| x.to_dtype(dtype));
    tensor.and_then(|x| x.requires_grad_(true)).expect("a leaf")
}

/// The numbers of a tensor.
pub(crate) fn numbers(x: &Tensor) -> Vec<f64> {
    x.detach().to_dtype(DType::F64).and_then(|x| x.to_vec::<f64>()).expect("numbers")
}

/// The gradients of Σ y, with or without a graph of their own.
pub(crate) fn gradients(y: &Tensor, of: &[&Tensor], create_graph: bool) -> Vec<Tensor> {
    let options = GradOptions { create_graph, retain_graph: true, allow_unused: true };
    let sum = y.sum().expect("a sum");
    let grads = grad(&[&sum], of, &[], options).expect("gradients");
    grads
        .into_iter()
        .zip(of)
        .map(|(g, x)| g.unwrap_or_else(|| Tensor::zeros_like(x).expect("zeros")))
        .collect()
}

/// Whether numbers of a dtype agree.
#[track_caller]
pub(crate) fn agree(what: &str, got: &[f64], want: &[f64], dtype: DType) {
    let tolerance = if dtype == DType::F32 { 2e-6 } else { 1e-13 };
    let same = |(&got, &want): (&f64, &f64)| {
        // What is too large for the dtype is infinite in it.
        let want = if dtype == DType::F32 { f64::from(want as f32) } else { want };
        got == want
            || (got - want).abs() <= tolerance * (want.abs() + f64::from(want.abs() > 1e-6))
            || (got.is_nan() && want.is_nan())
    };
    assert_eq!(got.len(), want.len(), "{what} of {dtype}");
    assert!(got.iter().zip(want).all(same), "{what} of {dtype}: {got:?} instead of {want:?}");
}

/// Checks losses and the gradient that their sum gives to the first input, by both ways back; a second derivative of it
/// is no NaN.
#[track_caller]
pub(crate) fn check(what: &str, x: &Tensor, losses: Result<Tensor>, want: &[f64], gradient: &[f64]) {
    let (losses, dtype) = (losses.expect("losses"), x.dtype());
    agree(&format!("{what}: losses"), &numbers(&losses), want, dtype);
    for create_graph in [false, true] {
        let found = gradients(&losses, &[x], create_graph).swap_remove(0);
        agree(&format!("{what}: gradient, recorded {create_graph}"), &numbers(&found), gradient, dtype);
        if found.requires_grad() {
            let second = numbers(&gradients(&found, &[x], false)[0]);
            assert!(second.iter().all(|v| !v.is_nan()), "{what} of {dtype}: second derivatives {second:?}");
        }
    }
}

pub(crate) const NONE: Reduction = Reduction::None;
