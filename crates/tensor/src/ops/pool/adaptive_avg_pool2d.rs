//! Two-dimensional average pooling to a given size.

use super::avg_pool2d::AvgPool2dOptions;
use crate::table::{Refusal, Row, Sample, values};
use crate::{IntoPair, Result, Tensor, bail};

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
    /// For another number of dimensions, an empty image, and for integers and booleans.
    #[track_caller]
    pub fn adaptive_avg_pool2d(&self, output_size: impl IntoPair) -> Result<Tensor> {
        const NAME: &str = "adaptive_avg_pool2d";
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
        // Within an output row all windows have the same height, so that averages of averages are right.
        let mut x = self.clone();
        for (d, dim) in [self.rank() - 2, self.rank() - 1].into_iter().enumerate() {
            if output[d] == 0 {
                x = x.part(dim, 0, 0)?;
                continue;
            }
            let mut averages = Vec::with_capacity(output[d]);
            for i in 0..output[d] {
                let (start, end) = (i * input[d] / output[d], ((i + 1) * input[d]).div_ceil(output[d]));
                averages.push(x.part(dim, start, end - start)?.mean_dim(dim as isize, true)?);
            }
            x = Tensor::cat(&averages, dim as isize)?;
        }
        Ok(x)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["[3, 3]"], || values(1, [3, 3]).adaptive_avg_pool2d(2)),
            Refusal::new(&["[1, 0, 3]"], || values(1, [1, 0, 3]).adaptive_avg_pool2d(2)),
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
