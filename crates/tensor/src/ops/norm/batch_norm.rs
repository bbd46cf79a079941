//! Batch normalisation, and the normalisation that it shares with layer, group and instance norm.

use chainrule_kernels::Number;
use chainrule_kernels::batch_norm::{Normal, backward, moments, normalize};

use crate::autograd::{Backward, Context, Save, is_tracked, record};
use crate::centred::normalized;
use crate::table::{Refusal, Row, Sample, uniform, values};
use crate::{DType, Result, Shape, Tensor, bail, dispatch_float};

/// What [`Tensor::batch_norm`] gives.
#[derive(Clone)]
pub struct BatchNorm {
    /// The normalised tensor, in the shape of the input.
    pub output: Tensor,
    /// The mean of each channel that was used, `[C]`, outside any graph.
    pub mean: Tensor,
    /// The biased variance of each channel that was used, `[C]`, outside any graph.
    pub var: Tensor,
}

/// y = (x − mean) / √(var + eps) · weight + bias for each channel.
struct NormBackward {
    /// The input seen as `[N, C, S]`.
    dims: [usize; 3],
    eps: f64,
    /// Whether mean and variance are those of x, so that gradients flow through them too.
    training: bool,
    has_weight: bool,
    has_bias: bool,
}

impl NormBackward {
    /// The gradients in the order of the inputs: x, weight and bias, of which the latter two may not be there.
    fn of_inputs(&self, [x, weight, bias]: [Option<Tensor>; 3]) -> Vec<Option<Tensor>> {
        let mut grads = vec![x];
        if self.has_weight {
            grads.push(weight);
        }
        if self.has_bias {
            grads.push(bias);
        }
        grads
    }

    fn bias_input(&self) -> usize {
        1 + usize::from(self.has_weight)
    }
}

impl Backward for NormBackward {
    fn name(&self) -> &'static str {
        "batch_norm"
    }

    // With x̂ = (x − mean) / σ and dx̂ = dy·weight: dx = (dx̂ − mean(dx̂) − x̂·mean(dx̂·x̂)) / σ, where the means
    // vanish when mean and σ are constants. They are computed anew from x to be differentiable, in double precision.
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let [_, c, _] = self.dims;
        let (shape, dtype) = (ctx.saved(0)?.shape(), ctx.saved(0)?.dtype());
        let wide = |t: &Tensor| t.to_dtype(DType::F64);
        let (g, x) = (wide(&ctx.grad()?.reshape(self.dims)?)?, wide(&ctx.saved(0)?.reshape(self.dims)?)?);
        let over = || [0, 2];
        let (normalized, inverse) = if self.training {
            normalized(&x, &over(), self.eps)?
        } else {
            let given = |k: isize| ctx.saved(1)?.select(1, k)?.reshape([1, c, 1]);
            let inverse = given(3)?;
            (x.sub(&given(1)?)?.mul(&inverse)?, inverse)
        };
        let grad_x = ctx.when_needed(0, || {
            let scaled = match self.has_weight {
                true => g.mul(&wide(&ctx.saved(2)?.reshape([1, c, 1])?)?)?,
                false => g.clone(),
            };
            if !self.training {
                return scaled.mul(&inverse)?.reshape(shape)?.to_dtype(dtype);
            }
            let through_variance = normalized.mul(&scaled.mul(&normalized)?.mean_dim(over(), true)?)?;
            let through_mean = scaled.mean_dim(over(), true)?;
            scaled.sub(&through_mean)?.sub(&through_variance)?.mul(&inverse)?.reshape(shape)?.to_dtype(dtype)
        })?;
        let grad_weight = match self.has_weight {
            true => ctx.when_needed(1, || g.mul(&normalized)?.sum_dim(over(), false)?.to_dtype(dtype))?,
            false => None,
        };
        let grad_bias = match self.has_bias {
            true => ctx.when_needed(self.bias_input(), || g.sum_dim(over(), false)?.to_dtype(dtype))?,
            false => None,
        };
        Ok(self.of_inputs([grad_x, grad_weight, grad_bias]))
    }

    fn backward_fused(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (g, x) = (ctx.grad()?.contiguous()?, ctx.saved(0)?.contiguous()?);
        let normals = normals(ctx.saved(1)?)?;
        let weight = match self.has_weight {
            true => Some(ctx.saved(2)?.contiguous()?),
            false => None,
        };
        let grads = dispatch_float!(g.dtype(), T => {
            let mut grad_x = match ctx.needs(0)? {
                true => Some(x.shape().allocate::<T>("batch_norm")?),
                false => None,
            };
            let channels = Shape::from(self.dims[1]);
            let mut of_weight = channels.allocate::<T>("batch_norm")?;
            let mut of_bias = channels.allocate::<T>("batch_norm")?;
            let weight = match &weight {
                Some(weight) => Some(weight.as_slice::<T>()?),
                None => None,
            };
            backward(
                g.as_slice()?,
                x.as_slice()?,
                self.dims,
                &normals,
                weight,
                self.training,
                grad_x.as_deref_mut(),
                &mut of_weight,
                &mut of_bias,
            );
            [
                grad_x.map(|grad| Tensor::from_parts(grad, x.shape().clone())),
                Some(Tensor::from_parts(of_weight, channels.clone())),
                Some(Tensor::from_parts(of_bias, channels)),
            ]
        });
        Ok(self.of_inputs(grads))
    }
}

