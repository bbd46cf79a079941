//! Muon.

use chainrule_kernels::gemm::{Matrix, gemm};
use chainrule_kernels::norm::norm;
use chainrule_kernels::update;
use chainrule_tensor::{FloatElement, Result, Shape, bail};
use serde::{Deserialize, Serialize};

use super::{Algorithm, GemmNumber, Hyperparameter, Memory, Range, Scratch, StateTensor, Update};
use crate::Optimizer;

/// Muon: momentum whose singular values are all made about 1 (PyTorch: `torch.optim.Muon`); see [`MuonOptions`].
///
/// It is for the matrices of hidden layers. Everything else, biases, norms, embeddings and the last layer, belongs
/// to an optimizer of its own such as [`AdamW`](crate::AdamW).
pub type Muon = Optimizer<MuonOptions>;

/// Options of [`Muon`].
///
/// With the gradient g of a matrix `[rows, columns]`:
///
/// - b = `momentum`·b + (1 − `momentum`)·g;
/// - u = `momentum`·b + (1 − `momentum`)·g with `nesterov`, else b;
/// - u is orthogonalised: u = u / max(‖u‖, `eps`), then `ns_steps` times u = a·u + (b·A + c·A²)·u with A = u·uᵀ and
///   (a, b, c) = `ns_coefficients`. That brings every singular value near 1, roughly between 0.7 and 1.2;
/// - x = (1 − `lr`·`weight_decay`)·x − `lr`·factor·u, where `adjust_lr_fn` gives the factor.
///
/// Sources: Jordan, "Muon: An optimizer for hidden layers in neural networks" (2024); Liu et al., "Muon is Scalable
/// for LLM Training" (2025). PyTorch orthogonalises in bfloat16; here it happens in the dtype of the parameter, so
/// the two differ by about a hundredth, and where the processor multiplies bfloat16 PyTorch is faster.
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{Muon, MuonOptions};
/// # fn main() -> Result<()> {
/// let w = Parameter::new(Tensor::zeros([2, 2])?)?;
/// w.set_grad(Some(Tensor::new([[100.0, 0.0], [0.0, 0.5]])))?;
/// let options = MuonOptions { lr: 1.0, ..Default::default() };
/// Muon::new([w.clone()], options)?.step()?;
/// // Both directions move by about the learning rate.
/// let moved = w.tensor().to_vec::<f32>()?;
/// assert!(moved[0] < -0.6 && moved[0] > -1.3 && moved[3] < -0.2 && moved[1] == 0.0);
///
/// let bias = Parameter::new(Tensor::zeros([2])?)?;
/// assert!(Muon::new([bias], MuonOptions::default()).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MuonOptions {
    /// Learning rate. Default 1e-3.
    pub lr: f64,
    /// Weight decay. Default 0.1.
    pub weight_decay: f64,
    /// How much of the average is kept at each step. Default 0.95.
    pub momentum: f64,
    /// Nesterov momentum. Default true.
    pub nesterov: bool,
    /// The coefficients of the iteration. Default (3.4445, −4.775, 2.0315).
    pub ns_coefficients: (f64, f64, f64),
    /// The smallest norm that is divided by. Default 1e-7.
    pub eps: f64,
    /// Iterations, fewer than 100. Default 5.
    pub ns_steps: u64,
    /// How the learning rate depends on the shape. Default `None`: as [`AdjustLr::Original`].
    pub adjust_lr_fn: Option<AdjustLr>,
}

/// What the learning rate of a matrix is multiplied by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdjustLr {
    /// √max(1, rows/columns).
    #[default]
    Original,
    /// 0.2·√max(rows, columns): updates as large as those of AdamW, so that its learning rate can be kept.
    #[serde(rename = "match_rms_adamw")]
    MatchRmsAdamW,
    /// √(rows/columns).
    SpectralUnclamped,
}

impl AdjustLr {
    fn factor(self, rows: usize, columns: usize) -> f64 {
        let (rows, columns) = (rows as f64, columns as f64);
        match self {
            AdjustLr::Original => (rows / columns).max(1.0).sqrt(),
            AdjustLr::MatchRmsAdamW => 0.2 * rows.max(columns).sqrt(),
            AdjustLr::SpectralUnclamped => (rows / columns).sqrt(),
        }
    }
}

