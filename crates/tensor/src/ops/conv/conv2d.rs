//! Two-dimensional convolution.

use chainrule_kernels::conv2d::{Conv2dShape, Conv2dSizes, forward};

use crate::allocate::InOperation;
use crate::autograd::{Backward, Context, Save, record};
use crate::table::{Refusal, Row, Sample, values};
use crate::window::Axis;
use crate::{Result, Shape, Tensor, bail, dispatch_float};

/// The options of [`Tensor::conv2d`]; pairs are (vertical, horizontal).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dOptions {
    /// Distance of the windows of neighbouring outputs. Default 1.
    pub stride: [usize; 2],
    /// Zeros added at each side of the input. Default 0.
    pub padding: [usize; 2],
    /// Distance of neighbouring kernel elements in the input. Default 1.
    pub dilation: [usize; 2],
    /// Groups of channels that are convolved separately. Default 1.
    pub groups: usize,
}

impl Default for Conv2dOptions {
    fn default() -> Self {
        Conv2dOptions { stride: [1; 2], padding: [0; 2], dilation: [1; 2], groups: 1 }
    }
}

/// Convolution, its gradient with respect to the input ([`conv2d_input`](Tensor::conv2d_input)) and that with
/// respect to the weight ([`conv2d_weight`](Tensor::conv2d_weight)) are each linear in both of their operands,
/// and each of them is found in the gradients of the other two.
struct Conv2dBackward {
    shape: Conv2dShape,
    bias: bool,
}

impl Backward for Conv2dBackward {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (g, x, weight) = (ctx.grad()?, ctx.saved(0)?, ctx.saved(1)?);
        let mut grads = vec![
            ctx.when_needed(0, || g.conv2d_input(weight, self.shape))?,
            ctx.when_needed(1, || x.conv2d_weight(g, self.shape))?,
        ];
        if self.bias {
            grads.push(ctx.when_needed(2, || g.sum_dim([0, 2, 3], false))?);
        }
        Ok(grads)
    }
}

impl Tensor {
    /// Slides kernels over images (cross-correlation): an input `[N, C_in, H, W]` or `[C_in, H, W]` and a
    /// `weight` `[C_out, C_in / groups, kernel height, kernel width]` give `[N, C_out, H_out, W_out]`, without
    /// N for a single image. `bias` is `[C_out]` (PyTorch: `torch.nn.functional.conv2d`).
    ///
    /// H_out = ⌊(H + 2·padding − dilation·(kernel height − 1) − 1) / stride⌋ + 1, and W_out likewise.
    ///
    /// In `f32`, kernels of 3 × 3 with stride 1 and 12 or more channels take Winograd's algorithm, whose rounding errors are
    /// up to three times those of a plain sum. An infinity or a NaN in an input then makes NaN of the other
    /// results of its tile of 4 × 4 too.
    ///
    /// ```
    /// # use chainrule_tensor::{Conv2dOptions, Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let image = Tensor::ones([1, 3, 28, 28])?;
    /// let weight = Tensor::ones([8, 3, 5, 5])?;
    /// let y = image.conv2d(&weight, None, Conv2dOptions { padding: [2, 2], ..Default::default() })?;
    /// assert_eq!(y.shape(), &[1, 8, 28, 28]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When shapes, groups or dtypes do not fit, when the kernel is larger than the padded input, for a
    /// stride, dilation or number of groups of 0, for padding that no memory has addresses for, for integers and
    /// booleans, and when there is no memory for the result.
    #[track_caller]
    pub fn conv2d(&self, weight: &Tensor, bias: Option<&Tensor>, options: Conv2dOptions) -> Result<Tensor> {
        if !(3..=4).contains(&self.rank()) || weight.rank() != 4 {
            bail!(
                Shape,
                "conv2d",
                "expects an input [N, C, H, W] or [C, H, W] and a weight of 4 dimensions, not {} and {}",
                self.shape(),
                weight.shape()
            );
        }
        Asked { operation: "conv2d", input: self.shape(), weight: weight.shape(), directions: 2 }
            .of(self, weight, bias, options)
    }

    /// The only image of a batch.
    #[track_caller]
    pub(super) fn reshape_without_batch(&self) -> Result<Tensor> {
        self.reshape(self.shape().without(0)?)
    }
}

/// A convolution as it was asked for: messages name the operation that was called, and its shapes.
pub(super) struct Asked<'a> {
    pub(super) operation: &'static str,
    pub(super) input: &'a Shape,
    pub(super) weight: &'a Shape,
    /// 1 or 2; with 1 sizes have a vertical part that nobody asked for.
    pub(super) directions: usize,
}

