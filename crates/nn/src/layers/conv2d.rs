//! Two-dimensional convolution.

use std::fmt;

use chainrule_tensor::{Conv2dOptions, DType, IntoPair, Parameter, Result, Tensor, bail};

use crate::forward::inside;
use crate::{Forward, Module, init};

/// Slides kernels over images `[N, C_in, H, W]` (or one image without N), which gives `[N, C_out, H_out, W_out]`
/// (PyTorch: `torch.nn.Conv2d`); the sizes are those of [`Tensor::conv2d`].
///
/// Weight and bias begin uniform within ±1/√(C_in / groups · kernel height · kernel width), in PyTorch's order
/// of draws.
///
/// ```
/// # use chainrule_nn::{Conv2d, Forward};
/// # use chainrule_tensor::{Result, Tensor};
/// # fn main() -> Result<()> {
/// let x = Tensor::zeros([1, 16, 8, 8])?;
/// assert_eq!(*Conv2d::new(16, 32, 3)?.forward(&x)?.shape(), [1, 32, 6, 6]);
/// let conv = Conv2d::builder(16, 32, [3, 5]).stride(2).padding([1, 2]).bias(false).build()?;
/// assert_eq!(*conv.forward(&x)?.shape(), [1, 32, 4, 4]);
/// # Ok(())
/// # }
/// ```
#[derive(Module)]
pub struct Conv2d {
    /// The kernels, `[C_out, C_in / groups, height, width]`.
    pub weight: Parameter,
    /// `[C_out]`.
    pub bias: Option<Parameter>,
    #[module(skip)]
    options: Conv2dOptions,
}

/// The options of a [`Conv2d`] layer. A pair is one number for both directions, or `[vertical, horizontal]`.
#[derive(Clone, Debug)]
pub struct Conv2dBuilder {
    in_channels: usize,
    out_channels: usize,
    kernel_size: [usize; 2],
    options: Conv2dOptions,
    bias: bool,
    dtype: DType,
}

impl Conv2d {
    /// A convolution with stride 1, no padding and a bias, in `f32`.
    ///
    /// # Errors
    /// When a number of channels or a size is 0.
    #[track_caller]
    pub fn new(in_channels: usize, out_channels: usize, kernel_size: impl IntoPair) -> Result<Conv2d> {
        Conv2d::builder(in_channels, out_channels, kernel_size).build()
    }

    /// A convolution with other options.
    pub fn builder(in_channels: usize, out_channels: usize, kernel_size: impl IntoPair) -> Conv2dBuilder {
        Conv2dBuilder {
            in_channels,
            out_channels,
            kernel_size: kernel_size.into_pair(),
            options: Conv2dOptions::default(),
            bias: true,
            dtype: DType::F32,
        }
    }
}

impl Conv2dBuilder {
    /// Distance of the windows of neighbouring outputs; default 1.
    #[must_use]
    pub fn stride(mut self, stride: impl IntoPair) -> Self {
        self.options.stride = stride.into_pair();
        self
    }

    /// Zeros added at each side; default 0.
    #[must_use]
    pub fn padding(mut self, padding: impl IntoPair) -> Self {
        self.options.padding = padding.into_pair();
        self
    }

    /// Distance of neighbouring kernel elements in the input; default 1.
    #[must_use]
    pub fn dilation(mut self, dilation: impl IntoPair) -> Self {
        self.options.dilation = dilation.into_pair();
        self
    }

    /// Groups of channels that are convolved separately; default 1.
    #[must_use]
    pub fn groups(mut self, groups: usize) -> Self {
        self.options.groups = groups;
        self
    }

    /// Whether there is a bias; default `true`.
    #[must_use]
    pub fn bias(self, bias: bool) -> Self {
        Conv2dBuilder { bias, ..self }
    }

    /// The dtype of weight and bias; default `F32`.
    #[must_use]
    pub fn dtype(self, dtype: DType) -> Self {
        Conv2dBuilder { dtype, ..self }
    }

    /// Makes the layer.
    ///
    /// # Errors
    /// When a number of channels, a size, the stride, the dilation or the number of groups is 0, the groups do
    /// not divide both numbers of channels, the dtype is not floating-point, or there is no memory for the weight.
    #[track_caller]
    pub fn build(self) -> Result<Conv2d> {
        let Conv2dBuilder { in_channels, out_channels, kernel_size, options, bias, dtype } = self;
        let Conv2dOptions { stride, dilation, groups, .. } = options;
        if in_channels == 0 || out_channels == 0 || [kernel_size, stride, dilation].concat().contains(&0) {
            bail!(
                Value,
                "Conv2d",
                "in_channels {in_channels}, out_channels {out_channels}, kernel_size {kernel_size:?}, stride {stride:?} and dilation {dilation:?} must be above 0"
            );
        }
        if groups == 0 || in_channels % groups != 0 || out_channels % groups != 0 {
            bail!(Value, "Conv2d", "{groups} groups do not divide {in_channels} and {out_channels} channels");
        }
        let [height, width] = kernel_size;
        let group_in = in_channels / groups;
        let Some(fan_in) = group_in.checked_mul(height).and_then(|n| n.checked_mul(width)) else {
            bail!(
                Memory,
                "Conv2d",
                "a weight of {out_channels} by {group_in} channels and kernels of size {kernel_size:?} does not fit in memory"
            );
        };
        let weight = init::weight([out_channels, group_in, height, width], fan_in, dtype)?;
        let bias = if bias { Some(init::bias(out_channels, fan_in, dtype)?) } else { None };
        Ok(Conv2d { weight, bias, options })
    }
}

impl Forward for Conv2d {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let bias = self.bias.as_ref().map(Parameter::tensor);
        inside(self, x.conv2d(&self.weight.tensor(), bias.as_ref(), self.options))
    }
}

impl fmt::Debug for Conv2d {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = self.weight.shape();
        let Conv2dOptions { stride, padding, dilation, groups } = self.options;
        f.debug_struct("Conv2d")
            .field("in_channels", &(shape[1] * groups))
            .field("out_channels", &shape[0])
            .field("kernel_size", &[shape[2], shape[3]])
            .field("stride", &stride)
            .field("padding", &padding)
            .field("dilation", &dilation)
            .field("groups", &groups)
            .field("bias", &self.bias.is_some())
            .finish()
    }
}
