//! Adam for embeddings.

use chainrule_kernels::{parallel, update};
use chainrule_tensor::FloatElement;
use serde::{Deserialize, Serialize};

use super::{Algorithm, Hyperparameter, Range, StateTensor, Update};
use crate::Optimizer;

/// Adam that leaves alone the rows of a parameter whose gradient is zero (PyTorch: `torch.optim.SparseAdam`); see
/// [`SparseAdamOptions`].
pub type SparseAdam = Optimizer<SparseAdamOptions>;

/// Options of [`SparseAdam`].
///
/// A row is what one index of the first dimension selects: of an embedding, the vector of one word. Rows whose
/// gradient is zero everywhere keep their values and their averages as they are, where [`Adam`](crate::Adam) would
/// let the averages fall and move the values by them. The other rows, with the gradient g (negated by `maximize`),
/// at the parameter's update t:
///
/// - m = β₁·m + (1 − β₁)·g and v = β₂·v + (1 − β₂)·g²;
/// - x = x − `lr`·√(1 − β₂ᵗ)/(1 − β₁ᵗ) · m / (√v + `eps`).
///
/// PyTorch skips the rows that a sparse gradient does not list. Here it is the zeros that tell: a row that was looked
/// up, but whose gradient is exactly zero, is skipped too. Where the gradient was collected as a few
/// [rows](chainrule_tensor::Parameter::row_gradient), nothing else is looked at; of a whole gradient all is read.
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{SparseAdam, SparseAdamOptions};
/// # fn main() -> Result<()> {
/// let w = Parameter::new(Tensor::ones([3, 2])?)?;
/// let mut optimizer = SparseAdam::new([w.clone()], SparseAdamOptions { lr: 0.5, ..Default::default() })?;
/// for gradient in [[[3.0, 2.0], [0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0], [1.0, 0.0]]] {
///     w.set_grad(Some(Tensor::new(gradient)))?;
///     optimizer.step()?;
/// }
/// let values = w.tensor().to_vec::<f32>()?;
/// assert!((values[0] - 0.5).abs() < 1e-6, "the first row moved once, at the first update");
/// assert_eq!(values[2..4], [1.0, 1.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SparseAdamOptions {
    /// Learning rate. Default 1e-3.
    pub lr: f64,
    /// β₁ and β₂: how much of the averages of g and of g² is kept at each step. Default (0.9, 0.999).
    pub betas: (f64, f64),
    /// Added to the root, against division by zero. Default 1e-8.
    pub eps: f64,
    /// Moves up the gradient instead of down. Default false.
    pub maximize: bool,
}

impl Default for SparseAdamOptions {
    fn default() -> Self {
        SparseAdamOptions { lr: 1e-3, betas: (0.9, 0.999), eps: 1e-8, maximize: false }
    }
}

/// Numbers in a piece of work, about.
const PIECE: usize = 8192;

impl Algorithm for SparseAdamOptions {
    const NAME: &'static str = "SparseAdam";

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        let [beta1, beta2] = Hyperparameter::betas(&mut self.betas);
        vec![
            Hyperparameter::lr(&mut self.lr),
            beta1,
            beta2,
            Hyperparameter::new("eps", &mut self.eps, Range::Positive),
        ]
    }

    fn state(&self) -> Vec<StateTensor> {
        vec![StateTensor::zeros("exp_avg"), StateTensor::zeros("exp_avg_sq")]
    }

    fn skips_zeros<T: FloatElement>(&self) -> bool {
        true
    }

    fn update<T: FloatElement>(&self, parameter: Update<'_, T>) {
        let (beta1, beta2) = self.betas;
        let t = parameter.step as f64;
        let rate = T::of(self.lr * (1.0 - beta2.powf(t)).sqrt() / (1.0 - beta1.powf(t)));
        let eps = T::of(self.eps);
        let (average, average_of_squares) = (super::lerp::<T>(1.0 - beta1), super::lerp::<T>(1.0 - beta2));
        let gradient = super::gradient::<T>(self.maximize, 0.0);
        let change = move |[x, m, v]: [T; 3], g: T| {
            let g = gradient(g, x);
            // An average that is infinite stays so: the difference of two infinities would be a NaN.
            let square = if v < T::INFINITY { average_of_squares(v, g * g) } else { v };
            let (m, v) = (average(m, g), square);
            [x - rate * m / (v.sqrt() + eps), m, v]
        };

        let width = parameter.shape.iter().skip(1).product::<usize>().max(1);
        let piece = PIECE.div_ceil(width) * width;
        let grad = parameter.grad;
        let mut states = parameter.state.iter_mut().map(|state| state.values.chunks_mut(piece));
        let (m, v) = states.next().zip(states.next()).expect("two averages");
        let slices = parameter.value.chunks_mut(piece).zip(m).zip(v).zip(grad.chunks(piece));
        let mut pieces: Vec<_> = slices.collect();
        parallel::chunks_mut(&mut pieces, 1, grad.len() as f64, |_, pieces| {
            for (((value, m), v), grad) in pieces {
                let states = m.chunks_mut(width).zip(v.chunks_mut(width));
                for ((x, (m, v)), grad) in value.chunks_mut(width).zip(states).zip(grad.chunks(width)) {
                    // To the end of the row: a loop that may stop early is not vectorised.
                    if grad.iter().fold(false, |any, &g| any | (g != T::ZERO)) {
                        update::in_place([x, m, v], grad, 1.0, change);
                    }
                }
            }
        });
    }
}
