//! Clipping of gradients.

use std::borrow::Borrow;

use chainrule_kernels::norm::norm;
use chainrule_kernels::update;
use chainrule_tensor::autograd::RowGradient;
use chainrule_tensor::{DType, FloatElement, Parameter, Result, Tensor, TensorCell, bail, dispatch_float};

use crate::check;
use crate::rows::norm_of_rows;

/// Options of [`clip_grad_norm_with`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClipGradNormOptions {
    /// Which norm: p of the p-norm, `f64::INFINITY` for the largest absolute value. Default 2.
    pub norm_type: f64,
    /// Whether a norm that is infinite or NaN is an error. Default false: infinite gradients become 0 or NaN (unless
    /// `max_norm` is infinite too), and a NaN makes all gradients NaN.
    pub error_if_nonfinite: bool,
}

impl Default for ClipGradNormOptions {
    fn default() -> Self {
        ClipGradNormOptions { norm_type: 2.0, error_if_nonfinite: false }
    }
}

/// Scales the gradients of all parameters by one factor where their norm, as if they were one vector, is larger
/// than `max_norm`; returns the norm from before (PyTorch: `torch.nn.utils.clip_grad_norm_`).
///
/// The factor is `max_norm` / (norm + 1e-6), so the norm ends up a little below `max_norm`. Parameters without a
/// gradient do not count; without any gradient the norm is 0.
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::clip_grad_norm_;
/// # fn main() -> Result<()> {
/// let w = Parameter::new(Tensor::new([0.0, 0.0]))?;
/// w.set_grad(Some(Tensor::new([3.0, 4.0])))?;
/// assert_eq!(clip_grad_norm_([&w], 1.0)?, 5.0);
/// assert!((w.grad().unwrap().to_vec::<f32>()?[0] - 0.6).abs() < 1e-6);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When `max_norm` is negative or NaN, or there is no memory for a copy of a gradient that somebody else holds. No gradient
/// has been changed then.
#[track_caller]
pub fn clip_grad_norm_<P: Borrow<Parameter>>(
    parameters: impl IntoIterator<Item = P>,
    max_norm: f64,
) -> Result<f64> {
    clip_grad_norm_with(parameters, max_norm, ClipGradNormOptions::default())
}

/// As [`clip_grad_norm_`], with another norm, or with an error where the norm is not finite.
///
/// # Errors
/// When `max_norm` is negative or NaN or `norm_type` is NaN; with `error_if_nonfinite` when the norm is infinite
/// or NaN; when there is no memory for a copy of a gradient that somebody else holds. No gradient has been changed then.
#[track_caller]
pub fn clip_grad_norm_with<P: Borrow<Parameter>>(
    parameters: impl IntoIterator<Item = P>,
    max_norm: f64,
    options: ClipGradNormOptions,
) -> Result<f64> {
    const NAME: &str = "clip_grad_norm_";
    if max_norm.is_nan() || max_norm < 0.0 {
        bail!(Value, NAME, "max_norm must be a number that is not negative, not {max_norm}");
    }
    let parameters: Vec<P> = parameters.into_iter().collect();
    check_norm_type(options.norm_type)?;
    let mut norms = Vec::with_capacity(parameters.len());
    for parameter in &parameters {
        norms.extend(norm_of_grad(parameter.borrow(), options.norm_type)?);
    }
    let total = norm(&norms, options.norm_type);
    if options.error_if_nonfinite && !total.is_finite() {
        bail!(
            NotFinite,
            NAME,
            "the {}-norm of the gradients is {total}, so they cannot be clipped",
            options.norm_type
        );
    }
    // Nothing is too large where all is allowed; a NaN must come through.
    let factor = if max_norm == f64::INFINITY && !total.is_nan() { 1.0 } else { max_norm / (total + 1e-6) };
    // A factor of 1 or more changes nothing.
    if factor.is_nan() || factor < 1.0 {
        change_grads(&parameters, Scale(factor))?;
    }
    Ok(total)
}

/// Clamps every number of the gradients to [−`clip_value`, `clip_value`]; NaNs stay (PyTorch:
/// `torch.nn.utils.clip_grad_value_`).
///
/// # Errors
/// When `clip_value` is negative or not finite, or there is no memory for a copy of a gradient that somebody else holds. No
/// gradient has been changed then.
#[track_caller]
pub fn clip_grad_value_<P: Borrow<Parameter>>(
    parameters: impl IntoIterator<Item = P>,
    clip_value: f64,
) -> Result<()> {
    check::non_negative("clip_grad_value_", "clip_value", clip_value)?;
    let parameters: Vec<P> = parameters.into_iter().collect();
    change_grads(&parameters, Clamp(clip_value))
}

/// The norm of all numbers of all tensors, as if they were one vector; 0 without tensors (PyTorch:
/// `torch.nn.utils.get_total_norm`).
///
/// # Errors
/// When a tensor is not floating-point or `norm_type` is NaN.
#[track_caller]
pub fn get_total_norm<T: Borrow<Tensor>>(
    tensors: impl IntoIterator<Item = T>,
    norm_type: f64,
) -> Result<f64> {
    check_norm_type(norm_type)?;
    let mut norms = Vec::new();
    for tensor in tensors {
        norms.push(norm_of(tensor.borrow(), norm_type)?);
    }
    Ok(norm(&norms, norm_type))
}

