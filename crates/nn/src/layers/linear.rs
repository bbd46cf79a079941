//! The linear layer.

use std::fmt;

use chainrule_tensor::{DType, Parameter, Result, Tensor};

use crate::forward::inside;
use crate::{Forward, Module, init};

/// y = x·Wᵀ + b: maps `[…, in_features]` to `[…, out_features]` (PyTorch: `torch.nn.Linear`).
///
/// Weight and bias begin uniform within ±1/√in_features, in PyTorch's order of draws.
///
/// ```
/// # use chainrule_nn::{Forward, Linear, Module};
/// # use chainrule_tensor::{Result, Tensor, random::manual_seed};
/// # fn main() -> Result<()> {
/// manual_seed(0);
/// let layer = Linear::new(4, 1)?;
/// let weight = layer.weight.tensor().to_vec::<f32>()?;
/// assert_eq!(weight, [-0.00374341, 0.2682218, -0.41152257, -0.3679695]);
/// assert_eq!(*layer.forward(&Tensor::zeros([5, 4])?)?.shape(), [5, 1]);
/// let without_bias = Linear::builder(4, 1).bias(false).build()?;
/// assert_eq!(without_bias.num_parameters(), 4);
/// # Ok(())
/// # }
/// ```
#[derive(Module)]
pub struct Linear {
    /// W, `[out_features, in_features]`.
    pub weight: Parameter,
    /// b, `[out_features]`.
    pub bias: Option<Parameter>,
}

/// The options of a [`Linear`] layer.
#[derive(Clone, Debug)]
pub struct LinearBuilder {
    in_features: usize,
    out_features: usize,
    bias: bool,
    dtype: DType,
}

impl Linear {
    /// A layer with a bias, in `f32`.
    ///
    /// # Errors
    /// When the weight would not fit in memory.
    #[track_caller]
    pub fn new(in_features: usize, out_features: usize) -> Result<Linear> {
        Linear::builder(in_features, out_features).build()
    }

    /// A layer with other options.
    pub fn builder(in_features: usize, out_features: usize) -> LinearBuilder {
        LinearBuilder { in_features, out_features, bias: true, dtype: DType::F32 }
    }
}

impl LinearBuilder {
    /// Whether there is a bias; default `true`.
    #[must_use]
    pub fn bias(self, bias: bool) -> Self {
        LinearBuilder { bias, ..self }
    }

    /// The dtype of weight and bias; default `F32`.
    #[must_use]
    pub fn dtype(self, dtype: DType) -> Self {
        LinearBuilder { dtype, ..self }
    }

    /// Makes the layer.
    ///
    /// # Errors
    /// When the weight would not fit in memory, or the dtype is not floating-point.
    #[track_caller]
    pub fn build(self) -> Result<Linear> {
        let LinearBuilder { in_features, out_features, bias, dtype } = self;
        let weight = init::weight([out_features, in_features], in_features, dtype)?;
        let bias = if bias { Some(init::bias(out_features, in_features, dtype)?) } else { None };
        Ok(Linear { weight, bias })
    }
}

impl Forward for Linear {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let bias = self.bias.as_ref().map(Parameter::tensor);
        inside(self, x.linear(&self.weight.tensor(), bias.as_ref()))
    }
}

impl fmt::Debug for Linear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = self.weight.shape();
        f.debug_struct("Linear")
            .field("in_features", &shape[1])
            .field("out_features", &shape[0])
            .field("bias", &self.bias.is_some())
            .finish()
    }
}
