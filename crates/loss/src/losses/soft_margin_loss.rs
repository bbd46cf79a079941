//! The logistic loss of labels 1 and −1.

use super::binary_cross_entropy_with_logits::negative_log_sigmoid;
use crate::elementwise::{ElementwiseLoss, Float, elementwise};
use crate::limits::times;
use crate::{Reduction, check, samples};
use chainrule_tensor::table::{Kink, Refusal, Row, Sample, values};
use chainrule_tensor::{Result, Tensor};

/// The logistic loss of labels 1 and −1 (PyTorch: `torch.nn.SoftMarginLoss`); see [`soft_margin_loss`].
#[derive(Clone, Debug, Default)]
pub struct SoftMarginLoss {
    /// What becomes of the losses of single elements. Default: their mean.
    pub reduction: Reduction,
}

criterion!(SoftMarginLoss, soft_margin_loss);

const NAME: &str = "soft_margin_loss";

#[derive(Clone, Copy)]
struct Logistic;

impl ElementwiseLoss for Logistic {
    const NAME: &'static str = NAME;
    const COST_NS: f64 = 4.0;
    #[inline(always)]
    fn f<T: Float>(self, [x, y]: [T; 2]) -> T {
        negative_log_sigmoid(y.times(x))
    }
    #[inline(always)]
    fn df<T: Float>(self, operand: usize, [x, y]: [T; 2]) -> T {
        let slope = -(-y.times(x)).sigmoid();
        if operand == 0 { slope * y } else { slope.times(x) }
    }
    fn df_formula(self, operand: usize, [x, y]: [&Tensor; 2]) -> Result<Tensor> {
        let slope = times(y, x)?.neg()?.sigmoid()?.neg()?;
        if operand == 0 { slope.mul(y) } else { times(&slope, x) }
    }
}

/// The logistic loss ln(1 + e^(−y·x)) of each score x of the input and label y, 1 or −1, of the target, reduced:
/// their mean unless the options say otherwise (PyTorch: `torch.nn.functional.soft_margin_loss`). It is finite for
/// every finite score, where PyTorch's overflows. Gradients flow to both. The target may be `i64`.
///
/// ```
/// # use chainrule_loss::{SoftMarginLoss, soft_margin_loss};
/// # use chainrule_tensor::{Tensor, Result};
/// # fn main() -> Result<()> {
/// let loss = soft_margin_loss(&Tensor::new([0.0, -1000.0]), &Tensor::new([1, 1]), &SoftMarginLoss::new())?;
/// assert!((loss.item()? - (2f64.ln() + 1000.0) / 2.0).abs() < 1e-4);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For an input that is not floating-point, for a target of another floating-point dtype, and for different
/// shapes (PyTorch broadcasts them).
#[track_caller]
pub fn soft_margin_loss(input: &Tensor, target: &Tensor, options: &SoftMarginLoss) -> Result<Tensor> {
    let target = check::labels(NAME, input, target)?;
    elementwise(Logistic, [input, &target], None, options.reduction)
}

pub(super) const ROW: Row = Row {
    kinks: || {
        let right = |x: &Tensor| soft_margin_loss(x, &Tensor::new([1]), &SoftMarginLoss::new());
        vec![
            Kink { at: 0.0, call: right, derivative: -0.5 },
            Kink { at: 1000.0, call: right, derivative: 0.0 },
            Kink { at: -1000.0, call: right, derivative: -1.0 },
        ]
    },
    errors: || {
        vec![
            Refusal::new(&["[2, 3]", "[3]"], || {
                soft_margin_loss(&values(1, [2, 3]), &Tensor::new([1, 1, -1]), &SoftMarginLoss::new())
            }),
            Refusal::new(&["int64"], || {
                soft_margin_loss(&Tensor::new([1]), &Tensor::new([1]), &SoftMarginLoss::new())
            }),
        ]
    },
    bench: &[(&[&[1_000_000], &[1_000_000]], |x| {
        Ok(vec![soft_margin_loss(&x[0], &x[1], &SoftMarginLoss::new())?])
    })],
    ..Row::new(NAME, "torch.nn.functional.soft_margin_loss", || {
        let mut samples = samples::reductions(&[values(1, [2, 3]), values(2, [2, 3])], |x, reduction| {
            soft_margin_loss(&x[0], &x[1], &SoftMarginLoss { reduction })
        });
        samples.push(Sample::new("integer labels", [values(1, [4])], |x| {
            soft_margin_loss(&x[0], &Tensor::new([1, -1, -1, 1]), &SoftMarginLoss::new())
        }));
        samples
    })
};
