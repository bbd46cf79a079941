//! Targets that are probabilities of classes.

use chainrule_kernels::cross_entropy as kernels;
use chainrule_tensor::autograd::{Backward, Context, Save, record};
use chainrule_tensor::{DType, FloatElement, Result, Tensor, bail, dispatch_float};

use super::{NAME, Terms};
use crate::limits::times;

/// The loss of contiguous logits and probabilities in their shape.
#[track_caller]
pub(super) fn cross_entropy(logits: &Tensor, target: &Tensor, terms: Terms) -> Result<Tensor> {
    if target.dtype() != logits.dtype() || target.shape() != logits.shape() {
        bail!(
            Shape,
            NAME,
            "the logits are {} of shape {} and the target {} of shape {}: a target holds either int64 class indices of shape {}, or a probability for each class in the logits' shape and dtype",
            logits.dtype(),
            logits.shape(),
            target.dtype(),
            target.shape(),
            terms.layout.rows()
        );
    }
    let target = target.contiguous()?;
    let (mut value, log_sum_exp, scale) =
        dispatch_float!(logits.dtype(), T => forward::<T>(logits, &target, &terms)?);
    if terms.overflows(&value)? {
        let [logits, target] = [logits, &target].map(|x| x.detach().to_dtype(DType::F64));
        value = forward::<f64>(&logits?, &target?, &terms.wide()?)?.0.to_dtype(DType::F32)?;
    }
    let saved = [Save::Input(0), Save::Input(1), Save::Value(&log_sum_exp)];
    record(ProbabilitiesBackward { terms, scale }, &[logits, &target], &saved, value)
}

/// The value, the log-sum-exp of each row and the reduction's factor.
fn forward<T: FloatElement>(
    logits: &Tensor,
    target: &Tensor,
    terms: &Terms,
) -> Result<(Tensor, Tensor, f64)> {
    let (x, p, weight) = (logits.as_slice::<T>()?, target.as_slice::<T>()?, terms.weight::<T>()?);
    let (dims, rows) = (terms.layout.dims(), terms.layout.rows());
    let epsilon = T::from_f64(terms.label_smoothing);
    let total = rows.numel() as f64;
    let mut losses = rows.allocate::<T>("cross_entropy")?;
    let mut log_sum_exp = terms.layout.row_pairs().allocate::<T>("cross_entropy")?;
    let pairs = log_sum_exp.as_chunks_mut::<2>().0;
    kernels::forward_probabilities(x, dims, p, weight, epsilon, &mut losses, pairs);
    let (losses, log_sum_exp) =
        (Tensor::from_buffer(losses, &rows)?, Tensor::from_buffer(log_sum_exp, terms.layout.row_pairs())?);
    let scale = terms.reduction.apply(1.0, total, terms.layout.batch());
    Ok((terms.reduce::<T>(losses, total)?, log_sum_exp, scale))
}

struct ProbabilitiesBackward {
    terms: Terms,
    scale: f64,
}

impl ProbabilitiesBackward {
    fn fused<T: FloatElement>(&self, ctx: &Context<'_>) -> Result<Tensor> {
        let (logits, target, log_sum_exp) = (ctx.saved(0)?, ctx.saved(1)?, ctx.saved(2)?);
        let row_gradients = self.terms.row_gradients::<T>(ctx.grad()?, self.scale)?;
        let (x, p) = (logits.as_slice::<T>()?, target.as_slice::<T>()?);
        let (log_sum_exp, row_gradients) = (log_sum_exp.as_slice::<T>()?.as_chunks().0, row_gradients.as_slice::<T>()?);
        let (dims, weight) = (self.terms.layout.dims(), self.terms.weight::<T>()?);
        let epsilon = T::from_f64(self.terms.label_smoothing);
        Tensor::build(logits.shape(), |grad: &mut [T]| {
            kernels::backward_probabilities(x, dims, p, weight, epsilon, log_sum_exp, row_gradients, grad);
        })
    }

    /// Times the class weights.
    fn weighted(&self, x: Tensor) -> Result<Tensor> {
        match &self.terms.weight {
            Some(weight) => x.mul(&weight.reshape(self.terms.layout.per_class())?),
            None => Ok(x),
        }
    }

    /// The gradient of the target: −u·(1 − ε)·w·ln softmax(x).
    fn target_gradient(&self, u: &Tensor, logits: &Tensor) -> Result<Tensor> {
        let logs = logits.log_softmax(self.terms.layout.dim())?;
        let factor = self.weighted(Tensor::full([1], self.terms.label_smoothing - 1.0, logits.dtype())?)?;
        u.mul(&times(&factor, &logs)?)
    }
}

impl Backward for ProbabilitiesBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (logits, target, epsilon) = (ctx.saved(0)?, ctx.saved(1)?, self.terms.label_smoothing);
        let u = self.terms.row_gradients_formula(ctx.grad()?, self.scale)?;
        let shares =
            || self.weighted(target.mul(1.0 - epsilon)?.add(epsilon / self.terms.layout.classes() as f64)?);
        Ok(vec![
            ctx.when_needed(0, || self.terms.gradient_formula(&u, logits, &shares()?))?,
            ctx.when_needed(1, || self.target_gradient(&u, logits))?,
        ])
    }

    fn backward_fused(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let fused = || dispatch_float!(ctx.saved(0)?.dtype(), T => self.fused::<T>(ctx));
        let u = || self.terms.row_gradients_formula(ctx.grad()?, self.scale);
        Ok(vec![
            ctx.when_needed(0, fused)?,
            // A target that is learned is rare enough to have no kernel of its own.
            ctx.when_needed(1, || self.target_gradient(&u()?, ctx.saved(0)?))?,
        ])
    }
}
