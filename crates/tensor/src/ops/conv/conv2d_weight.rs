//! The gradient of a convolution with respect to its weight.

use chainrule_kernels::conv2d::{Conv2dShape, backward_weight};

use super::conv2d_input::{check_shapes, sample, shapes};
use crate::allocate::InOperation;
use crate::autograd::{Backward, Context, Save, record};
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Tensor, dispatch_float};

struct Conv2dWeightBackward {
    shape: Conv2dShape,
}

impl Backward for Conv2dWeightBackward {
    fn name(&self) -> &'static str {
        "conv2d_weight"
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (g, x, y) = (ctx.grad()?, ctx.saved(0)?, ctx.saved(1)?);
        Ok(vec![
            ctx.when_needed(0, || y.conv2d_input(g, self.shape))?,
            ctx.when_needed(1, || x.conv2d_of(g, self.shape))?,
        ])
    }
}

impl Tensor {
    /// The gradient of a convolution's weight, from this input and the gradient of the output (PyTorch:
    /// `torch.nn.grad.conv2d_weight`).
    #[track_caller]
    pub(super) fn conv2d_weight(&self, grad_output: &Tensor, shape: Conv2dShape) -> Result<Tensor> {
        let [input, weight, output] = shapes(&shape);
        check_shapes("conv2d_weight", [(self, input), (grad_output, output)])?;
        let (x, y) = (self.detach().contiguous()?, grad_output.detach().contiguous()?);
        let out = dispatch_float!(self.dtype(), T => {
            let mut out = weight.allocate::<T>("conv2d_weight")?;
            backward_weight(&shape, x.as_slice()?, y.as_slice()?, &mut out).in_operation("conv2d_weight")?;
            Tensor::from_parts(out, weight)
        });
        record(Conv2dWeightBackward { shape }, &[self, grad_output], &[Save::Input(0), Save::Input(1)], out)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![Refusal::new(&["[1, 2, 4, 5]", "[1, 2, 4, 4]"], || {
            values(1, [1, 2, 4, 4]).conv2d_weight(&values(2, [1, 2, 3, 3]), sample())
        })]
    },
    ..Row::new("conv2d_weight", "torch.nn.grad.conv2d_weight", || {
        vec![Sample::new("", [values(1, [1, 2, 4, 5]), values(2, [1, 2, 3, 3])], |x| {
            x[0].conv2d_weight(&x[1], sample())
        })]
    })
};
