//! Group normalisation.

use super::batch_norm::{Normalization, check_dtypes, check_eps_is_number};
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Shape, Tensor, bail};

impl Tensor {
    /// Normalises, in each sample of an input `[N, C, …]`, over groups of neighbouring channels: minus the
    /// mean, divided by √(biased variance + `eps`), times `weight`, plus `bias`, both `[C]` (PyTorch:
    /// `torch.nn.functional.group_norm`, default `eps` 1e-5; Wu and He 2018).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let y = Tensor::new([[1.0, 3.0, 10.0, 30.0]]).group_norm(2, None, None, 1e-12)?;
    /// assert_eq!(y.to_vec::<f32>()?, [-1.0, 1.0, -1.0, 1.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For fewer than two dimensions, when another than the first is 0, when the channels are not a multiple
    /// of `num_groups`, when each group of a single sample has one value only, when weight or bias have another
    /// shape or dtype, for an `eps` that is NaN, and for integers and booleans.
    #[track_caller]
    pub fn group_norm(
        &self,
        num_groups: usize,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        eps: f64,
    ) -> Result<Tensor> {
        let &[n, c, ref spatial @ ..] = &**self.shape() else {
            bail!(Shape, "group_norm", "expects an input [N, C, …], not shape {}", self.shape());
        };
        if num_groups == 0 || !c.is_multiple_of(num_groups) {
            bail!(
                Shape,
                "group_norm",
                "{c} channels of shape {} are not a multiple of {num_groups} groups",
                self.shape()
            );
        }
        let s: usize = spatial.iter().product();
        if c * s == 0 {
            bail!(Shape, "group_norm", "channels and positions must be above 0, not as in shape {}", self.shape());
        }
        let inner = c / num_groups * s;
        if n * inner == 1 {
            bail!(Shape, "group_norm", "expects more than one value per group, not shape {}", self.shape());
        }
        check_affine("group_norm", self, weight, bias)?;
        check_eps_is_number("group_norm", eps)?;
        // Each group of each sample takes the place of a channel; the affine map differs inside.
        let dims = [1, n * num_groups, inner];
        let y = Normalization { dims, running: None, weight: None, bias: None, eps }.of(self)?.output;
        y.affine_by_channel(weight, bias)
    }

    /// y · weight + bias, channel by channel, for y of shape `[N, C, …]`.
    #[track_caller]
    pub(super) fn affine_by_channel(&self, weight: Option<&Tensor>, bias: Option<&Tensor>) -> Result<Tensor> {
        let channels: Shape = [self.shape()[1]].into_iter().chain(vec![1; self.rank() - 2]).collect();
        let mut y = self.clone();
        if let Some(weight) = weight {
            y = y.mul(&weight.reshape(&channels)?)?;
        }
        if let Some(bias) = bias {
            y = y.add(&bias.reshape(&channels)?)?;
        }
        Ok(y)
    }
}

/// Refuses a weight or a bias that are not one number a channel, of the input's float dtype.
#[track_caller]
pub(super) fn check_affine(
    operation: &str,
    x: &Tensor,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
) -> Result<()> {
    let c = x.shape()[1];
    for (name, t) in [("weight", weight), ("bias", bias)] {
        if let Some(t) = t.filter(|t| *t.shape() != [c]) {
            bail!(Shape, operation, "a {name} of shape {} does not fit {c} channels", t.shape());
        }
    }
    check_dtypes(operation, x, &[weight, bias])
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["4 channels", "3 groups"], || values(1, [2, 4]).group_norm(3, None, None, 1e-5)),
            Refusal::new(&["[1, 4]"], || values(1, [1, 4]).group_norm(4, None, None, 1e-5)),
            Refusal::new(&["bias", "[2]", "4 channels"], || {
                values(1, [2, 4]).group_norm(2, None, Some(&values(2, [2])), 1e-5)
            }),
            Refusal::new(&["[4]"], || values(1, [4]).group_norm(2, None, None, 1e-5)),
            Refusal::new(&["[2, 4, 0]"], || values(1, [2, 4, 0]).group_norm(2, None, None, 1e-5)),
            Refusal::new(&["eps"], || values(1, [2, 4]).group_norm(2, None, None, f64::NAN)),
        ]
    },
    ..Row::new("group_norm", "torch.nn.functional.group_norm", || {
        vec![
            Sample::new("images", [values(1, [2, 4, 1, 2]), values(2, [4]), values(3, [4])], |x| {
                x[0].group_norm(2, Some(&x[1]), Some(&x[2]), 0.1)
            }),
            Sample::new("rows", [values(1, [2, 4])], |x| x[0].group_norm(2, None, None, 0.1)),
        ]
    })
};
