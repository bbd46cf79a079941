//! Negative log-likelihood of classes.

use crate::layout::Layout;
use crate::{Reduction, samples};
use chainrule_kernels::parallel;
use chainrule_tensor::autograd::{Backward, Context, Save, record};
use chainrule_tensor::table::{Refusal, Row, Sample, cast, uniform, values};
use chainrule_tensor::{DType, FloatElement, Result, Tensor, dispatch_float};

/// Negative log-likelihood of classes (PyTorch: `torch.nn.NLLLoss`); see [`nll_loss`].
#[derive(Clone, Debug)]
pub struct NLLLoss {
    /// A factor for each class, `[C]`, in the dtype of the input; it gets no gradient. Default: none.
    pub weight: Option<Tensor>,
    /// A class index that stands for "no target": such a row has loss 0 and counts for nothing. Default: −100.
    pub ignore_index: i64,
    /// What becomes of the losses of rows. Default: their mean.
    pub reduction: Reduction,
}

impl Default for NLLLoss {
    fn default() -> Self {
        NLLLoss { weight: None, ignore_index: -100, reduction: Reduction::default() }
    }
}

criterion!(NLLLoss, nll_loss);

const NAME: &str = "nll_loss";

/// Negative log-likelihood: −w\[y\]·x\[y\] for each row x of the input, the **logarithms** of the probabilities of C
/// classes, and its class y, reduced: the mean unless the options say otherwise (PyTorch:
/// `torch.nn.functional.nll_loss`). [`cross_entropy`](crate::cross_entropy) takes the logarithm of the softmax
/// itself.
///
/// The input is `[C]`, `[N, C]` or `[N, C, d1, …]`, the target `i64` in the input's shape without C. w are the
/// class weights, 1 where not given. The mean divides by Σ w\[y\] over the rows that are not ignored: where all are, it
/// is NaN, with a gradient of 0.
///
/// ```
/// # use chainrule_loss::{NLLLoss, nll_loss};
/// # use chainrule_tensor::{Tensor, Result};
/// # fn main() -> Result<()> {
/// let log_probabilities = Tensor::new([[-0.5, -1.0, -3.0], [-2.0, -0.2, -4.0]]);
/// let loss = nll_loss(&log_probabilities, &Tensor::new([0, 2]), &NLLLoss::new())?;
/// assert_eq!(loss.item()?, (0.5 + 4.0) / 2.0);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For an input that is 0-d or not floating-point, for a target of another shape or dtype than `i64`, for a class
/// index out of range, and for a weight of another shape or dtype or one that requires a gradient.
#[track_caller]
pub fn nll_loss(input: &Tensor, target: &Tensor, options: &NLLLoss) -> Result<Tensor> {
    let NLLLoss { weight, ignore_index, reduction } = options;
    let layout = Layout::new(NAME, input)?;
    let weight = layout.weight(input, weight.as_ref())?;
    let target = layout.indices(target, Some(*ignore_index))?;
    let x = input.contiguous()?;
    let picked = dispatch_float!(x.dtype(), T => pick::<T>(&layout, &target, *ignore_index, weight.as_ref())?);
    let Picked { classes, factors, total } = &picked;
    let value = dispatch_float!(x.dtype(), T => {
        let losses = losses::<T>(&x, &layout, classes.as_slice()?, factors.as_slice()?)?;
        layout.reduce::<T>(losses, *reduction, *total)?
    });
    // The mean of nothing is NaN, but its gradient is 0, not NaN.
    let all_ignored = classes.as_slice::<i64>()?.iter().all(|&class| class == IGNORED);
    let scale = if all_ignored { 0.0 } else { reduction.apply(1.0, *total, layout.batch()) };
    let saved = [Save::Value(classes), Save::Value(factors)];
    record(NLLBackward { reduction: *reduction, scale, layout }, &[&x], &saved, value)
}

/// Stands for the class of a row that is ignored.
const IGNORED: i64 = -1;

/// What is taken of each row.
struct Picked {
    /// The class, or [`IGNORED`].
    classes: Tensor,
    /// What its element is multiplied with: minus the weight of the class, 0 where the row is ignored.
    factors: Tensor,
    /// The sum of the weights of the rows that are not ignored.
    total: f64,
}

