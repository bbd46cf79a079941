//! RMSprop.

use chainrule_tensor::FloatElement;
use serde::{Deserialize, Serialize};

use super::{Algorithm, Hyperparameter, Range, StateTensor, Update};
use crate::Optimizer;

/// RMSprop (PyTorch: `torch.optim.RMSprop`); see [`RmsPropOptions`].
pub type RmsProp = Optimizer<RmsPropOptions>;

/// Options of [`RmsProp`].
///
/// With the gradient g (negated by `maximize`, then with `weight_decay`·x added):
///
/// - s = `alpha`·s + (1 − `alpha`)·g²;
/// - d = g / (√s + `eps`), or with `centered` d = g / (√(s − a²) + `eps`), where a averages g as s does g²
///   (a variance that rounding leaves below 0 is 0);
/// - x = x − `lr`·d, or with momentum b = `momentum`·b + d and x = x − `lr`·b.
///
/// Sources: Hinton, lecture 6e of "Neural Networks for Machine Learning" (2012); the centered form is that of
/// Graves, "Generating Sequences With Recurrent Neural Networks" (2013).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RmsPropOptions {
    /// Learning rate. Default 1e-2.
    pub lr: f64,
    /// How much of the averages is kept at each step. Default 0.99.
    pub alpha: f64,
    /// Added to the root, against division by zero. Default 1e-8.
    pub eps: f64,
    /// L2 penalty. Default 0.
    pub weight_decay: f64,
    /// Momentum factor. Default 0: no buffer is kept.
    pub momentum: f64,
    /// Divides by the standard deviation of the gradient instead of its root mean square. Default false.
    pub centered: bool,
    /// Moves up the gradient instead of down. Default false.
    pub maximize: bool,
}

impl Default for RmsPropOptions {
    fn default() -> Self {
        RmsPropOptions {
            lr: 1e-2,
            alpha: 0.99,
            eps: 1e-8,
            weight_decay: 0.0,
            momentum: 0.0,
            centered: false,
            maximize: false,
        }
    }
}

impl Algorithm for RmsPropOptions {
    const NAME: &'static str = "RMSprop";

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        vec![
            Hyperparameter::lr(&mut self.lr),
            Hyperparameter::new("alpha", &mut self.alpha, Range::Unit),
            Hyperparameter::new("eps", &mut self.eps, Range::NonNegative),
            Hyperparameter::weight_decay(&mut self.weight_decay),
            Hyperparameter::momentum(&mut self.momentum),
        ]
    }

    fn state(&self) -> Vec<StateTensor> {
        let mut state = vec![StateTensor::zeros("square_avg")];
        if self.momentum > 0.0 {
            state.push(StateTensor::zeros("momentum_buffer"));
        }
        if self.centered {
            state.push(StateTensor::zeros("grad_avg"));
        }
        state
    }

    fn update<T: FloatElement>(&self, parameter: Update<'_, T>) {
        let (lr, eps, momentum) = (T::of(self.lr), T::of(self.eps), T::of(self.momentum));
        let (alpha, rest) = (T::of(self.alpha), T::of(1.0 - self.alpha));
        let gradient = super::gradient::<T>(self.maximize, self.weight_decay);
        let average = super::lerp::<T>(1.0 - self.alpha);
        let square = move |s: T, g: T| alpha * s + rest * g * g;
        // By rounding it may come out below 0; where both squares are infinite, so is the variance.
        let largest = super::largest::<T>();
        let variance = move |s: T, a: T| (s - (a * a).minimum(largest)).maximum(T::ZERO);
        match (self.momentum > 0.0, self.centered) {
            (false, false) => parameter.each(move |[x, s], g| {
                let g = gradient(g, x);
                let s = square(s, g);
                [x - lr * g / (s.sqrt() + eps), s]
            }),
            (true, false) => parameter.each(move |[x, s, buffer], g| {
                let g = gradient(g, x);
                let s = square(s, g);
                let buffer = momentum * buffer + g / (s.sqrt() + eps);
                [x - lr * buffer, s, buffer]
            }),
            (false, true) => parameter.each(move |[x, s, a], g| {
                let g = gradient(g, x);
                let (s, a) = (square(s, g), average(a, g));
                [x - lr * g / (variance(s, a).sqrt() + eps), s, a]
            }),
            (true, true) => parameter.each(move |[x, s, buffer, a], g| {
                let g = gradient(g, x);
                let (s, a) = (square(s, g), average(a, g));
                let buffer = momentum * buffer + g / (variance(s, a).sqrt() + eps);
                [x - lr * buffer, s, buffer, a]
            }),
        }
    }
}
