//! Adam with decoupled weight decay.

use chainrule_tensor::FloatElement;
use serde::{Deserialize, Serialize};

use super::{AdamOptions, Algorithm, GemmNumber, Hyperparameter, Range, StateTensor, Update};
use crate::Optimizer;

/// Adam with decoupled weight decay (PyTorch: `torch.optim.AdamW`); see [`AdamWOptions`].
pub type AdamW = Optimizer<AdamWOptions>;

/// Options of [`AdamW`].
///
/// At each update x = (1 − `lr`·`weight_decay`)·x, followed by the step of [`Adam`](crate::Adam) on the bare
/// gradient. Biases and the weights of normalisations decay too, unless they are in a group of their own.
///
/// Source: Loshchilov & Hutter, "Decoupled Weight Decay Regularization" (2017).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamWOptions {
    /// Learning rate. Default 1e-3.
    pub lr: f64,
    /// How much of the averages of g and of g² is kept at each step. Default (0.9, 0.999).
    pub betas: (f64, f64),
    /// Added to the root, against division by zero. Default 1e-8.
    pub eps: f64,
    /// Weight decay. Default 0.01.
    pub weight_decay: f64,
    /// Divides by the largest average of g² so far. Default false.
    pub amsgrad: bool,
    /// Moves up the gradient instead of down. Default false.
    pub maximize: bool,
}

impl Default for AdamWOptions {
    fn default() -> Self {
        AdamWOptions {
            lr: 1e-3,
            betas: (0.9, 0.999),
            eps: 1e-8,
            weight_decay: 0.01,
            amsgrad: false,
            maximize: false,
        }
    }
}

impl AdamWOptions {
    fn as_adam(&self) -> AdamOptions {
        let &AdamWOptions { lr, betas, eps, weight_decay, amsgrad, maximize } = self;
        AdamOptions { lr, betas, eps, weight_decay, amsgrad, maximize, decoupled_weight_decay: true }
    }
}

impl Algorithm for AdamWOptions {
    const NAME: &'static str = "AdamW";

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
        self.as_adam().state()
    }

    fn update<T: FloatElement + GemmNumber>(&self, parameter: Update<'_, T>) {
        self.as_adam().update(parameter);
    }
}
