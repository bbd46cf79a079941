//! The values that layers begin with where nobody says otherwise: drawn in PyTorch's order.

use chainrule_tensor::{DType, Parameter, Result, Shape, Tensor};

/// A weight as `Linear` and the convolutions begin with: `kaiming_uniform_(a=√5)`, which is uniform within
/// ±1/√fan_in.
///
/// He, Zhang, Ren and Sun, "Delving Deep into Rectifiers", 2015, with PyTorch's choice of the slope a.
#[track_caller]
pub(crate) fn weight(shape: impl Into<Shape>, fan_in: usize, dtype: DType) -> Result<Parameter> {
    // Rounded step by step as PyTorch does, so that the values are the same to the last bit.
    let a = 5f64.sqrt();
    let gain = (2.0 / (1.0 + a * a)).sqrt();
    let std = gain / (fan_in as f64).sqrt();
    uniform(shape, 3f64.sqrt() * std, dtype)
}

/// A bias as `Linear` and the convolutions begin with: uniform within ±1/√fan_in, zeros where `fan_in` is 0.
#[track_caller]
pub(crate) fn bias(len: usize, fan_in: usize, dtype: DType) -> Result<Parameter> {
    let bound = if fan_in > 0 { 1.0 / (fan_in as f64).sqrt() } else { 0.0 };
    uniform([len], bound, dtype)
}

/// A weight or bias as recurrent layers begin with: uniform within ±1/√n.
#[track_caller]
pub(crate) fn within_inverse_root(shape: &[usize], n: usize, dtype: DType) -> Result<Parameter> {
    uniform(shape, 1.0 / (n as f64).sqrt(), dtype)
}

/// A parameter of one value.
#[track_caller]
pub(crate) fn constant(shape: impl Into<Shape>, value: f64, dtype: DType) -> Result<Parameter> {
    Parameter::new(Tensor::full(shape, value, dtype)?)
}

#[track_caller]
fn uniform(shape: impl Into<Shape>, bound: f64, dtype: DType) -> Result<Parameter> {
    let shape = shape.into();
    // PyTorch draws nothing for a weight without elements, whose bound may be infinite.
    let values = match shape.contains(&0) {
        true => Tensor::full(shape, 0.0, dtype)?,
        false => Tensor::uniform(shape, -bound, bound, dtype)?,
    };
    Parameter::new(values)
}
