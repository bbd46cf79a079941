//! [`gradcheck`]: compare a backward formula with central differences.

use super::{GradOptions, grad, no_grad};
use crate::{DType, Result, Shape, Tensor, bail};

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
/// The first element that differs, with both values. Also where there is nothing to check, or it cannot be: when no input
/// requires a gradient or no output depends on one; when an input that requires a gradient, or an output that depends on
/// it, is not `f64`, or holds a number that is not finite; when the number, the shapes or the dtypes of the outputs change
/// from call to call; when an option is not a positive number (a tolerance may be 0), or `eps` is lost beside an input.
#[track_caller]
pub fn gradcheck(f: impl Fn(&[Tensor]) -> Result<Vec<Tensor>>, inputs: &[Tensor]) -> Result<()> {
    gradcheck_with(f, inputs, GradcheckOptions::default())
}

/// [`gradcheck`] with other tolerances.
///
/// # Errors
/// As [`gradcheck`].
#[track_caller]
pub fn gradcheck_with(
    f: impl Fn(&[Tensor]) -> Result<Vec<Tensor>>,
    inputs: &[Tensor],
    options: GradcheckOptions,
) -> Result<()> {
    let check = Check { name: "gradcheck", f: &f, inputs, options, create_graph: false };
    match check.run() {
        Ok(()) => Ok(()),
        Err(error) => Err(error.at_caller_of_library()),
    }
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
///
/// # Errors
/// As [`gradcheck`].
#[track_caller]
pub fn gradgradcheck_with(
    f: impl Fn(&[Tensor]) -> Result<Vec<Tensor>>,
    inputs: &[Tensor],
    options: GradcheckOptions,
) -> Result<()> {
    match second(&f, inputs, options) {
        Ok(()) => Ok(()),
        Err(error) => Err(error.at_caller_of_library()),
    }
}

type Function<'a> = &'a dyn Fn(&[Tensor]) -> Result<Vec<Tensor>>;

/// One check, and the name under which errors are reported.
struct Check<'a> {
    name: &'static str,
    f: Function<'a>,
    inputs: &'a [Tensor],
    options: GradcheckOptions,
    /// Whether gradients are computed by the formula that is used when the backward pass is itself recorded.
    create_graph: bool,
}

/// What all calls of a function must agree on: the shapes and dtypes of its outputs.
struct Form(Vec<(Shape, DType)>);

impl Form {
    fn of(outputs: &[Tensor]) -> Form {
        Form(outputs.iter().map(|output| (output.shape().clone(), output.dtype())).collect())
    }

    /// Refuses outputs of another form.
    fn check(&self, name: &str, outputs: &[Tensor]) -> Result<()> {
        if outputs.len() != self.0.len() {
            let (now, before) = (outputs.len(), self.0.len());
            bail!(Value, name, "the function gave {now} outputs in one call, and {before} in another");
        }
        for (o, (output, (shape, dtype))) in outputs.iter().zip(&self.0).enumerate() {
            if output.dtype() != *dtype {
                let now = output.dtype();
                bail!(DType, name, "output {o} of the function is {now} in one call, and {dtype} in another");
            }
            if output.shape() != shape {
                let now = output.shape();
                bail!(
                    Shape,
                    name,
                    "output {o} of the function has shape {now} in one call, and {shape} in another"
                );
            }
        }
        Ok(())
    }
}

