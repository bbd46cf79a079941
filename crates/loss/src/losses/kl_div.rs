//! The divergence of Kullback and Leibler.

use crate::elementwise::{ElementwiseLoss, Float, elementwise};
use crate::{Reduction, samples};
use chainrule_tensor::table::{Kink, Refusal, Row, Sample, uniform, values};
use chainrule_tensor::{Result, Tensor};

/// The Kullback-Leibler divergence (PyTorch: `torch.nn.KLDivLoss`); see [`kl_div`].
#[derive(Clone, Debug, Default)]
pub struct KLDivLoss {
    /// What becomes of the losses of single elements. Default: their mean, which divides by the number of
    /// elements; [`Reduction::BatchMean`] is the divergence averaged over the batch.
    pub reduction: Reduction,
    /// Whether the target holds logarithms of probabilities too. Default: false.
    pub log_target: bool,
}

criterion!(KLDivLoss, kl_div);

const NAME: &str = "kl_div";

/// For a target of probabilities.
#[derive(Clone, Copy)]
struct Divergence;

impl ElementwiseLoss for Divergence {
    const NAME: &'static str = NAME;
    const COST_NS: f64 = 4.0;
    #[inline(always)]
    fn f<T: Float>(self, [x, y]: [T; 2]) -> T {
        let entropy = if y == T::ZERO { T::ZERO } else { y * y.ln() };
        entropy - y.times(x)
    }
    #[inline(always)]
    fn df<T: Float>(self, operand: usize, [x, y]: [T; 2]) -> T {
        if operand == 0 { -y } else { y.ln() + T::ONE - x }
    }
    fn df_formula(self, operand: usize, [x, y]: [&Tensor; 2]) -> Result<Tensor> {
        if operand == 0 { y.neg() } else { y.log()?.add(1.0)?.sub(x) }
    }
}

/// For a target of logarithms of probabilities.
#[derive(Clone, Copy)]
struct LogDivergence;

impl ElementwiseLoss for LogDivergence {
    const NAME: &'static str = NAME;
    const COST_NS: f64 = 3.0;
    #[inline(always)]
    fn f<T: Float>(self, [x, y]: [T; 2]) -> T {
        self.term([x, y], T::ZERO)
    }
    #[inline(always)]
    fn df<T: Float>(self, operand: usize, [x, y]: [T; 2]) -> T {
        if operand == 0 { -y.exp() } else { self.term([x, y], T::ONE) }
    }
    fn df_formula(self, operand: usize, [x, y]: [&Tensor; 2]) -> Result<Tensor> {
        if operand == 0 {
            return y.exp()?.neg();
        }
        let none = y.eq(f64::NEG_INFINITY)?;
        let d = y.masked_fill(&none, 0.0)?.sub(&x.masked_fill(&none, 0.0)?)?;
        let infinite = d.detach().abs()?.eq(f64::INFINITY)?;
        let finite = y.exp()?.mul(&d.masked_fill(&infinite, 0.0)?.add(1.0)?)?;
        Tensor::where_(&infinite, &d, &finite)
    }
}

impl LogDivergence {
    /// e^y·(y − x + `more`): 0 where y is −∞, and infinite where only x is, also where e^y is too small for a number.
    #[inline(always)]
    fn term<T: Float>(self, [x, y]: [T; 2], more: T) -> T {
        let d = y - x;
        let term = if d.abs() == T::INFINITY { d } else { y.exp() * (d + more) };
        if (y == T::NEG_INFINITY) & !x.is_nan() { T::ZERO } else { term }
    }
}

/// The terms y·(ln y − x) of the Kullback-Leibler divergence for each element x of the input, the **logarithm**
/// of a probability, and y of the target, a probability, reduced: their mean over all elements unless the
/// options say otherwise (PyTorch: `torch.nn.functional.kl_div`). Gradients flow to both.
///
/// A term with y = 0 is 0, also where x is −∞ (PyTorch: NaN), and its gradient with respect to y the limit, −∞ (PyTorch:
/// NaN). With `log_target` the target holds ln y and terms are e^y·(y − x): 0 where it is −∞ (PyTorch: NaN). The
/// divergence of distributions is the sum of the terms of a row: take [`Reduction::BatchMean`] or
/// [`Reduction::Sum`]. The mean over all elements, PyTorch's default, is smaller by the number of classes.
///
/// Source: Kullback and Leibler, *On Information and Sufficiency* (1951).
///
/// ```
/// # use chainrule_loss::{KLDivLoss, Reduction, kl_div};
/// # use chainrule_tensor::{Tensor, Result};
/// # fn main() -> Result<()> {
/// let log_p = Tensor::new([[0.0, 0.0]]).log_softmax(-1)?; // the logarithms of ½ and ½
/// let q = Tensor::new([[1.0, 0.0]]);
/// let options = KLDivLoss { reduction: Reduction::BatchMean, ..Default::default() };
/// assert!((kl_div(&log_p, &q, &options)?.item()? - 2f64.ln()).abs() < 1e-6);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For different shapes, and for different dtypes or ones that are not floating-point.
#[track_caller]
pub fn kl_div(input: &Tensor, target: &Tensor, options: &KLDivLoss) -> Result<Tensor> {
    let &KLDivLoss { reduction, log_target } = options;
    if log_target {
        elementwise(LogDivergence, [input, target], None, reduction)
    } else {
        elementwise(Divergence, [input, target], None, reduction)
    }
}

fn call(x: &[Tensor], log_target: bool, reduction: Reduction) -> Result<Tensor> {
    kl_div(&x[0], &x[1], &KLDivLoss { reduction, log_target })
}

pub(super) const ROW: Row = Row {
    kinks: || {
        // A probability of 0 in the target leaves its own gradient in the input.
        let certain = |x: &Tensor| call(&[x.clone(), Tensor::zeros_like(x)?], false, Reduction::Sum);
        vec![Kink { at: -2.0, call: certain, derivative: 0.0 }]
    },
    errors: || {
        vec![
            Refusal::new(&["[2, 3]", "[3]"], || {
                call(&[values(1, [2, 3]), values(2, [3])], false, Reduction::Mean)
            }),
            Refusal::new(&["[2, 3]", "[3]"], || {
                call(&[values(1, [2, 3]), values(2, [3])], true, Reduction::Mean)
            }),
        ]
    },
    bench: &[
        (&[&[1_000_000], &[1_000_000]], |x| Ok(vec![call(x, false, Reduction::Sum)?])),
        (&[&[1_000_000], &[1_000_000]], |x| Ok(vec![call(x, true, Reduction::Sum)?])),
    ],
    ..Row::new(NAME, "torch.nn.functional.kl_div", || {
        let inputs = [values(1, [2, 3]), uniform(2, [2, 3], 0.1, 0.9)];
        let logs = [values(1, [2, 3]), values(2, [2, 3])];
        let log = |label, reduction| Sample::new(label, logs.clone(), move |x| call(x, true, reduction));
        let mut samples = samples::reductions(&inputs, |x, reduction| call(x, false, reduction));
        samples.extend([
            log("log_target, none", Reduction::None),
            log("log_target, batch mean", Reduction::BatchMean),
            log("log_target, mean", Reduction::Mean),
        ]);
        samples
    })
};
