//! One-dimensional convolution.

use super::conv2d::{Asked, Conv2dOptions};
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Tensor, bail};

/// The options of [`Tensor::conv1d`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv1dOptions {
    /// Distance of the windows of neighbouring outputs. Default 1.
    pub stride: usize,
    /// Zeros added at each end of the input. Default 0.
    pub padding: usize,
    /// Distance of neighbouring kernel elements in the input. Default 1.
    pub dilation: usize,
    /// Groups of channels that are convolved separately. Default 1.
    pub groups: usize,
}

impl Default for Conv1dOptions {
    fn default() -> Self {
        Conv1dOptions { stride: 1, padding: 0, dilation: 1, groups: 1 }
    }
}

impl Tensor {
    /// Slides kernels over sequences (cross-correlation): an input `[N, C_in, L]` or `[C_in, L]` and a
    /// `weight` `[C_out, C_in / groups, kernel]` give `[N, C_out, L_out]`, without N for a single sequence.
    /// `bias` is `[C_out]` (PyTorch: `torch.nn.functional.conv1d`).
    ///
    /// L_out = ⌊(L + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1.
    ///
    /// ```
    /// # use chainrule_tensor::{Conv1dOptions, Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let (x, weight) = (Tensor::new([[1.0, 2.0, 4.0]]), Tensor::new([[[-1.0, 1.0]]]));
    /// let y = x.conv1d(&weight, None, Conv1dOptions::default())?;
    /// assert_eq!(y.to_vec::<f32>()?, [1.0, 2.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Tensor::conv2d`].
    #[track_caller]
    pub fn conv1d(&self, weight: &Tensor, bias: Option<&Tensor>, options: Conv1dOptions) -> Result<Tensor> {
        if !(2..=3).contains(&self.rank()) || weight.rank() != 3 {
            bail!(
                Shape,
                "conv1d",
                "expects an input [N, C, L] or [C, L] and a weight of 3 dimensions, not {} and {}",
                self.shape(),
                weight.shape()
            );
        }
        let Conv1dOptions { stride, padding, dilation, groups } = options;
        let options =
            Conv2dOptions { stride: [1, stride], padding: [0, padding], dilation: [1, dilation], groups };
        // An image of one row.
        Asked { operation: "conv1d", input: self.shape(), weight: weight.shape(), directions: 1 }
            .of(&self.unsqueeze(-2)?, &weight.unsqueeze(-2)?, bias, options)?
            .squeeze_dim(-2)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["[5]", "[2, 4, 3]"], || {
                values(1, [5]).conv1d(&values(2, [2, 4, 3]), None, Conv1dOptions::default())
            }),
            Refusal::new(&["4 channels", "shape [4, 5]", "[2, 3, 3]", "groups, length"], || {
                values(1, [4, 5]).conv1d(&values(2, [2, 3, 3]), None, Conv1dOptions::default())
            }),
            Refusal::new(&["stride [0]", "dilation [1]"], || {
                let options = Conv1dOptions { stride: 0, ..Default::default() };
                values(1, [4, 5]).conv1d(&values(2, [2, 4, 3]), None, options)
            }),
            Refusal::new(&["size [7]", "dilation [1]", "size [5]", "padding [0]"], || {
                values(1, [4, 5]).conv1d(&values(2, [2, 4, 7]), None, Conv1dOptions::default())
            }),
            Refusal::new(&["[3]", "2 output channels"], || {
                values(1, [4, 5]).conv1d(&values(2, [2, 4, 3]), Some(&values(3, [3])), Default::default())
            }),
            Refusal::new(&["float64", "float32"], || {
                values(1, [4, 5]).conv1d(&Tensor::ones([2, 4, 3])?, None, Default::default())
            }),
        ]
    },
    ..Row::new("conv1d", "torch.nn.functional.conv1d", || {
        let options = Conv1dOptions::default;
        vec![
            Sample::new("plain", [values(1, [2, 2, 4]), values(2, [2, 2, 2]), values(3, [2])], move |x| {
                x[0].conv1d(&x[1], Some(&x[2]), options())
            }),
            Sample::new("one sequence", [values(1, [2, 6]), values(2, [2, 1, 2])], move |x| {
                let options = Conv1dOptions { stride: 2, padding: 1, dilation: 2, groups: 2 };
                x[0].conv1d(&x[1], None, options)
            }),
        ]
    })
};