impl Check<'_> {
    fn run(&self) -> Result<()> {
        self.check_options()?;
        self.check_inputs()?;
        let outputs = (self.f)(self.inputs)?;
        check_outputs(self.name, &outputs)?;
        let form = Form::of(&outputs);
        let checked: Vec<usize> =
            (0..self.inputs.len()).filter(|&i| self.inputs[i].requires_grad()).collect();
        // What the graph gives for each output, before the function is called again.
        let mut jacobians = Vec::with_capacity(outputs.len());
        for output in &outputs {
            jacobians.push(self.jacobian(output, &checked)?);
        }
        for (column, &input) in checked.iter().enumerate() {
            for x in 0..self.inputs[input].numel() {
                let (above, below, distance) = self.neighbours(&form, input, x)?;
                for (o, (above, below)) in above.iter().zip(&below).enumerate() {
                    // Integers are left alone.
                    let (Some(above), Some(below)) = (above, below) else { continue };
                    for (e, (above, below)) in above.iter().zip(below).enumerate() {
                        let analytical = jacobians[o][e][column].as_ref().map_or(0.0, |gradient| gradient[x]);
                        self.compare(analytical, (above - below) / distance, [o, e, input, x])?;
                    }
                }
            }
        }
        Ok(())
    }

    fn check_options(&self) -> Result<()> {
        let GradcheckOptions { eps, atol, rtol } = self.options;
        if !(eps > 0.0 && eps.is_finite()) {
            bail!(Value, self.name, "eps must be a positive number, not {eps}");
        }
        for (name, tolerance) in [("atol", atol), ("rtol", rtol)] {
            if !(tolerance >= 0.0 && tolerance.is_finite()) {
                bail!(Value, self.name, "{name} must be a number that is not negative, not {tolerance}");
            }
        }
        Ok(())
    }

    fn check_inputs(&self) -> Result<()> {
        for (i, input) in self.inputs.iter().enumerate().filter(|(_, input)| input.requires_grad()) {
            if input.dtype() != DType::F64 {
                bail!(DType, self.name, "input {i} is {}: finite differences need float64", input.dtype());
            }
            finite(self.name, format_args!("input {i}"), &input.to_vec::<f64>()?)?;
        }
        if !self.inputs.iter().any(Tensor::requires_grad) {
            bail!(Graph, self.name, "no input of {} requires a gradient", self.inputs.len());
        }
        Ok(())
    }

    /// For each element of an output its derivatives with respect to all elements of each checked input; `None` where it
    /// does not depend on one.
    fn jacobian(&self, output: &Tensor, checked: &[usize]) -> Result<Vec<Vec<Option<Vec<f64>>>>> {
        if !output.requires_grad() {
            return Ok(vec![vec![None; checked.len()]; output.numel()]);
        }
        let leaves: Vec<&Tensor> = checked.iter().map(|&i| &self.inputs[i]).collect();
        let options = GradOptions { retain_graph: true, create_graph: self.create_graph, allow_unused: true };
        let mut rows = Vec::with_capacity(output.numel());
        for e in 0..output.numel() {
            let mut unit = vec![0.0; output.numel()];
            unit[e] = 1.0;
            let unit = Tensor::from_vec(unit, output.shape())?;
            let mut row = Vec::with_capacity(leaves.len());
            for gradient in grad(&[output], &leaves, &[Some(&unit)], options)? {
                row.push(gradient.map(|gradient| gradient.to_vec::<f64>()).transpose()?);
            }
            rows.push(row);
        }
        Ok(rows)
    }

    /// The outputs with one element of an input moved up and down, and by how much; `None` for those that are not `f64`.
    #[expect(clippy::type_complexity, reason = "two lists of the same form")]
    fn neighbours(
        &self,
        form: &Form,
        input: usize,
        x: usize,
    ) -> Result<(Vec<Option<Vec<f64>>>, Vec<Option<Vec<f64>>>, f64)> {
        let values = self.inputs[input].to_vec::<f64>()?;
        let at = |value: f64| -> Result<Vec<Option<Vec<f64>>>> {
            let mut values = values.clone();
            values[x] = value;
            let mut inputs = self.inputs.to_vec();
            let moved = Tensor::from_vec(values, self.inputs[input].shape())?;
            inputs[input] = moved.requires_grad_(self.create_graph)?;
            // Where the function itself differentiates, it needs its graph.
            let outputs = if self.create_graph { (self.f)(&inputs)? } else { no_grad(|| (self.f)(&inputs))? };
            form.check(self.name, &outputs)?;
            let mut numbers = Vec::with_capacity(outputs.len());
            for (o, output) in outputs.iter().enumerate() {
                numbers.push(match output.dtype() {
                    DType::F64 => {
                        let values = output.to_vec::<f64>()?;
                        finite(self.name, format_args!("output {o}"), &values)?;
                        Some(values)
                    }
                    _ => None,
                });
            }
            Ok(numbers)
        };
        let (above, below) = (values[x] + self.options.eps, values[x] - self.options.eps);
        // What is left of the distance after rounding.
        let distance = above - below;
        if (distance / (2.0 * self.options.eps) - 1.0).abs() > 0.01 {
            bail!(
                Value,
                self.name,
                "eps {} is lost beside element {x} of input {input}, which is {}",
                self.options.eps,
                values[x]
            );
        }
        Ok((at(above)?, at(below)?, distance))
    }

    fn compare(&self, analytical: f64, numerical: f64, [o, e, input, x]: [usize; 4]) -> Result<()> {
        let GradcheckOptions { atol, rtol, .. } = self.options;
        if (analytical - numerical).abs() <= atol + rtol * numerical.abs() {
            return Ok(());
        }
        bail!(
            Value,
            self.name,
            "the derivative of output {o}, element {e}, with respect to input {input}, element {x}, is {analytical} by the backward formula and {numerical} by central differences"
        );
    }
}