/// What each channel is normalised with, as it is saved for the way back: four numbers.
fn normals(saved: &Tensor) -> Result<Vec<Normal>> {
    Ok(saved.as_slice::<f64>()?.as_chunks().0.iter().map(|&numbers| Normal::from_array(numbers)).collect())
}

/// Channels, or whatever stands in their place, and what they are normalised with.
pub(super) struct Normalization<'a> {
    /// The input seen as `[N, C, S]`.
    pub(super) dims: [usize; 3],
    /// Mean and variance, contiguous and outside any graph; those of the input itself where absent.
    pub(super) running: Option<(Tensor, Tensor)>,
    pub(super) weight: Option<&'a Tensor>,
    pub(super) bias: Option<&'a Tensor>,
    pub(super) eps: f64,
}

impl Normalization<'_> {
    /// Normalises operands that are known to fit.
    #[track_caller]
    pub(super) fn of(&self, x: &Tensor) -> Result<BatchNorm> {
        let &Normalization { dims, weight, bias, eps, .. } = self;
        let values = x.detach().contiguous()?;
        let contiguous = |t: Option<&Tensor>| t.map(|t| t.detach().contiguous()).transpose();
        let (scale, shift) = (contiguous(weight)?, contiguous(bias)?);
        let [n, c, s] = dims;
        let count = (n * s) as f64;
        let of_channels = Shape::from([c, 4]);
        let mut numbers = of_channels.allocate::<f64>("batch_norm")?;
        let places = numbers.as_chunks_mut().0;
        let (mean, var) = dispatch_float!(x.dtype(), T => match &self.running {
            Some((mean, var)) => {
                let given = mean.as_slice::<T>()?.iter().zip(var.as_slice::<T>()?);
                for (place, (&mean, &var)) in places.iter_mut().zip(given) {
                    *place = Normal::given(mean, var, eps).to_array();
                }
                (mean.clone(), var.clone())
            }
            None => {
                let channels = Shape::from(c);
                let mut means = channels.allocate::<T>("batch_norm")?;
                let mut vars = channels.allocate::<T>("batch_norm")?;
                moments(values.as_slice::<T>()?, dims, eps.max(0.0), |channel, moments| {
                    places[channel] = moments.normal::<T>(count, eps).to_array();
                    means[channel] = T::from_f64(moments.mean / moments.scale);
                    vars[channel] = T::from_f64(moments.squares / count / moments.scale / moments.scale);
                });
                (Tensor::from_parts(means, channels.clone()), Tensor::from_parts(vars, channels))
            }
        });
        let numbers = Tensor::from_parts(numbers, of_channels);
        let output = dispatch_float!(x.dtype(), T => {
            let scale = scale.as_ref().map(Tensor::as_slice::<T>).transpose()?;
            let shift = shift.as_ref().map(Tensor::as_slice::<T>).transpose()?;
            let mut out = x.shape().allocate::<T>("batch_norm")?;
            normalize(values.as_slice::<T>()?, dims, &normals(&numbers)?, scale, shift, &mut out);
            Tensor::from_parts(out, x.shape().clone())
        });
        let operation = NormBackward {
            dims,
            eps,
            training: self.running.is_none(),
            has_weight: weight.is_some(),
            has_bias: bias.is_some(),
        };
        let inputs: Vec<&Tensor> = [Some(x), weight, bias].into_iter().flatten().collect();
        let mut saved = vec![Save::Input(0), Save::Value(&numbers)];
        if weight.is_some() {
            saved.push(Save::Input(1));
        }
        let output = record(operation, &inputs, &saved, output)?;
        Ok(BatchNorm { output, mean, var })
    }
}

