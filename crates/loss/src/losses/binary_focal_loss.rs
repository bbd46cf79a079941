//! The focal loss of two classes.

use super::binary_cross_entropy_with_logits::{logit_cross_entropy, logit_cross_entropy_formula};
use crate::elementwise::{ElementwiseLoss, Float, elementwise};
use crate::limits::times;
use crate::{Reduction, check, samples};
use chainrule_tensor::table::{Kink, Refusal, Row, Sample, uniform, values};
use chainrule_tensor::{Result, Tensor};

/// The focal loss of logits of two classes; see [`binary_focal_loss`].
#[derive(Clone, Debug)]
pub struct BinaryFocalLoss {
    /// The factor α for the losses of positive targets, from 0 to 1; those of negative ones get 1 − α. `None`
    /// leaves both as they are. Default: 0.25.
    pub alpha: Option<f64>,
    /// The exponent γ that takes weight from what is classified well, at least 0. Default: 2.
    pub gamma: f64,
    /// What becomes of the losses of single elements. Default: their mean.
    pub reduction: Reduction,
}

impl Default for BinaryFocalLoss {
    fn default() -> Self {
        BinaryFocalLoss { alpha: Some(0.25), gamma: 2.0, reduction: Reduction::default() }
    }
}

criterion!(BinaryFocalLoss, binary_focal_loss);

const NAME: &str = "binary_focal_loss";

/// (slope·y + base)·q^γ·c, where c is the cross-entropy and q the probability given to the wrong class.
#[derive(Clone, Copy)]
struct Focal {
    slope: f64,
    base: f64,
    gamma: f64,
}

impl ElementwiseLoss for Focal {
    const NAME: &'static str = NAME;
    const COST_NS: f64 = 12.0;
    #[inline(always)]
    fn f<T: Float>(self, [x, y]: [T; 2]) -> T {
        let factor = T::of(self.slope) * y + T::of(self.base);
        let wrong = y * (-x).sigmoid() + (T::ONE - y) * x.sigmoid();
        factor.times(wrong.powf(T::of(self.gamma)) * logit_cross_entropy(x, y))
    }
    #[inline(always)]
    fn df<T: Float>(self, operand: usize, [x, y]: [T; 2]) -> T {
        let (gamma, slope) = (T::of(self.gamma), T::of(self.slope));
        let factor = slope * y + T::of(self.base);
        let (p, not_p) = (x.sigmoid(), (-x).sigmoid());
        let wrong = y * not_p + (T::ONE - y) * p;
        let entropy = logit_cross_entropy(x, y);
        let power = wrong.powf(gamma);
        // γ·q^(γ − 1), which multiplies something that vanishes with q.
        let steep = if wrong > T::ZERO { gamma * power / wrong } else { T::ZERO };
        let two = T::of(2.0);
        match operand {
            0 => {
                let turn = ((T::ONE - two * y) * p * not_p).times(entropy);
                factor * (power * (p - y) + steep * turn)
            }
            _ => slope * power * entropy + factor * (steep * (not_p - p) * entropy - power.times(x)),
        }
    }
    fn df_formula(self, operand: usize, [x, y]: [&Tensor; 2]) -> Result<Tensor> {
        let not_y = y.neg()?.add(1.0)?;
        let factor = y.mul(self.slope)?.add(self.base)?;
        let (p, not_p) = (x.sigmoid()?, x.neg()?.sigmoid()?);
        let wrong = y.mul(&not_p)?.add(&not_y.mul(&p)?)?;
        let entropy = logit_cross_entropy_formula(x, y)?;
        let [power, steep] = powers(&wrong, self.gamma)?;
        if operand == 0 {
            let turn = times(&not_y.sub(y)?.mul(&p)?.mul(&not_p)?, &entropy)?;
            return power.mul(&p.sub(y)?)?.add(&steep.mul(&turn)?)?.mul(&factor);
        }
        let own = steep.mul(&entropy)?.mul(&not_p.sub(&p)?)?.sub(&times(&power, x)?)?.mul(&factor)?;
        own.add(&power.mul(&entropy)?.mul(self.slope)?)
    }
}

/// q^γ and its derivative of a probability q. Where that is 0 the derivatives of both, which may be infinite there, are left
/// out: in the loss they meet what vanishes with q.
pub(super) fn powers(q: &Tensor, gamma: f64) -> Result<[Tensor; 2]> {
    let none = q.le(0.0)?;
    let some = q.masked_fill(&none, 1.0)?;
    let power = some.pow(gamma)?.masked_fill(&none, if gamma == 0.0 { 1.0 } else { 0.0 })?;
    Ok([power, some.pow(gamma - 1.0)?.mul(gamma)?.masked_fill(&none, 0.0)?])
}

