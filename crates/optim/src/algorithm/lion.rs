//! Lion.

use chainrule_tensor::FloatElement;
use serde::{Deserialize, Serialize};

use super::{Algorithm, Hyperparameter, StateTensor, Update};
use crate::Optimizer;

/// Lion, the sign of a momentum (not in PyTorch); see [`LionOptions`].
pub type Lion = Optimizer<LionOptions>;

/// Options of [`Lion`].
///
/// With the gradient g (negated by `maximize`):
///
/// - x = (1 − `lr`·`weight_decay`)·x − `lr`·sign(β₁·m + (1 − β₁)·g);
/// - then m = β₂·m + (1 − β₂)·g.
///
/// Every value moves by `lr`, so `lr` is to be 3 to 10 times smaller than that of AdamW, and `weight_decay` as much
/// larger.
///
/// Source: Chen et al., "Symbolic Discovery of Optimization Algorithms" (2023).
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{Lion, LionOptions};
/// # fn main() -> Result<()> {
/// let w = Parameter::new(Tensor::new([1.0, 1.0, 1.0]))?;
/// w.set_grad(Some(Tensor::new([8.0, -0.5, 0.0])))?;
/// let mut optimizer = Lion::new([w.clone()], LionOptions { lr: 0.5, ..Default::default() })?;
/// optimizer.step()?;
/// assert_eq!(w.tensor().to_vec::<f32>()?, [0.5, 1.5, 1.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LionOptions {
    /// Learning rate. Default 1e-4.
    pub lr: f64,
    /// β₁, for the direction, and β₂, for the average. Default (0.9, 0.99).
    pub betas: (f64, f64),
    /// Weight decay. Default 0.
    pub weight_decay: f64,
    /// Moves up the gradient instead of down. Default false.
    pub maximize: bool,
}

impl Default for LionOptions {
    fn default() -> Self {
        LionOptions { lr: 1e-4, betas: (0.9, 0.99), weight_decay: 0.0, maximize: false }
    }
}

impl Algorithm for LionOptions {
    const NAME: &'static str = "Lion";

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        let [beta1, beta2] = Hyperparameter::betas(&mut self.betas);
        vec![
            Hyperparameter::lr(&mut self.lr),
            beta1,
            beta2,
            Hyperparameter::weight_decay(&mut self.weight_decay),
        ]
    }

    fn state(&self) -> Vec<StateTensor> {
        vec![StateTensor::zeros("exp_avg")]
    }

    fn update<T: FloatElement>(&self, parameter: Update<'_, T>) {
        let (lr, shrink) = (T::of(self.lr), T::of(1.0 - self.lr * self.weight_decay));
        let direction = super::lerp::<T>(1.0 - self.betas.0);
        let average = super::lerp::<T>(1.0 - self.betas.1);
        let gradient = super::gradient::<T>(self.maximize, 0.0);
        parameter.each(move |[x, m], g| {
            let g = gradient(g, x);
            [x * shrink - lr * super::sign(direction(m, g)), average(m, g)]
        });
    }
}
