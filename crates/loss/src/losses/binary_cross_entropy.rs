//! Binary cross-entropy between probabilities.

use crate::elementwise::{ElementwiseLoss, Float, elementwise};
use crate::{Reduction, check};
use chainrule_tensor::table::{Kink, Refusal, Row, Sample, cast, uniform};
use chainrule_tensor::{Result, Tensor};

/// Binary cross-entropy of probabilities (PyTorch: `torch.nn.BCELoss`); see [`binary_cross_entropy`].
#[derive(Clone, Debug, Default)]
pub struct BCELoss {
    /// A factor for the loss of each element, broadcast to the shape of the input. Default: none.
    pub weight: Option<Tensor>,
    /// What becomes of the losses of single elements. Default: their mean, which divides by their number
    /// whatever the weights.
    pub reduction: Reduction,
}

criterion!(BCELoss, binary_cross_entropy);

#[derive(Clone, Copy)]
struct BinaryCrossEntropy;

/// Logarithms are not taken below this, so that a loss is at most 100.
const LOWEST_LOG: f64 = -100.0;
/// The least value of x(1 − x) that gradients are divided by.
const LEAST_VARIANCE: f64 = 1e-12;

impl ElementwiseLoss for BinaryCrossEntropy {
    const NAME: &'static str = "binary_cross_entropy";
    const COST_NS: f64 = 8.0;
    #[inline(always)]
    fn f<T: Float>(self, [x, y]: [T; 2]) -> T {
        let lowest = T::of(LOWEST_LOG);
        (y - T::ONE) * (-x).ln_1p().maximum(lowest) - y * x.ln().maximum(lowest)
    }
    #[inline(always)]
    fn df<T: Float>(self, operand: usize, [x, y]: [T; 2]) -> T {
        match operand {
            0 => (x - y) / (x * (T::ONE - x)).maximum(T::of(LEAST_VARIANCE)),
            // As in PyTorch, the logarithms are not clamped here: infinite at x = 0 and x = 1.
            _ => (-x).ln_1p() - x.ln(),
        }
    }
    fn df_formula(self, operand: usize, [x, y]: [&Tensor; 2]) -> Result<Tensor> {
        if operand == 1 {
            return x.neg()?.log1p()?.sub(&x.log()?);
        }
        let variance = x.mul(&x.neg()?.add(1.0)?)?;
        x.sub(y)?.div(&variance.clamp(Some(LEAST_VARIANCE), None)?)
    }
}

/// −w·(y·ln x + (1 − y)·ln(1 − x)) of each probability x of the input and y of the target, reduced: the mean
/// unless the options say otherwise (PyTorch: `torch.nn.functional.binary_cross_entropy`). Gradients flow to
/// the input, the target and the weight.
///
/// Logarithms are not taken below −100, so that a loss is at most 100; the gradient with respect to x is
/// (x − y) / max(x(1 − x), 10⁻¹²).
///
/// ```
/// # use chainrule_loss::{BCELoss, binary_cross_entropy};
/// # use chainrule_tensor::{Tensor, Result};
/// # fn main() -> Result<()> {
/// let (x, y) = (Tensor::new([0.5, 0.0]), Tensor::new([1.0, 1.0]));
/// let loss = binary_cross_entropy(&x, &y, &BCELoss::new())?;
/// assert!((loss.item()? - (2f64.ln() + 100.0) / 2.0).abs() < 1e-5);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For values of the input or the target outside of 0 to 1 or NaN, for different shapes, for different dtypes
/// or ones that are not floating-point, and for a weight that does not broadcast to the input's shape.
#[track_caller]
pub fn binary_cross_entropy(input: &Tensor, target: &Tensor, options: &BCELoss) -> Result<Tensor> {
    check::float_input(BinaryCrossEntropy::NAME, input)?;
    check::same_shape(BinaryCrossEntropy::NAME, ("input", input), ("target", target))?;
    check::same_dtype(BinaryCrossEntropy::NAME, input, "target", target)?;
    // Made contiguous here, so that it is done once.
    let (input, target) = (input.contiguous()?, target.contiguous()?);
    probabilities("input", &input)?;
    probabilities("target", &target)?;
    elementwise(BinaryCrossEntropy, [&input, &target], options.weight.as_ref(), options.reduction)
}

/// Refuses values outside of 0 to 1.
#[track_caller]
fn probabilities(name: &str, values: &Tensor) -> Result<()> {
    let rule = "probabilities lie between 0 and 1";
    check::each(BinaryCrossEntropy::NAME, name, values, rule, |v| (0.0..=1.0).contains(&v))
}

fn bce(x: &[Tensor], weight: Option<&Tensor>, reduction: Reduction) -> Result<Tensor> {
    let weight = weight.map(|w| cast(w, x[0].dtype()));
    binary_cross_entropy(&x[0], &x[1], &BCELoss { weight, reduction })
}

pub(super) const ROW: Row = Row {
    kinks: || {
        let certain = |x: &Tensor| binary_cross_entropy(x, &x.detach(), &BCELoss::new());
        vec![
            Kink { at: 0.0, call: certain, derivative: 0.0 },
            Kink { at: 1.0, call: certain, derivative: 0.0 },
        ]
    },
    errors: || {
        let p = || uniform(1, [2, 3], 0.1, 0.9);
        vec![
            Refusal::new(&["[2, 3]", "[3]"], move || {
                bce(&[p(), uniform(2, [3], 0.1, 0.9)], None, Reduction::Mean)
            }),
            Refusal::new(&["input", "1.5", "(1)"], || {
                binary_cross_entropy(&Tensor::new([0.5, 1.5]), &Tensor::new([1.0, 0.0]), &BCELoss::new())
            }),
            Refusal::new(&["target", "-1", "(1, 0)"], || {
                let (x, y) = (Tensor::new([[0.5], [0.5]]), Tensor::new([[0.0], [-1.0]]));
                binary_cross_entropy(&x, &y, &BCELoss::new())
            }),
            Refusal::new(&["NaN", "(0)"], || {
                binary_cross_entropy(&Tensor::new([f64::NAN]), &Tensor::new([0.5]), &BCELoss::new())
            }),
            Refusal::new(&["weight", "[2]", "[2, 3]"], move || {
                bce(&[p(), p()], Some(&Tensor::new([1.0, 2.0])), Reduction::Mean)
            }),
        ]
    },
    ..Row::new("binary_cross_entropy", "torch.nn.functional.binary_cross_entropy", || {
        let inputs = || [uniform(1, [2, 3], 0.1, 0.9), uniform(2, [2, 3], 0.1, 0.9)];
        let sample = |label, reduction| Sample::new(label, inputs(), move |x| bce(x, None, reduction));
        let weight = || uniform(3, [3], 0.5, 2.0);
        vec![
            sample("none", Reduction::None),
            sample("mean", Reduction::Mean),
            sample("sum", Reduction::Sum),
            Sample::new("weight, mean", inputs(), move |x| bce(x, Some(&weight()), Reduction::Mean)),
            Sample::new("weight, none", inputs(), move |x| bce(x, Some(&weight()), Reduction::None)),
            Sample::new("gradient of the weight, sum", [inputs().as_slice(), &[weight()]].concat(), |x| {
                bce(x, Some(&x[2]), Reduction::Sum)
            }),
            Sample::new("gradient of the weight, none", [inputs().as_slice(), &[weight()]].concat(), |x| {
                bce(x, Some(&x[2]), Reduction::None)
            }),
        ]
    })
};