impl Default for MuonOptions {
    fn default() -> Self {
        MuonOptions {
            lr: 1e-3,
            weight_decay: 0.1,
            momentum: 0.95,
            nesterov: true,
            ns_coefficients: (3.4445, -4.775, 2.0315),
            eps: 1e-7,
            ns_steps: 5,
            adjust_lr_fn: None,
        }
    }
}

impl Algorithm for MuonOptions {
    const NAME: &'static str = "Muon";

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        vec![
            Hyperparameter::lr(&mut self.lr),
            Hyperparameter::weight_decay(&mut self.weight_decay),
            Hyperparameter::momentum(&mut self.momentum),
            Hyperparameter::new("ns_coefficients.0", &mut self.ns_coefficients.0, Range::Finite),
            Hyperparameter::new("ns_coefficients.1", &mut self.ns_coefficients.1, Range::Finite),
            Hyperparameter::new("ns_coefficients.2", &mut self.ns_coefficients.2, Range::Finite),
            Hyperparameter::new("eps", &mut self.eps, Range::NonNegative),
        ]
    }

    fn rules(&self) -> Result<()> {
        if self.ns_steps >= 100 {
            bail!(Value, Self::NAME, "ns_steps must be less than 100, not {}", self.ns_steps);
        }
        Ok(())
    }

    fn accepts(&self, shape: &Shape) -> Result<()> {
        if shape.len() != 2 {
            bail!(
                Shape,
                Self::NAME,
                "only matrices, parameters of two dimensions, can be orthogonalised, not one of shape {shape}"
            );
        }
        Ok(())
    }

    fn state(&self) -> Vec<StateTensor> {
        vec![StateTensor::zeros("momentum_buffer")]
    }

    fn scratch(&self, shape: &Shape) -> Scratch {
        let (rows, columns) = (shape[0], shape[1]);
        let side = rows.min(columns);
        Scratch { values: 2 * rows * columns + 2 * side * side + band_of(side), sums: 0 }
    }

    fn update<T: FloatElement + GemmNumber>(&self, mut parameter: Update<'_, T>) {
        let (rows, columns) = (parameter.shape[0], parameter.shape[1]);
        if rows * columns == 0 {
            return;
        }
        let average = super::lerp::<T>(1.0 - self.momentum);
        let look_ahead = super::lerp::<T>(self.momentum);
        let (nesterov, grad) = (self.nesterov, parameter.grad);
        let Memory { values, .. } = std::mem::take(&mut parameter.scratch);
        let (direction, rest) = values.split_at_mut(rows * columns);
        let buffer = parameter.states().next().expect("a momentum buffer");
        update::in_place([buffer, &mut *direction], grad, 0.6, move |[b, _], g| {
            let b = average(b, g);
            [b, if nesterov { look_ahead(g, b) } else { b }]
        });
        let direction = self.orthogonal(direction, (rows, columns), rest);
        let shrink = T::of(1.0 - self.lr * self.weight_decay);
        let rate = T::of(self.lr * self.adjust_lr_fn.unwrap_or_default().factor(rows, columns));
        update::in_place([parameter.value], direction, 0.3, move |[x], u| [x * shrink - rate * u]);
    }
}