/// Refuses operands of another dtype than the input's, and integers and booleans.
#[track_caller]
pub(super) fn check_dtypes(operation: &str, x: &Tensor, others: &[Option<&Tensor>]) -> Result<()> {
    if !x.dtype().is_float() {
        bail!(DType, operation, "not defined for {}: convert it with to_dtype first", x.dtype());
    }
    if let Some(other) = others.iter().flatten().find(|t| t.dtype() != x.dtype()) {
        bail!(
            DType,
            operation,
            "the input holds {}, another operand {}: convert one with to_dtype",
            x.dtype(),
            other.dtype()
        );
    }
    Ok(())
}

impl Tensor {
    /// Each channel of an input `[N, C]` or `[N, C, …]` minus its mean, divided by √(variance + `eps`), times
    /// `weight`, plus `bias`, each of them `[C]` (PyTorch: `torch.nn.functional.batch_norm`; Ioffe and
    /// Szegedy 2015).
    ///
    /// Without `running` (training) mean and biased variance are those of the input, over all dimensions but
    /// C, and gradients flow through them; else they are the two given tensors `[C]`. They are returned, so
    /// that a layer can keep running averages, for which PyTorch multiplies the variance by n / (n − 1).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[1.0, 10.0], [3.0, 30.0]]);
    /// let y = x.batch_norm(None, None, None, 0.001)?;
    /// assert_eq!(y.mean.to_vec::<f32>()?, [2.0, 20.0]);
    /// assert_eq!(y.var.to_vec::<f32>()?, [1.0, 100.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For fewer than two dimensions, sizes or dtypes that do not fit, in training when channels have one
    /// value only or `eps` is not positive, when a running statistic is tracked (no gradient flows to it), and
    /// for integers and booleans.
    #[track_caller]
    pub fn batch_norm(
        &self,
        running: Option<(&Tensor, &Tensor)>,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        eps: f64,
    ) -> Result<BatchNorm> {
        let &[n, c, ref spatial @ ..] = &**self.shape() else {
            bail!(Shape, "batch_norm", "expects an input [N, C] or [N, C, …], not shape {}", self.shape());
        };
        let (mean, var) = running.unzip();
        let named = [("running mean", mean), ("running variance", var), ("weight", weight), ("bias", bias)];
        for (name, t) in named {
            if let Some(t) = t.filter(|t| *t.shape() != [c]) {
                bail!(
                    Shape,
                    "batch_norm",
                    "a {name} of shape {} does not fit the {c} channels of an input of shape {}",
                    t.shape(),
                    self.shape()
                );
            }
        }
        check_dtypes("batch_norm", self, &[mean, var, weight, bias])?;
        let s = spatial.iter().product();
        let mut kept = None;
        match (mean, var) {
            (Some(mean), Some(var)) => {
                if is_tracked(&[mean, var]) {
                    bail!(Graph, "batch_norm", "no gradient flows to running statistics: detach them");
                }
                kept = Some((mean.detach().contiguous()?, var.detach().contiguous()?));
            }
            _ => check_training("batch_norm", self, n * s, eps)?,
        }
        Normalization { dims: [n, c, s], running: kept, weight, bias, eps }.of(self)
    }
}

