//! Orthogonal rows or columns.

use chainrule_tensor::{FloatElement, Parameter, Result, Tensor, bail, dispatch_float};

use super::householder;

/// Fills a weight `[outputs, …]`, taken as a matrix of `outputs` rows, with `gain` times a matrix whose rows are
/// orthogonal and of length 1, or, where there are more rows than columns, whose columns are (PyTorch:
/// `torch.nn.init.orthogonal_`, default `gain` 1).
///
/// The matrix is the Q of normal numbers' QR decomposition, with the signs that make R's diagonal positive, so that it is
/// uniform among all such matrices: Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning
/// in deep linear neural networks", 2013; Mezzadri, "How to generate random matrices from the classical compact groups",
/// 2007.
///
/// # Errors
/// When there are fewer than two dimensions.
#[track_caller]
pub fn orthogonal_(parameter: &Parameter, gain: f64) -> Result<()> {
    let shape = parameter.shape();
    if shape.len() < 2 {
        bail!(Shape, "orthogonal_", "expects at least two dimensions, not shape {shape}");
    }
    if parameter.numel() == 0 {
        return Ok(());
    }
    let rows = shape[0];
    let normal = Tensor::normal([rows, parameter.numel() / rows], 0.0, 1.0, parameter.dtype())?;
    let values = dispatch_float!(parameter.dtype(), T => orthogonal::<T>(&normal, gain)?);
    parameter.set(&values.reshape(&shape)?)
}

/// The orthogonal factor of a matrix, or of its transpose where that is the taller one.
#[track_caller]
fn orthogonal<T: FloatElement>(matrix: &Tensor, gain: f64) -> Result<Tensor> {
    let tall = matrix.size(0)? >= matrix.size(1)?;
    // Columns are worked on, so they are laid out one after the other.
    let columns = if tall { matrix.t()? } else { matrix.clone() };
    let (n, m) = (columns.size(0)?, columns.size(1)?);
    let mut values = columns.to_vec::<T>()?;
    let signs = householder::orthogonalize(&mut values, m);
    for (column, sign) in values.chunks_mut(m).zip(signs) {
        column.iter_mut().for_each(|value| *value = *value * sign * T::of(gain));
    }
    let columns = Tensor::from_vec(values, [n, m])?;
    if tall { columns.t()?.contiguous() } else { Ok(columns) }
}