impl MuonOptions {
    /// A matrix with the same singular vectors and singular values near 1, in the memory of `x` or in `memory`.
    fn orthogonal<'a, T: FloatElement + GemmNumber>(
        &self,
        mut x: &'a mut [T],
        (rows, columns): (usize, usize),
        memory: &'a mut [T],
    ) -> &'a [T] {
        let (a, b, c) = self.ns_coefficients;
        let (a, b, c) = (T::of(a), T::of(b), T::of(c));
        let size = norm(x, 2.0).max(self.eps);
        // Zeros stay zeros, whatever they are divided by.
        let scale = T::of(if size == 0.0 { 0.0 } else { 1.0 / size });
        update::each(x, 0.3, move |x| x * scale);
        // A is the smaller of the two Gram matrices, and the polynomial in it goes to the left or right of x.
        let (side, depth) = (rows.min(columns), rows.max(columns));
        let (mut product, memory) = memory.split_at_mut(rows * columns);
        let (gram, memory) = memory.split_at_mut(side * side);
        let (polynomial, band) = memory.split_at_mut(side * side);
        for _ in 0..self.ns_steps {
            let matrix = Matrix::row_major(&*x, columns);
            let (left, right) =
                if rows <= columns { (matrix, matrix.transposed()) } else { (matrix.transposed(), matrix) };
            symmetric((side, depth), left, right, gram, band);
            let square = Matrix::row_major(&*gram, side);
            symmetric((side, side), square, square, polynomial, band);
            update::in_place([&mut *polynomial], gram, 0.3, move |[p], g| [b * g + c * p]);
            // a·x as one more term of the product.
            polynomial.iter_mut().step_by(side + 1).for_each(|p| *p += a);
            let polynomial = Matrix::row_major(&*polynomial, side);
            let (left, right) = if rows <= columns { (polynomial, matrix) } else { (matrix, polynomial) };
            multiply((rows, columns, side), left, right, product);
            std::mem::swap(&mut x, &mut product);
        }
        x
    }
}

/// Numbers in a band of a symmetric product.
fn band_of(side: usize) -> usize {
    if side < 2 * BAND { 0 } else { BAND * side }
}

/// Rows of a symmetric product that are computed together.
const BAND: usize = 128;
/// Elements of a row that are mirrored together.
const LINE: usize = 16;

/// [`gemm`] of matrices whose smaller side is short or cut into bands: it needs no memory that grows with them.
fn multiply<T: GemmNumber>(
    size: (usize, usize, usize),
    left: Matrix<'_, T>,
    right: Matrix<'_, T>,
    out: &mut [T],
) {
    gemm(size, left, right, T::ZERO, out).expect("a product that needs no memory of its own");
}

/// The product of `[side, depth]` and `[depth, side]` where it is known to be symmetric: only what is not above the
/// diagonal, in bands of rows, each as far as its end, and mirrored.
fn symmetric<T: FloatElement + GemmNumber>(
    (side, depth): (usize, usize),
    left: Matrix<'_, T>,
    right: Matrix<'_, T>,
    out: &mut [T],
    band: &mut [T],
) {
    if side < 2 * BAND {
        return multiply((side, side, depth), left, right, out);
    }
    for start in (0..side).step_by(BAND) {
        let end = (start + BAND).min(side);
        let left = Matrix { offset: left.offset + start * left.row_stride, ..left };
        let band = &mut band[..(end - start) * end];
        multiply((end - start, end, depth), left, right, band);
        for (i, row) in (start..end).zip(band.chunks(end)) {
            out[i * side..][..end].copy_from_slice(row);
        }
        // What lies left of the band's block on the diagonal stands above the diagonal too: a line of the cache of each row
        // at a time.
        for first in (0..start).step_by(LINE) {
            for (i, row) in (start..end).zip(band.chunks(end)) {
                for (j, &value) in (first..).zip(&row[first..start.min(first + LINE)]) {
                    out[j * side + i] = value;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symmetric_product_is_the_whole_product() {
        for side in [1, BAND, 2 * BAND - 1, 2 * BAND, 2 * BAND + 1, 3 * BAND + 70] {
            let depth = 5;
            let x: Vec<f64> = (0..side * depth).map(|i| (i as f64 * 1.3).sin()).collect();
            let matrix = Matrix::row_major(&x, depth);
            let (mut product, mut band) = (vec![f64::NAN; side * side], vec![f64::NAN; band_of(side)]);
            symmetric((side, depth), matrix, matrix.transposed(), &mut product, &mut band);
            for (at, product) in product.into_iter().enumerate() {
                let (i, j) = (at / side, at % side);
                let want: f64 = (0..depth).map(|k| x[i * depth + k] * x[j * depth + k]).sum();
                assert!((product - want).abs() < 1e-12, "({i}, {j}) of {side}");
            }
        }
    }
}