impl Asked<'_> {
    /// The sizes in the directions that there are.
    fn sizes<'s>(&self, sizes: &'s [usize; 2]) -> &'s [usize] {
        &sizes[2 - self.directions..]
    }

    /// The convolution of an input `[N, C, H, W]` or `[C, H, W]`.
    #[track_caller]
    pub(super) fn of(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: Option<&Tensor>,
        options: Conv2dOptions,
    ) -> Result<Tensor> {
        if x.rank() == 3 {
            return self.of(&x.unsqueeze(0)?, weight, bias, options)?.reshape_without_batch();
        }
        let operation = self.operation;
        let (&[batch, in_channels, height, width], &[out_channels, group_in, kernel_height, kernel_width]) =
            (&**x.shape(), &**weight.shape())
        else {
            bail!(Shape, operation, "shapes {} and {} are not those of images", self.input, self.weight);
        };
        let Conv2dOptions { stride, padding, dilation, groups } = options;
        if groups == 0 || stride.contains(&0) || dilation.contains(&0) {
            bail!(
                Value,
                operation,
                "stride {:?}, dilation {:?} and groups {groups} must be above 0",
                self.sizes(&stride),
                self.sizes(&dilation)
            );
        }
        let fits = in_channels.is_multiple_of(groups) && in_channels / groups == group_in;
        if !fits || !out_channels.is_multiple_of(groups) {
            bail!(
                Shape,
                operation,
                "{in_channels} channels of an input of shape {} and a weight of shape {} do not fit {groups} groups: the weight is [out, in / groups, {}]{}",
                self.input,
                self.weight,
                if self.directions == 1 { "length" } else { "height, width" },
                channels_first(self.input, group_in.checked_mul(groups))
            );
        }
        let (input, kernel) = ([height, width], [kernel_height, kernel_width]);
        let mut output = [0; 2];
        for d in 0..2 {
            // An empty kernel fits nowhere.
            let axis = Axis {
                input: input[d],
                kernel: kernel[d].max(1),
                stride: stride[d],
                padding: padding[d],
                dilation: dilation[d],
            };
            output[d] = match axis.outputs(false) {
                None => bail!(
                    Value,
                    operation,
                    "padding {:?} around an input of size {:?} is too much",
                    self.sizes(&padding),
                    self.sizes(&input)
                ),
                Some(outputs) if outputs > 0 && kernel[d] > 0 => outputs,
                Some(_) => bail!(
                    Shape,
                    operation,
                    "a kernel of size {:?} with dilation {:?} does not fit an input of size {:?} with padding {:?}",
                    self.sizes(&kernel),
                    self.sizes(&dilation),
                    self.sizes(&input),
                    self.sizes(&padding)
                ),
            };
        }
        let sizes = Conv2dSizes {
            batch,
            in_channels,
            out_channels,
            groups,
            input,
            kernel,
            stride,
            padding,
            dilation,
            output,
        };
        let Some(shape) = Conv2dShape::new(sizes) else {
            let result: Shape =
                [batch, out_channels].iter().chain(self.sizes(&output)).copied().collect();
            bail!(Memory, operation, "a result of shape {result} does not fit in memory");
        };
        check_bias(operation, bias, out_channels)?;
        check_dtypes(operation, &[Some(x), Some(weight), bias])?;
        let out = convolve(operation, x, weight, bias, &shape)?;
        let saved = [Save::Input(0), Save::Input(1)];
        match bias {
            Some(bias) => record(Conv2dBackward { shape, bias: true }, &[x, weight, bias], &saved, out),
            None => record(Conv2dBackward { shape, bias: false }, &[x, weight], &saved, out),
        }
    }
}

/// A hint where the last dimension is as large as the number of channels that the weight is for.
pub(super) fn channels_first(input: &Shape, channels: Option<usize>) -> &'static str {
    match input.last().copied() == channels {
        true => "; channels come before the sizes, not after them",
        false => "",
    }
}

#[track_caller]
pub(super) fn check_bias(operation: &str, bias: Option<&Tensor>, channels: usize) -> Result<()> {
    if let Some(bias) = bias.filter(|bias| *bias.shape() != [channels]) {
        bail!(Shape, operation, "a bias of shape {} does not fit {channels} output channels", bias.shape());
    }
    Ok(())
}

/// Refuses operands that are not all of the same float dtype.
#[track_caller]
pub(super) fn check_dtypes(operation: &str, operands: &[Option<&Tensor>]) -> Result<()> {
    let mut dtypes = operands.iter().flatten().map(|t| t.dtype());
    let Some(first) = dtypes.next() else { return Ok(()) };
    if !first.is_float() {
        bail!(DType, operation, "not defined for {first}: convert it with to_dtype first");
    }
    if let Some(other) = dtypes.find(|&dtype| dtype != first) {
        bail!(DType, operation, "the input holds {first}, another operand {other}: convert one with to_dtype");
    }
    Ok(())
}

