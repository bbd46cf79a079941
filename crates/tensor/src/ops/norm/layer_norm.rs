//! Layer normalisation.

use chainrule_kernels::layer_norm::{Affine, backward, forward};

use super::batch_norm::{check_dtypes, check_eps_is_number};
use crate::autograd::{Backward, Context, Save, record};
use crate::centred::normalized;
use crate::table::{Refusal, Row, Sample, values};
use crate::{DType, Result, Shape, Tensor, bail, dispatch_float};

struct LayerNormBackward {
    /// How many dimensions are normalised over.
    rank: usize,
    eps: f64,
    has_weight: bool,
    has_bias: bool,
}

impl LayerNormBackward {
    /// The gradients in the order of the inputs, of which weight and bias may not be there.
    fn of_inputs(&self, [x, weight, bias]: [Option<Tensor>; 3]) -> Vec<Option<Tensor>> {
        let weight = self.has_weight.then_some(weight);
        [Some(x), weight, self.has_bias.then_some(bias)].into_iter().flatten().collect()
    }
}

impl Backward for LayerNormBackward {
    fn name(&self) -> &'static str {
        "layer_norm"
    }

    // With x̂ = (x − mean) / σ and ĝ = g·weight: (ĝ − mean(ĝ) − x̂·mean(ĝ·x̂)) / σ. Mean and σ are computed anew from
    // x to be differentiable, in double precision.
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let dtype = ctx.grad()?.dtype();
        let (g, x) = (ctx.grad()?.to_dtype(DType::F64)?, ctx.saved(0)?.to_dtype(DType::F64)?);
        let over: Vec<isize> = (1..=self.rank as isize).map(|dim| -dim).collect();
        let (normalized, inverse) = normalized(&x, &over, self.eps)?;
        let of_x = ctx.when_needed(0, || {
            let scaled = if self.has_weight { g.mul(&ctx.saved(2)?.to_dtype(DType::F64)?)? } else { g.clone() };
            let through_variance = normalized.mul(&scaled.mul(&normalized)?.mean_dim(&over[..], true)?)?;
            let through_mean = scaled.mean_dim(&over[..], true)?;
            scaled.sub(&through_mean)?.sub(&through_variance)?.mul(&inverse)?.to_dtype(dtype)
        })?;
        // The engine sums them over the rows.
        let of_weight = if self.has_weight { Some(g.mul(&normalized)?.to_dtype(dtype)?) } else { None };
        Ok(self.of_inputs([of_x, of_weight, Some(ctx.grad()?.clone())]))
    }

    fn backward_fused(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (g, x) = (ctx.grad()?.contiguous()?, ctx.saved(0)?.contiguous()?);
        let weight = if self.has_weight { Some(ctx.saved(2)?.contiguous()?) } else { None };
        let normalized_shape = Shape::from(&x.shape()[x.rank() - self.rank..]);
        let n = normalized_shape.numel();
        let grads = dispatch_float!(g.dtype(), T => {
            let mut of_x = x.shape().allocate::<T>("layer_norm")?;
            let mut of_affine = Shape::from([2, n]).allocate::<T>("layer_norm")?;
            let statistics = ctx.saved(1)?.as_slice::<T>()?.as_chunks().0;
            let weight = weight.as_ref().map(Tensor::as_slice::<T>).transpose()?;
            backward(g.as_slice()?, x.as_slice()?, n, statistics, weight, &mut of_x, &mut of_affine);
            let of_affine = Tensor::from_parts(of_affine, [2, n].into());
            let part = |i| of_affine.view_as(normalized_shape.clone(), normalized_shape.contiguous_strides(), i * n);
            [Some(Tensor::from_parts(of_x, x.shape().clone())), Some(part(0)), Some(part(1))]
        });
        Ok(self.of_inputs(grads))
    }
}

