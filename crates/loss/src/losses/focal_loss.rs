//! The focal loss of many classes.

use super::binary_focal_loss::powers;
use crate::Reduction;
use crate::elementwise::{ElementwiseLoss, Float, elementwise};
use crate::layout::Layout;
use crate::limits::times;
use crate::{CrossEntropyLoss, check, cross_entropy, samples};
use chainrule_tensor::table::{Kink, Refusal, Row, Sample, cast, uniform, values};
use chainrule_tensor::{DType, Result, Tensor};

/// The focal loss of logits of many classes; see [`focal_loss`].
#[derive(Clone, Debug)]
pub struct FocalLoss {
    /// A factor α for each class, `[C]`, in the dtype of the logits; it gets no gradient. Default: none.
    pub weight: Option<Tensor>,
    /// The exponent γ that takes weight from what is classified well, at least 0. Default: 2.
    pub gamma: f64,
    /// A class index that stands for "no target": such a row has loss 0 and counts for nothing. Default: −100.
    pub ignore_index: i64,
    /// What becomes of the losses of rows. Default: their mean.
    pub reduction: Reduction,
}

impl Default for FocalLoss {
    fn default() -> Self {
        FocalLoss { weight: None, gamma: 2.0, ignore_index: -100, reduction: Reduction::default() }
    }
}

criterion!(FocalLoss, focal_loss);

const NAME: &str = "focal_loss";

/// −w·(1 − eˡ)^γ·l of the logarithm l of a probability and a weight w.
#[derive(Clone, Copy)]
struct Focal {
    gamma: f64,
}

impl ElementwiseLoss for Focal {
    const NAME: &'static str = NAME;
    const COST_NS: f64 = 8.0;
    #[inline(always)]
    fn f<T: Float>(self, [l, w]: [T; 2]) -> T {
        let loss = -w * (-l.exp_m1()).powf(T::of(self.gamma)) * l;
        // A row that is ignored may hold an infinity.
        if w == T::ZERO { T::ZERO } else { loss }
    }
    #[inline(always)]
    fn df<T: Float>(self, operand: usize, [l, w]: [T; 2]) -> T {
        let (gamma, wrong) = (T::of(self.gamma), -l.exp_m1());
        let power = wrong.powf(gamma);
        // γ·q^(γ − 1), which multiplies something that vanishes with q.
        let steep = if wrong > T::ZERO { gamma * power / wrong } else { T::ZERO };
        if w == T::ZERO {
            T::ZERO
        } else if operand == 0 {
            w * (steep * l.exp().times(l) - power)
        } else {
            -power * l
        }
    }
    fn df_formula(self, operand: usize, [l, w]: [&Tensor; 2]) -> Result<Tensor> {
        let ignored = w.eq(0.0)?;
        let l = l.masked_fill(&ignored, -1.0)?;
        let wrong = l.expm1()?.neg()?;
        let [power, steep] = powers(&wrong, self.gamma)?;
        if operand == 1 {
            return power.mul(&l)?.neg();
        }
        steep.mul(&times(&l.exp()?, &l)?)?.sub(&power)?.mul(w)
    }
}

/// The focal loss −w\[y\]·(1 − p)^γ·ln p of each row of logits and its class y, where p is the probability that the
/// softmax gives to y, reduced: the mean unless the options say otherwise. What is classified well counts for
/// little; with γ = 0 it is the [cross-entropy](crate::cross_entropy). Gradients flow to the input.
///
/// The input is `[C]`, `[N, C]` or `[N, C, d1, …]`, the target `i64` in the input's shape without C. w are the
/// class weights, 1 where not given: the paper's α. The mean divides by the number of rows that are not ignored
/// whatever their weights; where all are ignored it is NaN, with a gradient of 0.
///
/// PyTorch has no such loss. Source: Lin, Goyal, Girshick, He and Dollár, *Focal Loss for Dense Object Detection*
/// (2017), with the softmax in the place of the sigmoid.
///
/// ```
/// # use chainrule_loss::{FocalLoss, focal_loss};
/// # use chainrule_tensor::{Tensor, Result};
/// # fn main() -> Result<()> {
/// let loss = focal_loss(&Tensor::new([[1.0, 1.0]]), &Tensor::new([0]), &FocalLoss::new())?;
/// assert!((loss.item()? - 0.25 * 2f64.ln()).abs() < 1e-7);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For a negative γ, for an input that is 0-d or not floating-point, for a target of another shape or dtype than
/// `i64`, for a class index out of range, and for a weight of another shape or dtype or one that requires a
/// gradient.
#[track_caller]
pub fn focal_loss(input: &Tensor, target: &Tensor, options: &FocalLoss) -> Result<Tensor> {
    let FocalLoss { weight, gamma, ignore_index, reduction } = options;
    check::option(NAME, "gamma", *gamma, *gamma >= 0.0, "at least 0")?;
    let layout = Layout::new(NAME, input)?;
    let weight = layout.weight(input, weight.as_ref())?;
    let target = layout.indices(target, Some(*ignore_index))?;
    let ignored = target.eq(*ignore_index)?;
    let counted = ignored.numel() as f64 - ignored.sum()?.item()?;
    let losses = |reduction| -> Result<Tensor> {
        if input.numel() == 0 {
            let none = input.sum()?.mul(0.0)?.expand(layout.rows())?;
            return elementwise(Focal { gamma: *gamma }, [&none, &none.detach()], None, reduction);
        }
        let weight = match &weight {
            Some(weight) => {
                let classes = target.masked_fill(&ignored, 0)?;
                weight.index_select(0, &classes.flatten(0, -1)?)?.reshape(layout.rows())?
            }
            None => Tensor::full(layout.rows(), 1.0, input.dtype())?,
        };
        let weight = weight.masked_fill(&ignored, 0.0)?;
        // The logarithms of the probabilities of the classes, without an array for those of the others.
        let entropy = CrossEntropyLoss {
            ignore_index: *ignore_index,
            reduction: Reduction::None,
            ..Default::default()
        };
        let logs = cross_entropy(input, &target, &entropy)?.neg()?;
        elementwise(Focal { gamma: *gamma }, [&logs, &weight], None, reduction)
    };
    match reduction {
        Reduction::Mean if counted == 0.0 => losses(Reduction::Sum)?.add(f64::NAN),
        Reduction::Mean | Reduction::MeanOrZero => losses(Reduction::Sum)?.div(counted.max(1.0)),
        Reduction::BatchMean => losses(Reduction::Sum)?.div(layout.batch() as f64),
        Reduction::None | Reduction::Sum => losses(*reduction),
    }
}

