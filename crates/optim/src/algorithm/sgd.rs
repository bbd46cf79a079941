//! Stochastic gradient descent, with momentum.

use chainrule_tensor::{FloatElement, Result, bail};
use serde::{Deserialize, Serialize};

use super::{Algorithm, Hyperparameter, Range, StateTensor, Update};
use crate::Optimizer;

/// Stochastic gradient descent (PyTorch: `torch.optim.SGD`); see [`SgdOptions`].
pub type Sgd = Optimizer<SgdOptions>;

/// Options of [`Sgd`].
///
/// With the gradient g (negated by `maximize`, then with `weight_decay`·x added) and the momentum buffer b:
///
/// - b = g at the first update, later b = `momentum`·b + (1 − `dampening`)·g;
/// - x = x − `lr`·d, where d is b, g + `momentum`·b with `nesterov`, or g without momentum.
///
/// The learning rate is outside of the buffer, unlike in Sutskever et al., "On the importance of
/// initialization and momentum in deep learning" (2013), so that a change of it works at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SgdOptions {
    /// Learning rate. Default 1e-3.
    pub lr: f64,
    /// Momentum factor. Default 0: no buffer is kept.
    pub momentum: f64,
    /// What is taken off the gradient's share in the buffer. Default 0.
    pub dampening: f64,
    /// L2 penalty. Default 0.
    pub weight_decay: f64,
    /// Nesterov momentum; needs momentum and no dampening. Default false.
    pub nesterov: bool,
    /// Moves up the gradient instead of down. Default false.
    pub maximize: bool,
}

impl Default for SgdOptions {
    fn default() -> Self {
        SgdOptions {
            lr: 1e-3,
            momentum: 0.0,
            dampening: 0.0,
            weight_decay: 0.0,
            nesterov: false,
            maximize: false,
        }
    }
}

impl Algorithm for SgdOptions {
    const NAME: &'static str = "SGD";

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        vec![
            Hyperparameter::lr(&mut self.lr),
            Hyperparameter::momentum(&mut self.momentum),
            Hyperparameter::new("dampening", &mut self.dampening, Range::Finite),
            Hyperparameter::weight_decay(&mut self.weight_decay),
        ]
    }

    fn rules(&self) -> Result<()> {
        if self.nesterov && (self.momentum == 0.0 || self.dampening != 0.0) {
            bail!(
                Value,
                Self::NAME,
                "nesterov needs a momentum and no dampening, not momentum {} and dampening {}",
                self.momentum,
                self.dampening
            );
        }
        Ok(())
    }

    fn state(&self) -> Vec<StateTensor> {
        if self.momentum == 0.0 { vec![] } else { vec![StateTensor::zeros("momentum_buffer")] }
    }

    fn skips_zeros<T: FloatElement>(&self) -> bool {
        // An infinite rate makes a NaN of 0.
        self.momentum == 0.0 && self.weight_decay == 0.0 && T::of(self.lr).is_finite()
    }

    fn update<T: FloatElement>(&self, parameter: Update<'_, T>) {
        let (lr, momentum) = (T::of(self.lr), T::of(self.momentum));
        let gradient = super::gradient::<T>(self.maximize, self.weight_decay);
        if self.momentum == 0.0 {
            return parameter.each(move |[x], g| [x - lr * gradient(g, x)]);
        }
        let nesterov = self.nesterov;
        // The first gradient goes into the buffer whole, without dampening.
        let (keep, add) =
            if parameter.fresh { (T::ZERO, T::ONE) } else { (momentum, T::of(1.0 - self.dampening)) };
        parameter.each(move |[x, buffer], g| {
            let g = gradient(g, x);
            let buffer = keep * buffer + add * g;
            let direction = if nesterov { g + momentum * buffer } else { buffer };
            [x - lr * direction, buffer]
        });
    }
}
