//! [`gradcheck`]: compare a backward formula with central differences.

use super::{GradOptions, grad, no_grad};
use crate::{DType, Error, ErrorKind, Result, Tensor, bail};

/// How [`gradcheck`] compares: |analytical − numerical| ≤ atol + rtol · |numerical|.
#[derive(Clone, Copy, Debug)]
pub struct GradcheckOptions {
    /// Half the distance of the central difference. Default 1e-6.
    pub eps: f64,
    /// Absolute tolerance. Default 1e-5.
    pub atol: f64,
    /// Relative tolerance. Default 1e-3.
    pub rtol: f64,
}

impl Default for GradcheckOptions {
    fn default() -> Self {
        GradcheckOptions { eps: 1e-6, atol: 1e-5, rtol: 1e-3 }
    }
}

/// Checks the gradients of a function of `f64` tensors against central differences, for every input that
/// requires a gradient (PyTorch: `torch.autograd.gradcheck`).
///
/// ```
/// # use chainrule_tensor::{Tensor, Result, DType, autograd::gradcheck};
/// # fn main() -> Result<()> {
/// let x = Tensor::from_vec(vec![0.5, -1.0, 2.0], [3])?.requires_grad_(true)?;
/// gradcheck(|x| Ok(vec![x[0].exp()?.mul(&x[0])?]), &[x])?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The first element that differs, with both values; also when an input that requires a gradient is not
/// `f64`, or an output does not depend on any.
#[track_caller]
pub fn gradcheck(f: impl Fn(&[Tensor]) -> Result<Vec<Tensor>>, inputs: &[Tensor]) -> Result<()> {
    gradcheck_with(f, inputs, GradcheckOptions::default())
}

/// [`gradcheck`] with other tolerances.
#[track_caller]
pub fn gradcheck_with(
    f: impl Fn(&[Tensor]) -> Result<Vec<Tensor>>,
    inputs: &[Tensor],
    options: GradcheckOptions,
) -> Result<()> {
    check(&f, inputs, options, false)
}

/// As [`gradcheck`], with the formula that is used when the backward pass is itself recorded: gradients are
/// computed with `create_graph`.
#[track_caller]
fn check(
    f: &dyn Fn(&[Tensor]) -> Result<Vec<Tensor>>,
    inputs: &[Tensor],
    options: GradcheckOptions,
    create_graph: bool,
) -> Result<()> {
    for (i, input) in inputs.iter().enumerate() {
        if input.requires_grad() && input.dtype() != DType::F64 {
            bail!(DType, "gradcheck", "input {i} is {}: finite differences need float64", input.dtype());
        }
    }
    let outputs = f(inputs)?;
    if !outputs.iter().any(Tensor::requires_grad) {
        bail!(Graph, "gradcheck", "no output depends on an input that requires a gradient");
    }
    let checked: Vec<usize> = (0..inputs.len()).filter(|&i| inputs[i].requires_grad()).collect();
    let leaves: Vec<&Tensor> = checked.iter().map(|&i| &inputs[i]).collect();
    for (o, output) in outputs.iter().enumerate() {
        if !output.dtype().is_float() {
            continue;
        }
        // Row e of the Jacobian: the gradient of element e of the output.
        let mut rows = Vec::with_capacity(output.numel());
        for e in 0..output.numel() {
            if !output.requires_grad() {
                rows.push(vec![None; leaves.len()]);
                continue;
            }
            let mut unit = vec![0.0; output.numel()];
            unit[e] = 1.0;
            let unit = Tensor::from_vec(unit, output.shape())?;
            let grad_options = GradOptions { retain_graph: true, create_graph, allow_unused: true };
            let grads = grad(&[output], &leaves, &[Some(&unit)], grad_options)?;
            let mut row = Vec::with_capacity(grads.len());
            for g in grads {
                row.push(g.map(|g| g.to_vec::<f64>()).transpose()?);
            }
            rows.push(row);
        }
        for (column, &i) in checked.iter().enumerate() {
            let values = inputs[i].to_vec::<f64>()?;
            for x in 0..values.len() {
                let shifted = |by: f64| -> Result<Vec<f64>> {
                    let mut values = values.clone();
                    values[x] += by;
                    let mut inputs: Vec<Tensor> = inputs.to_vec();
                    inputs[i] = Tensor::from_vec(values, inputs[i].shape())?.requires_grad_(create_graph)?;
                    // Where the function itself differentiates, it needs its graph.
                    let outputs = if create_graph { f(&inputs)? } else { no_grad(|| f(&inputs))? };
                    outputs[o].to_vec::<f64>()
                };
                let (above, below) = (shifted(options.eps)?, shifted(-options.eps)?);
                for e in 0..output.numel() {
                    let numerical = (above[e] - below[e]) / (2.0 * options.eps);
                    let analytical = rows[e][column].as_ref().map_or(0.0, |g| g[x]);
                    let close =
                        (analytical - numerical).abs() <= options.atol + options.rtol * numerical.abs();
                    if !close {
                        return Err(Error::new(
                            ErrorKind::Value,
                            "gradcheck",
                            format!(
                                "the derivative of output {o}, element {e}, with respect to input {i}, element {x}, is {analytical} by the backward formula and {numerical} by central differences"
                            ),
                        ));
                    }
                }
            }
        }
    }
    Ok(())
}

/// Checks second derivatives: [`gradcheck`] of the gradients themselves, with fixed random-looking gradients
/// of the outputs as further inputs (PyTorch: `torch.autograd.gradgradcheck`).
///
/// # Errors
/// As [`gradcheck`].
#[track_caller]
pub fn gradgradcheck(f: impl Fn(&[Tensor]) -> Result<Vec<Tensor>>, inputs: &[Tensor]) -> Result<()> {
    gradgradcheck_with(f, inputs, GradcheckOptions::default())
}

/// [`gradgradcheck`] with other tolerances.
#[track_caller]
pub fn gradgradcheck_with(
    f: impl Fn(&[Tensor]) -> Result<Vec<Tensor>>,
    inputs: &[Tensor],
    options: GradcheckOptions,
) -> Result<()> {
    let outputs = f(inputs)?;
    let mut all = inputs.to_vec();
    for output in outputs.iter().filter(|t| t.requires_grad()) {
        let values = (0..output.numel()).map(|i| (1.7 * i as f64 + 0.6).sin() + 0.2).collect();
        all.push(Tensor::from_vec(values, output.shape())?.requires_grad_(true)?);
    }
    let n = inputs.len();
    let gradients = |all: &[Tensor]| -> Result<Vec<Tensor>> {
        let (inputs, cotangents) = all.split_at(n);
        let outputs = f(inputs)?;
        let outputs: Vec<&Tensor> = outputs.iter().filter(|t| t.requires_grad()).collect();
        let leaves: Vec<&Tensor> = inputs.iter().filter(|t| t.requires_grad()).collect();
        let cotangents: Vec<Option<&Tensor>> = cotangents.iter().map(Some).collect();
        let grad_options = GradOptions { create_graph: true, allow_unused: true, ..Default::default() };
        let grads = grad(&outputs, &leaves, &cotangents, grad_options)?;
        grads.into_iter().zip(leaves).map(|(g, x)| g.map_or_else(|| Tensor::zeros_like(x), Ok)).collect()
    };
    check(&gradients, &all, options, true)
}