fn pick<T: FloatElement>(
    layout: &Layout,
    target: &Tensor,
    ignore_index: i64,
    weight: Option<&Tensor>,
) -> Result<Picked> {
    let indices = target.as_slice::<i64>()?;
    let weight = weight.map(|weight| weight.as_slice::<T>()).transpose()?;
    let mut total = 0.0;
    let classes = Tensor::build(layout.rows(), |classes: &mut [i64]| {
        classes.iter_mut().zip(indices).for_each(|(class, &y)| *class = if y == ignore_index { IGNORED } else { y });
    })?;
    let factors = Tensor::build(layout.rows(), |factors: &mut [T]| {
        for (factor, &y) in factors.iter_mut().zip(indices) {
            *factor = T::ZERO;
            if y != ignore_index {
                let w = weight.map_or(T::ONE, |weight| weight[y as usize]);
                *factor = -w;
                total += w.to_f64();
            }
        }
    })?;
    Ok(Picked { classes, factors, total })
}

/// The place of a row's class in an array of scores `[N, C, S]`.
fn place(row: usize, class: i64, [_, c, s]: [usize; 3]) -> usize {
    (row / s * c + class as usize) * s + row % s
}

fn losses<T: FloatElement>(x: &Tensor, layout: &Layout, classes: &[i64], factors: &[T]) -> Result<Tensor> {
    let (x, dims) = (x.as_slice::<T>()?, layout.dims());
    Tensor::build(layout.rows(), |losses: &mut [T]| {
        for (row, loss) in losses.iter_mut().enumerate() {
            // An ignored row has loss 0 whatever it holds.
            let ignored = classes[row] == IGNORED;
            *loss = if ignored { T::ZERO } else { factors[row].times(x[place(row, classes[row], dims)]) };
        }
    })
}

struct NLLBackward {
    layout: Layout,
    reduction: Reduction,
    scale: f64,
}

impl NLLBackward {
    fn fused<T: FloatElement>(&self, ctx: &Context<'_>) -> Result<Tensor> {
        let (classes, factors) = (ctx.saved(0)?.as_slice::<i64>()?, ctx.saved(1)?.as_slice::<T>()?);
        let g = match self.reduction {
            Reduction::None => ctx.grad()?.contiguous()?,
            _ => Tensor::full_of([1], T::from_f64(ctx.grad()?.item()? * self.scale))?,
        };
        let g = g.as_slice::<T>()?;
        let dims = self.layout.dims();
        let [_, c, s] = dims;
        let samples = (16_384 / (c * s).max(1)).max(1);
        Tensor::build(self.layout.logits(), |grad: &mut [T]| {
            let ns = 0.2 * grad.len() as f64;
            parallel::chunks_mut(grad, samples * c * s, ns, |i, grad| {
                grad.fill(T::ZERO);
                let first = i * samples * s;
                for row in first..first + grad.len() / c {
                    let g = if g.len() == 1 { g[0] } else { g[row] };
                    if classes[row] != IGNORED {
                        grad[place(row, classes[row], dims) - first * c] = factors[row] * g;
                    }
                }
            });
        })
    }
}

impl Backward for NLLBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (layout, classes, factors) = (&self.layout, ctx.saved(0)?, ctx.saved(1)?);
        let zeros = Tensor::full(layout.logits(), 0.0, factors.dtype())?;
        let taken = ctx.grad()?.mul(self.scale)?.mul(factors)?.unsqueeze(layout.dim())?;
        if zeros.numel() == 0 {
            return Ok(vec![Some(zeros)]);
        }
        let classes = classes.unsqueeze(layout.dim())?;
        let ignored = classes.eq(IGNORED)?;
        // Not only times a factor of 0: the sum of the weights, which they are divided by, may be 0 too.
        let taken = taken.masked_fill(&ignored, 0.0)?;
        Ok(vec![Some(zeros.scatter_add(layout.dim(), &classes.masked_fill(&ignored, 0)?, &taken)?)])
    }

    fn backward_fused(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let grad = dispatch_float!(ctx.saved(1)?.dtype(), T => self.fused::<T>(ctx)?);
        Ok(vec![Some(grad)])
    }
}

