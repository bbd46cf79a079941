//! Maximum pooling.

use chainrule_tensor::{IntoPair, MaxPool2dOptions, Result, Tensor, bail};

use crate::{Forward, Module};

/// The largest element of each window of images `[N, C, H, W]` (PyTorch: `torch.nn.MaxPool2d`); the sizes are
/// those of [`Tensor::max_pool2d`].
///
/// ```
/// # use chainrule_nn::{Forward, MaxPool2d};
/// # use chainrule_tensor::{Result, Tensor};
/// # fn main() -> Result<()> {
/// let x = Tensor::new([[[1.0, 2.0, 3.0, 0.0], [4.0, 0.0, 0.0, 7.0]]]);
/// assert_eq!(MaxPool2d::new(2)?.forward(&x)?.to_vec::<f32>()?, [4.0, 7.0]);
/// assert_eq!(MaxPool2d::builder(2).stride(1).build()?.forward(&x)?.to_vec::<f32>()?, [4.0, 3.0, 7.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Module)]
pub struct MaxPool2d {
    #[module(skip)]
    options: MaxPool2dOptions,
}

/// The options of a [`MaxPool2d`] layer. A pair is one number for both directions, or `[vertical, horizontal]`.
#[derive(Clone, Debug)]
pub struct MaxPool2dBuilder(MaxPool2dOptions);

impl MaxPool2d {
    /// Windows of a size, side by side.
    ///
    /// # Errors
    /// When the size is 0.
    #[track_caller]
    pub fn new(kernel_size: impl IntoPair) -> Result<MaxPool2d> {
        MaxPool2d::builder(kernel_size).build()
    }

    /// Windows with other options.
    pub fn builder(kernel_size: impl IntoPair) -> MaxPool2dBuilder {
        MaxPool2dBuilder(MaxPool2dOptions::new(kernel_size))
    }
}

impl MaxPool2dBuilder {
    /// Distance between windows; default the size of the window.
    #[must_use]
    pub fn stride(mut self, stride: impl IntoPair) -> Self {
        self.0.stride = Some(stride.into_pair());
        self
    }

    /// Rows and columns of −∞ added at each side, at most half of the window; default 0.
    #[must_use]
    pub fn padding(mut self, padding: impl IntoPair) -> Self {
        self.0.padding = padding.into_pair();
        self
    }

    /// Distance between the elements of a window; default 1.
    #[must_use]
    pub fn dilation(mut self, dilation: impl IntoPair) -> Self {
        self.0.dilation = dilation.into_pair();
        self
    }

    /// Whether a window may begin inside and end outside, so that nothing at the bottom and the right is left out;
    /// default `false`.
    #[must_use]
    pub fn ceil_mode(mut self, ceil_mode: bool) -> Self {
        self.0.ceil_mode = ceil_mode;
        self
    }

    /// Makes the layer.
    ///
    /// # Errors
    /// When the size, the stride or the dilation is 0, or the padding larger than half of the window.
    #[track_caller]
    pub fn build(self) -> Result<MaxPool2d> {
        let MaxPool2dOptions { kernel_size, stride, padding, dilation, .. } = self.0;
        if [kernel_size, stride.unwrap_or([1; 2]), dilation].concat().contains(&0) {
            bail!(
                Value,
                "MaxPool2d",
                "kernel_size {kernel_size:?}, stride {stride:?} and dilation {dilation:?} must be above 0"
            );
        }
        if (0..2).any(|d| padding[d] > kernel_size[d] / 2) {
            bail!(
                Value,
                "MaxPool2d",
                "padding {padding:?} is larger than half of the window {kernel_size:?}"
            );
        }
        Ok(MaxPool2d { options: self.0 })
    }
}

impl Forward for MaxPool2d {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.max_pool2d(self.options)
    }
}
