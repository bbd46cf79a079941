//! What every loss checks of its arguments.

use chainrule_kernels::Number;
use chainrule_kernels::arrays::position_of_exception;
use chainrule_tensor::{DType, Result, Shape, Tensor, bail, dispatch_float};

/// Refuses two tensors, of these names, of different shapes, which would broadcast to a loss that nobody meant.
#[track_caller]
pub(crate) fn same_shape(
    loss: &str,
    (name, input): (&str, &Tensor),
    (other, target): (&str, &Tensor),
) -> Result<()> {
    if input.shape() != target.shape() {
        bail!(
            Shape,
            loss,
            "the {name} has shape {} and the {other} {}: losses do not broadcast, so reshape or expand one to the shape of the other",
            input.shape(),
            target.shape()
        );
    }
    Ok(())
}

/// A further tensor, broadcast to the shape of the input.
#[track_caller]
pub(crate) fn expanded(loss: &str, input: &Tensor, name: &str, other: &Tensor) -> Result<Tensor> {
    same_dtype(loss, input, name, other)?;
    if other.shape() == input.shape() {
        return Ok(other.clone());
    }
    match other.expand(input.shape()) {
        Ok(expanded) => Ok(expanded),
        Err(_) => bail!(
            Shape,
            loss,
            "a {name} of shape {} does not broadcast to the input's shape {}",
            other.shape(),
            input.shape()
        ),
    }
}

/// Tensors of these names in the shape that they broadcast to. They must have the same number of dimensions: only
/// sizes of 1 repeat.
#[track_caller]
pub(crate) fn broadcast<const N: usize>(
    loss: &str,
    names: [&str; N],
    tensors: [&Tensor; N],
) -> Result<[Tensor; N]> {
    let sizes = |dim: usize| tensors.iter().map(move |t| t.shape()[dim]);
    let rank = tensors[0].rank();
    let fits = tensors.iter().all(|t| t.rank() == rank)
        && (0..rank).all(|dim| {
            let size = sizes(dim).find(|&n| n != 1).unwrap_or(1);
            sizes(dim).all(|n| n == 1 || n == size)
        });
    if !fits {
        let shapes = names.iter().zip(tensors).map(|(name, t)| format!("{name} {}", t.shape()));
        let shapes = shapes.collect::<Vec<_>>().join(", ");
        bail!(
            Shape,
            loss,
            "shapes do not fit: {shapes}; they need the same number of dimensions, of the same sizes or of size 1: use unsqueeze or expand"
        );
    }
    let shape: Shape = (0..rank).map(|dim| sizes(dim).find(|&n| n != 1).unwrap_or(1)).collect();
    let mut tensors = tensors.map(Tensor::clone);
    for tensor in &mut tensors {
        if *tensor.shape() != shape {
            *tensor = tensor.expand(&shape)?;
        }
    }
    Ok(tensors)
}

/// A target of labels, such as 1 and −1, in the dtype of the input: integers are converted. Booleans are refused: they
/// would be 1 and 0.
#[track_caller]
pub(crate) fn labels(loss: &str, input: &Tensor, target: &Tensor) -> Result<Tensor> {
    if target.dtype() == DType::Bool {
        bail!(DType, loss, "the target holds bool: labels are int64 or of the dtype of the input");
    }
    indicators(loss, input, target)
}

/// A target of 1 and 0, or what is between them, in the dtype of the input: integers and booleans are converted.
#[track_caller]
pub(crate) fn indicators(loss: &str, input: &Tensor, target: &Tensor) -> Result<Tensor> {
    float_input(loss, input)?;
    if !target.dtype().is_float() {
        return target.to_dtype(input.dtype());
    }
    same_dtype(loss, input, "target", target)?;
    Ok(target.clone())
}

/// Refuses an option that does not keep to its rule.
#[track_caller]
pub(crate) fn option(loss: &str, name: &str, value: f64, holds: bool, rule: &str) -> Result<()> {
    if !holds {
        bail!(Value, loss, "{name} is {value}: it must be {rule}");
    }
    Ok(())
}

/// Refuses an input that is not floating-point.
#[track_caller]
pub(crate) fn float_input(loss: &str, input: &Tensor) -> Result<()> {
    if !input.dtype().is_float() {
        bail!(DType, loss, "not defined for an input of {}: convert it with to_dtype first", input.dtype());
    }
    Ok(())
}

/// Refuses a further argument of another dtype than the input.
#[track_caller]
pub(crate) fn same_dtype(loss: &str, input: &Tensor, name: &str, other: &Tensor) -> Result<()> {
    if input.dtype() != other.dtype() {
        bail!(
            DType,
            loss,
            "the input holds {} and the {name} {}: convert one with to_dtype",
            input.dtype(),
            other.dtype()
        );
    }
    Ok(())
}

/// Refuses a contiguous tensor with a value that does not keep to a rule, and names the first.
#[track_caller]
pub(crate) fn each(
    loss: &str,
    name: &str,
    values: &Tensor,
    rule: &str,
    holds: impl Fn(f64) -> bool + Sync + Copy,
) -> Result<()> {
    let found = dispatch_float!(values.dtype(), T => {
        let values = values.as_slice::<T>()?;
        position_of_exception(values, |v| holds(v.to_f64())).map(|i| (i, values[i].to_f64()))
    });
    if let Some((i, value)) = found {
        let position = position(i, values.shape());
        bail!(Value, loss, "the {name} holds {value} at position {position}: {rule}");
    }
    Ok(())
}

/// The place of an element of a contiguous tensor, as a message shows it: `(1, 0)`.
pub(crate) fn position(mut index: usize, shape: &Shape) -> String {
    let mut places: Vec<String> = Vec::with_capacity(shape.len());
    for &size in shape.iter().rev() {
        places.push((index % size).to_string());
        index /= size;
    }
    places.reverse();
    format!("({})", places.join(", "))
}
