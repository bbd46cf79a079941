//! NAdam.

use chainrule_tensor::FloatElement;
use serde::{Deserialize, Serialize};

use super::{Algorithm, Hyperparameter, Range, StateTensor, Update};
use crate::Optimizer;

/// NAdam, Adam with Nesterov momentum (PyTorch: `torch.optim.NAdam`); see [`NAdamOptions`].
pub type NAdam = Optimizer<NAdamOptions>;

/// Options of [`NAdam`].
///
/// With the gradient g (negated by `maximize`, then with `weight_decay`·x added), at a parameter's update t:
///
/// - μₜ = β₁·(1 − ½·0.96^(t·`momentum_decay`)) and Π = μ₁·μ₂·…·μₜ;
/// - m = β₁·m + (1 − β₁)·g and v = β₂·v + (1 − β₂)·g², d = √(v/(1 − β₂ᵗ)) + `eps`;
/// - x = x − `lr`·((1 − μₜ)/(1 − Π)·g + μₜ₊₁/(1 − Π·μₜ₊₁)·m) / d.
///
/// Source: Dozat, "Incorporating Nesterov Momentum into Adam" (2016).
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{NAdam, NAdamOptions};
/// # fn main() -> Result<()> {
/// let w = Parameter::new(Tensor::new([1.0]))?;
/// let mut optimizer = NAdam::new([w.clone()], NAdamOptions { lr: 0.1, ..Default::default() })?;
/// for _ in 0..100 {
///     optimizer.zero_grad();
///     w.tensor().square()?.sum()?.backward()?;
///     optimizer.step()?;
/// }
/// assert!(w.tensor().item()?.abs() < 0.05);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NAdamOptions {
    /// Learning rate. Default 2e-3.
    pub lr: f64,
    /// β₁ and β₂: how much of the averages of g and of g² is kept at each step. Default (0.9, 0.999).
    pub betas: (f64, f64),
    /// Added to the root, against division by zero. Default 1e-8.
    pub eps: f64,
    /// L2 penalty. Default 0.
    pub weight_decay: f64,
    /// How fast μ grows. Default 4e-3.
    pub momentum_decay: f64,
    /// Decays the weights themselves, x = (1 − `lr`·`weight_decay`)·x, instead of adding to the gradient. Default
    /// false.
    pub decoupled_weight_decay: bool,
    /// Moves up the gradient instead of down. Default false.
    pub maximize: bool,
}

impl Default for NAdamOptions {
    fn default() -> Self {
        NAdamOptions {
            lr: 2e-3,
            betas: (0.9, 0.999),
            eps: 1e-8,
            weight_decay: 0.0,
            momentum_decay: 4e-3,
            decoupled_weight_decay: false,
            maximize: false,
        }
    }
}

impl Algorithm for NAdamOptions {
    const NAME: &'static str = "NAdam";

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        let [beta1, beta2] = Hyperparameter::betas(&mut self.betas);
        vec![
            Hyperparameter::lr(&mut self.lr),
            beta1,
            beta2,
            Hyperparameter::new("eps", &mut self.eps, Range::NonNegative),
            Hyperparameter::weight_decay(&mut self.weight_decay),
            Hyperparameter::new("momentum_decay", &mut self.momentum_decay, Range::NonNegative),
        ]
    }

    fn state(&self) -> Vec<StateTensor> {
        vec![
            StateTensor::zeros("exp_avg"),
            StateTensor::zeros("exp_avg_sq"),
            StateTensor::scalar("mu_product", 1.0),
        ]
    }

    fn update<T: FloatElement>(&self, mut parameter: Update<'_, T>) {
        let (beta1, beta2) = self.betas;
        let t = parameter.step as f64;
        let mu = |t: f64| beta1 * (1.0 - 0.5 * 0.96f64.powf(t * self.momentum_decay));
        let product = parameter.scalar();
        *product *= T::of(mu(t));
        let product = product.to_f64();
        let of_gradient = T::of(self.lr * (1.0 - mu(t)) / (1.0 - product));
        let of_average = T::of(self.lr * mu(t + 1.0) / (1.0 - product * mu(t + 1.0)));
        let (correction, eps) = (T::of(1.0 - beta2.powf(t)), T::of(self.eps));
        let (keep, add) = (T::of(beta2), T::of(1.0 - beta2));
        let average = super::lerp::<T>(1.0 - beta1);
        let (penalty, shrink) = super::weight_decay(self.weight_decay, self.lr, self.decoupled_weight_decay);
        let gradient = super::gradient::<T>(self.maximize, penalty);
        parameter.each(move |[x, m, v], g| {
            let g = gradient(g, x);
            let (m, v) = (average(m, g), keep * v + add * g * g);
            let d = (v / correction).sqrt() + eps;
            [x * shrink - of_gradient * g / d - of_average * m / d, m, v]
        });
    }
}
