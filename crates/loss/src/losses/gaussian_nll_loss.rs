//! Negative log-likelihood of normal distributions.

use crate::elementwise::{ElementwiseLoss, Float, elementwise};
use crate::{Reduction, check, samples};
use chainrule_tensor::table::{Kink, Refusal, Row, Sample, uniform, values};
use chainrule_tensor::{Result, Tensor, bail};

/// Negative log-likelihood of normal distributions (PyTorch: `torch.nn.GaussianNLLLoss`); see
/// [`gaussian_nll_loss`].
#[derive(Clone, Debug)]
pub struct GaussianNLLLoss {
    /// Whether the constant ½·ln 2π is part of the loss. Default: false.
    pub full: bool,
    /// The least variance that is divided by, above 0. Default: 10⁻⁶.
    pub eps: f64,
    /// What becomes of the losses of single elements. Default: their mean.
    pub reduction: Reduction,
}

impl Default for GaussianNLLLoss {
    fn default() -> Self {
        GaussianNLLLoss { full: false, eps: 1e-6, reduction: Reduction::default() }
    }
}

criterion!(GaussianNLLLoss, gaussian_nll_loss, (input, target, var));

const NAME: &str = "gaussian_nll_loss";

/// ½·(ln v + (x − y)²/v) + constant, with v = max(variance, ε).
#[derive(Clone, Copy)]
struct GaussianLikelihood {
    eps: f64,
    constant: f64,
}

impl ElementwiseLoss<3> for GaussianLikelihood {
    const NAME: &'static str = NAME;
    const COST_NS: f64 = 4.0;
    #[inline(always)]
    fn f<T: Float>(self, [x, y, v]: [T; 3]) -> T {
        let (d, v) = (x - y, v.maximum(T::of(self.eps)));
        // Divided first: a square may be too large where the quotient is not.
        T::of(0.5) * (v.ln() + d / v * d) + T::of(self.constant)
    }
    #[inline(always)]
    fn df<T: Float>(self, operand: usize, [x, y, v]: [T; 3]) -> T {
        let v = v.maximum(T::of(self.eps));
        match operand {
            0 => (x - y) / v,
            1 => (y - x) / v,
            // As in PyTorch, ε is no part of the derivative.
            _ => T::of(0.5) * (T::ONE / v - ((x - y) / v) * ((x - y) / v)),
        }
    }
    fn df_formula(self, operand: usize, [x, y, v]: [&Tensor; 3]) -> Result<Tensor> {
        // The larger of variance and ε, with the derivative of the variance.
        let v = v.add(&v.detach().neg()?.add(self.eps)?.relu()?)?;
        let d = x.sub(y)?;
        match operand {
            0 => d.div(&v),
            1 => d.neg()?.div(&v),
            _ => v.reciprocal()?.sub(&d.div(&v)?.square()?)?.mul(0.5),
        }
    }
}

/// Negative log-likelihood ½·(ln v + (x − y)²/v) of each element y of the target under the normal distribution
/// with mean x, from the input, and variance v, reduced: the mean unless the options say otherwise (PyTorch:
/// `torch.nn.functional.gaussian_nll_loss`). Variances below ε count as ε, which is ignored by the gradient.
/// Gradients flow to all three.
///
/// The target broadcasts to the shape of the input. The variance has the input's shape, or that shape without
/// its last dimension or with 1 in the place of one dimension: the same variance along it.
///
/// Source: Nix and Weigend, *Estimating the mean and variance of the target probability distribution* (1994).
///
/// ```
/// # use chainrule_loss::{GaussianNLLLoss, gaussian_nll_loss};
/// # use chainrule_tensor::{Tensor, Result};
/// # fn main() -> Result<()> {
/// let (mean, variance) = (Tensor::new([1.0, 3.0]), Tensor::new([1.0, 4.0]));
/// let loss = gaussian_nll_loss(&mean, &Tensor::new([0.0, 0.0]), &variance, &GaussianNLLLoss::new())?;
/// assert!((loss.item()? - (0.5 + 0.5 * (4f64.ln() + 9.0 / 4.0)) / 2.0).abs() < 1e-6);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For an ε that is not above 0, for a variance that is negative or of another shape, for a target that does not
/// broadcast to the input's shape, and for different dtypes or ones that are not floating-point.
#[track_caller]
pub fn gaussian_nll_loss(
    input: &Tensor,
    target: &Tensor,
    var: &Tensor,
    options: &GaussianNLLLoss,
) -> Result<Tensor> {
    let &GaussianNLLLoss { full, eps, reduction } = options;
    check::option(NAME, "eps", eps, eps > 0.0, "above 0")?;
    check::float_input(NAME, input)?;
    let target = check::expanded(NAME, input, "target", target)?;
    let var = variance(input, var)?;
    let constant = if full { 0.5 * std::f64::consts::TAU.ln() } else { 0.0 };
    elementwise(GaussianLikelihood { eps, constant }, [input, &target, &var], None, reduction)
}