impl Tensor {
    /// Normalises over the last dimensions, whose sizes are `normalized_shape`: minus the mean, divided by
    /// √(biased variance + `eps`), times `weight`, plus `bias`, both of that shape (PyTorch:
    /// `torch.nn.functional.layer_norm`, default `eps` 1e-5; Ba, Kiros and Hinton 2016).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let y = Tensor::new([[1.0, 3.0], [10.0, 30.0]]).layer_norm(&[2], None, None, 1e-12)?;
    /// assert_eq!(y.to_vec::<f32>()?, [-1.0, 1.0, -1.0, 1.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When `normalized_shape` is empty or not what the shape ends in, when weight or bias have another shape
    /// or dtype, for an `eps` that is NaN, and for integers and booleans.
    #[track_caller]
    pub fn layer_norm(
        &self,
        normalized_shape: &[usize],
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        eps: f64,
    ) -> Result<Tensor> {
        if normalized_shape.is_empty() || !self.shape().ends_with(normalized_shape) {
            bail!(
                Shape,
                "layer_norm",
                "normalized_shape {normalized_shape:?} is not what shape {} ends in",
                self.shape()
            );
        }
        for (name, t) in [("weight", weight), ("bias", bias)] {
            if let Some(t) = t.filter(|t| **t.shape() != *normalized_shape) {
                bail!(
                    Shape,
                    "layer_norm",
                    "a {name} of shape {} does not fit normalized_shape {normalized_shape:?}",
                    t.shape()
                );
            }
        }
        check_dtypes("layer_norm", self, &[weight, bias])?;
        check_eps_is_number("layer_norm", eps)?;
        let n: usize = normalized_shape.iter().product();
        let rows = self.shape()[..self.rank() - normalized_shape.len()].iter().product();
        let values = self.detach().contiguous()?;
        let contiguous = |t: Option<&Tensor>| t.map(|t| t.detach().contiguous()).transpose();
        let (scale, shift) = (contiguous(weight)?, contiguous(bias)?);
        let (output, statistics) = dispatch_float!(self.dtype(), T => {
            let weight = scale.as_ref().map(Tensor::as_slice::<T>).transpose()?;
            let bias = shift.as_ref().map(Tensor::as_slice::<T>).transpose()?;
            let mut out = self.shape().allocate::<T>("layer_norm")?;
            let of_all = Shape::from([rows, 4]);
            let mut statistics = of_all.allocate::<T>("layer_norm")?;
            let of_rows = statistics.as_chunks_mut().0;
            forward(values.as_slice()?, n, eps, Affine { weight, bias }, &mut out, of_rows);
            (Tensor::from_parts(out, self.shape().clone()), Tensor::from_parts(statistics, of_all))
        });
        let operation = LayerNormBackward {
            rank: normalized_shape.len(),
            eps,
            has_weight: weight.is_some(),
            has_bias: bias.is_some(),
        };
        let inputs: Vec<&Tensor> = [Some(self), weight, bias].into_iter().flatten().collect();
        let mut saved = vec![Save::Input(0), Save::Value(&statistics)];
        if weight.is_some() {
            saved.push(Save::Input(1));
        }
        record(operation, &inputs, &saved, output)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["[3]", "[3, 2]"], || values(1, [3, 2]).layer_norm(&[3], None, None, 1e-5)),
            Refusal::new(&["[]"], || values(1, [3, 2]).layer_norm(&[], None, None, 1e-5)),
            Refusal::new(&["weight", "[3]", "[2]"], || {
                values(1, [3, 2]).layer_norm(&[2], Some(&values(2, [3])), None, 1e-5)
            }),
            Refusal::new(&["eps"], || values(1, [3, 2]).layer_norm(&[2], None, None, f64::NAN)),
        ]
    },
    bench: &[(&[&[512, 768], &[768], &[768]], |x| {
        Ok(vec![x[0].layer_norm(&[768], Some(&x[1]), Some(&x[2]), 1e-5)?])
    })],
    ..Row::new("layer_norm", "torch.nn.functional.layer_norm", || {
        vec![
            Sample::new("rows", [values(1, [3, 4]), values(2, [4]), values(3, [4])], |x| {
                x[0].layer_norm(&[4], Some(&x[1]), Some(&x[2]), 0.1)
            }),
            Sample::new("weight alone", [values(1, [3, 4]), values(2, [4])], |x| {
                x[0].layer_norm(&[4], Some(&x[1]), None, 0.1)
            }),
            Sample::new("bias alone", [values(1, [3, 4]), values(2, [4])], |x| {
                x[0].layer_norm(&[4], None, Some(&x[1]), 0.1)
            }),
            Sample::new("two dimensions", [values(1, [2, 2, 3])], |x| x[0].layer_norm(&[2, 3], None, None, 0.1)),
            Sample::new("everything", [values(1, [5])], |x| x[0].layer_norm(&[5], None, None, 0.1)),
        ]
    })
};
