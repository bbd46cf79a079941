//! Batch normalisation.

use std::fmt;

use chainrule_tensor::{DType, FloatElement, Parameter, Result, Shape, Tensor, bail, dispatch_float};

use crate::forward::{at_caller, inside};
use crate::{Buffer, Forward, Module, Training, init};

/// Each channel of images `[N, C, H, W]` minus its mean, divided by √(variance + eps), times weight, plus bias
/// (PyTorch: `torch.nn.BatchNorm2d`).
///
/// In training mode mean and biased variance are those of the batch, and running averages of them are kept:
/// new = (1 − momentum) · old + momentum · batch, of the unbiased variance (divided by n − 1). In evaluation
/// mode the running averages are used. They are kept up in training mode also where no gradients are recorded.
///
/// Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate
/// Shift", 2015.
///
/// ```
/// # use chainrule_nn::{BatchNorm2d, Forward, Module};
/// # use chainrule_tensor::{Result, Tensor};
/// # fn main() -> Result<()> {
/// let norm = BatchNorm2d::new(1)?;
/// let x = Tensor::new([[[[1.0, 3.0]]]]);
/// norm.forward(&x)?;
/// let state = norm.state_dict()?;
/// assert_eq!(state.get("running_mean").unwrap().to_vec::<f32>()?, [0.2]);
/// assert_eq!(state.get("running_var").unwrap().to_vec::<f32>()?, [1.1]);
/// norm.eval();
/// assert_eq!(*norm.forward(&x)?.shape(), [1, 1, 1, 2]);
/// # Ok(())
/// # }
/// ```
#[derive(Module)]
pub struct BatchNorm2d {
    /// `[C]`, ones at first; none without `affine`.
    pub weight: Option<Parameter>,
    /// `[C]`, zeros at first; none without `affine`.
    pub bias: Option<Parameter>,
    /// `[C]`, zeros at first; none without `track_running_stats`.
    pub running_mean: Option<Buffer>,
    /// `[C]`, ones at first; none without `track_running_stats`.
    pub running_var: Option<Buffer>,
    /// The number of batches seen in training, a 0-d `i64`; none without `track_running_stats`.
    pub num_batches_tracked: Option<Buffer>,
    num_features: usize,
    eps: f64,
    momentum: Option<f64>,
    training: Training,
}

/// The options of a [`BatchNorm2d`] layer.
#[derive(Clone, Debug)]
pub struct BatchNorm2dBuilder {
    num_features: usize,
    eps: f64,
    momentum: Option<f64>,
    affine: bool,
    track_running_stats: bool,
    dtype: DType,
}

impl BatchNorm2d {
    /// Normalisation of `num_features` channels, in `f32`.
    ///
    /// # Errors
    /// None with these options but for want of memory.
    #[track_caller]
    pub fn new(num_features: usize) -> Result<BatchNorm2d> {
        BatchNorm2d::builder(num_features).build()
    }

    /// Normalisation with other options.
    pub fn builder(num_features: usize) -> BatchNorm2dBuilder {
        BatchNorm2dBuilder {
            num_features,
            eps: 1e-5,
            momentum: Some(0.1),
            affine: true,
            track_running_stats: true,
            dtype: DType::F32,
        }
    }

    #[track_caller]
    fn normalize(&self, x: &Tensor) -> Result<Tensor> {
        let &[n, c, height, width] = &**x.shape() else {
            bail!(Shape, "BatchNorm2d", "expects images [N, C, H, W], not shape {}", x.shape());
        };
        if c != self.num_features {
            bail!(
                Shape,
                "BatchNorm2d",
                "{} channels are normalised, not the {c} of an input of shape {}",
                self.num_features,
                x.shape()
            );
        }
        let (weight, bias) =
            (self.weight.as_ref().map(Parameter::tensor), self.bias.as_ref().map(Parameter::tensor));
        let (weight, bias) = (weight.as_ref(), bias.as_ref());
        let (Some(mean), Some(var)) = (&self.running_mean, &self.running_var) else {
            return Ok(x.batch_norm(None, weight, bias, self.eps)?.output);
        };
        if !self.training.get() {
            return Ok(x.batch_norm(Some((&mean.tensor(), &var.tensor())), weight, bias, self.eps)?.output);
        }
        let batch = x.batch_norm(None, weight, bias, self.eps)?;
        self.check_averages([mean, var], x.dtype())?;
        let momentum = self.next_momentum()?;
        let values = (n * height * width) as f64;
        // An empty batch has no statistics to follow.
        if values > 0.0 {
            dispatch_float!(x.dtype(), T => {
                follow::<T>(mean, &batch.mean, momentum, 1.0)?;
                follow::<T>(var, &batch.var, momentum, values / (values - 1.0))?;
            });
        }
        Ok(batch.output)
    }

