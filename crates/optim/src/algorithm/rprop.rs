//! Rprop.

use chainrule_tensor::{FloatElement, Result, bail};
use serde::{Deserialize, Serialize};

use super::{Algorithm, Hyperparameter, Range, StateTensor, Update};
use crate::Optimizer;

/// Resilient backpropagation (PyTorch: `torch.optim.Rprop`); see [`RpropOptions`]. For whole batches: it looks at
/// the sign of the gradient only.
pub type Rprop = Optimizer<RpropOptions>;

/// Options of [`Rprop`].
///
/// With the gradient g (negated by `maximize`) and that of the update before, p, which is 0 at first, each value has
/// a step size s of its own, which is `lr` at first:
///
/// - g·p > 0: s = s·η⁺; g·p < 0: s = s·η⁻, and g counts as 0 now and, as p, at the next update;
/// - s is kept within `step_sizes`;
/// - x = x − s·sign(g).
///
/// Sources: Riedmiller & Braun, "A Direct Adaptive Method for Faster Backpropagation Learning: The RPROP Algorithm"
/// (1993); in the form without backtracking, Igel & Hüsken, "Improving the Rprop Learning Algorithm" (2000).
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{Rprop, RpropOptions};
/// # fn main() -> Result<()> {
/// let w = Parameter::new(Tensor::new([1.0, 1.0]))?;
/// w.set_grad(Some(Tensor::new([8.0, -0.5])))?;
/// let mut optimizer = Rprop::new([w.clone()], RpropOptions { lr: 0.5, ..Default::default() })?;
/// optimizer.step()?;
/// assert_eq!(w.tensor().to_vec::<f32>()?, [0.5, 1.5]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RpropOptions {
    /// The first step size. Default 1e-2.
    pub lr: f64,
    /// η⁻, between 0 and 1, and η⁺, above 1. Default (0.5, 1.2).
    pub etas: (f64, f64),
    /// The smallest and the largest step size. Default (1e-6, 50).
    pub step_sizes: (f64, f64),
    /// Moves up the gradient instead of down. Default false.
    pub maximize: bool,
}

impl Default for RpropOptions {
    fn default() -> Self {
        RpropOptions { lr: 1e-2, etas: (0.5, 1.2), step_sizes: (1e-6, 50.0), maximize: false }
    }
}

impl Algorithm for RpropOptions {
    const NAME: &'static str = "Rprop";

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        vec![
            Hyperparameter::lr(&mut self.lr),
            Hyperparameter::new("step_sizes.0", &mut self.step_sizes.0, Range::NonNegative),
            Hyperparameter::new("step_sizes.1", &mut self.step_sizes.1, Range::NonNegative),
        ]
    }

    fn rules(&self) -> Result<()> {
        let (minus, plus) = self.etas;
        if !(minus > 0.0 && minus < 1.0) {
            bail!(Value, Self::NAME, "etas.0 must lie between 0 and 1, not be {minus}");
        }
        if !(plus > 1.0 && plus.is_finite()) {
            bail!(Value, Self::NAME, "etas.1 must be a finite number above 1, not {plus}");
        }
        if self.step_sizes.0 > self.step_sizes.1 {
            let (smallest, largest) = self.step_sizes;
            bail!(Value, Self::NAME, "step_sizes.0 must not exceed step_sizes.1: {smallest} > {largest}");
        }
        Ok(())
    }

    fn state(&self) -> Vec<StateTensor> {
        vec![StateTensor::zeros("prev"), StateTensor::filled("step_size", self.lr)]
    }

    fn update<T: FloatElement>(&self, parameter: Update<'_, T>) {
        let (minus, plus) = (T::of(self.etas.0), T::of(self.etas.1));
        let (smallest, largest) = (T::of(self.step_sizes.0), T::of(self.step_sizes.1));
        let gradient = super::gradient::<T>(self.maximize, 0.0);
        parameter.each(move |[x, prev, size], g| {
            let g = gradient(g, x);
            // Not the product of the gradients, which of two small ones is 0.
            let same = super::sign(g) * super::sign(prev);
            let turned = same < T::ZERO;
            let factor = if turned {
                minus
            } else if same > T::ZERO {
                plus
            } else {
                T::ONE
            };
            let size = (size * factor).maximum(smallest).minimum(largest);
            let g = if turned { T::ZERO } else { g };
            [x - super::sign(g) * size, g, size]
        });
    }
}
