//! Adadelta.

use chainrule_tensor::FloatElement;
use serde::{Deserialize, Serialize};

use super::{Algorithm, Hyperparameter, Range, StateTensor, Update};
use crate::Optimizer;

/// Adadelta (PyTorch: `torch.optim.Adadelta`); see [`AdadeltaOptions`].
pub type Adadelta = Optimizer<AdadeltaOptions>;

/// Options of [`Adadelta`].
///
/// With the gradient g (negated by `maximize`, then with `weight_decay`·x added):
///
/// - s = `rho`·s + (1 − `rho`)·g²;
/// - d = √(u + `eps`)/√(s + `eps`)·g, then u = `rho`·u + (1 − `rho`)·d²;
/// - x = x − `lr`·d.
///
/// Source: Zeiler, "ADADELTA: An Adaptive Learning Rate Method" (2012).
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{Adadelta, AdadeltaOptions};
/// # fn main() -> Result<()> {
/// let w = Parameter::new(Tensor::new([1.0, 1.0]))?;
/// w.set_grad(Some(Tensor::new([1.0, -1000.0])))?;
/// let mut optimizer = Adadelta::new([w.clone()], AdadeltaOptions { eps: 1e-2, ..Default::default() })?;
/// optimizer.step()?;
/// // √(0.01/(0.1·g²)) of g, whatever the size of g.
/// let w = w.tensor().to_vec::<f32>()?;
/// assert!((w[0] - 0.7).abs() < 0.02 && (w[1] - 1.316).abs() < 0.001);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdadeltaOptions {
    /// Learning rate. Default 1.
    pub lr: f64,
    /// How much of the averages is kept at each step, from 0 to 1. Default 0.9.
    pub rho: f64,
    /// Added under both roots. Default 1e-6.
    pub eps: f64,
    /// L2 penalty. Default 0.
    pub weight_decay: f64,
    /// Moves up the gradient instead of down. Default false.
    pub maximize: bool,
}

impl Default for AdadeltaOptions {
    fn default() -> Self {
        AdadeltaOptions { lr: 1.0, rho: 0.9, eps: 1e-6, weight_decay: 0.0, maximize: false }
    }
}

impl Algorithm for AdadeltaOptions {
    const NAME: &'static str = "Adadelta";

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        vec![
            Hyperparameter::lr(&mut self.lr),
            Hyperparameter::new("rho", &mut self.rho, Range::Unit),
            Hyperparameter::new("eps", &mut self.eps, Range::NonNegative),
            Hyperparameter::weight_decay(&mut self.weight_decay),
        ]
    }

    fn state(&self) -> Vec<StateTensor> {
        vec![StateTensor::zeros("square_avg"), StateTensor::zeros("acc_delta")]
    }

    fn update<T: FloatElement>(&self, parameter: Update<'_, T>) {
        let (lr, eps) = (T::of(self.lr), T::of(self.eps));
        let (keep, add) = (T::of(self.rho), T::of(1.0 - self.rho));
        let gradient = super::gradient::<T>(self.maximize, self.weight_decay);
        parameter.each(move |[x, s, u], g| {
            let g = gradient(g, x);
            let s = keep * s + add * g * g;
            let d = (u + eps).sqrt() / (s + eps).sqrt() * g;
            [x - lr * d, s, keep * u + add * d * d]
        });
    }
}
