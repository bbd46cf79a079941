//! Parameters as one vector.

use std::borrow::Borrow;

use chainrule_tensor::{Parameter, Result, Tensor, bail};

/// The values of all parameters, one after the other, in row-major order (PyTorch:
/// `torch.nn.utils.parameters_to_vector`). Gradients go through it.
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{parameters_to_vector, vector_to_parameters};
/// # fn main() -> Result<()> {
/// let a = Parameter::new(Tensor::new([[1.0, 2.0], [3.0, 4.0]]))?;
/// let b = Parameter::new(Tensor::new([5.0]))?;
/// let vector = parameters_to_vector([&a, &b])?;
/// assert_eq!(vector.to_vec::<f32>()?, [1.0, 2.0, 3.0, 4.0, 5.0]);
/// vector_to_parameters(&(vector * 2.0), [&a, &b])?;
/// assert_eq!(b.tensor().to_vec::<f32>()?, [10.0]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When there are no parameters.
#[track_caller]
pub fn parameters_to_vector<P: Borrow<Parameter>>(parameters: impl IntoIterator<Item = P>) -> Result<Tensor> {
    let mut parts = Vec::new();
    for parameter in parameters {
        parts.push(parameter.borrow().tensor().reshape([-1])?);
    }
    if parts.is_empty() {
        bail!(Value, "parameters_to_vector", "there are no parameters");
    }
    Tensor::cat(&parts, 0)
}

/// Sets the values of all parameters to those of a vector, in the order of [`parameters_to_vector`] (PyTorch:
/// `torch.nn.utils.vector_to_parameters`). Gradients do not go through it.
///
/// # Errors
/// When the vector does not have one dimension and as many numbers as the parameters, or not their dtype, or there is no
/// memory; nothing changes then.
#[track_caller]
pub fn vector_to_parameters<P: Borrow<Parameter>>(
    vector: &Tensor,
    parameters: impl IntoIterator<Item = P>,
) -> Result<()> {
    const NAME: &str = "vector_to_parameters";
    let parameters: Vec<Parameter> = parameters.into_iter().map(|p| p.borrow().clone()).collect();
    let numel: usize = parameters.iter().map(Parameter::numel).sum();
    if vector.shape()[..] != [numel] {
        bail!(
            Shape,
            NAME,
            "the parameters have {numel} numbers, which a vector of shape {} does not fit",
            vector.shape()
        );
    }
    if let Some(other) = parameters.iter().find(|p| p.dtype() != vector.dtype()) {
        bail!(DType, NAME, "a vector of {} does not fit a {} parameter", vector.dtype(), other.dtype());
    }
    let (vector, mut start) = (vector.detach().contiguous()?, 0);
    let mut values = Vec::with_capacity(parameters.len());
    for parameter in &parameters {
        let shape = parameter.shape();
        values.push(vector.narrow(0, start as isize, shape.numel())?.reshape(shape)?);
        start += parameter.numel();
    }
    for (parameter, value) in parameters.iter().zip(&values) {
        parameter.set(value)?;
    }
    Ok(())
}