/// The focal loss of each logit x of the input and y of the target, reduced: the mean unless the options say
/// otherwise. It is the [binary cross-entropy](crate::binary_cross_entropy_with_logits) times α·y + (1 − α)(1 − y)
/// and q^γ, where q = y·(1 − σ(x)) + (1 − y)·σ(x) is the probability given to the wrong class: what is
/// classified well counts for little. With γ = 0 and no α it is the binary cross-entropy. Gradients flow to both.
///
/// The target holds 1 for positive and 0 for negative examples, or probabilities; it may be `i64` or `bool`.
/// PyTorch has no such loss; it is `torchvision.ops.sigmoid_focal_loss`, with the mean as default reduction. The
/// paper divides the sum by the number of positive examples: take [`Reduction::Sum`] for that.
///
/// Source: Lin, Goyal, Girshick, He and Dollár, *Focal Loss for Dense Object Detection* (2017).
///
/// ```
/// # use chainrule_loss::{BinaryFocalLoss, binary_focal_loss};
/// # use chainrule_tensor::{Tensor, Result};
/// # fn main() -> Result<()> {
/// let loss = binary_focal_loss(&Tensor::new([0.0]), &Tensor::new([1]), &BinaryFocalLoss::new())?;
/// assert!((loss.item()? - 0.25 * 0.25 * 2f64.ln()).abs() < 1e-7);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For a target outside of 0 to 1, for α outside of 0 to 1 or a negative γ, for different shapes, for an input that
/// is not floating-point, and for a target of another floating-point dtype.
#[track_caller]
pub fn binary_focal_loss(input: &Tensor, target: &Tensor, options: &BinaryFocalLoss) -> Result<Tensor> {
    let &BinaryFocalLoss { alpha, gamma, reduction } = options;
    check::option(NAME, "gamma", gamma, gamma >= 0.0, "at least 0")?;
    let (slope, base) = alpha.map_or((0.0, 1.0), |alpha| (2.0 * alpha - 1.0, 1.0 - alpha));
    if let Some(alpha) = alpha {
        check::option(NAME, "alpha", alpha, (0.0..=1.0).contains(&alpha), "between 0 and 1")?;
    }
    let target = check::indicators(NAME, input, target)?.contiguous()?;
    check::same_shape(NAME, ("input", input), ("target", &target))?;
    let rule = "targets are 0 and 1, or probabilities";
    check::each(NAME, "target", &target, rule, |y| (0.0..=1.0).contains(&y))?;
    elementwise(Focal { slope, base, gamma }, [input, &target], None, reduction)
}

fn call(x: &[Tensor], options: BinaryFocalLoss) -> Result<Tensor> {
    binary_focal_loss(&x[0], &x[1], &options)
}

pub(super) const ROW: Row = Row {
    kinks: || {
        // Where the wrong class gets no probability at all, a power of 0 is divided by 0.
        let right = |x: &Tensor| {
            let options = BinaryFocalLoss { gamma: 0.5, ..Default::default() };
            call(&[x.clone(), Tensor::ones_like(x)?], options)
        };
        vec![Kink { at: 2000.0, call: right, derivative: 0.0 }]
    },
    errors: || {
        let refusal = |mentions, y: fn() -> Tensor, alpha, gamma| {
            let options = move || BinaryFocalLoss { alpha: Some(alpha), gamma, ..Default::default() };
            Refusal::new(mentions, move || call(&[values(1, [2]), y()], options()))
        };
        let y = || Tensor::new([0, 1]);
        vec![
            refusal(&["[2]", "[3]"], || Tensor::new([0, 1, 0]), 0.25, 2.0),
            refusal(&["target", "-1", "(1)"], || Tensor::new([1, -1]), 0.25, 2.0),
            refusal(&["alpha", "1.5"], y, 1.5, 2.0),
            refusal(&["gamma", "-1"], y, 0.25, -1.0),
            refusal(&["float64", "float32"], || Tensor::new([0.0, 1.0]), 0.25, 2.0),
        ]
    },
    bench: &[(&[&[1_000_000]], |x| {
        let y = Tensor::zeros_like(&x[0])?;
        Ok(vec![call(&[x[0].clone(), y], BinaryFocalLoss::new())?])
    })],
    ..Row::new(NAME, "torchvision.ops.sigmoid_focal_loss", || {
        let inputs = [values(1, [2, 3]), uniform(2, [2, 3], 0.1, 0.9)];
        let mut samples = samples::reductions(&inputs, |x, reduction| {
            call(x, BinaryFocalLoss { reduction, ..Default::default() })
        });
        let sample = |label, alpha, gamma| {
            Sample::new(label, inputs.clone(), move |x| {
                call(x, BinaryFocalLoss { alpha, gamma, ..Default::default() })
            })
        };
        samples.extend([
            sample("no alpha, gamma 0", None, 0.0),
            sample("no alpha, gamma 0.5", None, 0.5),
            sample("alpha 0.7, gamma 1", Some(0.7), 1.0),
            Sample::new("classes", [values(1, [4])], |x| {
                call(&[x[0].clone(), Tensor::new([0, 1, 1, 0])], BinaryFocalLoss::new())
            }),
        ]);
        samples
    })
};
