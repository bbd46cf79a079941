//! The absolute error, rounded off near 0.

use crate::elementwise::{ElementwiseLoss, Float, elementwise};
use crate::{Reduction, check, samples};
use chainrule_tensor::table::{Kink, Refusal, Row, Sample, distinct, values};
use chainrule_tensor::{Result, Tensor};

/// The smooth absolute error (PyTorch: `torch.nn.SmoothL1Loss`); see [`smooth_l1_loss`].
#[derive(Clone, Debug)]
pub struct SmoothL1Loss {
    /// What becomes of the losses of single elements. Default: their mean.
    pub reduction: Reduction,
    /// The distance β at which the loss turns from a square to a straight line, at least 0. With 0 it is the
    /// absolute error. Default: 1.
    pub beta: f64,
}

impl Default for SmoothL1Loss {
    fn default() -> Self {
        SmoothL1Loss { reduction: Reduction::default(), beta: 1.0 }
    }
}

criterion!(SmoothL1Loss, smooth_l1_loss);

#[derive(Clone, Copy)]
struct SmoothAbsoluteError {
    beta: f64,
}

impl ElementwiseLoss for SmoothAbsoluteError {
    const NAME: &'static str = "smooth_l1_loss";
    #[inline(always)]
    fn f<T: Float>(self, [x, y]: [T; 2]) -> T {
        let (z, beta, half) = ((x - y).abs(), T::of(self.beta), T::of(0.5));
        if z < beta { half * z * (z / beta) } else { z - half * beta }
    }
    #[inline(always)]
    fn df<T: Float>(self, operand: usize, [x, y]: [T; 2]) -> T {
        let d = if operand == 0 { x - y } else { y - x };
        // With β = 0 the quotient is infinite, or, at d = 0, not a number.
        let slope = (d / T::of(self.beta)).maximum(-T::ONE).minimum(T::ONE);
        if d == T::ZERO { d } else { slope }
    }
    fn df_formula(self, operand: usize, [x, y]: [&Tensor; 2]) -> Result<Tensor> {
        let d = if operand == 0 { x.sub(y)? } else { y.sub(x)? };
        if self.beta == 0.0 {
            return d.sign();
        }
        d.div(self.beta)?.clamp(Some(-1.0), Some(1.0))
    }
}

/// The smooth absolute error of each element x of the input and y of the target, reduced: their mean unless the
/// options say otherwise (PyTorch: `torch.nn.functional.smooth_l1_loss`). With d = x − y it is d² / 2β where
/// |d| < β, and |d| − β/2 elsewhere: [`huber_loss`](crate::huber_loss) divided by β. Gradients flow to both.
///
/// The loss is that of Girshick, *Fast R-CNN* (2015), where β is 1.
///
/// ```
/// # use chainrule_loss::{SmoothL1Loss, smooth_l1_loss};
/// # use chainrule_tensor::{Tensor, Result};
/// # fn main() -> Result<()> {
/// let (x, y) = (Tensor::new([0.5, 3.0]), Tensor::new([0.0, 0.0]));
/// let loss = smooth_l1_loss(&x, &y, &SmoothL1Loss::new())?;
/// assert_eq!(loss.item()?, (0.125 + 2.5) / 2.0);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For a negative β, for different shapes (PyTorch broadcasts them with a warning), and for different dtypes or
/// ones that are not floating-point.
#[track_caller]
pub fn smooth_l1_loss(input: &Tensor, target: &Tensor, options: &SmoothL1Loss) -> Result<Tensor> {
    let &SmoothL1Loss { reduction, beta } = options;
    check::option(SmoothAbsoluteError::NAME, "beta", beta, beta >= 0.0, "at least 0")?;
    elementwise(SmoothAbsoluteError { beta }, [input, target], None, reduction)
}

fn call(x: &[Tensor], beta: f64, reduction: Reduction) -> Result<Tensor> {
    smooth_l1_loss(&x[0], &x[1], &SmoothL1Loss { reduction, beta })
}

pub(super) const ROW: Row = Row {
    kinks: || {
        vec![Kink {
            at: 0.0,
            call: |x| call(&[x.clone(), Tensor::zeros_like(x)?], 0.0, Reduction::Mean),
            derivative: 0.0,
        }]
    },
    errors: || {
        let refusal = |mentions, shape, beta| {
            Refusal::new(mentions, move || call(&[values(1, [2, 3]), values(2, [shape])], beta, Reduction::Mean))
        };
        vec![
            refusal(&["[2, 3]", "[3]"], 3, 1.0),
            refusal(&["[2, 3]", "[3]"], 3, 0.0),
            refusal(&["beta", "-0.5"], 3, -0.5),
            refusal(&["beta", "NaN"], 3, f64::NAN),
        ]
    },
    bench: &[(&[&[1_000_000], &[1_000_000]], |x| Ok(vec![call(x, 1.0, Reduction::Mean)?]))],
    ..Row::new("smooth_l1_loss", "torch.nn.functional.smooth_l1_loss", || {
        // Differences on both sides of β, and not next to it.
        let inputs = [distinct(1, [4, 6]), distinct(2, [4, 6]).mul(0.5).expect("floats")];
        let sample = |label, beta| Sample::new(label, inputs.clone(), move |x| call(x, beta, Reduction::Mean));
        let mut samples = samples::reductions(&inputs, |x, reduction| call(x, 1.0, reduction));
        samples.extend([sample("beta 0.3", 0.3), sample("beta 0", 0.0)]);
        samples
    })
};