/// The convolution itself, outside any graph.
#[track_caller]
fn convolve(
    operation: &str,
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    shape: &Conv2dShape,
) -> Result<Tensor> {
    let [height, width] = shape.output;
    let output = Shape::from([shape.batch, shape.out_channels, height, width]);
    let (x, weight) = (x.detach().contiguous()?, weight.detach().contiguous()?);
    let bias = match bias {
        Some(bias) => Some(bias.detach().contiguous()?),
        None => None,
    };
    Ok(dispatch_float!(x.dtype(), T => {
        let mut out = output.allocate::<T>(operation)?;
        let bias = match &bias {
            Some(bias) => Some(bias.as_slice::<T>()?),
            None => None,
        };
        forward(shape, x.as_slice()?, weight.as_slice()?, bias, &mut out).in_operation(operation)?;
        Tensor::from_parts(out, output)
    }))
}

impl Tensor {
    /// The convolution of operands that are known to fit, as the gradients of the other two operations need
    /// it.
    #[track_caller]
    pub(super) fn conv2d_of(&self, weight: &Tensor, shape: Conv2dShape) -> Result<Tensor> {
        let out = convolve("conv2d", self, weight, None, &shape)?;
        record(Conv2dBackward { shape, bias: false }, &[self, weight], &[Save::Input(0), Save::Input(1)], out)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        let (x, weight) = (|| values(1, [1, 4, 5, 5]), || values(2, [2, 4, 3, 3]));
        let options = Conv2dOptions::default;
        vec![
            Refusal::new(&["[1, 4, 5, 5]", "[2, 3, 3, 3]"], move || {
                x().conv2d(&values(2, [2, 3, 3, 3]), None, options())
            }),
            Refusal::new(&["[5, 5]", "[2, 4, 3, 3]"], move || {
                values(1, [5, 5]).conv2d(&weight(), None, options())
            }),
            Refusal::new(&["3 groups", "4 channels"], move || {
                x().conv2d(&weight(), None, Conv2dOptions { groups: 3, ..options() })
            }),
            Refusal::new(&["stride [0, 1]"], move || {
                x().conv2d(&weight(), None, Conv2dOptions { stride: [0, 1], ..options() })
            }),
            Refusal::new(&["[3, 3]", "[5, 5]", "[3, 1]"], move || {
                x().conv2d(&weight(), None, Conv2dOptions { dilation: [3, 1], ..options() })
            }),
            Refusal::new(&["[3]", "2 output channels"], move || {
                x().conv2d(&weight(), Some(&values(3, [3])), options())
            }),
            Refusal::new(&["float64", "float32"], move || {
                x().conv2d(&Tensor::ones([2, 4, 3, 3])?, None, options())
            }),
        ]
    },
    bench: &[
        (&[&[64, 1, 28, 28], &[32, 1, 3, 3], &[32]], |x| {
            Ok(vec![x[0].conv2d(&x[1], Some(&x[2]), Conv2dOptions { padding: [1; 2], ..Default::default() })?])
        }),
        (&[&[64, 32, 14, 14], &[64, 32, 3, 3], &[64]], |x| {
            Ok(vec![x[0].conv2d(&x[1], Some(&x[2]), Conv2dOptions { padding: [1; 2], ..Default::default() })?])
        }),
    ],
    ..Row::new("conv2d", "torch.nn.functional.conv2d", || {
        let options = Conv2dOptions::default;
        let plain = [values(1, [1, 2, 3, 3]), values(2, [2, 2, 2, 2]), values(3, [2])];
        vec![
            Sample::new("plain", plain, move |x| x[0].conv2d(&x[1], Some(&x[2]), options())),
            Sample::new("no bias", [values(1, [2, 1, 3, 4]), values(2, [1, 1, 2, 3])], move |x| {
                x[0].conv2d(&x[1], None, options())
            }),
            Sample::new("padding", [values(1, [1, 1, 3, 2]), values(2, [1, 1, 3, 2])], move |x| {
                x[0].conv2d(&x[1], None, Conv2dOptions { padding: [2, 1], ..options() })
            }),
            Sample::new("stride", [values(1, [1, 1, 5, 4]), values(2, [2, 1, 2, 2])], move |x| {
                x[0].conv2d(&x[1], None, Conv2dOptions { stride: [2, 3], ..options() })
            }),
            Sample::new("stride and padding", [values(1, [1, 1, 4, 5]), values(2, [1, 1, 3, 3])], move |x| {
                x[0].conv2d(&x[1], None, Conv2dOptions { stride: [2, 2], padding: [1, 1], ..options() })
            }),
            Sample::new("dilation", [values(1, [1, 1, 4, 5]), values(2, [1, 1, 2, 2])], move |x| {
                x[0].conv2d(&x[1], None, Conv2dOptions { dilation: [2, 3], padding: [1, 0], ..options() })
            }),
            Sample::new("groups", [values(1, [1, 4, 2, 3]), values(2, [2, 2, 2, 2]), values(3, [2])], move |x| {
                x[0].conv2d(&x[1], Some(&x[2]), Conv2dOptions { groups: 2, ..options() })
            }),
            Sample::new("one image", [values(1, [1, 3, 3]), values(2, [2, 1, 1, 2])], move |x| {
                x[0].conv2d(&x[1], None, options())
            }),
        ]
    })
};