/// Refuses to take statistics of one value, whose variance is 0, and an `eps` that could leave a division by 0.
#[track_caller]
pub(super) fn check_training(operation: &str, x: &Tensor, count: usize, eps: f64) -> Result<()> {
    if count == 1 {
        bail!(Shape, operation, "expects more than one value per channel in training, not shape {}", x.shape());
    }
    check_eps(operation, eps)
}

/// Refuses an eps that cannot be meant. Where the variance is that of many values, PyTorch takes every number.
#[track_caller]
pub(super) fn check_eps_is_number(operation: &str, eps: f64) -> Result<()> {
    if eps.is_nan() {
        bail!(Value, operation, "eps must be a number, not {eps}");
    }
    Ok(())
}

#[track_caller]
pub(super) fn check_eps(operation: &str, eps: f64) -> Result<()> {
    // Written so that a NaN is refused too.
    if eps.is_nan() || eps <= 0.0 {
        bail!(Value, operation, "eps must be positive, not {eps}");
    }
    Ok(())
}

pub(super) const ROW: Row = Row {
    errors: || {
        let x = || values(1, [2, 3]);
        let norm = |x: &Tensor, w: Option<&Tensor>, eps: f64| Ok(x.batch_norm(None, w, None, eps)?.output);
        vec![
            Refusal::new(&["[1, 3]"], move || norm(&values(1, [1, 3]), None, 1e-5)),
            Refusal::new(&["[3]"], move || norm(&values(1, [3]), None, 1e-5)),
            Refusal::new(&["weight", "[2]", "3 channels"], move || norm(&x(), Some(&values(2, [2])), 1e-5)),
            Refusal::new(&["eps", "0"], move || norm(&x(), None, 0.0)),
            Refusal::new(&["int64"], move || norm(&Tensor::new([[1], [2]]), None, 1e-5)),
            Refusal::new(&["float64", "float32"], move || norm(&x(), Some(&Tensor::ones([3])?), 1e-5)),
            Refusal::new(&["detach"], move || {
                let mean = values(2, [3]).requires_grad_(true)?;
                Ok(x().batch_norm(Some((&mean, &uniform(3, [3], 0.5, 1.0))), None, None, 1e-5)?.output)
            }),
        ]
    },
    bench: &[
        (&[&[64, 32, 28, 28], &[32], &[32]], |x| {
            Ok(vec![x[0].batch_norm(None, Some(&x[1]), Some(&x[2]), 1e-5)?.output])
        }),
        (&[&[512, 256], &[256], &[256]], |x| {
            Ok(vec![x[0].batch_norm(None, Some(&x[1]), Some(&x[2]), 1e-5)?.output])
        }),
    ],
    ..Row::new("batch_norm", "torch.nn.functional.batch_norm", || {
        let affine = || (values(2, [3]), values(3, [3]));
        let (weight, bias) = affine();
        let with_running = |x: &[Tensor]| {
            let (mean, var) = (values(4, [3]).to_dtype(x[0].dtype())?, uniform(5, [3], 0.5, 2.0));
            let running = (&mean, &var.to_dtype(x[0].dtype())?);
            Ok(x[0].batch_norm(Some(running), x.get(1), x.get(2), 1e-3)?.output)
        };
        vec![
            Sample::new("rows", [values(1, [4, 3]), weight, bias], |x| {
                Ok(x[0].batch_norm(None, Some(&x[1]), Some(&x[2]), 0.1)?.output)
            }),
            Sample::new("images", [values(1, [2, 2, 2, 3]), values(2, [2])], |x| {
                Ok(x[0].batch_norm(None, Some(&x[1]), None, 0.1)?.output)
            }),
            Sample::new("bias alone", [values(1, [2, 2, 2]), values(2, [2])], |x| {
                Ok(x[0].batch_norm(None, None, Some(&x[1]), 0.1)?.output)
            }),
            Sample::new("running", [values(1, [2, 3, 2]), values(2, [3]), values(3, [3])], with_running),
            Sample::new("running, no weight", [values(1, [2, 3])], with_running),
        ]
    })
};
