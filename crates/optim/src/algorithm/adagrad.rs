//! Adagrad.

use chainrule_tensor::FloatElement;
use serde::{Deserialize, Serialize};

use super::{Algorithm, Hyperparameter, Range, StateTensor, Update};
use crate::Optimizer;

/// Adagrad (PyTorch: `torch.optim.Adagrad`); see [`AdagradOptions`].
pub type Adagrad = Optimizer<AdagradOptions>;

/// Options of [`Adagrad`].
///
/// With the gradient g (negated by `maximize`, then with `weight_decay`·x added), at a parameter's update t:
///
/// - s = s + g², beginning at `initial_accumulator_value`;
/// - x = x − `lr`/(1 + (t − 1)·`lr_decay`) · g / (√s + `eps`).
///
/// Source: Duchi, Hazan & Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization"
/// (2011).
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{Adagrad, AdagradOptions};
/// # fn main() -> Result<()> {
/// let w = Parameter::new(Tensor::new([1.0, 1.0]))?;
/// w.set_grad(Some(Tensor::new([8.0, -0.5])))?;
/// let mut optimizer = Adagrad::new([w.clone()], AdagradOptions { lr: 0.5, ..Default::default() })?;
/// optimizer.step()?;
/// assert_eq!(w.tensor().to_vec::<f32>()?, [0.5, 1.5]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdagradOptions {
    /// Learning rate. Default 1e-2.
    pub lr: f64,
    /// How much the learning rate falls with the updates. Default 0.
    pub lr_decay: f64,
    /// L2 penalty. Default 0.
    pub weight_decay: f64,
    /// What the sum of squares begins with. Default 0.
    pub initial_accumulator_value: f64,
    /// Added to the root, against division by zero. Default 1e-10.
    pub eps: f64,
    /// Moves up the gradient instead of down. Default false.
    pub maximize: bool,
}

impl Default for AdagradOptions {
    fn default() -> Self {
        AdagradOptions {
            lr: 1e-2,
            lr_decay: 0.0,
            weight_decay: 0.0,
            initial_accumulator_value: 0.0,
            eps: 1e-10,
            maximize: false,
        }
    }
}

impl Algorithm for AdagradOptions {
    const NAME: &'static str = "Adagrad";

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        vec![
            Hyperparameter::lr(&mut self.lr),
            Hyperparameter::new("lr_decay", &mut self.lr_decay, Range::NonNegative),
            Hyperparameter::weight_decay(&mut self.weight_decay),
            Hyperparameter::new(
                "initial_accumulator_value",
                &mut self.initial_accumulator_value,
                Range::NonNegative,
            ),
            Hyperparameter::new("eps", &mut self.eps, Range::NonNegative),
        ]
    }

    fn state(&self) -> Vec<StateTensor> {
        vec![StateTensor::filled("sum", self.initial_accumulator_value)]
    }

    fn skips_zeros<T: FloatElement>(&self) -> bool {
        // 0 / 0 is a NaN, and so is 0 times an infinite rate.
        self.weight_decay == 0.0 && T::of(self.eps) > T::ZERO && T::of(self.lr).is_finite()
    }

    fn update<T: FloatElement>(&self, parameter: Update<'_, T>) {
        let rate = T::of(self.lr / (1.0 + (parameter.step - 1) as f64 * self.lr_decay));
        let eps = T::of(self.eps);
        let gradient = super::gradient::<T>(self.maximize, self.weight_decay);
        parameter.each(move |[x, sum], g| {
            let g = gradient(g, x);
            let sum = sum + g * g;
            [x - rate * g / (sum.sqrt() + eps), sum]
        });
    }
}