#[track_caller]
fn check_norm_type(norm_type: f64) -> Result<()> {
    if norm_type.is_nan() {
        bail!(Value, "get_total_norm", "norm_type must be a number, not NaN");
    }
    Ok(())
}

#[track_caller]
fn norm_of(tensor: &Tensor, norm_type: f64) -> Result<f64> {
    let tensor = tensor.detach().contiguous()?;
    if !tensor.dtype().is_float() {
        bail!(DType, "get_total_norm", "only floating-point tensors have a norm, not {}", tensor.dtype());
    }
    dispatch_float!(tensor.dtype(), T => Ok(norm(tensor.as_slice::<T>()?, norm_type)))
}

/// The norm of the gradient of a parameter, if it has one.
#[track_caller]
fn norm_of_grad(parameter: &Parameter, norm_type: f64) -> Result<Option<f64>> {
    match parameter.row_gradient()? {
        Some(rows) => norm_of_rows(&rows, parameter.numel(), norm_type).map(Some),
        None => parameter.try_grad()?.map(|grad| norm_of(&grad, norm_type)).transpose(),
    }
}

/// Changes every number of the gradients of parameters, as far as they have one: all of them or, where there is no memory,
/// none.
#[track_caller]
fn change_grads<P: Borrow<Parameter>, C: Change>(parameters: &[P], change: C) -> Result<()> {
    let mut rows = Vec::with_capacity(parameters.len());
    for parameter in parameters.iter().map(P::borrow) {
        let of_rows = if change.keeps_zero() { parameter.row_gradient()? } else { None };
        match of_rows {
            Some(gradient) => rows.push(Some(changed_rows(&gradient, change)?)),
            None => {
                change_grad(parameter, Own)?;
                rows.push(None);
            }
        }
    }
    for (parameter, rows) in parameters.iter().map(P::borrow).zip(rows) {
        match rows {
            Some(rows) => parameter.set_row_gradient(&rows)?,
            None => change_grad(parameter, change)?,
        }
    }
    Ok(())
}

/// A gradient of some rows with each of its numbers changed.
#[track_caller]
fn changed_rows<C: Change>(rows: &RowGradient, change: C) -> Result<RowGradient> {
    let values = rows.values();
    let changed = dispatch_float!(values.dtype(), T => {
        let mut new = values.shape().allocate::<T>("clip_grad")?;
        new.copy_from_slice(values.as_slice::<T>()?);
        change.apply(&mut new);
        Tensor::from_buffer(new, values.shape())?
    });
    rows.with_values(&changed)
}

/// Changes every number of the gradient of a parameter, if it has one: in place, unless somebody else holds it.
#[track_caller]
fn change_grad<C: Change>(parameter: &Parameter, change: C) -> Result<()> {
    let Some(grad) = parameter.try_grad()? else { return Ok(()) };
    let cell = TensorCell::new(&grad.contiguous()?);
    // The last handles to the values but the cell's.
    drop(grad);
    parameter.set_grad(None)?;
    let changed =
        dispatch_float!(parameter.dtype(), T => cell.update(|values: &mut [T]| change.apply(values)));
    parameter.set_grad(Some(cell.get()))?;
    changed
}

/// A change of every number of a gradient.
trait Change: Copy {
    /// Whether a 0 stays one, so that it need not be looked at.
    fn keeps_zero(&self) -> bool;
    fn apply<T: FloatElement>(self, grad: &mut [T]);
}

/// None but that the memory is the gradient's own afterwards, so that the next change cannot fail.
#[derive(Clone, Copy)]
struct Own;

impl Change for Own {
    fn keeps_zero(&self) -> bool {
        true
    }
    fn apply<T: FloatElement>(self, _: &mut [T]) {}
}

#[derive(Clone, Copy)]
struct Scale(f64);

impl Change for Scale {
    fn keeps_zero(&self) -> bool {
        self.0.is_finite()
    }
    fn apply<T: FloatElement>(self, grad: &mut [T]) {
        let factor = T::of(self.0);
        if self.0 > 0.0 && factor < T::of(smallest_normal::<T>()) {
            // A number that small has lost digits; its root has not.
            let root = T::of(self.0.sqrt());
            return update::each(grad, 0.3, move |g| g * root * root);
        }
        update::each(grad, 0.3, move |g| g * factor);
    }
}

fn smallest_normal<T: FloatElement>() -> f64 {
    if T::DTYPE == DType::F64 { f64::MIN_POSITIVE } else { f32::MIN_POSITIVE.into() }
}

#[derive(Clone, Copy)]
struct Clamp(f64);

impl Change for Clamp {
    fn keeps_zero(&self) -> bool {
        true
    }
    fn apply<T: FloatElement>(self, grad: &mut [T]) {
        let limit = T::of(self.0);
        update::each(grad, 0.3, move |g| g.maximum(-limit).minimum(limit));
    }
}
