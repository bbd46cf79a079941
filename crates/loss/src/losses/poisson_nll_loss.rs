//! Negative log-likelihood of Poisson distributions.

use crate::elementwise::{ElementwiseLoss, Float, elementwise};
use crate::{Reduction, check, samples};
use chainrule_tensor::table::{Kink, Refusal, Row, Sample, uniform, values};
use chainrule_tensor::{Result, Tensor};

/// Negative log-likelihood of Poisson distributions (PyTorch: `torch.nn.PoissonNLLLoss`); see
/// [`poisson_nll_loss`].
#[derive(Clone, Debug)]
pub struct PoissonNLLLoss {
    /// Whether the input holds logarithms of the expected counts, or the counts themselves. Default: true.
    pub log_input: bool,
    /// Whether Stirling's approximation of ln y! is part of the loss. Default: false.
    pub full: bool,
    /// What is added to expected counts before their logarithm is taken, at least 0. Default: 10⁻⁸.
    pub eps: f64,
    /// What becomes of the losses of single elements. Default: their mean.
    pub reduction: Reduction,
}

impl Default for PoissonNLLLoss {
    fn default() -> Self {
        PoissonNLLLoss { log_input: true, full: false, eps: 1e-8, reduction: Reduction::default() }
    }
}

criterion!(PoissonNLLLoss, poisson_nll_loss);

const NAME: &str = "poisson_nll_loss";

/// More than the logarithm of any number.
const FAR: f64 = 1000.0;

/// For logarithms of expected counts.
#[derive(Clone, Copy)]
struct OfLogarithms;

impl ElementwiseLoss for OfLogarithms {
    const NAME: &'static str = NAME;
    const COST_NS: f64 = 3.0;
    #[inline(always)]
    fn f<T: Float>(self, [x, y]: [T; 2]) -> T {
        // An infinite x, whose exponential outweighs it, is made finite.
        let near = if x > T::of(FAR) { T::of(FAR) } else { x };
        x.exp() - y.times(near)
    }
    #[inline(always)]
    fn df<T: Float>(self, operand: usize, [x, y]: [T; 2]) -> T {
        if operand == 0 { x.exp() - y } else { -x }
    }
    fn df_formula(self, operand: usize, [x, y]: [&Tensor; 2]) -> Result<Tensor> {
        if operand == 0 { x.exp()?.sub(y) } else { x.neg() }
    }
}

/// For expected counts.
#[derive(Clone, Copy)]
struct OfCounts {
    eps: f64,
}

impl ElementwiseLoss for OfCounts {
    const NAME: &'static str = NAME;
    const COST_NS: f64 = 3.0;
    #[inline(always)]
    fn f<T: Float>(self, [x, y]: [T; 2]) -> T {
        // An infinite logarithm, of a number that outweighs it, is made finite.
        let log = (x + T::of(self.eps)).ln();
        let log = if log > T::of(FAR) { T::of(FAR) } else { log };
        x - y.times(log)
    }
    #[inline(always)]
    fn df<T: Float>(self, operand: usize, [x, y]: [T; 2]) -> T {
        let x = x + T::of(self.eps);
        // No count takes away nothing, from an expected one of 0 too.
        let share = if (y == T::ZERO) & !x.is_nan() { T::ZERO } else { y / x };
        if operand == 0 { T::ONE - share } else { -x.ln() }
    }
    fn df_formula(self, operand: usize, [x, y]: [&Tensor; 2]) -> Result<Tensor> {
        let x = x.add(self.eps)?;
        if operand == 1 {
            return x.log()?.neg();
        }
        let none = y.eq(0.0)?.logical_and(&x.eq(0.0)?)?;
        y.div(&x.masked_fill(&none, 1.0)?)?.neg()?.add(1.0)
    }
}

