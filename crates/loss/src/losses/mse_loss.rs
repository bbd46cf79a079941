//! Mean squared error.

use crate::Reduction;
use crate::elementwise::{ElementwiseLoss, Float};
use crate::weighted::weighted;
use chainrule_tensor::table::{Refusal, Row, Sample, uniform, values};
use chainrule_tensor::{DType, Result, Tensor};

/// The squared error (x − y)² (PyTorch: `torch.nn.MSELoss`); see [`mse_loss`].
#[derive(Clone, Debug, Default)]
pub struct MSELoss {
    /// What becomes of the losses of single elements. Default: their mean, which divides by the sum of the weights
    /// where there are any.
    pub reduction: Reduction,
    /// A factor for the loss of each element, broadcast to the shape of the input. Default: none. PyTorch has it in
    /// the function only.
    pub weight: Option<Tensor>,
}

criterion!(MSELoss, mse_loss);

#[derive(Clone, Copy)]
struct SquaredError;

impl ElementwiseLoss for SquaredError {
    const NAME: &'static str = "mse_loss";
    #[inline(always)]
    fn f<T: Float>(self, [x, y]: [T; 2]) -> T {
        (x - y) * (x - y)
    }
    #[inline(always)]
    fn df<T: Float>(self, operand: usize, [x, y]: [T; 2]) -> T {
        let d = if operand == 0 { x - y } else { y - x };
        d + d
    }
    fn df_formula(self, operand: usize, [x, y]: [&Tensor; 2]) -> Result<Tensor> {
        if operand == 0 { x.sub(y)?.mul(2.0) } else { y.sub(x)?.mul(2.0) }
    }
}

/// The squared error (x − y)² of each element x of the input and y of the target, reduced: their mean unless
/// the options say otherwise (PyTorch: `torch.nn.functional.mse_loss`). Gradients flow to both.
///
/// ```
/// # use chainrule_loss::{MSELoss, mse_loss};
/// # use chainrule_tensor::{Tensor, Result};
/// # fn main() -> Result<()> {
/// let loss = mse_loss(&Tensor::new([1.0, 2.0]), &Tensor::new([1.0, 4.0]), &MSELoss::new())?;
/// assert_eq!(loss.item()?, 2.0);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For different shapes (PyTorch broadcasts them with a warning), and for different dtypes or ones that are
/// not floating-point, and for a weight that does not broadcast to the input's shape.
#[track_caller]
pub fn mse_loss(input: &Tensor, target: &Tensor, options: &MSELoss) -> Result<Tensor> {
    weighted(SquaredError, [input, target], options.weight.as_ref(), options.reduction)
}

fn weighted_call(x: &[Tensor]) -> Result<Tensor> {
    mse_loss(&x[0], &x[1], &MSELoss { weight: Some(x[2].clone()), ..Default::default() })
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["[4, 1]", "[4]"], || {
                mse_loss(&values(1, [4, 1]), &values(2, [4]), &MSELoss::new())
            }),
            Refusal::new(&["weight", "[2]", "[2, 3]"], || {
                weighted_call(&[values(1, [2, 3]), values(2, [2, 3]), values(3, [2])])
            }),
            Refusal::new(&["float64", "int64"], || {
                mse_loss(&values(1, [2]), &Tensor::new([1, 2]), &MSELoss::new())
            }),
            Refusal::new(&["int64"], || {
                mse_loss(&Tensor::new([1, 2]), &Tensor::full([2], 0.0, DType::I64)?, &MSELoss::new())
            }),
        ]
    },
    bench: &[(&[&[1_000_000], &[1_000_000]], |x| Ok(vec![mse_loss(&x[0], &x[1], &MSELoss::new())?]))],
    ..Row::new("mse_loss", "torch.nn.functional.mse_loss", || {
        let sample = |label, reduction| {
            Sample::new(label, [values(1, [2, 3]), values(2, [2, 3])], move |x| {
                mse_loss(&x[0], &x[1], &MSELoss { reduction, ..Default::default() })
            })
        };
        vec![
            sample("none", Reduction::None),
            sample("mean", Reduction::Mean),
            sample("mean or zero", Reduction::MeanOrZero),
            sample("sum", Reduction::Sum),
            Sample::new("weight", [values(1, [2, 3]), values(2, [2, 3]), uniform(3, [3], 0.5, 2.0)], weighted_call),
            Sample::new("0-d", [values(1, []), values(2, [])], |x| mse_loss(&x[0], &x[1], &MSELoss::new())),
        ]
    })
};
