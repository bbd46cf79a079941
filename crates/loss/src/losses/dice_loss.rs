//! Dice loss: how little two regions overlap.

use crate::rows::{Row as Given, RowLoss, rows, sums};
use crate::{Reduction, check, samples};
use chainrule_kernels::Float;
use chainrule_tensor::table::{Kink, Refusal, Row, Sample, uniform, values};
use chainrule_tensor::{Result, Tensor, bail};

/// Dice loss of regions; see [`dice_loss`].
#[derive(Clone, Debug)]
pub struct DiceLoss {
    /// What is added to numerator and denominator, so that two empty regions agree: at least 0. Default: 1.
    pub smooth: f64,
    /// Whether the denominator sums squares, as in the paper. Default: false.
    pub squared: bool,
    /// Whether sums run over the batch too, so that there is one loss for each class. Default: false.
    pub batch: bool,
    /// What becomes of the losses of classes. Default: their mean.
    pub reduction: Reduction,
}

impl Default for DiceLoss {
    fn default() -> Self {
        DiceLoss { smooth: 1.0, squared: false, batch: false, reduction: Reduction::default() }
    }
}

criterion!(DiceLoss, dice_loss);

const NAME: &str = "dice_loss";

/// Dice loss 1 − (2·Σ x·y + s) / (Σ x + Σ y + s) of each sample and class, reduced: their mean unless the options
/// say otherwise. The input holds probabilities x, `[N, C, d1, …]`, the target the region y in the same shape: 1
/// where the class is and 0 elsewhere, or probabilities; it may be `i64` or `bool`. The sums run over d1, …; with
/// `batch` over N too, for which the images are copied so that a class lies together. Gradients flow to both.
///
/// Apply a sigmoid (classes that overlap) or a softmax (one class for each place, targets by `one_hot`) to logits
/// first. With `squared` the denominator is Σ x² + Σ y² + s.
///
/// PyTorch has no such loss. Source: Milletari, Navab and Ahmadi, *V-Net* (2016), with squares; without them
/// Sudre, Li, Vercauteren, Ourselin and Cardoso, *Generalised Dice overlap* (2017).
///
/// ```
/// # use chainrule_loss::{DiceLoss, dice_loss};
/// # use chainrule_tensor::{Tensor, Result};
/// # fn main() -> Result<()> {
/// let (x, y) = (Tensor::new([[[0.5, 1.0, 0.0, 0.0]]]), Tensor::new([[[1, 1, 0, 0]]]));
/// let loss = dice_loss(&x, &y, &DiceLoss { smooth: 0.0, ..Default::default() })?;
/// assert!((loss.item()? - (1.0 - 3.0 / 3.5)).abs() < 1e-6);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For different shapes, for one of fewer than three dimensions, for an input that is not floating-point, for a
/// target of another floating-point dtype, and for a negative `smooth`.
#[track_caller]
pub fn dice_loss(input: &Tensor, target: &Tensor, options: &DiceLoss) -> Result<Tensor> {
    let &DiceLoss { smooth, squared, batch, reduction } = options;
    check::option(NAME, "smooth", smooth, smooth >= 0.0, "at least 0")?;
    let target = check::indicators(NAME, input, target)?;
    check::same_shape(NAME, ("input", input), ("target", &target))?;
    if input.rank() < 3 {
        let shape = input.shape();
        bail!(Shape, NAME, "the input has shape {shape}: it must be [N, C, d1, …]; add dimensions with unsqueeze");
    }
    // What a sum runs over has to lie behind what there is a loss for.
    let behind = |x: &Tensor| if batch { x.transpose(0, 1) } else { Ok(x.clone()) };
    let (input, target) = (behind(input)?, behind(&target)?);
    let leading = if batch { 1 } else { 2 };
    let shape = input.shape()[..leading].into();
    reduction.reduce(&rows(Dice { smooth, squared, leading }, [&input, &target], shape)?)
}

struct Dice {
    smooth: f64,
    squared: bool,
    /// How many dimensions there are before those of the sums.
    leading: usize,
}

impl RowLoss<2, 2> for Dice {
    const NAME: &'static str = NAME;