    /// Refuses averages that a batch cannot be added to, before the first of them is changed.
    #[track_caller]
    fn check_averages(&self, averages: [&Buffer; 2], dtype: DType) -> Result<()> {
        let averages = ["running_mean", "running_var"].into_iter().zip(averages);
        let averages = averages.map(|(name, buffer)| (name, buffer, dtype, Shape::from([self.num_features])));
        let count = self.num_batches_tracked.iter();
        let count = count.map(|buffer| ("num_batches_tracked", buffer, DType::I64, Shape::from([])));
        for (name, buffer, dtype, shape) in averages.chain(count) {
            let (is_dtype, is_shape) = (buffer.dtype(), buffer.shape());
            if is_dtype != dtype {
                bail!(
                    DType,
                    "BatchNorm2d",
                    "{name} holds {is_dtype}, and for this input should hold {dtype}"
                );
            }
            if is_shape != shape {
                bail!(Shape, "BatchNorm2d", "{name} has shape {is_shape} instead of {shape}");
            }
        }
        Ok(())
    }

    /// Counts a batch; its weight in the running averages.
    #[track_caller]
    fn next_momentum(&self) -> Result<f64> {
        let mut batches = 1;
        if let Some(tracked) = &self.num_batches_tracked {
            tracked.update(|count: &mut [i64]| {
                count[0] += 1;
                batches = count[0];
            })?;
        }
        let momentum = self.momentum.filter(|_| !self.training.is_averaging());
        Ok(momentum.unwrap_or(1.0 / batches as f64))
    }
}

/// A buffer of one value, if there is to be one.
#[track_caller]
fn buffer(wanted: bool, shape: &[usize], value: f64, dtype: DType) -> Result<Option<Buffer>> {
    if !wanted {
        return Ok(None);
    }
    Ok(Some(Buffer::new(&Tensor::full(shape, value, dtype)?)))
}

/// Moves running values towards those of a batch, multiplied by `scale`; in double precision, as PyTorch does.
#[track_caller]
fn follow<T: FloatElement>(running: &Buffer, batch: &Tensor, momentum: f64, scale: f64) -> Result<()> {
    let batch = batch.to_vec::<T>()?;
    running.update(|running: &mut [T]| {
        for (running, batch) in running.iter_mut().zip(batch) {
            *running = T::from_f64(momentum * (batch.to_f64() * scale) + (1.0 - momentum) * running.to_f64());
        }
    })
}

impl BatchNorm2dBuilder {
    /// What is added to the variance; default 1e-5.
    #[must_use]
    pub fn eps(self, eps: f64) -> Self {
        BatchNorm2dBuilder { eps, ..self }
    }

    /// The weight of a new batch in the running averages; default 0.1. With `None` they are the plain averages
    /// over all batches.
    #[must_use]
    pub fn momentum(self, momentum: impl Into<Option<f64>>) -> Self {
        BatchNorm2dBuilder { momentum: momentum.into(), ..self }
    }

    /// Whether there are a weight and a bias; default `true`.
    #[must_use]
    pub fn affine(self, affine: bool) -> Self {
        BatchNorm2dBuilder { affine, ..self }
    }

    /// Whether running averages are kept; default `true`. Without them the statistics of the batch are used in
    /// evaluation mode too.
    #[must_use]
    pub fn track_running_stats(self, track_running_stats: bool) -> Self {
        BatchNorm2dBuilder { track_running_stats, ..self }
    }

    /// The dtype of parameters and averages; default `F32`.
    #[must_use]
    pub fn dtype(self, dtype: DType) -> Self {
        BatchNorm2dBuilder { dtype, ..self }
    }

    /// Makes the layer.
    ///
    /// # Errors
    /// When `eps` is not positive, `momentum` not between 0 and 1, or the dtype not floating-point.
    #[track_caller]
    pub fn build(self) -> Result<BatchNorm2d> {
        at_caller(self.make())
    }

    fn make(self) -> Result<BatchNorm2d> {
        let BatchNorm2dBuilder { num_features, eps, momentum, affine, track_running_stats, dtype } = self;
        if eps.is_nan() || eps <= 0.0 {
            bail!(Value, "BatchNorm2d", "eps must be positive, not {eps}");
        }
        if let Some(momentum) = momentum.filter(|m| !(0.0..=1.0).contains(m)) {
            bail!(Value, "BatchNorm2d", "momentum must be between 0 and 1, not {momentum}");
        }
        if !dtype.is_float() {
            bail!(DType, "BatchNorm2d", "parameters must be floating-point, not {dtype}");
        }
        let tracked = track_running_stats;
        Ok(BatchNorm2d {
            weight: if affine { Some(init::constant(num_features, 1.0, dtype)?) } else { None },
            bias: if affine { Some(init::constant(num_features, 0.0, dtype)?) } else { None },
            running_mean: buffer(tracked, &[num_features], 0.0, dtype)?,
            running_var: buffer(tracked, &[num_features], 1.0, dtype)?,
            num_batches_tracked: if tracked {
                Some(Buffer::optional(&Tensor::full([], 0.0, DType::I64)?))
            } else {
                None
            },
            num_features,
            eps,
            momentum,
            training: Training::new(),
        })
    }
}

impl Forward for BatchNorm2d {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        inside(self, self.normalize(x))
    }
}

impl fmt::Debug for BatchNorm2d {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchNorm2d")
            .field("num_features", &self.num_features)
            .field("eps", &self.eps)
            .field("momentum", &self.momentum)
            .field("affine", &self.weight.is_some())
            .field("track_running_stats", &self.running_mean.is_some())
            .finish()
    }
}
