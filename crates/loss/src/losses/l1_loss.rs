//! Mean absolute error.

use crate::Reduction;
use crate::elementwise::{ElementwiseLoss, Float};
use crate::weighted::weighted;
use chainrule_tensor::table::{Kink, Refusal, Row, Sample, uniform, values};
use chainrule_tensor::{Result, Tensor};

/// The absolute error |x − y| (PyTorch: `torch.nn.L1Loss`); see [`l1_loss`].
#[derive(Clone, Debug, Default)]
pub struct L1Loss {
    /// What becomes of the losses of single elements. Default: their mean, which divides by the sum of the weights
    /// where there are any.
    pub reduction: Reduction,
    /// A factor for the loss of each element, broadcast to the shape of the input. Default: none. PyTorch has it in
    /// the function only.
    pub weight: Option<Tensor>,
}

criterion!(L1Loss, l1_loss);

#[derive(Clone, Copy)]
struct AbsoluteError;

impl ElementwiseLoss for AbsoluteError {
    const NAME: &'static str = "l1_loss";
    #[inline(always)]
    fn f<T: Float>(self, [x, y]: [T; 2]) -> T {
        (x - y).abs()
    }
    #[inline(always)]
    fn df<T: Float>(self, operand: usize, [x, y]: [T; 2]) -> T {
        let d = if operand == 0 { x - y } else { y - x };
        if d > T::ZERO {
            T::ONE
        } else if d < T::ZERO {
            -T::ONE
        } else {
            T::ZERO
        }
    }
    fn df_formula(self, operand: usize, [x, y]: [&Tensor; 2]) -> Result<Tensor> {
        if operand == 0 { x.sub(y)?.sign() } else { y.sub(x)?.sign() }
    }
}

/// The absolute error |x − y| of each element x of the input and y of the target, reduced: their mean unless
/// the options say otherwise (PyTorch: `torch.nn.functional.l1_loss`). Gradients flow to both, and are 0 where
/// x = y.
///
/// ```
/// # use chainrule_loss::{L1Loss, l1_loss};
/// # use chainrule_tensor::{Tensor, Result};
/// # fn main() -> Result<()> {
/// let loss = l1_loss(&Tensor::new([1.0, 2.0]), &Tensor::new([1.0, 4.0]), &L1Loss::new())?;
/// assert_eq!(loss.item()?, 1.0);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For different shapes (PyTorch broadcasts them with a warning), and for different dtypes or ones that are
/// not floating-point, and for a weight that does not broadcast to the input's shape.
#[track_caller]
pub fn l1_loss(input: &Tensor, target: &Tensor, options: &L1Loss) -> Result<Tensor> {
    weighted(AbsoluteError, [input, target], options.weight.as_ref(), options.reduction)
}

pub(super) const ROW: Row = Row {
    kinks: || {
        vec![Kink { at: 0.0, call: |x| l1_loss(x, &Tensor::zeros_like(x)?, &L1Loss::new()), derivative: 0.0 }]
    },
    errors: || {
        vec![Refusal::new(&["[2, 3]", "[3]"], || {
            l1_loss(&values(1, [2, 3]), &values(2, [3]), &L1Loss::new())
        })]
    },
    bench: &[(&[&[1_000_000], &[1_000_000]], |x| Ok(vec![l1_loss(&x[0], &x[1], &L1Loss::new())?]))],
    ..Row::new("l1_loss", "torch.nn.functional.l1_loss", || {
        let sample = |label, reduction| {
            Sample::new(label, [values(1, [2, 3]), values(2, [2, 3])], move |x| {
                l1_loss(&x[0], &x[1], &L1Loss { reduction, ..Default::default() })
            })
        };
        vec![
            sample("none", Reduction::None),
            sample("mean", Reduction::Mean),
            sample("sum", Reduction::Sum),
            Sample::new("weight", [values(1, [2, 3]), values(2, [2, 3]), uniform(3, [2, 1], 0.5, 2.0)], |x| {
                l1_loss(&x[0], &x[1], &L1Loss { weight: Some(x[2].clone()), ..Default::default() })
            }),
        ]
    })
};