/// The variance, checked, in the shape of the input.
#[track_caller]
fn variance(input: &Tensor, var: &Tensor) -> Result<Tensor> {
    check::same_dtype(NAME, input, "var", var)?;
    let values = var.detach().contiguous()?;
    // Not "at least 0": that a variance is not a number shows in the loss.
    check::each(NAME, "var", &values, "variances are not negative", |v| v >= 0.0 || v.is_nan())?;
    let (shape, own) = (input.shape(), var.shape());
    if own == shape {
        return Ok(var.clone());
    }
    let var = if shape.split_last().is_some_and(|(_, rest)| **own == *rest) { var.unsqueeze(-1)? } else { var.clone() };
    let own = var.shape();
    let others = || own.iter().zip(shape.iter()).filter(|(own, size)| own != size);
    if own.len() != shape.len() || others().count() > 1 || others().any(|(own, _)| *own != 1) {
        bail!(
            Shape,
            NAME,
            "the input has shape {shape} and var {own}: it needs that shape, or that shape without its last dimension or with 1 in the place of one",
        );
    }
    var.expand(shape)
}

fn call(x: &[Tensor], options: GaussianNLLLoss) -> Result<Tensor> {
    gaussian_nll_loss(&x[0], &x[1], &x[2], &options)
}

fn samples() -> Vec<Sample> {
    let inputs = |target: Tensor, var: Tensor| [values(1, [2, 3]), target, var];
    let (y, v) = (|| values(2, [2, 3]), || uniform(3, [2, 3], 0.5, 2.0));
    let mut samples = samples::reductions(&inputs(y(), v()), |x, reduction| {
        call(x, GaussianNLLLoss { reduction, ..Default::default() })
    });
    let sample = |label, inputs: [Tensor; 3], full| {
        Sample::new(label, inputs, move |x| call(x, GaussianNLLLoss { full, ..Default::default() }))
    };
    samples.extend([
        sample("full", inputs(y(), v()), true),
        sample("one variance for a row", inputs(y(), uniform(4, [2], 0.5, 2.0)), false),
        sample("one variance for a column", inputs(y(), uniform(4, [1, 3], 0.5, 2.0)), false),
        sample("one target for a row", inputs(values(4, [2, 1]), v()), false),
    ]);
    samples
}

fn errors() -> Vec<Refusal> {
    let refusal = |mentions, target: fn() -> Tensor, var: fn() -> Tensor, eps| {
        let options = move || GaussianNLLLoss { eps, ..Default::default() };
        Refusal::new(mentions, move || call(&[values(1, [2, 3]), target(), var()], options()))
    };
    let (y, v) = (|| values(2, [2, 3]), || uniform(3, [2, 3], 0.5, 2.0));
    vec![
        refusal(&["target", "[2]", "[2, 3]"], || values(2, [2]), v, 1e-6),
        refusal(&["var", "[3]", "[2, 3]"], y, || uniform(3, [3], 0.5, 2.0), 1e-6),
        refusal(&["var", "[1, 1]", "[2, 3]"], y, || uniform(3, [1, 1], 0.5, 2.0), 1e-6),
        refusal(&["var", "-2", "(0)"], y, || uniform(3, [2], -2.0, -2.0), 1e-6),
        refusal(&["eps", "0"], y, v, 0.0),
        refusal(&["float64", "float32"], || Tensor::new([0.0, 1.0, 2.0]), v, 1e-6),
    ]
}

pub(super) const ROW: Row = Row {
    kinks: || {
        // The variance is below ε, but its gradient is that of ε: ½·(1 − d²/ε)/ε with d² = 1 and ε = ½.
        let call = |v: &Tensor| {
            let (x, y) = (Tensor::ones_like(v)?, Tensor::zeros_like(v)?);
            gaussian_nll_loss(&x, &y, v, &GaussianNLLLoss { eps: 0.5, ..Default::default() })
        };
        vec![Kink { at: 0.25, call, derivative: -1.0 }]
    },
    errors,
    bench: &[(&[&[1_000_000], &[1_000_000], &[1_000_000]], |x| Ok(vec![call(x, GaussianNLLLoss::new())?]))],
    ..Row::new(NAME, "torch.nn.functional.gaussian_nll_loss", samples)
};