fn call(x: &Tensor, y: &Tensor, options: FocalLoss) -> Result<Tensor> {
    let weight = options.weight.as_ref().map(|weight| cast(weight, x.dtype()));
    focal_loss(x, y, &FocalLoss { weight, ..options })
}

fn weight(classes: usize) -> Option<Tensor> {
    Some(uniform(9, [classes], 0.5, 2.0))
}

fn samples() -> Vec<Sample> {
    let x = || [values(1, [3, 4])];
    let y = || Tensor::new([2, 0, 2]);
    let y_map = || Tensor::new([[[0, 2], [1, 1]], [[2, -100], [0, 0]]]);
    let mut samples = samples::reductions(&x(), |x, reduction| {
        call(&x[0], &Tensor::new([2, 0, 2]), FocalLoss { reduction, ..Default::default() })
    });
    let sample = |label, options: FocalLoss| {
        Sample::new(label, x(), move |x| call(&x[0], &y(), options.clone()))
    };
    samples.extend([
        sample("weight", FocalLoss { weight: weight(4), ..Default::default() }),
        sample("gamma 0", FocalLoss { gamma: 0.0, ..Default::default() }),
        sample("gamma 0.5", FocalLoss { gamma: 0.5, ..Default::default() }),
        sample("ignore_index", FocalLoss { ignore_index: 0, ..Default::default() }),
        Sample::new("one row", [values(2, [4])], |x| call(&x[0], &Tensor::new(1), FocalLoss::new())),
        Sample::new("positions", [values(3, [2, 3, 2, 2])], move |x| {
            call(&x[0], &y_map(), FocalLoss { weight: weight(3), ..Default::default() })
        }),
        Sample::new("positions, none", [values(3, [2, 3, 2, 2])], move |x| {
            call(&x[0], &y_map(), FocalLoss { reduction: Reduction::None, ..Default::default() })
        }),
    ]);
    samples
}

pub(super) const ROW: Row = Row {
    kinks: || {
        // The class is certain: 1 − p is 0, and a power of it is divided by it.
        let certain = |x: &Tensor| {
            let x = Tensor::cat(&[x, &Tensor::zeros_like(x)?], 0)?;
            call(&x, &Tensor::new(0), FocalLoss { gamma: 0.5, ..Default::default() })
        };
        vec![Kink { at: 2000.0, call: certain, derivative: 0.0 }]
    },
    errors: || {
        let refusal = |mentions, y: fn() -> Tensor, options: fn() -> FocalLoss| {
            Refusal::new(mentions, move || focal_loss(&values(1, [2, 4]), &y(), &options()))
        };
        let y = || Tensor::new([1, 3]);
        vec![
            refusal(&["target 4", "(1)", "4 classes"], || Tensor::new([0, 4]), FocalLoss::new),
            refusal(&["[2, 4]", "[2]", "[3]"], || Tensor::new([0, 1, 2]), FocalLoss::new),
            refusal(&["float32", "int64"], || Tensor::new([0.0, 1.0]), FocalLoss::new),
            refusal(&["weight", "[4]", "[3]"], y, || FocalLoss { weight: weight(3), ..Default::default() }),
            refusal(&["gamma", "-1"], y, || FocalLoss { gamma: -1.0, ..Default::default() }),
            Refusal::new(&["0-d"], || focal_loss(&values(1, []), &Tensor::new(0), &FocalLoss::new())),
        ]
    },
    bench: &[(&[&[4096, 1000]], |x| {
        let y = Tensor::full([4096], 7.0, DType::I64)?;
        Ok(vec![focal_loss(&x[0], &y, &FocalLoss::new())?])
    })],
    ..Row::new(NAME, "", samples)
};
