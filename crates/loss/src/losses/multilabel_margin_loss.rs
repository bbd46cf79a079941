//! The hinge loss of several classes at a time.

use crate::layout::Layout;
use crate::{Reduction, check, samples};
use chainrule_kernels::parallel;
use chainrule_tensor::autograd::{Backward, Context, Save, record};
use chainrule_tensor::table::{Kink, Refusal, Row, Sample, distinct, values};
use chainrule_tensor::{DType, FloatElement, Result, Tensor, bail, dispatch_float};

/// The hinge loss of several classes at a time (PyTorch: `torch.nn.MultiLabelMarginLoss`); see
/// [`multilabel_margin_loss`].
#[derive(Clone, Debug, Default)]
pub struct MultiLabelMarginLoss {
    /// What becomes of the losses of rows. Default: their mean.
    pub reduction: Reduction,
}

criterion!(MultiLabelMarginLoss, multilabel_margin_loss);

const NAME: &str = "multilabel_margin_loss";

/// The loss Σ max(0, 1 − (x\[j\] − x\[i\])) / C over the classes j that a row of scores x of C classes belongs to and
/// the classes i that it does not, reduced: the mean over the rows unless the options say otherwise (PyTorch:
/// `torch.nn.functional.multilabel_margin_loss`). Gradients flow to the input, and are 0 where x\[j\] exceeds x\[i\]
/// by just 1.
///
/// The input is `[N, C]`, `[C]` or 0-d, which counts as one class. The target is `i64` in its shape: the indices of
/// the row's classes, then −1; what follows the first −1 is not looked at.
///
/// ```
/// # use chainrule_loss::{MultiLabelMarginLoss, multilabel_margin_loss};
/// # use chainrule_tensor::{Tensor, Result};
/// # fn main() -> Result<()> {
/// let (x, y) = (Tensor::new([[0.5, 2.0, 0.0]]), Tensor::new([[1, 0, -1]])); // the classes 1 and 0
/// let loss = multilabel_margin_loss(&x, &y, &MultiLabelMarginLoss::new())?;
/// assert!((loss.item()? - 0.5 / 3.0).abs() < 1e-6);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For an input of other shapes, without classes or not floating-point, for a target of another shape or dtype, and
/// for a class index out of range.
#[track_caller]
pub fn multilabel_margin_loss(
    input: &Tensor,
    target: &Tensor,
    options: &MultiLabelMarginLoss,
) -> Result<Tensor> {
    check::float_input(NAME, input)?;
    if target.dtype() != DType::I64 {
        bail!(DType, NAME, "the target holds {}: class indices are int64", target.dtype());
    }
    check::same_shape(NAME, ("input", input), ("target", target))?;
    if input.rank() > 2 || input.shape().last() == Some(&0) {
        let shape = input.shape();
        bail!(Shape, NAME, "the input has shape {shape}: it must be [N, C] or [C], with a class at least");
    }
    let x = if input.rank() == 0 { input.reshape([1])? } else { input.contiguous()? };
    let layout = Layout::new(NAME, &x)?;
    let target = target.contiguous()?;
    let indices = target.as_slice::<i64>()?;
    let classes = layout.classes();
    let is_wrong = |&y: &i64| !(-1..classes as i64).contains(&y);
    if let Some(i) = indices.iter().position(is_wrong) {
        let position = check::position(i, target.shape());
        bail!(
            Index,
            NAME,
            "target {} at position {position} is out of range for {classes} classes",
            indices[i]
        );
    }
    let (losses, slopes) = dispatch_float!(x.dtype(), T => forward::<T>(&x, indices, &layout)?);
    let losses = record(MultiLabelMarginBackward, &[&x], &[Save::Value(&slopes)], losses)?;
    options.reduction.reduce(&losses)
}

/// The loss of each row, and its derivative with respect to each score.
fn forward<T: FloatElement>(x: &Tensor, target: &[i64], layout: &Layout) -> Result<(Tensor, Tensor)> {
    let (x, classes, rows) = (x.as_slice::<T>()?, layout.classes(), layout.rows());
    let mut losses = rows.allocate::<T>(NAME)?;
    let mut slopes = layout.logits().allocate::<T>(NAME)?;
    // Half of the classes against the other half, at worst.
    let ns = 0.25 * x.len() as f64 * classes as f64;
    parallel::chunks_mut2((&mut losses, 1), (&mut slopes, classes), ns, |i, loss, slopes| {
        let range = i * classes..(i + 1) * classes;
        loss[0] = row(&x[range.clone()], &target[range], slopes);
    });
    Ok((Tensor::from_buffer(losses, rows)?, Tensor::from_buffer(slopes, layout.logits())?))
}