/// The loss, with the weight in the dtype of the input.
fn call(x: &Tensor, target: &Tensor, options: NLLLoss) -> Result<Tensor> {
    let weight = options.weight.as_ref().map(|weight| cast(weight, x.dtype()));
    nll_loss(x, target, &NLLLoss { weight, ..options })
}

fn weight(classes: usize) -> Option<Tensor> {
    Some(uniform(9, [classes], 0.5, 2.0))
}

fn samples() -> Vec<Sample> {
    let y = || Tensor::new([2, 0, 2]);
    let y_map = || Tensor::new([[[0, 2], [1, 1]], [[2, -100], [0, 0]]]);
    let mut samples = samples::reductions(&[values(1, [3, 4])], |x, reduction| {
        call(&x[0], &Tensor::new([2, 0, 2]), NLLLoss { weight: weight(4), reduction, ..Default::default() })
    });
    samples.extend([
        Sample::new("without weight", [values(1, [3, 4])], move |x| call(&x[0], &y(), NLLLoss::new())),
        Sample::new("ignore_index", [values(1, [3, 4])], move |x| {
            call(&x[0], &y(), NLLLoss { weight: weight(4), ignore_index: 0, ..Default::default() })
        }),
        Sample::new("one row", [values(2, [4])], |x| call(&x[0], &Tensor::new(1), NLLLoss::new())),
        Sample::new("positions", [values(3, [2, 3, 2, 2])], move |x| {
            call(&x[0], &y_map(), NLLLoss { weight: weight(3), ..Default::default() })
        }),
        Sample::new("positions, none", [values(3, [2, 3, 2, 2])], move |x| {
            call(&x[0], &y_map(), NLLLoss { reduction: Reduction::None, ..Default::default() })
        }),
    ]);
    samples
}

fn errors() -> Vec<Refusal> {
    let refusal = |mentions, target: fn() -> Tensor, options: fn() -> NLLLoss| {
        Refusal::new(mentions, move || nll_loss(&values(1, [2, 4]), &target(), &options()))
    };
    let y = || Tensor::new([1, 3]);
    vec![
        refusal(&["target 4", "(1)", "4 classes"], || Tensor::new([0, 4]), NLLLoss::new),
        refusal(&["target -1", "(0)", "4 classes"], || Tensor::new([-1, 0]), NLLLoss::new),
        refusal(&["[2, 4]", "[2]", "[3]"], || Tensor::new([0, 1, 2]), NLLLoss::new),
        refusal(&["float32", "int64"], || Tensor::new([0.0, 1.0]), NLLLoss::new),
        refusal(&["weight", "[4]", "[3]"], y, || NLLLoss { weight: weight(3), ..Default::default() }),
        refusal(&["weight", "float64", "float32"], y, || NLLLoss {
            weight: Some(Tensor::new([1.0; 4])),
            ..Default::default()
        }),
        Refusal::new(&["weight", "detach"], || {
            let weight = Some(uniform(1, [4], 0.5, 1.0).requires_grad_(true)?);
            nll_loss(&values(1, [2, 4]), &Tensor::new([1, 3]), &NLLLoss { weight, ..Default::default() })
        }),
        Refusal::new(&["0-d"], || nll_loss(&values(1, []), &Tensor::new(0), &NLLLoss::new())),
        Refusal::new(&["int64"], || nll_loss(&Tensor::new([[1, 2]]), &Tensor::new([0]), &NLLLoss::new())),
    ]
}

/// The mean over log-probabilities of one class.
fn bench(x: &[Tensor]) -> Result<Vec<Tensor>> {
    let target = Tensor::full([x[0].shape()[0]], 7.0, DType::I64)?;
    Ok(vec![nll_loss(&x[0], &target, &NLLLoss::new())?])
}

pub(super) const ROW: Row = Row {
    errors,
    bench: &[(&[&[64, 10]], bench), (&[&[4096, 1000]], bench)],
    ..Row::new(NAME, "torch.nn.functional.nll_loss", samples)
};
