//! The loss of pairs of scores in the wrong order.

use crate::elementwise::{ElementwiseLoss, Float, elementwise};
use crate::{Reduction, check, samples};
use chainrule_tensor::table::{Kink, Refusal, Row, Sample, distinct, values};
use chainrule_tensor::{DType, Result, Tensor, bail};

/// The loss of pairs of scores in the wrong order (PyTorch: `torch.nn.MarginRankingLoss`); see
/// [`margin_ranking_loss`].
#[derive(Clone, Debug, Default)]
pub struct MarginRankingLoss {
    /// By how much a pair must be in the right order to cost nothing. Default: 0.
    pub margin: f64,
    /// What becomes of the losses of single pairs. Default: their mean.
    pub reduction: Reduction,
}

criterion!(MarginRankingLoss, margin_ranking_loss, (input1, input2, target));

const NAME: &str = "margin_ranking_loss";

#[derive(Clone, Copy)]
struct MarginRanking {
    margin: f64,
}

impl MarginRanking {
    /// What is positive where a pair costs something.
    #[inline(always)]
    fn excess<T: Float>(self, [a, b, y]: [T; 3]) -> T {
        T::of(self.margin) - y * (a - b)
    }
}

impl ElementwiseLoss<3> for MarginRanking {
    const NAME: &'static str = NAME;
    #[inline(always)]
    fn f<T: Float>(self, operands: [T; 3]) -> T {
        self.excess(operands).maximum(T::ZERO)
    }
    #[inline(always)]
    fn df<T: Float>(self, operand: usize, [a, b, y]: [T; 3]) -> T {
        let slope = match operand {
            0 => -y,
            1 => y,
            _ => b - a,
        };
        if self.excess([a, b, y]) > T::ZERO { slope } else { T::ZERO }
    }
    fn df_formula(self, operand: usize, [a, b, y]: [&Tensor; 3]) -> Result<Tensor> {
        let free = a.sub(b)?.mul(y)?.lt(self.margin)?.logical_not()?;
        let slope = match operand {
            0 => y.neg()?,
            1 => y.clone(),
            _ => b.sub(a)?,
        };
        slope.masked_fill(&free, 0.0)
    }
}

/// The loss max(0, margin − y·(a − b)) of each pair of scores a of the first input and b of the second, where a
/// belongs above b (target y = 1) or below it (y = −1), reduced: their mean unless the options say otherwise
/// (PyTorch: `torch.nn.functional.margin_ranking_loss`). Gradients flow to all three, and are 0 where y·(a − b) is
/// the margin.
///
/// The target may be `i64`. The three have the same number of dimensions; sizes of 1 repeat.
///
/// ```
/// # use chainrule_loss::{MarginRankingLoss, margin_ranking_loss};
/// # use chainrule_tensor::{Tensor, Result};
/// # fn main() -> Result<()> {
/// let (a, b, y) = (Tensor::new([2.0, 1.0]), Tensor::new([1.0, 3.0]), Tensor::new([1, 1]));
/// let loss = margin_ranking_loss(&a, &b, &y, &MarginRankingLoss { margin: 0.5, ..Default::default() })?;
/// assert_eq!(loss.item()?, (0.0 + 2.5) / 2.0);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For inputs that are not floating-point, for a target of booleans, for different floating-point dtypes, and for
/// shapes with different numbers of dimensions or sizes that neither agree nor are 1.
#[track_caller]
pub fn margin_ranking_loss(
    input1: &Tensor,
    input2: &Tensor,
    target: &Tensor,
    options: &MarginRankingLoss,
) -> Result<Tensor> {
    let &MarginRankingLoss { margin, reduction } = options;
    if target.dtype() == DType::Bool {
        bail!(DType, NAME, "a target of bool has no -1: use integers");
    }
    let target = check::labels(NAME, input1, target)?;
    check::same_dtype(NAME, input1, "second input", input2)?;
    let names = ["input1", "input2", "target"];
    let [a, b, y] = check::broadcast(NAME, names, [input1, input2, &target])?;
    elementwise(MarginRanking { margin }, [&a, &b, &y], None, reduction)
}

fn call(x: &[Tensor], y: &Tensor, margin: f64, reduction: Reduction) -> Result<Tensor> {
    margin_ranking_loss(&x[0], &x[1], y, &MarginRankingLoss { margin, reduction })
}

fn samples() -> Vec<Sample> {
    let y = || Tensor::new([[1, -1, 1], [-1, 1, -1]]);
    let inputs = [distinct(1, [2, 3]), distinct(2, [2, 3]).mul(0.5).expect("floats")];
    let with_target = [inputs.as_slice(), &[distinct(3, [2, 3]).mul(3.0).expect("floats")]].concat();
    let mut samples = samples::reductions(&inputs, |x, reduction| {
        call(x, &Tensor::new([[1, -1, 1], [-1, 1, -1]]), 0.5, reduction)
    });
    samples.extend([
        Sample::new("margin 0", inputs.clone(), move |x| call(x, &y(), 0.0, Reduction::Mean)),
        Sample::new("one target for a row", inputs, |x| {
            call(x, &Tensor::new([[1], [-1]]), 0.5, Reduction::Mean)
        }),
        Sample::new("gradient of the target", with_target, |x| call(x, &x[2], 0.5, Reduction::Mean)),
        Sample::new("one score against many", [distinct(1, [2, 1]), distinct(2, [2, 3])], |x| {
            call(x, &Tensor::new([[1]]), 0.5, Reduction::Sum)
        }),
    ]);
    samples
}

pub(super) const ROW: Row = Row {
    kinks: || {
        let call = |x: &Tensor| call(&[x.clone(), Tensor::zeros_like(x)?], &Tensor::new([1]), 0.5, Reduction::Mean);
        vec![Kink { at: 0.5, call, derivative: 0.0 }]
    },
    errors: || {
        let x = |shape: [usize; 2]| values(1, shape);
        let y = || Tensor::new([[1, -1, 1], [-1, 1, -1]]);
        vec![
            Refusal::new(&["[2, 3]", "[2, 2]"], move || call(&[x([2, 3]), x([2, 2])], &y(), 0.0, Reduction::Mean)),
            Refusal::new(&["[2, 3]", "target [3]"], move || {
                call(&[x([2, 3]), x([2, 3])], &Tensor::new([1, 1, 1]), 0.0, Reduction::Mean)
            }),
            Refusal::new(&["float64", "float32"], move || {
                call(&[x([2, 3]), Tensor::new([[1.0; 3]; 2])], &y(), 0.0, Reduction::Mean)
            }),
            Refusal::new(&["int64"], move || call(&[y(), y()], &y(), 0.0, Reduction::Mean)),
            Refusal::new(&["bool"], move || {
                call(&[x([2, 3]), x([2, 3])], &Tensor::new([[true; 3]; 2]), 0.0, Reduction::Mean)
            }),
        ]
    },
    bench: &[(&[&[1_000_000], &[1_000_000]], |x| {
        let y = Tensor::full(x[0].shape(), -1.0, x[0].dtype())?;
        Ok(vec![call(x, &y, 0.5, Reduction::Mean)?])
    })],
    ..Row::new(NAME, "torch.nn.functional.margin_ranking_loss", samples)
};