/// The loss of one row; its derivative goes into `slopes`.
fn row<T: FloatElement>(x: &[T], target: &[i64], slopes: &mut [T]) -> T {
    let own = || target.iter().take_while(|&&y| y >= 0).map(|&y| y as usize);
    let mut is_own = vec![false; x.len()];
    own().for_each(|j| is_own[j] = true);
    let mut counts = vec![0i64; x.len()];
    let mut sum = 0.0;
    for j in own() {
        for i in (0..x.len()).filter(|&i| !is_own[i]) {
            let excess = T::ONE - (x[j] - x[i]);
            if excess > T::ZERO {
                sum += excess.to_f64();
                counts[i] += 1;
                counts[j] -= 1;
            }
        }
    }
    let classes = x.len() as f64;
    slopes.iter_mut().zip(counts).for_each(|(slope, count)| *slope = T::from_f64(count as f64 / classes));
    T::from_f64(sum / classes)
}

/// The loss is a sum of straight lines: its derivative is constant wherever it has one.
struct MultiLabelMarginBackward;

impl Backward for MultiLabelMarginBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(ctx.grad()?.unsqueeze(-1)?.mul(ctx.saved(0)?)?)])
    }
}

fn labels() -> Tensor {
    Tensor::new([[2, 0, -1, 1], [-1, 0, 0, 0], [3, 1, 2, -1]])
}

pub(super) const ROW: Row = Row {
    kinks: || {
        let call = |x: &Tensor| {
            let x = Tensor::cat(&[&Tensor::ones_like(x)?, x], 0)?;
            multilabel_margin_loss(&x, &Tensor::new([0, -1]), &MultiLabelMarginLoss::new())
        };
        vec![Kink { at: 0.0, call, derivative: 0.0 }, Kink { at: 0.5, call, derivative: 0.5 }]
    },
    errors: || {
        let refusal = |mentions, x: fn() -> Tensor, y: fn() -> Tensor| {
            Refusal::new(mentions, move || multilabel_margin_loss(&x(), &y(), &MultiLabelMarginLoss::new()))
        };
        let x = || values(1, [2, 3]);
        vec![
            refusal(&["[2, 3]", "[3]"], x, || Tensor::new([0, 1, -1])),
            refusal(&["target 3", "(1, 0)", "3 classes"], x, || Tensor::new([[0, 1, -1], [3, -1, -1]])),
            refusal(&["target -2", "(0, 1)"], x, || Tensor::new([[0, -2, -1], [0, -1, -1]])),
            refusal(&["[2, 0]"], || values(1, [2, 0]), || Tensor::full([2, 0], 0.0, DType::I64).expect("small")),
            refusal(&["float64"], x, || values(2, [2, 3])),
        ]
    },
    bench: &[(&[&[1024, 100]], |x| {
        let y = Tensor::stack(&[&Tensor::full([1024], 7.0, DType::I64)?, &Tensor::full([1024], 3.0, DType::I64)?], 1)?;
        let y = Tensor::cat(&[&y, &Tensor::full([1024, 98], -1.0, DType::I64)?], 1)?;
        Ok(vec![multilabel_margin_loss(&x[0], &y, &MultiLabelMarginLoss::new())?])
    })],
    ..Row::new(NAME, "torch.nn.functional.multilabel_margin_loss", || {
        let mut samples = samples::reductions(&[distinct(1, [3, 4]).mul(4.0).expect("floats")], |x, reduction| {
            multilabel_margin_loss(&x[0], &labels(), &MultiLabelMarginLoss { reduction })
        });
        samples.push(Sample::new("one row", [distinct(2, [3])], |x| {
            multilabel_margin_loss(&x[0], &Tensor::new([1, -1, 0]), &MultiLabelMarginLoss::new())
        }));
        samples
    })
};
