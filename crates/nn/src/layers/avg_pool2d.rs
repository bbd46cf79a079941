//! Average pooling.

use chainrule_tensor::{AvgPool2dOptions, IntoPair, Result, Tensor, bail};

use crate::{Forward, Module};

/// The average of each window of images `[N, C, H, W]` (PyTorch: `torch.nn.AvgPool2d`); the sizes are those of
/// [`Tensor::avg_pool2d`].
///
/// ```
/// # use chainrule_nn::{AvgPool2d, Forward};
/// # use chainrule_tensor::{Result, Tensor};
/// # fn main() -> Result<()> {
/// let x = Tensor::new([[[1.0, 2.0, 3.0, 0.0], [4.0, 1.0, 2.0, 7.0]]]);
/// assert_eq!(AvgPool2d::new(2)?.forward(&x)?.to_vec::<f32>()?, [2.0, 3.0]);
/// assert_eq!(AvgPool2d::builder(2).stride(1).build()?.forward(&x)?.to_vec::<f32>()?, [2.0, 2.0, 3.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Module)]
pub struct AvgPool2d {
    #[module(skip)]
    options: AvgPool2dOptions,
}

/// The options of a [`AvgPool2d`] layer. A pair is one number for both directions, or `[vertical, horizontal]`.
#[derive(Clone, Debug)]
pub struct AvgPool2dBuilder(AvgPool2dOptions);

impl AvgPool2d {
    /// Windows of a size, side by side.
    ///
    /// # Errors
    /// When the size is 0.
    #[track_caller]
    pub fn new(kernel_size: impl IntoPair) -> Result<AvgPool2d> {
        AvgPool2d::builder(kernel_size).build()
    }

    /// Windows with other options.
    pub fn builder(kernel_size: impl IntoPair) -> AvgPool2dBuilder {
        AvgPool2dBuilder(AvgPool2dOptions::new(kernel_size))
    }
}

impl AvgPool2dBuilder {
    /// Distance between windows; default the size of the window.
    #[must_use]
    pub fn stride(mut self, stride: impl IntoPair) -> Self {
        self.0.stride = Some(stride.into_pair());
        self
    }

    /// Rows and columns of zeros added at each side, at most half of the window; default 0.
    #[must_use]
    pub fn padding(mut self, padding: impl IntoPair) -> Self {
        self.0.padding = padding.into_pair();
        self
    }

    /// Whether a window may begin inside and end outside, so that nothing at the bottom and the right is left out;
    /// default `false`.
    #[must_use]
    pub fn ceil_mode(mut self, ceil_mode: bool) -> Self {
        self.0.ceil_mode = ceil_mode;
        self
    }

    /// Whether padding counts in the number that a sum is divided by; default `true`.
    #[must_use]
    pub fn count_include_pad(mut self, count_include_pad: bool) -> Self {
        self.0.count_include_pad = count_include_pad;
        self
    }

    /// What every sum is divided by, in the place of the number of elements; default none.
    #[must_use]
    pub fn divisor_override(mut self, divisor_override: usize) -> Self {
        self.0.divisor_override = Some(divisor_override);
        self
    }

    /// Makes the layer.
    ///
    /// # Errors
    /// When the size, the stride or the divisor is 0, or the padding larger than half of the window.
    #[track_caller]
    pub fn build(self) -> Result<AvgPool2d> {
        let AvgPool2dOptions { kernel_size, stride, padding, divisor_override, .. } = self.0;
        if [kernel_size, stride.unwrap_or([1; 2])].concat().contains(&0) || divisor_override == Some(0) {
            bail!(
                Value,
                "AvgPool2d",
                "kernel_size {kernel_size:?}, stride {stride:?} and divisor_override {divisor_override:?} must be above 0"
            );
        }
        if (0..2).any(|d| padding[d] > kernel_size[d] / 2) {
            bail!(
                Value,
                "AvgPool2d",
                "padding {padding:?} is larger than half of the window {kernel_size:?}"
            );
        }
        Ok(AvgPool2d { options: self.0 })
    }
}

impl Forward for AvgPool2d {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.avg_pool2d(self.options)
    }
}
