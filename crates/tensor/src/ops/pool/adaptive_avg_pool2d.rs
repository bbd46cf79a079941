//! Two-dimensional average pooling to a given size.

use chainrule_kernels::pool2d::{AdaptiveShape, adaptive_avg_backward, adaptive_avg_forward};

use super::avg_pool2d::AvgPool2dOptions;
use crate::autograd::{Backward, Context, record};
use crate::table::{Refusal, Row, Sample, values};
use crate::{IntoPair, Result, Shape, Tensor, bail, dispatch_float};

const NAME: &str = "adaptive_avg_pool2d";

/// A pooling and its shapes. Pooling and spreading the gradient back are linear and each other's gradient.
#[derive(Clone)]
struct Adaptive {
    geometry: AdaptiveShape,
    input: Shape,
    output: Shape,
}

impl Adaptive {
    #[track_caller]
    fn pool(self, x: &Tensor) -> Result<Tensor> {
        let values = x.detach().contiguous()?;
        let out = dispatch_float!(x.dtype(), T => {
            let mut out = self.output.allocate::<T>(NAME)?;
            adaptive_avg_forward(&self.geometry, values.as_slice()?, &mut out);
            Tensor::from_parts(out, self.output.clone())
        });
        record(AdaptiveAvgPool2dBackward(self), &[x], &[], out)
    }

    #[track_caller]
    fn spread(self, y: &Tensor) -> Result<Tensor> {
        let values = y.detach().contiguous()?;
        let out = dispatch_float!(y.dtype(), T => {
            let mut out = self.input.allocate::<T>(NAME)?;
            adaptive_avg_backward(&self.geometry, values.as_slice()?, &mut out);
            Tensor::from_parts(out, self.input.clone())
        });
        record(SpreadBackward(self), &[y], &[], out)
    }
}

struct AdaptiveAvgPool2dBackward(Adaptive);

impl Backward for AdaptiveAvgPool2dBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(self.0.clone().spread(ctx.grad()?)?)])
    }
}

struct SpreadBackward(Adaptive);

impl Backward for SpreadBackward {
    fn name(&self) -> &'static str {
        "adaptive_avg_pool2d_backward"
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(self.0.clone().pool(ctx.grad()?)?)])
    }
}

impl Tensor {
    /// Averages of an image `[N, C, H, W]` or `[C, H, W]` in as many windows as make an output of the given
    /// height and width: row i is taken from the input rows ⌊i·H / H_out⌋ to ⌈(i + 1)·H / H_out⌉, and columns
    /// likewise (PyTorch: `torch.nn.functional.adaptive_avg_pool2d`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::ones([2, 8, 7, 5])?.adaptive_avg_pool2d(1)?.shape(), &[2, 8, 1, 1]);
    /// assert_eq!(Tensor::ones([2, 8, 7, 5])?.adaptive_avg_pool2d([3, 4])?.shape(), &[2, 8, 3, 4]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For another number of dimensions, an empty image, for integers and booleans, and when there is no memory for the
    /// result.
    #[track_caller]
    pub fn adaptive_avg_pool2d(&self, output_size: impl IntoPair) -> Result<Tensor> {
        let output = output_size.into_pair();
        let (&[.., height, width], 3 | 4) = (&**self.shape(), self.rank()) else {
            bail!(Shape, NAME, "expects images [N, C, H, W] or [C, H, W], not shape {}", self.shape());
        };
        if self.shape()[self.rank() - 3..].contains(&0) {
            bail!(Shape, NAME, "channels, height and width must be above 0, not as in shape {}", self.shape());
        }
        if !self.dtype().is_float() {
            bail!(DType, NAME, "not defined for {}: convert it with to_dtype first", self.dtype());
        }
        let input = [height, width];
        if (0..2).all(|d| output[d] > 0 && input[d].is_multiple_of(output[d])) {
            return self.avg_pool2d(AvgPool2dOptions::new([height / output[0], width / output[1]]));
        }
        let (outer, _) = self.shape().split_at(self.rank() - 2);
        let result: Shape = outer.iter().copied().chain(output).collect();
        let Some(geometry) = AdaptiveShape::new(outer.iter().product(), input, output) else {
            bail!(Memory, NAME, "a result of shape {result} does not fit in memory");
        };
        Adaptive { geometry, input: self.shape().clone(), output: result }.pool(self)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["[3, 3]"], || values(1, [3, 3]).adaptive_avg_pool2d(2)),
            Refusal::new(&["[1, 0, 3]"], || values(1, [1, 0, 3]).adaptive_avg_pool2d(2)),
            Refusal::new(&["[1, 1099511627776, 2]", "memory"], || {
                values(1, [1, 3, 3]).adaptive_avg_pool2d([1 << 40, 2])
            }),
            Refusal::new(&["int64"], || Tensor::new([[[1, 2], [3, 4]]]).adaptive_avg_pool2d(2)),
        ]
    },
    ..Row::new("adaptive_avg_pool2d", "torch.nn.functional.adaptive_avg_pool2d", || {
        vec![
            Sample::new("even", [values(1, [1, 2, 4, 3])], |x| x[0].adaptive_avg_pool2d([2, 1])),
            Sample::new("uneven", [values(1, [1, 1, 5, 4])], |x| x[0].adaptive_avg_pool2d([3, 3])),
            Sample::new("larger", [values(1, [1, 2, 3])], |x| x[0].adaptive_avg_pool2d([3, 5])),
        ]
    })
};