/// Negative log-likelihood of each count y of the target under the Poisson distribution that expects eˣ counts,
/// x from the input: eˣ − y·x, reduced: the mean unless the options say otherwise (PyTorch:
/// `torch.nn.functional.poisson_nll_loss`). Without `log_input` the input holds the expected counts, and the loss
/// is x − y·ln(x + ε). Gradients flow to both.
///
/// With `full`, where y > 1, Stirling's approximation of ln y! is added: y·ln y − y + ½·ln(2πy).
///
/// ```
/// # use chainrule_loss::{PoissonNLLLoss, poisson_nll_loss};
/// # use chainrule_tensor::{Tensor, Result};
/// # fn main() -> Result<()> {
/// let (log_rate, counts) = (Tensor::new([0.0, 1.0]), Tensor::new([2.0, 3.0]));
/// let loss = poisson_nll_loss(&log_rate, &counts, &PoissonNLLLoss::new())?;
/// assert!((loss.item()? - (1.0 + 1f64.exp() - 3.0) / 2.0).abs() < 1e-6);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For a negative ε, for different shapes (PyTorch broadcasts them), and for different dtypes or ones that are
/// not floating-point.
#[track_caller]
pub fn poisson_nll_loss(input: &Tensor, target: &Tensor, options: &PoissonNLLLoss) -> Result<Tensor> {
    let &PoissonNLLLoss { log_input, full, eps, reduction } = options;
    check::option(NAME, "eps", eps, eps >= 0.0, "at least 0")?;
    let loss = match log_input {
        true => elementwise(OfLogarithms, [input, target], None, reduction)?,
        false => elementwise(OfCounts { eps }, [input, target], None, reduction)?,
    };
    if full { loss.add(&reduction.reduce(&stirling(target)?)?) } else { Ok(loss) }
}

/// Stirling's approximation of ln y!, 0 where y ≤ 1.
fn stirling(y: &Tensor) -> Result<Tensor> {
    // Of the terms left out the logarithms are those of 1, not of 0.
    let large = y.clamp(Some(1.0), None)?;
    let half = large.mul(std::f64::consts::TAU)?.log()?.mul(0.5)?;
    large.mul(&large.log()?.sub(1.0)?)?.add(&half)?.masked_fill(&y.le(1.0)?, 0.0)
}

fn call(x: &[Tensor], options: PoissonNLLLoss) -> Result<Tensor> {
    poisson_nll_loss(&x[0], &x[1], &options)
}

fn samples() -> Vec<Sample> {
    let logs = [values(1, [2, 3]), uniform(2, [2, 3], 0.5, 4.0)];
    let counts = [uniform(1, [2, 3], 0.5, 3.0), uniform(2, [2, 3], 0.5, 4.0)];
    let mut samples = samples::reductions(&logs, |x, reduction| {
        call(x, PoissonNLLLoss { reduction, ..Default::default() })
    });
    let sample = |label, inputs: &[Tensor; 2], options: PoissonNLLLoss| {
        Sample::new(label, inputs.clone(), move |x| call(x, options.clone()))
    };
    let plain = PoissonNLLLoss { log_input: false, eps: 0.1, ..Default::default() };
    samples.extend([
        sample("full", &logs, PoissonNLLLoss { full: true, ..Default::default() }),
        sample("counts", &counts, plain.clone()),
        sample("counts, full, none", &counts, PoissonNLLLoss { full: true, reduction: Reduction::None, ..plain }),
    ]);
    samples
}

pub(super) const ROW: Row = Row {
    kinks: || {
        // Of the target: at 1 and below Stirling's term is left out.
        let target = |y: &Tensor| {
            let options = PoissonNLLLoss { full: true, ..Default::default() };
            poisson_nll_loss(&Tensor::full([1], 0.5, y.dtype())?, y, &options)
        };
        vec![
            Kink { at: 0.5, call: target, derivative: -0.5 },
            Kink { at: 1.0, call: target, derivative: -0.5 },
        ]
    },
    errors: || {
        let refusal = |mentions, shape, log_input, eps| {
            let options = move || PoissonNLLLoss { log_input, eps, ..Default::default() };
            Refusal::new(mentions, move || call(&[values(1, [2, 3]), values(2, [2, shape])], options()))
        };
        vec![
            refusal(&["[2, 3]", "[2, 1]"], 1, true, 1e-8),
            refusal(&["[2, 3]", "[2, 1]"], 1, false, 1e-8),
            refusal(&["eps", "-1"], 3, true, -1.0),
        ]
    },
    bench: &[
        (&[&[1_000_000], &[1_000_000]], |x| Ok(vec![call(x, PoissonNLLLoss::new())?])),
        (&[&[1_000_000], &[1_000_000]], |x| {
            Ok(vec![call(x, PoissonNLLLoss { log_input: false, ..Default::default() })?])
        }),
    ],
    ..Row::new(NAME, "torch.nn.functional.poisson_nll_loss", samples)
};
