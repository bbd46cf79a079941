//! The hinge loss of many classes.

use crate::layout::Layout;
use crate::rows::{Row as Given, RowLoss, rows, sums};
use crate::{Reduction, samples};
use chainrule_kernels::Float;
use chainrule_tensor::table::{Kink, Refusal, Row, Sample, cast, distinct, uniform, values};
use chainrule_tensor::{DType, Result, Tensor, bail};

/// The hinge loss of many classes (PyTorch: `torch.nn.MultiMarginLoss`); see [`multi_margin_loss`].
#[derive(Clone, Debug)]
pub struct MultiMarginLoss {
    /// The exponent, 1 or 2. Default: 1.
    pub p: u32,
    /// By how much the score of the class must exceed another to cost nothing. Default: 1.
    pub margin: f64,
    /// A factor for each class, `[C]`, in the dtype of the input; it gets no gradient. Default: none.
    pub weight: Option<Tensor>,
    /// What becomes of the losses of rows. Default: their mean.
    pub reduction: Reduction,
}

impl Default for MultiMarginLoss {
    fn default() -> Self {
        MultiMarginLoss { p: 1, margin: 1.0, weight: None, reduction: Reduction::default() }
    }
}

criterion!(MultiMarginLoss, multi_margin_loss);

const NAME: &str = "multi_margin_loss";

/// The loss Σ w\[y\]·max(0, margin − x\[y\] + x\[i\])ᵖ / C over the classes i ≠ y for each row x of scores of C classes
/// and its class y, reduced: the mean over the rows unless the options say otherwise (PyTorch:
/// `torch.nn.functional.multi_margin_loss`). Gradients flow to the input, and are 0 where x\[y\] exceeds x\[i\] by
/// just the margin. A score that is NaN makes the loss of its row NaN (PyTorch leaves it out).
///
/// The input is `[N, C]` with a target `[N]`, or `[C]` with a target that is 0-d or `[1]`, or 0-d, which counts as
/// one class. The target is `i64`. w are the class weights, 1 where not given. Source: Crammer and Singer, *On the
/// Algorithmic Implementation of Multiclass Kernel-based Vector Machines* (2001), with the sum of the excesses in the
/// place of the largest (Weston and Watkins, 1999).
///
/// ```
/// # use chainrule_loss::{MultiMarginLoss, multi_margin_loss};
/// # use chainrule_tensor::{Tensor, Result};
/// # fn main() -> Result<()> {
/// let loss = multi_margin_loss(&Tensor::new([[2.0, 1.5, 0.0]]), &Tensor::new([0]), &MultiMarginLoss::new())?;
/// assert!((loss.item()? - 0.5 / 3.0).abs() < 1e-6);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For a p other than 1 and 2, for an input of other shapes, without classes or not floating-point, for a target of
/// another shape or dtype, for a class index out of range, and for a weight of another shape or dtype or one that
/// requires a gradient.
#[track_caller]
pub fn multi_margin_loss(input: &Tensor, target: &Tensor, options: &MultiMarginLoss) -> Result<Tensor> {
    let MultiMarginLoss { p, margin, weight, reduction } = options;
    if !(1..=2).contains(p) {
        bail!(Value, NAME, "p is {p}: it must be 1 or 2");
    }
    if input.rank() > 2 || input.shape().last() == Some(&0) {
        let shape = input.shape();
        bail!(Shape, NAME, "the input has shape {shape}: it must be [N, C] or [C], with a class at least");
    }
    let x = if input.rank() == 0 { input.reshape([1])? } else { input.clone() };
    let layout = Layout::new(NAME, &x)?;
    let weight = layout.weight(&x, weight.as_ref())?;
    let classes = layout.indices(&one_row(&x, target)?, None)?;
    let own = classes.as_slice::<i64>()?.iter().map(|&class| class as usize).collect::<Vec<_>>();
    let weight = weight.map(|weight| weight.to_dtype(DType::F64)?.to_vec::<f64>()).transpose()?;
    let factor = |&class: &usize| weight.as_ref().map_or(1.0, |w| w[class]) / layout.classes() as f64;
    let factors = own.iter().map(factor).collect();
    let losses = rows(MultiMargin { squared: *p == 2, margin: *margin, own, factors }, [&x], layout.rows())?;
    // A target [1] of one row gives a loss [1].
    if *reduction == Reduction::None { losses.reshape(target.shape()) } else { reduction.reduce(&losses) }
}

/// The target of a single row, `[1]`, in the shape of none, as PyTorch takes it.
fn one_row(x: &Tensor, target: &Tensor) -> Result<Tensor> {
    if x.rank() == 1 && *target.shape() == [1] { target.reshape([0isize; 0]) } else { Ok(target.clone()) }
}

/// The losses of rows with their classes and factors, w\[y\]/C.
struct MultiMargin {
    squared: bool,
    margin: f64,
    own: Vec<usize>,
    factors: Vec<f64>,
}

impl RowLoss<1, 0> for MultiMargin {
    const NAME: &'static str = NAME;