/// Refuses outputs none of which depends on an input, and those that do and whose derivatives cannot be compared.
fn check_outputs(name: &str, outputs: &[Tensor]) -> Result<()> {
    for (o, output) in outputs.iter().enumerate() {
        if output.requires_grad() && output.dtype() != DType::F64 {
            bail!(DType, name, "output {o} is {}: finite differences need float64", output.dtype());
        }
        if output.dtype() == DType::F64 {
            finite(name, format_args!("output {o}"), &output.to_vec::<f64>()?)?;
        }
    }
    if !outputs.iter().any(Tensor::requires_grad) {
        bail!(Graph, name, "no output depends on an input that requires a gradient");
    }
    Ok(())
}

fn finite(name: &str, what: std::fmt::Arguments<'_>, values: &[f64]) -> Result<()> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(i) => bail!(NotFinite, name, "element {i} of {what} is {}: it has no derivative", values[i]),
    }
}

fn second(f: Function<'_>, inputs: &[Tensor], options: GradcheckOptions) -> Result<()> {
    const NAME: &str = "gradgradcheck";
    Check { name: NAME, f, inputs, options, create_graph: true }.check_inputs()?;
    let outputs = f(inputs)?;
    check_outputs(NAME, &outputs)?;
    let form = Form::of(&outputs);
    let tracked: Vec<bool> = outputs.iter().map(Tensor::requires_grad).collect();
    let mut all = inputs.to_vec();
    for output in outputs.iter().filter(|t| t.requires_grad()) {
        let values = (0..output.numel()).map(|i| (1.7 * i as f64 + 0.6).sin() + 0.2).collect();
        all.push(Tensor::from_vec(values, output.shape())?.requires_grad_(true)?);
    }
    let gradients = |all: &[Tensor]| -> Result<Vec<Tensor>> {
        let (inputs, cotangents) = all.split_at(inputs.len());
        let outputs = f(inputs)?;
        form.check(NAME, &outputs)?;
        if let Some(o) = (0..outputs.len()).find(|&o| outputs[o].requires_grad() != tracked[o]) {
            bail!(Graph, NAME, "output {o} depends on the inputs in some calls and not in others");
        }
        let outputs: Vec<&Tensor> = outputs.iter().filter(|t| t.requires_grad()).collect();
        let leaves: Vec<&Tensor> = inputs.iter().filter(|t| t.requires_grad()).collect();
        let cotangents: Vec<Option<&Tensor>> = cotangents.iter().map(Some).collect();
        let grad_options = GradOptions { create_graph: true, allow_unused: true, ..Default::default() };
        let grads = grad(&outputs, &leaves, &cotangents, grad_options)?;
        grads.into_iter().zip(leaves).map(|(g, x)| g.map_or_else(|| Tensor::zeros_like(x), Ok)).collect()
    };
    Check { name: NAME, f: &gradients, inputs: &all, options, create_graph: true }.run()
}
