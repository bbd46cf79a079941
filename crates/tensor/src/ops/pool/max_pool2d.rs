//! Two-dimensional maximum pooling.

use chainrule_kernels::pool2d::{Pool2dShape, max_backward, max_forward};

use crate::allocate::InOperation;
use crate::autograd::{Backward, Context, Save, record};
use crate::table::{Refusal, Row, Sample, distinct, values};
use crate::window::Window;
use crate::{IntoPair, Result, Shape, Tensor, dispatch_float};

/// The options of [`Tensor::max_pool2d`]; pairs are (vertical, horizontal).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPool2dOptions {
    /// Height and width of the window.
    pub kernel_size: [usize; 2],
    /// Distance between windows. Default: the size of the window.
    pub stride: Option<[usize; 2]>,
    /// Rows and columns of −∞ added at each side, at most half of the window. Default 0.
    pub padding: [usize; 2],
    /// Distance between the elements of a window. Default 1.
    pub dilation: [usize; 2],
    /// Whether a window may begin inside and end outside, so that nothing at the bottom and the right is left
    /// out. Default false.
    pub ceil_mode: bool,
}

impl MaxPool2dOptions {
    /// The defaults for a window: `2` or `[2, 3]`.
    pub fn new(kernel_size: impl IntoPair) -> Self {
        MaxPool2dOptions {
            kernel_size: kernel_size.into_pair(),
            stride: None,
            padding: [0; 2],
            dilation: [1; 2],
            ceil_mode: false,
        }
    }
}

struct MaxPool2dBackward {
    input: Shape,
    shape: Pool2dShape,
}

impl Backward for MaxPool2dBackward {
    fn name(&self) -> &'static str {
        "max_pool2d"
    }

    // Each gradient goes to the element that its output was taken from.
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (g, indices) = (ctx.grad()?, ctx.saved(0)?);
        let planes = |[height, width]: [usize; 2]| [self.shape.batch_channels, height * width];
        let (inputs, outputs) = (planes(self.shape.input), planes(self.shape.output));
        let zeros = Tensor::full(inputs, 0.0, g.dtype())?;
        let grad = zeros.scatter_add(1, &indices.reshape(outputs)?, &g.reshape(outputs)?)?;
        Ok(vec![Some(grad.reshape(&self.input)?)])
    }

    fn backward_fused(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (g, indices) = (ctx.grad()?.contiguous()?, ctx.saved(0)?);
        let grad = dispatch_float!(g.dtype(), T => {
            let mut out = self.input.allocate::<T>("max_pool2d")?;
            max_backward(&self.shape, g.as_slice()?, indices.as_slice()?, &mut out);
            Tensor::from_parts(out, self.input.clone())
        });
        Ok(vec![Some(grad)])
    }
}

impl Tensor {
    /// The largest element of each window of an image `[N, C, H, W]` or `[C, H, W]` (PyTorch:
    /// `torch.nn.functional.max_pool2d`).
    ///
    /// H_out = ⌊(H + 2·padding − dilation·(kernel height − 1) − 1) / stride⌋ + 1, and W_out likewise; with
    /// `ceil_mode` rounded up, but without a last window that would begin in the padding. The gradient goes to
    /// the first of equal elements. A NaN is the largest element of its windows.
    ///
    /// ```
    /// # use chainrule_tensor::{MaxPool2dOptions, Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[[1.0, 2.0, 3.0, 0.0], [4.0, 0.0, 0.0, 7.0]]]);
    /// assert_eq!(x.max_pool2d(MaxPool2dOptions::new(2))?.to_vec::<f32>()?, [4.0, 7.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For another number of dimensions, an empty image, a window larger than the padded image, padding larger
    /// than half a window, a size, stride or dilation of 0, and for integers and booleans.
    #[track_caller]
    pub fn max_pool2d(&self, options: MaxPool2dOptions) -> Result<Tensor> {
        Ok(self.max_pool2d_with_indices(options)?.0)
    }

    /// [`Tensor::max_pool2d`] with where each largest element stands in its plane: row · W + column, as `i64`
    /// (PyTorch: `max_pool2d(…, return_indices=True)`).
    ///
    /// # Errors
    /// As [`Tensor::max_pool2d`].
    #[track_caller]
    pub fn max_pool2d_with_indices(&self, options: MaxPool2dOptions) -> Result<(Tensor, Tensor)> {
        let MaxPool2dOptions { kernel_size, stride, padding, dilation, ceil_mode } = options;
        let window = Window { kernel_size, stride: stride.unwrap_or(kernel_size), padding, dilation, ceil_mode };
        let (shape, output) = window.over("max_pool2d", self)?;
        let x = self.detach().contiguous()?;
        let mut indices = output.allocate("max_pool2d")?;
        let out = dispatch_float!(self.dtype(), T => {
            let mut out = output.allocate::<T>("max_pool2d")?;
            max_forward(&shape, x.as_slice()?, &mut out, &mut indices).in_operation("max_pool2d")?;
            Tensor::from_parts(out, output.clone())
        });
        let indices = Tensor::from_parts(indices, output);
        let operation = MaxPool2dBackward { input: self.shape().clone(), shape };
        Ok((record(operation, &[self], &[Save::Value(&indices)], out)?, indices))
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        let x = || values(1, [1, 1, 3, 3]);
        let options = MaxPool2dOptions::new;
        vec![
            Refusal::new(&["[3, 3]"], move || values(1, [3, 3]).max_pool2d(options(2))),
            Refusal::new(&["[4, 4]", "[3, 3]"], move || x().max_pool2d(options(4))),
            Refusal::new(&["[2, 0]", "[2, 2]"], move || {
                x().max_pool2d(MaxPool2dOptions { padding: [2, 0], ..options(2) })
            }),
            Refusal::new(&["[0, 1]"], move || {
                x().max_pool2d(MaxPool2dOptions { stride: Some([0, 1]), ..options(2) })
            }),
            Refusal::new(&["int64"], move || Tensor::new([[[1, 2], [3, 4]]]).max_pool2d(options(2))),
        ]
    },
    bench: &[(&[&[64, 32, 28, 28]], |x| Ok(vec![x[0].max_pool2d(MaxPool2dOptions::new(2))?]))],
    ..Row::new("max_pool2d", "torch.nn.functional.max_pool2d", || {
        let options = |kernel: [usize; 2]| MaxPool2dOptions::new(kernel);
        vec![
            Sample::new("plain", [distinct(1, [1, 2, 2, 5])], move |x| x[0].max_pool2d(options([2, 2]))),
            Sample::new("overlapping", [distinct(1, [1, 1, 4, 5])], move |x| {
                x[0].max_pool2d(MaxPool2dOptions { stride: Some([1, 2]), ..options([2, 3]) })
            }),
            Sample::new("padding", [distinct(1, [2, 1, 3, 3])], move |x| {
                x[0].max_pool2d(MaxPool2dOptions { padding: [1, 0], ..options([2, 1]) })
            }),
            Sample::new("dilation", [distinct(1, [1, 4, 5])], move |x| {
                x[0].max_pool2d(MaxPool2dOptions { dilation: [3, 2], stride: Some([1, 1]), ..options([2, 2]) })
            }),
            Sample::new("ceil_mode", [distinct(1, [1, 5, 4])], move |x| {
                x[0].max_pool2d(MaxPool2dOptions { ceil_mode: true, ..options([2, 3]) })
            }),
        ]
    })
};