    #[inline(always)]
    fn f<T: Float>(&self, i: usize, [x]: [&[T]; 1]) -> (T, [f64; 0]) {
        let (squared, margin, own) = (self.squared, T::of(self.margin), self.own[i]);
        // The difference of scores first: beside a large score the margin would have no digits.
        let score = x[own];
        let of = |x: &[T]| {
            let [sum] = sums([x], |[x]| {
                let excess = ((x - score) + margin).maximum(T::ZERO).to_f64();
                [if squared { excess * excess } else { excess }]
            });
            sum
        };
        (T::from_f64(self.factors[i] * (of(&x[..own]) + of(&x[own + 1..]))), [])
    }

    #[inline(always)]
    fn df<T: Float>(&self, _: usize, i: usize, row: Given<'_, T, 1, 0>, out: &mut [T]) {
        let ([x], own, slope) = (row.vectors, self.own[i], T::from_f64(row.g * self.factors[i]));
        let (score, margin) = (x[own], T::of(self.margin));
        let (squared, twice) = (self.squared, slope + slope);
        for (out, &x) in out.iter_mut().zip(x) {
            let excess = (x - score) + margin;
            let derivative = if squared { twice * excess } else { slope };
            *out = if excess <= T::ZERO { T::ZERO } else { derivative };
        }
        out[own] = T::ZERO;
        let [sum] = sums([out], |[d]| [d.to_f64()]);
        out[own] = T::from_f64(-sum);
    }

    fn formula(&self, [x]: [&Tensor; 1]) -> Result<Tensor> {
        let classes = x.shape()[x.rank() - 1];
        let shape = &x.shape()[..x.rank() - 1];
        let own = self.own.iter().map(|&class| class as i64).collect();
        let own = Tensor::from_vec(own, shape)?.unsqueeze(-1)?;
        let excess = x.sub(&x.gather(-1, &own)?)?.add(self.margin)?.relu()?;
        let excess = if self.squared { excess.square()? } else { excess };
        let is_own = Tensor::arange(classes)?.to_dtype(DType::I64)?.eq(&own)?;
        let factors = Tensor::from_vec(self.factors.clone(), shape)?.to_dtype(x.dtype())?;
        excess.masked_fill(&is_own, 0.0)?.sum_dim(-1, false)?.mul(&factors)
    }
}

fn call(x: &Tensor, y: &Tensor, options: MultiMarginLoss) -> Result<Tensor> {
    let weight = options.weight.as_ref().map(|weight| cast(weight, x.dtype()));
    multi_margin_loss(x, y, &MultiMarginLoss { weight, ..options })
}

pub(super) const ROW: Row = Row {
    kinks: || {
        let call = |x: &Tensor| {
            let x = Tensor::cat(&[&Tensor::ones_like(x)?, x], 0)?;
            call(&x, &Tensor::new(0), MultiMarginLoss::new())
        };
        vec![Kink { at: 0.0, call, derivative: 0.0 }, Kink { at: 0.5, call, derivative: 0.5 }]
    },
    errors: || {
        let refusal = |mentions, x: fn() -> Tensor, y: fn() -> Tensor, options: fn() -> MultiMarginLoss| {
            Refusal::new(mentions, move || multi_margin_loss(&x(), &y(), &options()))
        };
        let (x, y) = (|| values(1, [2, 4]), || Tensor::new([1, 3]));
        vec![
            refusal(&["target 4", "(1)", "4 classes"], x, || Tensor::new([0, 4]), MultiMarginLoss::new),
            refusal(&["[2, 4]", "[2]", "[3]"], x, || Tensor::new([0, 1, 2]), MultiMarginLoss::new),
            refusal(&["[2, 0]"], || values(1, [2, 0]), y, MultiMarginLoss::new),
            refusal(&["[2, 4, 1]"], || values(1, [2, 4, 1]), y, MultiMarginLoss::new),
            refusal(&["float32", "int64"], x, || Tensor::new([0.0, 1.0]), MultiMarginLoss::new),
            refusal(&["p is 3"], x, y, || MultiMarginLoss { p: 3, ..Default::default() }),
            refusal(&["weight", "[4]", "[3]"], x, y, || MultiMarginLoss {
                weight: Some(values(1, [3])),
                ..Default::default()
            }),
        ]
    },
    bench: &[(&[&[4096, 100]], |x| {
        let y = Tensor::full([4096], 7.0, DType::I64)?;
        Ok(vec![multi_margin_loss(&x[0], &y, &MultiMarginLoss::new())?])
    })],
    ..Row::new(NAME, "torch.nn.functional.multi_margin_loss", || {
        let x = || [distinct(1, [3, 4]).mul(4.0).expect("floats")];
        let y = || Tensor::new([2, 0, 2]);
        let mut samples = samples::reductions(&x(), |x, reduction| {
            call(&x[0], &Tensor::new([2, 0, 2]), MultiMarginLoss { reduction, ..Default::default() })
        });
        let sample = |label, options: MultiMarginLoss| {
            Sample::new(label, x(), move |x| call(&x[0], &y(), options.clone()))
        };
        let weight = Some(uniform(9, [4], 0.5, 2.0));
        samples.extend([
            sample("p 2, margin 0.5", MultiMarginLoss { p: 2, margin: 0.5, ..Default::default() }),
            sample("weight", MultiMarginLoss { weight, ..Default::default() }),
            Sample::new("one row", [distinct(2, [4])], |x| {
                call(&x[0], &Tensor::new(1), MultiMarginLoss::new())
            }),
        ]);
        samples
    })
};
