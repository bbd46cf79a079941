//! Averaged stochastic gradient descent.

use chainrule_tensor::FloatElement;
use serde::{Deserialize, Serialize};

use super::{Algorithm, Hyperparameter, Range, StateTensor, Update};
use crate::Optimizer;

/// Averaged stochastic gradient descent (PyTorch: `torch.optim.ASGD`); see [`AsgdOptions`].
pub type Asgd = Optimizer<AsgdOptions>;

/// Options of [`Asgd`].
///
/// With the gradient g (negated by `maximize`, then with `weight_decay`·x added), η = `lr` and μ = 1 at first, at a
/// parameter's update t:
///
/// - x = (1 − `lambd`·η)·x − η·g;
/// - the average a = a + μ·(x − a), which is the state `ax`: the parameter itself is not averaged;
/// - then, for the next update, η = `lr`/(1 + `lambd`·`lr`·t)^`alpha` and μ = 1/max(1, t − `t0`).
///
/// Source: Polyak & Juditsky, "Acceleration of Stochastic Approximation by Averaging" (1992).
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{Asgd, AsgdOptions};
/// # fn main() -> Result<()> {
/// let w = Parameter::new(Tensor::new([1.0]))?;
/// let options = AsgdOptions { lr: 0.5, lambd: 0.0, t0: 0.0, ..Default::default() };
/// let mut optimizer = Asgd::new([w.clone()], options)?;
/// for g in [1.0, 1.0] {
///     w.set_grad(Some(Tensor::new([g])))?;
///     optimizer.step()?;
/// }
/// assert_eq!(w.tensor().to_vec::<f32>()?, [0.0]);
/// w.set_grad(Some(Tensor::new([-1.0])))?;
/// optimizer.step()?;
/// let state = optimizer.state_dict()?;
/// assert_eq!(state.get("param.0.ax").unwrap().to_vec::<f32>()?, [0.25]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AsgdOptions {
    /// Learning rate. Default 1e-2.
    pub lr: f64,
    /// Decay of the weights and of the learning rate. Default 1e-4.
    pub lambd: f64,
    /// The power by which η falls. Default 0.75.
    pub alpha: f64,
    /// The update after which averaging begins; until then the average is the last value. Default 1e6.
    pub t0: f64,
    /// L2 penalty. Default 0.
    pub weight_decay: f64,
    /// Moves up the gradient instead of down. Default false.
    pub maximize: bool,
}

impl Default for AsgdOptions {
    fn default() -> Self {
        AsgdOptions { lr: 1e-2, lambd: 1e-4, alpha: 0.75, t0: 1e6, weight_decay: 0.0, maximize: false }
    }
}

impl Algorithm for AsgdOptions {
    const NAME: &'static str = "ASGD";

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        vec![
            Hyperparameter::lr(&mut self.lr),
            Hyperparameter::new("lambd", &mut self.lambd, Range::NonNegative),
            Hyperparameter::new("alpha", &mut self.alpha, Range::NonNegative),
            Hyperparameter::new("t0", &mut self.t0, Range::Finite),
            Hyperparameter::weight_decay(&mut self.weight_decay),
        ]
    }

    fn state(&self) -> Vec<StateTensor> {
        vec![StateTensor::zeros("ax"), StateTensor::scalar("mu", 1.0), StateTensor::scalar("eta", self.lr)]
    }

    fn update<T: FloatElement>(&self, mut parameter: Update<'_, T>) {
        let t = parameter.step as f64;
        let (next_eta, next_mu) = (parameter.scalar(), parameter.scalar());
        let (eta, mu) = (*next_eta, *next_mu);
        *next_eta = T::of(self.lr / (1.0 + self.lambd * self.lr * t).powf(self.alpha));
        *next_mu = T::of(1.0 / (t - self.t0).max(1.0));
        let shrink = T::of(1.0 - self.lambd * eta.to_f64());
        let gradient = super::gradient::<T>(self.maximize, self.weight_decay);
        let all = mu == T::ONE;
        parameter.each(move |[x, average], g| {
            let x_new = x * shrink - eta * gradient(g, x);
            [x_new, if all { x_new } else { average + (x_new - average) * mu }]
        });
    }
}
