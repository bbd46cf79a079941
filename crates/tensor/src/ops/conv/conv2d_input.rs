//! The gradient of a convolution with respect to its input, which is also what a transposed convolution
//! computes.

use chainrule_kernels::conv2d::{Conv2dShape, Conv2dSizes, backward_input};

use crate::allocate::InOperation;
use crate::autograd::{Backward, Context, Save, record};
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Shape, Tensor, bail, dispatch_float};

struct Conv2dInputBackward {
    shape: Conv2dShape,
}

impl Backward for Conv2dInputBackward {
    fn name(&self) -> &'static str {
        "conv2d_input"
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (g, y, weight) = (ctx.grad()?, ctx.saved(0)?, ctx.saved(1)?);
        Ok(vec![
            ctx.when_needed(0, || g.conv2d_of(weight, self.shape))?,
            ctx.when_needed(1, || g.conv2d_weight(y, self.shape))?,
        ])
    }
}

impl Tensor {
    /// The gradient of a convolution's input from this one of its output (PyTorch:
    /// `torch.nn.grad.conv2d_input`).
    #[track_caller]
    pub(super) fn conv2d_input(&self, weight: &Tensor, shape: Conv2dShape) -> Result<Tensor> {
        self.spread("conv2d_input", weight, shape)
    }

    /// The same in the name of another operation.
    #[track_caller]
    pub(super) fn spread(&self, operation: &str, weight: &Tensor, shape: Conv2dShape) -> Result<Tensor> {
        let [input, weight_shape, output] = shapes(&shape);
        check_shapes(operation, [(self, output), (weight, weight_shape)])?;
        let (y, w) = (self.detach().contiguous()?, weight.detach().contiguous()?);
        let out = dispatch_float!(self.dtype(), T => {
            let mut out = input.allocate::<T>(operation)?;
            backward_input(&shape, y.as_slice()?, w.as_slice()?, &mut out).in_operation(operation)?;
            Tensor::from_parts(out, input)
        });
        record(Conv2dInputBackward { shape }, &[self, weight], &[Save::Input(0), Save::Input(1)], out)
    }
}

/// The shapes of input, weight and output.
pub(super) fn shapes(shape: &Conv2dShape) -> [Shape; 3] {
    let ([height, width], [kernel_height, kernel_width]) = (shape.input, shape.kernel);
    let [rows, columns] = shape.output;
    [
        [shape.batch, shape.in_channels, height, width].into(),
        [shape.out_channels, shape.in_channels / shape.groups, kernel_height, kernel_width].into(),
        [shape.batch, shape.out_channels, rows, columns].into(),
    ]
}

/// Refuses operands that do not belong to the convolution.
#[track_caller]
pub(super) fn check_shapes(operation: &str, operands: [(&Tensor, Shape); 2]) -> Result<()> {
    for (operand, shape) in operands {
        if *operand.shape() != shape {
            bail!(Shape, operation, "an operand has the shape {} instead of {shape}", operand.shape());
        }
    }
    Ok(())
}

/// A small convolution with everything at once.
pub(super) fn sample() -> Conv2dShape {
    let sizes = Conv2dSizes {
        batch: 1,
        in_channels: 2,
        out_channels: 2,
        groups: 2,
        input: [4, 5],
        kernel: [2, 2],
        stride: [2, 1],
        padding: [1, 0],
        dilation: [1, 2],
        output: [3, 3],
    };
    Conv2dShape::new(sizes).expect("sizes that fit")
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![Refusal::new(&["[1, 2, 3, 3]", "[1, 2, 3, 4]"], || {
            values(1, [1, 2, 3, 4]).conv2d_input(&values(2, [2, 1, 2, 2]), sample())
        })]
    },
    ..Row::new("conv2d_input", "torch.nn.grad.conv2d_input", || {
        vec![Sample::new("", [values(1, [1, 2, 3, 3]), values(2, [2, 1, 2, 2])], |x| {
            x[0].conv2d_input(&x[1], sample())
        })]
    })
};