    /// Kept are the factors p and q of ∂f/∂x = p·y + q, with `squared` p·y + q·x, and of ∂f/∂y likewise.
    #[inline(always)]
    fn f<T: Float>(&self, _: usize, vectors: [&[T]; 2]) -> (T, [f64; 2]) {
        let squared = self.squared;
        let [overlap, whole] = sums(vectors, |[x, y]| {
            let (x, y) = (x.to_f64(), y.to_f64());
            [x * y, if squared { x * x + y * y } else { x + y }]
        });
        let (overlap, whole) = (2.0 * overlap + self.smooth, whole + self.smooth);
        let same = overlap / whole;
        let slope = if squared { 2.0 * same / whole } else { same / whole };
        (T::from_f64(1.0 - same), [-2.0 / whole, slope])
    }

    #[inline(always)]
    fn df<T: Float>(&self, operand: usize, _: usize, row: Given<'_, T, 2, 2>, out: &mut [T]) {
        // In `f64`: the two terms may cancel, and for large numbers the factors are tiny.
        let ([x, y], [p, q]) = (row.vectors, row.kept.map(|kept| row.g * kept));
        let (own, other) = if operand == 0 { (x, y) } else { (y, x) };
        let squared = self.squared;
        for ((out, &own), &other) in out.iter_mut().zip(own).zip(other) {
            *out = T::from_f64(p * other.to_f64() + if squared { q * own.to_f64() } else { q });
        }
    }

    fn formula(&self, [x, y]: [&Tensor; 2]) -> Result<Tensor> {
        let dims: Vec<isize> = (self.leading as isize..x.rank() as isize).collect();
        let sum = |x: &Tensor| x.sum_dim(dims.as_slice(), false);
        let size = |x: &Tensor| if self.squared { sum(&x.square()?) } else { sum(x) };
        let overlap = sum(&x.mul(y)?)?.mul(2.0)?.add(self.smooth)?;
        let whole = size(x)?.add(&size(y)?)?.add(self.smooth)?;
        overlap.div(&whole)?.neg()?.add(1.0)
    }
}

fn call(x: &[Tensor], options: DiceLoss) -> Result<Tensor> {
    dice_loss(&x[0], &x[1], &options)
}

pub(super) const ROW: Row = Row {
    kinks: || {
        // Two empty regions agree, and a probability in one of them costs 1 / s.
        let empty = |x: &Tensor| {
            let x = x.reshape([1, 1, 1])?;
            call(&[x.clone(), Tensor::zeros_like(&x)?], DiceLoss { smooth: 0.5, ..Default::default() })
        };
        vec![Kink { at: 0.0, call: empty, derivative: 2.0 }]
    },
    errors: || {
        let x = || uniform(1, [2, 3, 4], 0.1, 0.9);
        vec![
            Refusal::new(&["[2, 3, 4]", "[2, 4]"], move || call(&[x(), values(2, [2, 4])], DiceLoss::new())),
            Refusal::new(&["[2, 3]", "unsqueeze"], || {
                call(&[values(1, [2, 3]), values(2, [2, 3])], DiceLoss::new())
            }),
            Refusal::new(&["smooth", "-1"], move || {
                call(&[x(), x()], DiceLoss { smooth: -1.0, ..Default::default() })
            }),
            Refusal::new(&["float64", "float32"], move || {
                call(&[x(), Tensor::zeros([2, 3, 4])?], DiceLoss::new())
            }),
        ]
    },
    bench: &[(&[&[16, 4, 128, 128], &[16, 4, 128, 128]], |x| Ok(vec![call(x, DiceLoss::new())?]))],
    ..Row::new(NAME, "", || {
        let inputs = [uniform(1, [2, 3, 2, 2], 0.1, 0.9), uniform(2, [2, 3, 2, 2], 0.1, 0.9)];
        let sample = |label, options: DiceLoss| {
            Sample::new(label, inputs.clone(), move |x| call(x, options.clone()))
        };
        let mut samples =
            samples::reductions(&inputs, |x, reduction| call(x, DiceLoss { reduction, ..Default::default() }));
        samples.extend([
            sample("squared", DiceLoss { squared: true, ..Default::default() }),
            sample("batch", DiceLoss { batch: true, smooth: 0.1, ..Default::default() }),
            Sample::new("a region of booleans", [uniform(1, [1, 1, 4], 0.1, 0.9)], |x| {
                call(&[x[0].clone(), Tensor::new([[[true, false, true, true]]])], DiceLoss::new())
            }),
        ]);
        samples
    })
};
