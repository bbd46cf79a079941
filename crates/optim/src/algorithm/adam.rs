//! Adam.

use chainrule_tensor::FloatElement;
use serde::{Deserialize, Serialize};

use super::{Algorithm, Hyperparameter, Range, StateTensor, Update};
use crate::Optimizer;

/// Adam (PyTorch: `torch.optim.Adam`); see [`AdamOptions`].
pub type Adam = Optimizer<AdamOptions>;

/// Options of [`Adam`].
///
/// With the gradient g (negated by `maximize`, then with `weight_decay`·x added), at a parameter's update t:
///
/// - m = β₁·m + (1 − β₁)·g and v = β₂·v + (1 − β₂)·g²;
/// - x = x − `lr`/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + `eps`), where `amsgrad` puts the largest v so far for v.
///
/// Where g² is beyond the dtype (from about 1e19 on in `f32`), v is infinite and the value stays where it is, as in
/// PyTorch.
///
/// Sources: Kingma & Ba, "Adam: A Method for Stochastic Optimization" (2014); `amsgrad`: Reddi et al., "On the
/// Convergence of Adam and Beyond" (2018).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamOptions {
    /// Learning rate. Default 1e-3.
    pub lr: f64,
    /// β₁ and β₂: how much of the averages of g and of g² is kept at each step. Default (0.9, 0.999).
    pub betas: (f64, f64),
    /// Added to the root, against division by zero. Default 1e-8.
    pub eps: f64,
    /// L2 penalty. Default 0.
    pub weight_decay: f64,
    /// Divides by the largest average of g² so far. Default false.
    pub amsgrad: bool,
    /// Moves up the gradient instead of down. Default false.
    pub maximize: bool,
    /// Decays the weights themselves instead of adding to the gradient: [`AdamW`](crate::AdamW). Default
    /// false.
    pub decoupled_weight_decay: bool,
}

impl Default for AdamOptions {
    fn default() -> Self {
        AdamOptions {
            lr: 1e-3,
            betas: (0.9, 0.999),
            eps: 1e-8,
            weight_decay: 0.0,
            amsgrad: false,
            maximize: false,
            decoupled_weight_decay: false,
        }
    }
}

impl Algorithm for AdamOptions {
    const NAME: &'static str = "Adam";

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
        let mut state = vec![StateTensor::zeros("exp_avg"), StateTensor::zeros("exp_avg_sq")];
        if self.amsgrad {
            state.push(StateTensor::zeros("max_exp_avg_sq"));
        }
        state
    }

    fn update<T: FloatElement>(&self, parameter: Update<'_, T>) {
        let (beta1, beta2) = self.betas;
        let t = parameter.step as f64;
        let rate = T::of(self.lr / (1.0 - beta1.powf(t)));
        let root = T::of((1.0 - beta2.powf(t)).sqrt());
        let eps = T::of(self.eps);
        let (keep, add) = (T::of(beta2), T::of(1.0 - beta2));
        let average = super::lerp::<T>(1.0 - beta1);
        let (penalty, shrink) = super::weight_decay(self.weight_decay, self.lr, self.decoupled_weight_decay);
        let gradient = super::gradient::<T>(self.maximize, penalty);
        if self.amsgrad {
            parameter.each(move |[x, m, v, largest], g| {
                let g = gradient(g, x);
                let (m, v) = (average(m, g), keep * v + add * g * g);
                let largest = largest.maximum(v);
                [x * shrink - rate * m / (largest.sqrt() / root + eps), m, v, largest]
            });
        } else {
            parameter.each(move |[x, m, v], g| {
                let g = gradient(g, x);
                let (m, v) = (average(m, g), keep * v + add * g * g);
                [x * shrink - rate * m / (v.sqrt() / root + eps), m, v]
            });
        }
    }
}
