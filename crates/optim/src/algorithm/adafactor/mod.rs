//! Adafactor.

mod factored;

use chainrule_kernels::norm::norm;
use chainrule_kernels::update;
use chainrule_tensor::{FloatElement, Result, Shape, bail};
use serde::{Deserialize, Serialize};

use super::{Algorithm, Hyperparameter, Memory, Range, Scratch, StateTensor, Update, largest};
use crate::{Optimizer, check};
use factored::Factored;

/// Adafactor (PyTorch: `torch.optim.Adafactor`); see [`AdafactorOptions`]. Of a matrix it keeps the mean squares of
/// rows and columns only, instead of a state as large as the matrix.
pub type Adafactor = Optimizer<AdafactorOptions>;

/// Options of [`Adafactor`].
///
/// With the gradient g (negated by `maximize`), at a parameter's update t, β = 1 − t^`beta2_decay` and rms the root
/// of the mean square of all values:
///
/// - ρ = min(`lr`, 1/√t), α = max(`eps.1`, rms(x))·ρ, then x = (1 − `lr`·`weight_decay`)·x;
/// - matrices (the last two of two or more dimensions): r = β·r + (1 − β)·(mean of g² over each row), c likewise over
///   each column, v = r·c / max(mean(r), `eps.0`);
/// - others: v = β·v + (1 − β)·g²;
/// - u = g / √max(v, `eps.0`²), x = x − α·u / max(1, rms(u)/`d`).
///
/// Source: Shazeer & Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost" (2018). As in PyTorch,
/// `lr` stands for the paper's 0.01, and `eps.0` is where v is used, not where it is averaged.
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{Adafactor, AdafactorOptions};
/// # fn main() -> Result<()> {
/// let w = Parameter::new(Tensor::ones([3, 4])?)?;
/// w.set_grad(Some(Tensor::full_of([3, 4], 5.0f32)?))?;
/// let mut optimizer = Adafactor::new([w.clone()], AdafactorOptions::default())?;
/// optimizer.step()?;
/// assert!(w.tensor().to_vec::<f32>()?.iter().all(|x| (x - 0.99).abs() < 1e-6));
/// let state = optimizer.state_dict()?;
/// assert_eq!(*state.get("param.0.row_var").unwrap().shape(), [3, 1]);
/// assert_eq!(*state.get("param.0.col_var").unwrap().shape(), [1, 4]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdafactorOptions {
    /// The largest learning rate relative to the size of the values. Default 1e-2.
    pub lr: f64,
    /// How fast β goes to 1: 0 or less. Default −0.8.
    pub beta2_decay: f64,
    /// The smallest √v (default `None`: the distance from 1 to the next number of the parameter's dtype), and the
    /// size that values are taken to have at least (default 1e-3).
    pub eps: (Option<f64>, f64),
    /// What rms(u) is clipped to, at least 1. Default 1.
    pub d: f64,
    /// Weight decay. Default 0.
    pub weight_decay: f64,
    /// Moves up the gradient instead of down. Default false.
    pub maximize: bool,
}

impl Default for AdafactorOptions {
    fn default() -> Self {
        AdafactorOptions {
            lr: 1e-2,
            beta2_decay: -0.8,
            eps: (None, 1e-3),
            d: 1.0,
            weight_decay: 0.0,
            maximize: false,
        }
    }
}

fn is_matrix(shape: &Shape) -> bool {
    shape.len() > 1
}

/// The shape with one dimension, counted from the last, made 1.
fn without(shape: &Shape, from_last: usize) -> Shape {
    let mut sizes = shape.to_vec();
    let place = sizes.len() - from_last;
    sizes[place] = 1;
    Shape::from(&sizes[..])
}

impl Algorithm for AdafactorOptions {
    const NAME: &'static str = "Adafactor";

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        vec![
            Hyperparameter::lr(&mut self.lr),
            Hyperparameter::new("eps.1", &mut self.eps.1, Range::NonNegative),
            Hyperparameter::weight_decay(&mut self.weight_decay),
        ]
    }

    fn rules(&self) -> Result<()> {
        if !(self.beta2_decay <= 0.0 && self.beta2_decay.is_finite()) {
            bail!(
                Value,
                Self::NAME,
                "beta2_decay must be a finite number that is not above 0, not {}",
                self.beta2_decay
            );
        }
        check::non_negative(Self::NAME, "eps.0", self.eps.0.unwrap_or(0.0))?;
        if !(self.d >= 1.0 && self.d.is_finite()) {
            bail!(Value, Self::NAME, "d must be a finite number of at least 1, not {}", self.d);
        }
        Ok(())
    }

    fn state(&self) -> Vec<StateTensor> {
        vec![
            StateTensor::zeros("row_var").shape(|shape| without(shape, 1)).only(is_matrix),
            StateTensor::zeros("col_var").shape(|shape| without(shape, 2)).only(is_matrix),
            StateTensor::zeros("variance").only(|shape| !is_matrix(shape)),
        ]
    }

    fn scratch(&self, shape: &Shape) -> Scratch {
        let values = shape.numel();
        let sums = if values > 0 && is_matrix(shape) { Factored::of(shape).sums() } else { 0 };
        Scratch { values, sums }
    }

    fn update<T: FloatElement>(&self, mut parameter: Update<'_, T>) {
        let (shape, grad) = (parameter.shape, parameter.grad);
        let numel = grad.len();
        if numel == 0 {
            return;
        }
        let root_mean_square = |x: &[T]| norm(x, 2.0) / (numel as f64).sqrt();
        let t = parameter.step as f64;
        let size = root_mean_square(parameter.value).max(self.eps.1);
        let alpha = size * self.lr.min(1.0 / t.sqrt());
        let eps = self.eps.0.unwrap_or(T::EPSILON.to_f64());
        let smallest = T::of(eps * eps);
        let average = super::lerp::<T>(t.powf(self.beta2_decay));

        let Memory { values: change, sums } = std::mem::take(&mut parameter.scratch);
        let mut states = parameter.states();
        let first = states.next().expect("a mean square");
        if let Some(column_var) = states.next() {
            let matrix = Factored::of(shape);
            let matrices = grad.chunks(matrix.rows * matrix.columns);
            let states = first.chunks_mut(matrix.rows).zip(column_var.chunks_mut(matrix.columns));
            for ((grad, (row, column)), out) in
                matrices.zip(states).zip(change.chunks_mut(matrix.rows * matrix.columns))
            {
                matrix.average(grad, average, (&mut *row, &mut *column), sums);
                matrix.normalize(grad, row, column, (eps, smallest), out);
            }
        } else {
            let largest = largest::<T>();
            update::in_place([first, &mut *change], grad, 0.6, move |[v, _], g| {
                let v = average(v, (g * g).minimum(largest));
                [v, g / v.maximum(smallest).sqrt()]
            });
        }
        drop(states);

        let clipped = alpha / (root_mean_square(change) / self.d).max(1.0);
        let rate = T::of(if self.maximize { -clipped } else { clipped });
        let shrink = T::of(1.0 - self.lr * self.weight_decay);
        update::in_place([parameter.value], change, 0.3, move |[x], u| [x * shrink - rate * u]);
    }
}
