//! Two-dimensional average pooling.

use chainrule_kernels::pool2d::{Pool2dShape, avg_backward, avg_forward};

use crate::allocate::InOperation;
use crate::autograd::{Backward, Context, record};
use crate::table::{Refusal, Row, Sample, values};
use crate::window::Window;
use crate::{IntoPair, Result, Shape, Tensor, bail, dispatch_float};

/// The options of [`Tensor::avg_pool2d`]; pairs are (vertical, horizontal).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AvgPool2dOptions {
    /// Height and width of the window.
    pub kernel_size: [usize; 2],
    /// Distance between windows. Default: the size of the window.
    pub stride: Option<[usize; 2]>,
    /// Rows and columns of zeros added at each side, at most half of the window. Default 0.
    pub padding: [usize; 2],
    /// Whether a window may begin inside and end outside, so that nothing at the bottom and the right is left
    /// out. Default false.
    pub ceil_mode: bool,
    /// Whether padding counts in the number that a sum is divided by. Default true.
    pub count_include_pad: bool,
    /// What every sum is divided by, in the place of the number of elements. Default none.
    pub divisor_override: Option<usize>,
}

impl AvgPool2dOptions {
    /// The defaults for a window: `2` or `[2, 3]`.
    pub fn new(kernel_size: impl IntoPair) -> Self {
        AvgPool2dOptions {
            kernel_size: kernel_size.into_pair(),
            stride: None,
            padding: [0; 2],
            ceil_mode: false,
            count_include_pad: true,
            divisor_override: None,
        }
    }
}

/// An average pooling and its shapes. Pooling and spreading the gradient back are linear and each other's
/// gradient.
#[derive(Clone)]
struct Average {
    geometry: Pool2dShape,
    input: Shape,
    output: Shape,
    count_include_pad: bool,
    divisor_override: Option<usize>,
}

impl Average {
    #[track_caller]
    fn pool(&self, x: &Tensor) -> Result<Tensor> {
        let values = x.detach().contiguous()?;
        let Average { geometry, count_include_pad, divisor_override, .. } = self;
        let out = dispatch_float!(x.dtype(), T => {
            let mut out = self.output.allocate::<T>("avg_pool2d")?;
            avg_forward(geometry, values.as_slice()?, *count_include_pad, *divisor_override, &mut out)
                .in_operation("avg_pool2d")?;
            Tensor::from_parts(out, self.output.clone())
        });
        record(AvgPool2dBackward(self.clone()), &[x], &[], out)
    }

    #[track_caller]
    fn spread(&self, y: &Tensor) -> Result<Tensor> {
        let values = y.detach().contiguous()?;
        let Average { geometry, count_include_pad, divisor_override, .. } = self;
        let out = dispatch_float!(y.dtype(), T => {
            let mut out = self.input.allocate::<T>("avg_pool2d")?;
            avg_backward(geometry, values.as_slice()?, *count_include_pad, *divisor_override, &mut out)
                .in_operation("avg_pool2d")?;
            Tensor::from_parts(out, self.input.clone())
        });
        record(SpreadBackward(self.clone()), &[y], &[], out)
    }
}

struct AvgPool2dBackward(Average);

impl Backward for AvgPool2dBackward {
    fn name(&self) -> &'static str {
        "avg_pool2d"
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(self.0.spread(ctx.grad()?)?)])
    }
}

struct SpreadBackward(Average);

impl Backward for SpreadBackward {
    fn name(&self) -> &'static str {
        "avg_pool2d_backward"
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(self.0.pool(ctx.grad()?)?)])
    }
}

