//! Layer normalisation.

use super::batch_norm::{Normalization, check_dtypes, check_eps_is_number};
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Tensor, bail};

impl Tensor {
    /// Normalises over the last dimensions, whose sizes are `normalized_shape`: minus the mean, divided by
    /// √(biased variance + `eps`), times `weight`, plus `bias`, both of that shape (PyTorch:
    /// `torch.nn.functional.layer_norm`, default `eps` 1e-5; Ba, Kiros and Hinton 2016).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let y = Tensor::new([[1.0, 3.0], [10.0, 30.0]]).layer_norm(&[2], None, None, 1e-12)?;
    /// assert_eq!(y.to_vec::<f32>()?, [-1.0, 1.0, -1.0, 1.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When `normalized_shape` is empty or not what the shape ends in, when weight or bias have another shape
    /// or dtype, for an `eps` that is NaN, and for integers and booleans.
    #[track_caller]
    pub fn layer_norm(
        &self,
        normalized_shape: &[usize],
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        eps: f64,
    ) -> Result<Tensor> {
        if normalized_shape.is_empty() || !self.shape().ends_with(normalized_shape) {
            bail!(
                Shape,
                "layer_norm",
                "normalized_shape {normalized_shape:?} is not what shape {} ends in",
                self.shape()
            );
        }
        for (name, t) in [("weight", weight), ("bias", bias)] {
            if let Some(t) = t.filter(|t| **t.shape() != *normalized_shape) {
                bail!(
                    Shape,
                    "layer_norm",
                    "a {name} of shape {} does not fit normalized_shape {normalized_shape:?}",
                    t.shape()
                );
            }
        }
        check_dtypes("layer_norm", self, &[weight, bias])?;
        check_eps_is_number("layer_norm", eps)?;
        let inner: usize = normalized_shape.iter().product();
        let outer = self.shape()[..self.rank() - normalized_shape.len()].iter().product();
        // Each row takes the place of a channel; the affine map differs along the row.
        let rows = Normalization { dims: [1, outer, inner], running: None, weight: None, bias: None, eps };
        let mut y = rows.of(self)?.output;
        if let Some(weight) = weight {
            y = y.mul(weight)?;
        }
        if let Some(bias) = bias {
            y = y.add(bias)?;
        }
        Ok(y)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["[3]", "[3, 2]"], || values(1, [3, 2]).layer_norm(&[3], None, None, 1e-5)),
            Refusal::new(&["[]"], || values(1, [3, 2]).layer_norm(&[], None, None, 1e-5)),
            Refusal::new(&["weight", "[3]", "[2]"], || {
                values(1, [3, 2]).layer_norm(&[2], Some(&values(2, [3])), None, 1e-5)
            }),
            Refusal::new(&["eps"], || values(1, [3, 2]).layer_norm(&[2], None, None, f64::NAN)),
        ]
    },
    bench: &[(&[&[512, 768], &[768], &[768]], |x| {
        Ok(vec![x[0].layer_norm(&[768], Some(&x[1]), Some(&x[2]), 1e-5)?])
    })],
    ..Row::new("layer_norm", "torch.nn.functional.layer_norm", || {
        vec![
            Sample::new("rows", [values(1, [3, 4]), values(2, [4]), values(3, [4])], |x| {
                x[0].layer_norm(&[4], Some(&x[1]), Some(&x[2]), 0.1)
            }),
            Sample::new("two dimensions", [values(1, [2, 2, 3])], |x| x[0].layer_norm(&[2, 3], None, None, 0.1)),
            Sample::new("everything", [values(1, [5])], |x| x[0].layer_norm(&[5], None, None, 0.1)),
        ]
    })
};
