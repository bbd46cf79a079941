//! RAdam.

use chainrule_tensor::FloatElement;
use serde::{Deserialize, Serialize};

use super::{Algorithm, Hyperparameter, Range, StateTensor, Update};
use crate::Optimizer;

/// RAdam, Adam that warms up by itself (PyTorch: `torch.optim.RAdam`); see [`RAdamOptions`].
pub type RAdam = Optimizer<RAdamOptions>;

/// Options of [`RAdam`].
///
/// With the gradient g (negated by `maximize`, then with `weight_decay`·x added), at a parameter's update t:
///
/// - m = β₁·m + (1 − β₁)·g and v = β₂·v + (1 − β₂)·g², m̂ = m/(1 − β₁ᵗ);
/// - ρ∞ = 2/(1 − β₂) − 1 and ρ = ρ∞ − 2·t·β₂ᵗ/(1 − β₂ᵗ);
/// - where ρ > 5: x = x − `lr`·m̂·r·√(1 − β₂ᵗ)/(√v + `eps`) with
///   r = √((ρ − 4)·(ρ − 2)·ρ∞ / ((ρ∞ − 4)·(ρ∞ − 2)·ρ)); before that x = x − `lr`·m̂.
///
/// Source: Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond" (2019).
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{RAdam, RAdamOptions};
/// # fn main() -> Result<()> {
/// let w = Parameter::new(Tensor::new([1.0]))?;
/// let mut optimizer = RAdam::new([w.clone()], RAdamOptions { lr: 0.1, ..Default::default() })?;
/// for _ in 0..100 {
///     optimizer.zero_grad();
///     w.tensor().square()?.sum()?.backward()?;
///     optimizer.step()?;
/// }
/// assert!(w.tensor().item()?.abs() < 0.1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RAdamOptions {
    /// Learning rate. Default 1e-3.
    pub lr: f64,
    /// β₁ and β₂: how much of the averages of g and of g² is kept at each step. Default (0.9, 0.999).
    pub betas: (f64, f64),
    /// Added to the root, against division by zero. Default 1e-8.
    pub eps: f64,
    /// L2 penalty. Default 0.
    pub weight_decay: f64,
    /// Decays the weights themselves, x = (1 − `lr`·`weight_decay`)·x, instead of adding to the gradient. Default
    /// false.
    pub decoupled_weight_decay: bool,
    /// Moves up the gradient instead of down. Default false.
    pub maximize: bool,
}

impl Default for RAdamOptions {
    fn default() -> Self {
        RAdamOptions {
            lr: 1e-3,
            betas: (0.9, 0.999),
            eps: 1e-8,
            weight_decay: 0.0,
            decoupled_weight_decay: false,
            maximize: false,
        }
    }
}

impl Algorithm for RAdamOptions {
    const NAME: &'static str = "RAdam";

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
        vec![StateTensor::zeros("exp_avg"), StateTensor::zeros("exp_avg_sq")]
    }

    fn update<T: FloatElement>(&self, parameter: Update<'_, T>) {
        let (beta1, beta2) = self.betas;
        let t = parameter.step as f64;
        let (correction1, correction2) = (1.0 - beta1.powf(t), 1.0 - beta2.powf(t));
        let longest = 2.0 / (1.0 - beta2) - 1.0;
        let length = longest - 2.0 * t * beta2.powf(t) / correction2;
        let (keep, add) = (T::of(beta2), T::of(1.0 - beta2));
        let average = super::lerp::<T>(1.0 - beta1);
        let (penalty, shrink) = super::weight_decay(self.weight_decay, self.lr, self.decoupled_weight_decay);
        let gradient = super::gradient::<T>(self.maximize, penalty);
        // Before that the variance of the adaptive rate is unbounded.
        if length > 5.0 {
            let rectified = (length - 4.0) * (length - 2.0) * longest;
            let rectification = (rectified / ((longest - 4.0) * (longest - 2.0) * length)).sqrt();
            let rate = T::of(self.lr / correction1 * rectification * correction2.sqrt());
            let eps = T::of(self.eps);
            parameter.each(move |[x, m, v], g| {
                let g = gradient(g, x);
                let (m, v) = (average(m, g), keep * v + add * g * g);
                [x * shrink - rate * m / (v.sqrt() + eps), m, v]
            });
        } else {
            let rate = T::of(self.lr / correction1);
            parameter.each(move |[x, m, v], g| {
                let g = gradient(g, x);
                let (m, v) = (average(m, g), keep * v + add * g * g);
                [x * shrink - rate * m, m, v]
            });
        }
    }
}
