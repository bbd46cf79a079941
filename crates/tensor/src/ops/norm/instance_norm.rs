//! Instance normalisation.

use super::batch_norm::{Normalization, check_eps};
use super::group_norm::check_affine;
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Tensor, bail};

impl Tensor {
    /// Normalises each channel of each sample of an input `[N, C, L]`, `[N, C, H, W]` or further spatial
    /// dimensions by its own mean and biased variance, times `weight`, plus `bias`, both `[C]` (PyTorch:
    /// `torch.nn.functional.instance_norm`, default `eps` 1e-5; Ulyanov, Vedaldi and Lempitsky 2016).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let y = Tensor::new([[[1.0, 3.0], [10.0, 30.0]]]).instance_norm(None, None, 1e-12)?;
    /// assert_eq!(y.to_vec::<f32>()?, [-1.0, 1.0, -1.0, 1.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Without spatial dimensions or with one position only, when weight or bias have another shape or dtype,
    /// for an `eps` that is not positive, and for integers and booleans.
    #[track_caller]
    pub fn instance_norm(&self, weight: Option<&Tensor>, bias: Option<&Tensor>, eps: f64) -> Result<Tensor> {
        let (&[n, c, ref spatial @ ..], true) = (&**self.shape(), self.rank() > 2) else {
            bail!(Shape, "instance_norm", "expects an input [N, C, L] or more, not shape {}", self.shape());
        };
        let s: usize = spatial.iter().product();
        if s == 1 {
            bail!(
                Shape,
                "instance_norm",
                "expects more than one spatial position, not shape {}",
                self.shape()
            );
        }
        check_affine("instance_norm", self, weight, bias)?;
        check_eps("instance_norm", eps)?;
        let planes = Normalization { dims: [1, n * c, s], running: None, weight: None, bias: None, eps };
        planes.of(self)?.output.affine_by_channel(weight, bias)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["[2, 4]"], || values(1, [2, 4]).instance_norm(None, None, 1e-5)),
            Refusal::new(&["[2, 4, 1]"], || values(1, [2, 4, 1]).instance_norm(None, None, 1e-5)),
            Refusal::new(&["weight", "[3]", "4 channels"], || {
                values(1, [2, 4, 2]).instance_norm(Some(&values(2, [3])), None, 1e-5)
            }),
        ]
    },
    ..Row::new("instance_norm", "torch.nn.functional.instance_norm", || {
        vec![
            Sample::new("images", [values(1, [2, 2, 1, 3]), values(2, [2]), values(3, [2])], |x| {
                x[0].instance_norm(Some(&x[1]), Some(&x[2]), 0.1)
            }),
            Sample::new("sequences", [values(1, [2, 2, 3])], |x| x[0].instance_norm(None, None, 0.1)),
        ]
    })
};
