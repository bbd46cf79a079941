//! Layer normalisation.

use std::fmt;

use chainrule_tensor::{DType, Parameter, Result, Shape, Tensor, bail};

use crate::forward::{at_caller, inside};
use crate::{Forward, Module, init};

/// Each sample over its last dimensions: minus the mean, divided by √(biased variance + eps), times weight, plus bias
/// (PyTorch: `torch.nn.LayerNorm`). It is the same in training and evaluation.
///
/// Ba, Kiros and Hinton, "Layer Normalization", 2016.
///
/// ```
/// # use chainrule_nn::{Forward, LayerNorm};
/// # use chainrule_tensor::{Result, Tensor};
/// # fn main() -> Result<()> {
/// let norm = LayerNorm::builder([2]).eps(1e-12).build()?;
/// let y = norm.forward(&Tensor::new([[1.0, 3.0], [30.0, 10.0]]))?;
/// assert_eq!(y.to_vec::<f32>()?, [-1.0, 1.0, 1.0, -1.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Module)]
pub struct LayerNorm {
    /// Of the normalised shape, ones at first; none without `elementwise_affine`.
    pub weight: Option<Parameter>,
    /// Of the normalised shape, zeros at first; none without `elementwise_affine` or `bias`.
    pub bias: Option<Parameter>,
    normalized_shape: Shape,
    eps: f64,
}

/// The options of a [`LayerNorm`] layer.
#[derive(Clone, Debug)]
pub struct LayerNormBuilder {
    normalized_shape: Shape,
    eps: f64,
    elementwise_affine: bool,
    bias: bool,
    dtype: DType,
}

impl LayerNorm {
    /// Normalisation over the last dimensions, whose sizes are `normalized_shape`, in `f32`.
    ///
    /// # Errors
    /// When `normalized_shape` is empty.
    #[track_caller]
    pub fn new(normalized_shape: impl Into<Shape>) -> Result<LayerNorm> {
        LayerNorm::builder(normalized_shape).build()
    }

    /// Normalisation with other options.
    pub fn builder(normalized_shape: impl Into<Shape>) -> LayerNormBuilder {
        LayerNormBuilder {
            normalized_shape: normalized_shape.into(),
            eps: 1e-5,
            elementwise_affine: true,
            bias: true,
            dtype: DType::F32,
        }
    }
}

impl LayerNormBuilder {
    /// What is added to the variance; default 1e-5.
    #[must_use]
    pub fn eps(self, eps: f64) -> Self {
        LayerNormBuilder { eps, ..self }
    }

    /// Whether there are a weight and a bias; default `true`.
    #[must_use]
    pub fn elementwise_affine(self, elementwise_affine: bool) -> Self {
        LayerNormBuilder { elementwise_affine, ..self }
    }

    /// Whether there is a bias beside the weight; default `true`.
    #[must_use]
    pub fn bias(self, bias: bool) -> Self {
        LayerNormBuilder { bias, ..self }
    }

    /// The dtype of weight and bias; default `F32`.
    #[must_use]
    pub fn dtype(self, dtype: DType) -> Self {
        LayerNormBuilder { dtype, ..self }
    }

    /// Makes the layer.
    ///
    /// # Errors
    /// When `normalized_shape` is empty, `eps` is NaN, or the dtype is not floating-point.
    #[track_caller]
    pub fn build(self) -> Result<LayerNorm> {
        at_caller(self.make())
    }

    fn make(self) -> Result<LayerNorm> {
        let LayerNormBuilder { normalized_shape, eps, elementwise_affine, bias, dtype } = self;
        if normalized_shape.is_empty() {
            bail!(Shape, "LayerNorm", "normalized_shape must have one dimension at least");
        }
        if eps.is_nan() {
            bail!(Value, "LayerNorm", "eps must be a number, not NaN");
        }
        let weight =
            if elementwise_affine { Some(init::constant(&normalized_shape, 1.0, dtype)?) } else { None };
        let bias = if elementwise_affine && bias {
            Some(init::constant(&normalized_shape, 0.0, dtype)?)
        } else {
            None
        };
        Ok(LayerNorm { weight, bias, normalized_shape, eps })
    }
}

impl Forward for LayerNorm {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let [weight, bias] = [&self.weight, &self.bias].map(|p| p.as_ref().map(Parameter::tensor));
        inside(self, x.layer_norm(&self.normalized_shape, weight.as_ref(), bias.as_ref(), self.eps))
    }
}

impl fmt::Debug for LayerNorm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LayerNorm")
            .field("normalized_shape", &self.normalized_shape)
            .field("eps", &self.eps)
            .field("elementwise_affine", &self.weight.is_some())
            .field("bias", &self.bias.is_some())
            .finish()
    }
}
