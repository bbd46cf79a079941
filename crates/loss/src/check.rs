//! What every loss checks of its arguments.

use chainrule_tensor::{Result, Shape, Tensor, bail};

/// Refuses an input and a target of different shapes, which would broadcast to a loss that nobody meant.
#[track_caller]
pub(crate) fn same_shape(loss: &str, input: &Tensor, target: &Tensor) -> Result<()> {
    if input.shape() != target.shape() {
        bail!(
            Shape,
            loss,
            "the input has shape {} and the target {}: losses do not broadcast, so reshape or expand one to the shape of the other",
            input.shape(),
            target.shape()
        );
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