impl Tensor {
    /// The average of each window of an image `[N, C, H, W]` or `[C, H, W]` (PyTorch:
    /// `torch.nn.functional.avg_pool2d`).
    ///
    /// H_out = ⌊(H + 2·padding − kernel height) / stride⌋ + 1, and W_out likewise; with `ceil_mode` rounded up,
    /// but without a last window that would begin in the padding. What of a window lies outside the padded
    /// image is never counted.
    ///
    /// ```
    /// # use chainrule_tensor::{AvgPool2dOptions, Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[[1.0, 2.0, 3.0, 0.0], [4.0, 1.0, 2.0, 7.0]]]);
    /// assert_eq!(x.avg_pool2d(AvgPool2dOptions::new(2))?.to_vec::<f32>()?, [2.0, 3.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For another number of dimensions, an empty image, a window larger than the padded image, padding larger
    /// than half a window, a size, stride or divisor of 0, and for integers and booleans.
    #[track_caller]
    pub fn avg_pool2d(&self, options: AvgPool2dOptions) -> Result<Tensor> {
        let AvgPool2dOptions { kernel_size, stride, padding, ceil_mode, .. } = options;
        if options.divisor_override == Some(0) {
            bail!(Value, "avg_pool2d", "divisor_override must not be 0");
        }
        let stride = stride.unwrap_or(kernel_size);
        let window = Window { kernel_size, stride, padding, dilation: [1; 2], ceil_mode };
        let (geometry, output) = window.over("avg_pool2d", self)?;
        let AvgPool2dOptions { count_include_pad, divisor_override, .. } = options;
        let input = self.shape().clone();
        Average { geometry, input, output, count_include_pad, divisor_override }.pool(self)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        let x = || values(1, [1, 1, 3, 3]);
        let options = AvgPool2dOptions::new;
        vec![
            Refusal::new(&["[3, 3]"], move || values(1, [3, 3]).avg_pool2d(options(2))),
            Refusal::new(&["[4, 4]", "[3, 3]"], move || x().avg_pool2d(options(4))),
            Refusal::new(&["[2, 0]", "[2, 2]"], move || {
                x().avg_pool2d(AvgPool2dOptions { padding: [2, 0], ..options(2) })
            }),
            Refusal::new(&["divisor_override"], move || {
                x().avg_pool2d(AvgPool2dOptions { divisor_override: Some(0), ..options(2) })
            }),
            Refusal::new(&["[1, 1, 0, 3]"], move || values(1, [1, 1, 0, 3]).avg_pool2d(options(1))),
        ]
    },
    bench: &[(&[&[64, 32, 28, 28]], |x| Ok(vec![x[0].avg_pool2d(AvgPool2dOptions::new(2))?]))],
    ..Row::new("avg_pool2d", "torch.nn.functional.avg_pool2d", || {
        let options = |kernel: [usize; 2]| AvgPool2dOptions::new(kernel);
        vec![
            Sample::new("plain", [values(1, [1, 2, 2, 5])], move |x| x[0].avg_pool2d(options([2, 2]))),
            Sample::new("overlapping", [values(1, [1, 1, 4, 5])], move |x| {
                x[0].avg_pool2d(AvgPool2dOptions { stride: Some([1, 2]), ..options([2, 3]) })
            }),
            Sample::new("padding", [values(1, [2, 1, 3, 3])], move |x| {
                x[0].avg_pool2d(AvgPool2dOptions { padding: [1, 0], ..options([2, 1]) })
            }),
            Sample::new("padding not counted", [values(1, [1, 3, 4])], move |x| {
                let options = AvgPool2dOptions { padding: [1, 1], count_include_pad: false, ..options([3, 3]) };
                x[0].avg_pool2d(options)
            }),
            Sample::new("ceil_mode", [values(1, [1, 5, 4])], move |x| {
                x[0].avg_pool2d(AvgPool2dOptions { ceil_mode: true, padding: [1, 0], ..options([2, 3]) })
            }),
            Sample::new("divisor", [values(1, [1, 2, 4])], move |x| {
                x[0].avg_pool2d(AvgPool2dOptions { divisor_override: Some(3), ..options([2, 2]) })
            }),
        ]
    })
};
