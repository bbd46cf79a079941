//! Targets that are class indices.

use chainrule_kernels::cross_entropy as kernels;
use chainrule_tensor::autograd::{Backward, Context, Save, record};
use chainrule_tensor::{DType, FloatElement, Result, Tensor, bail, dispatch_float};

use super::{NAME, Terms};

/// The loss of contiguous logits and `i64` targets.
#[track_caller]
pub(super) fn cross_entropy(
    logits: &Tensor,
    target: &Tensor,
    ignore_index: i64,
    terms: Terms,
) -> Result<Tensor> {
    if *target.shape() != terms.layout.rows() {
        bail!(
            Shape,
            NAME,
            "logits of shape {} need class indices of shape {}, not {}; for probabilities of classes give a target of {} in the logits' shape",
            logits.shape(),
            terms.layout.rows(),
            target.shape(),
            logits.dtype()
        );
    }
    let target = terms.layout.indices(target, Some(ignore_index))?;
    let indices = target.as_slice::<i64>()?;
    let (mut value, log_sum_exp, scale) =
        dispatch_float!(logits.dtype(), T => forward::<T>(logits, indices, ignore_index, &terms)?);
    if terms.overflows(&value)? {
        let logits = logits.detach().to_dtype(DType::F64)?;
        value = forward::<f64>(&logits, indices, ignore_index, &terms.wide()?)?.0.to_dtype(DType::F32)?;
    }
    let saved = [Save::Input(0), Save::Value(&target), Save::Value(&log_sum_exp)];
    record(IndicesBackward { terms, ignore_index, scale }, &[logits], &saved, value)
}

/// The value, the log-sum-exp of each row and the reduction's factor.
fn forward<T: FloatElement>(
    logits: &Tensor,
    indices: &[i64],
    ignore_index: i64,
    terms: &Terms,
) -> Result<(Tensor, Tensor, f64)> {
    let (x, weight, dims) = (logits.as_slice::<T>()?, terms.weight::<T>()?, terms.layout.dims());
    let rows = terms.layout.rows();
    let epsilon = T::from_f64(terms.label_smoothing);
    let mut losses = rows.allocate::<T>("cross_entropy")?;
    let mut log_sum_exp = terms.layout.row_pairs().allocate::<T>("cross_entropy")?;
    let pairs = log_sum_exp.as_chunks_mut::<2>().0;
    kernels::forward(x, dims, indices, weight, ignore_index, epsilon, &mut losses, pairs);
    let (losses, log_sum_exp) =
        (Tensor::from_buffer(losses, &rows)?, Tensor::from_buffer(log_sum_exp, terms.layout.row_pairs())?);
    let counted = || indices.iter().filter(|&&y| y != ignore_index);
    let total: f64 = match weight {
        None => counted().count() as f64,
        Some(weight) => counted().map(|&y| weight[y as usize].to_f64()).sum(),
    };
    let all_ignored = counted().next().is_none();
    // The mean of nothing is NaN, but its gradient is 0, not NaN.
    let scale = if all_ignored { 0.0 } else { terms.reduction.apply(1.0, total, terms.layout.batch()) };
    Ok((terms.reduce::<T>(losses, total)?, log_sum_exp, scale))
}

struct IndicesBackward {
    terms: Terms,
    ignore_index: i64,
    scale: f64,
}

impl IndicesBackward {
    fn fused<T: FloatElement>(&self, ctx: &Context<'_>) -> Result<Tensor> {
        let (logits, target, log_sum_exp) = (ctx.saved(0)?, ctx.saved(1)?, ctx.saved(2)?);
        let row_gradients = self.terms.row_gradients::<T>(ctx.grad()?, self.scale)?;
        let (x, indices) = (logits.as_slice::<T>()?, target.as_slice::<i64>()?);
        let (log_sum_exp, row_gradients) = (log_sum_exp.as_slice::<T>()?.as_chunks().0, row_gradients.as_slice::<T>()?);
        let (dims, weight) = (self.terms.layout.dims(), self.terms.weight::<T>()?);
        let epsilon = T::from_f64(self.terms.label_smoothing);
        Tensor::build(logits.shape(), |grad: &mut [T]| {
            kernels::backward(
                x,
                dims,
                indices,
                weight,
                self.ignore_index,
                epsilon,
                log_sum_exp,
                row_gradients,
                grad,
            );
        })
    }

    /// How much each class counts in the loss of its row, in the shape of the logits; constant.
    fn shares<T: FloatElement>(&self, indices: &[i64]) -> Result<Tensor> {
        let [_, classes, s] = self.terms.layout.dims();
        let weight = self.terms.weight::<T>()?;
        let weight = |class: usize| weight.map_or(1.0, |weight| weight[class].to_f64());
        let epsilon = self.terms.label_smoothing;
        Tensor::build(self.terms.layout.logits(), |shares: &mut [T]| {
            for (i, share) in shares.iter_mut().enumerate() {
                let (sample, class, column) = (i / s / classes, i / s % classes, i % s);
                let y = indices[sample * s + column];
                let hit = if y == class as i64 { 1.0 - epsilon } else { 0.0 };
                let share_of_class = (hit + epsilon / classes as f64) * weight(class);
                *share = T::from_f64(if y == self.ignore_index { 0.0 } else { share_of_class });
            }
        })
    }
}

impl Backward for IndicesBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (logits, indices) = (ctx.saved(0)?, ctx.saved(1)?.as_slice::<i64>()?);
        let u = self.terms.row_gradients_formula(ctx.grad()?, self.scale)?;
        let shares = dispatch_float!(logits.dtype(), T => self.shares::<T>(indices)?);
        Ok(vec![Some(self.terms.gradient_formula(&u, logits, &shares)?)])
    }

    fn backward_fused(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let grad = dispatch_float!(ctx.saved(0)?.dtype(), T => self.fused::<T>(ctx)?);
        Ok(vec![Some(grad)])
    }
}
