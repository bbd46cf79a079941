//! Two-dimensional transposed convolution.

use chainrule_kernels::conv2d::{Conv2dShape, Conv2dSizes};

use super::conv2d::{channels_first, check_bias, check_dtypes};
use crate::table::{Refusal, Row, Sample, values};
use crate::window::Axis;
use crate::{Result, Tensor, bail};

/// The options of [`Tensor::conv_transpose2d`]; pairs are (vertical, horizontal).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvTranspose2dOptions {
    /// Distance in the output of what neighbouring inputs are spread to. Default 1.
    pub stride: [usize; 2],
    /// Rows and columns taken away at each side of the output. Default 0.
    pub padding: [usize; 2],
    /// Rows and columns added at the bottom and the right of the output, fewer than stride or dilation.
    /// Default 0.
    pub output_padding: [usize; 2],
    /// Distance of neighbouring kernel elements in the output. Default 1.
    pub dilation: [usize; 2],
    /// Groups of channels that are convolved separately. Default 1.
    pub groups: usize,
}

impl Default for ConvTranspose2dOptions {
    fn default() -> Self {
        ConvTranspose2dOptions {
            stride: [1; 2],
            padding: [0; 2],
            output_padding: [0; 2],
            dilation: [1; 2],
            groups: 1,
        }
    }
}

