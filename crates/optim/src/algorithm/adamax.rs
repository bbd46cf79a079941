//! Adamax.

use chainrule_tensor::FloatElement;
use serde::{Deserialize, Serialize};

use super::{Algorithm, Hyperparameter, Range, StateTensor, Update};
use crate::Optimizer;

/// Adamax, Adam with the infinity norm (PyTorch: `torch.optim.Adamax`); see [`AdamaxOptions`].
pub type Adamax = Optimizer<AdamaxOptions>;

/// Options of [`Adamax`].
///
/// With the gradient g (negated by `maximize`, then with `weight_decay`·x added), at a parameter's update t:
///
/// - m = β₁·m + (1 − β₁)·g and u = max(β₂·u, |g| + `eps`);
/// - x = x − `lr`/(1 − β₁ᵗ) · m / u.
///
/// Source: Kingma & Ba, "Adam: A Method for Stochastic Optimization" (2014), section 7.1.
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{Adamax, AdamaxOptions};
/// # fn main() -> Result<()> {
/// let w = Parameter::new(Tensor::new([1.0, 1.0]))?;
/// w.set_grad(Some(Tensor::new([8.0, -0.5])))?;
/// let mut optimizer = Adamax::new([w.clone()], AdamaxOptions { lr: 0.5, ..Default::default() })?;
/// optimizer.step()?;
/// let w = w.tensor().to_vec::<f32>()?;
/// assert!((w[0] - 0.5).abs() < 1e-6 && (w[1] - 1.5).abs() < 1e-6);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamaxOptions {
    /// Learning rate. Default 2e-3.
    pub lr: f64,
    /// β₁ and β₂: how much of the average and of the norm is kept at each step. Default (0.9, 0.999).
    pub betas: (f64, f64),
    /// Added to |g|, against division by zero. Default 1e-8.
    pub eps: f64,
    /// L2 penalty. Default 0.
    pub weight_decay: f64,
    /// Moves up the gradient instead of down. Default false.
    pub maximize: bool,
}

impl Default for AdamaxOptions {
    fn default() -> Self {
        AdamaxOptions { lr: 2e-3, betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.0, maximize: false }
    }
}

impl Algorithm for AdamaxOptions {
    const NAME: &'static str = "Adamax";

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        let [beta1, beta2] = Hyperparameter::betas(&mut self.betas);
        vec![
            Hyperparameter::lr(&mut self.lr),
            beta1,
            beta2,
            Hyperparameter::new("eps", &mut self.eps, Range::NonNegative),
            Hyperparameter::weight_decay(&mut self.weight_decay),
        ]
    }

    fn state(&self) -> Vec<StateTensor> {
        vec![StateTensor::zeros("exp_avg"), StateTensor::zeros("exp_inf")]
    }

    fn update<T: FloatElement>(&self, parameter: Update<'_, T>) {
        let (beta1, beta2) = self.betas;
        let rate = T::of(self.lr / (1.0 - beta1.powf(parameter.step as f64)));
        let (keep, eps) = (T::of(beta2), T::of(self.eps));
        let average = super::lerp::<T>(1.0 - beta1);
        let gradient = super::gradient::<T>(self.maximize, self.weight_decay);
        parameter.each(move |[x, m, u], g| {
            let g = gradient(g, x);
            let (m, u) = (average(m, g), (keep * u).maximum(g.abs() + eps));
            [x - rate * m / u, m, u]
        });
    }
}