impl Tensor {
    /// The way of [`Tensor::conv2d`] from output to input: an input `[N, C_in, H, W]` or `[C_in, H, W]` and a
    /// `weight` `[C_in, C_out / groups, kernel height, kernel width]` give `[N, C_out, H_out, W_out]`, without
    /// N for a single image. `bias` is `[C_out]` (PyTorch: `torch.nn.functional.conv_transpose2d`).
    ///
    /// H_out = (H − 1)·stride − 2·padding + dilation·(kernel height − 1) + output_padding + 1, and W_out
    /// likewise.
    ///
    /// ```
    /// # use chainrule_tensor::{ConvTranspose2dOptions, Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let (x, weight) = (Tensor::ones([1, 4, 7, 7])?, Tensor::ones([4, 2, 2, 2])?);
    /// let options = ConvTranspose2dOptions { stride: [2, 2], ..Default::default() };
    /// assert_eq!(x.conv_transpose2d(&weight, None, options)?.shape(), &[1, 2, 14, 14]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When shapes, groups or dtypes do not fit, when nothing is left of the output, when `output_padding` is
    /// not smaller than stride or dilation, for a stride, dilation or number of groups of 0, for integers and
    /// booleans, and when there is no memory for the result.
    #[track_caller]
    pub fn conv_transpose2d(
        &self,
        weight: &Tensor,
        bias: Option<&Tensor>,
        options: ConvTranspose2dOptions,
    ) -> Result<Tensor> {
        const NAME: &str = "conv_transpose2d";
        if self.rank() == 3 {
            return self.unsqueeze(0)?.conv_transpose2d(weight, bias, options)?.reshape_without_batch();
        }
        let (&[batch, in_channels, height, width], &[weight_in, group_out, kernel_height, kernel_width]) =
            (&**self.shape(), &**weight.shape())
        else {
            bail!(
                Shape,
                NAME,
                "expects an input [N, C, H, W] or [C, H, W] and a weight of 4 dimensions, not {} and {}",
                self.shape(),
                weight.shape()
            );
        };
        let ConvTranspose2dOptions { stride, padding, output_padding, dilation, groups } = options;
        if groups == 0 || stride.contains(&0) || dilation.contains(&0) {
            bail!(Value, NAME, "stride {stride:?}, dilation {dilation:?} and groups {groups} must be above 0");
        }
        if (0..2).any(|d| output_padding[d] >= stride[d].max(dilation[d])) {
            bail!(
                Value,
                NAME,
                "output_padding {output_padding:?} must be smaller than stride {stride:?} or dilation {dilation:?}"
            );
        }
        if in_channels != weight_in || !in_channels.is_multiple_of(groups) {
            bail!(
                Shape,
                NAME,
                "{in_channels} channels of an input of shape {} and a weight of shape {} do not fit {groups} groups: the weight is [in, out / groups, height, width]{}",
                self.shape(),
                weight.shape(),
                channels_first(self.shape(), Some(weight_in))
            );
        }
        let (small, kernel) = ([height, width], [kernel_height, kernel_width]);
        let mut output = [0; 2];
        for d in 0..2 {
            let axis = Axis {
                input: small[d],
                kernel: kernel[d],
                stride: stride[d],
                padding: padding[d],
                dilation: dilation[d],
            };
            output[d] = match axis.transposed(output_padding[d]) {
                None => bail!(
                    Memory,
                    NAME,
                    "with stride {stride:?}, dilation {dilation:?}, padding {padding:?} and output_padding {output_padding:?} the output of an input of size {small:?} and a kernel of size {kernel:?} does not fit in memory"
                ),
                Some(0) => bail!(
                    Shape,
                    NAME,
                    "an input of size {small:?} and a kernel of size {kernel:?} with padding {padding:?} leave nothing of the output"
                ),
                Some(left) => left,
            };
        }
        // The convolution whose input this is the way back to. Where output_padding reaches its stride, more windows than
        // this input has elements would fit there.
        let shape = group_out.checked_mul(groups).and_then(|out_channels| {
            Conv2dShape::new(Conv2dSizes {
                batch,
                in_channels: out_channels,
                out_channels: in_channels,
                groups,
                input: output,
                kernel,
                stride,
                padding,
                dilation,
                output: small,
            })
        });
        let Some(shape) = shape else {
            bail!(
                Memory,
                NAME,
                "an output of {batch} images of {group_out} times {groups} channels and size {output:?}, with padding {padding:?} at each side before, does not fit in memory"
            );
        };
        let out_channels = shape.in_channels;
        check_bias(NAME, bias, out_channels)?;
        check_dtypes(NAME, &[Some(self), Some(weight), bias])?;
        let y = self.spread(NAME, weight, shape)?;
        match bias {
            Some(bias) => y.add(&bias.reshape([out_channels, 1, 1])?),
            None => Ok(y),
        }
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        let (x, weight) = (|| values(1, [1, 4, 3, 3]), || values(2, [4, 2, 2, 2]));
        let options = ConvTranspose2dOptions::default;
        vec![
            Refusal::new(&["[1, 4, 3, 3]", "[3, 2, 2, 2]"], move || {
                x().conv_transpose2d(&values(2, [3, 2, 2, 2]), None, options())
            }),
            Refusal::new(&["[1, 0]", "[1, 1]"], move || {
                x().conv_transpose2d(&weight(), None, ConvTranspose2dOptions { output_padding: [1, 0], ..options() })
            }),
            Refusal::new(&["[3, 3]", "[2, 2]"], move || {
                x().conv_transpose2d(&weight(), None, ConvTranspose2dOptions { padding: [2, 0], ..options() })
            }),
            Refusal::new(&["[3]", "2 output channels"], move || {
                x().conv_transpose2d(&weight(), Some(&values(3, [3])), options())
            }),
        ]
    },
    ..Row::new("conv_transpose2d", "torch.nn.functional.conv_transpose2d", || {
        let options = ConvTranspose2dOptions::default;
        let plain = [values(1, [1, 2, 2, 3]), values(2, [2, 2, 2, 2]), values(3, [2])];
        let padding = [values(1, [1, 1, 3, 2]), values(2, [1, 1, 3, 2])];
        vec![
            Sample::new("plain", plain, move |x| x[0].conv_transpose2d(&x[1], Some(&x[2]), options())),
            Sample::new("stride and padding", padding, move |x| {
                let options = ConvTranspose2dOptions {
                    stride: [2, 3],
                    padding: [1, 1],
                    output_padding: [1, 0],
                    ..options()
                };
                x[0].conv_transpose2d(&x[1], None, options)
            }),
            Sample::new("groups", [values(1, [2, 2, 2]), values(2, [2, 1, 2, 2]), values(3, [2])], move |x| {
                x[0].conv_transpose2d(&x[1], Some(&x[2]), ConvTranspose2dOptions { groups: 2, ..options() })
            }),
            Sample::new("dilation", [values(1, [1, 1, 2, 2]), values(2, [1, 1, 2, 2])], move |x| {
                let options = ConvTranspose2dOptions { dilation: [2, 3], output_padding: [1, 2], ..options() };
                x[0].conv_transpose2d(&x[1], None, options)
            }),
        ]
    })
};
