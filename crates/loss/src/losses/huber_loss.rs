//! Huber's loss: the squared error, made straight far from 0.

use crate::elementwise::{ElementwiseLoss, Float, elementwise};
use crate::{Reduction, check, samples};
use chainrule_tensor::table::{Refusal, Row, Sample, cast, distinct, uniform, values};
use chainrule_tensor::{Result, Tensor};

/// Huber's loss (PyTorch: `torch.nn.HuberLoss`); see [`huber_loss`].
#[derive(Clone, Debug)]
pub struct HuberLoss {
    /// What becomes of the losses of single elements. Default: their mean, which divides by their number
    /// whatever the weights.
    pub reduction: Reduction,
    /// The distance δ at which the loss turns from a square to a straight line, above 0. Default: 1.
    pub delta: f64,
    /// A factor for the loss of each element, broadcast to the shape of the input. Default: none.
    pub weight: Option<Tensor>,
}

impl Default for HuberLoss {
    fn default() -> Self {
        HuberLoss { reduction: Reduction::default(), delta: 1.0, weight: None }
    }
}

criterion!(HuberLoss, huber_loss);

#[derive(Clone, Copy)]
struct Huber {
    delta: f64,
}

impl ElementwiseLoss for Huber {
    const NAME: &'static str = "huber_loss";
    #[inline(always)]
    fn f<T: Float>(self, [x, y]: [T; 2]) -> T {
        let (z, delta, half) = ((x - y).abs(), T::of(self.delta), T::of(0.5));
        if z < delta { half * z * z } else { delta * (z - half * delta) }
    }
    #[inline(always)]
    fn df<T: Float>(self, operand: usize, [x, y]: [T; 2]) -> T {
        let (d, delta) = (if operand == 0 { x - y } else { y - x }, T::of(self.delta));
        d.maximum(-delta).minimum(delta)
    }
    fn df_formula(self, operand: usize, [x, y]: [&Tensor; 2]) -> Result<Tensor> {
        let d = if operand == 0 { x.sub(y)? } else { y.sub(x)? };
        d.clamp(Some(-self.delta), Some(self.delta))
    }
}

/// Huber's loss of each element x of the input and y of the target, reduced: their mean unless the options say
/// otherwise (PyTorch: `torch.nn.functional.huber_loss`). With d = x − y it is d²/2 where |d| < δ, and
/// δ·(|d| − δ/2) elsewhere, times the weight. Gradients flow to both and to the weight.
///
/// The loss is that of Huber, *Robust Estimation of a Location Parameter* (1964).
///
/// ```
/// # use chainrule_loss::{HuberLoss, huber_loss};
/// # use chainrule_tensor::{Tensor, Result};
/// # fn main() -> Result<()> {
/// let (x, y) = (Tensor::new([0.5, 3.0]), Tensor::new([0.0, 0.0]));
/// let loss = huber_loss(&x, &y, &HuberLoss { delta: 2.0, ..Default::default() })?;
/// assert_eq!(loss.item()?, (0.125 + 4.0) / 2.0);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For a δ that is not above 0, for different shapes (PyTorch broadcasts them with a warning), for different
/// dtypes or ones that are not floating-point, and for a weight that does not broadcast to the input's shape.
#[track_caller]
pub fn huber_loss(input: &Tensor, target: &Tensor, options: &HuberLoss) -> Result<Tensor> {
    let HuberLoss { reduction, delta, weight } = options;
    check::option(Huber::NAME, "delta", *delta, *delta > 0.0, "above 0")?;
    elementwise(Huber { delta: *delta }, [input, target], weight.as_ref(), *reduction)
}

fn call(x: &[Tensor], options: HuberLoss) -> Result<Tensor> {
    let weight = options.weight.map(|weight| cast(&weight, x[0].dtype()));
    huber_loss(&x[0], &x[1], &HuberLoss { weight, ..options })
}

pub(super) const ROW: Row = Row {
    errors: || {
        let refusal = |mentions, shape, delta| {
            let options = move || HuberLoss { delta, ..Default::default() };
            Refusal::new(mentions, move || call(&[values(1, [2, 3]), values(2, [shape])], options()))
        };
        vec![
            refusal(&["[2, 3]", "[3]"], 3, 1.0),
            refusal(&["delta", "0"], 3, 0.0),
            refusal(&["delta", "NaN"], 3, f64::NAN),
            Refusal::new(&["weight", "[2]", "[2, 3]"], || {
                let weight = Some(values(3, [2]));
                call(&[values(1, [2, 3]), values(2, [2, 3])], HuberLoss { weight, ..Default::default() })
            }),
        ]
    },
    bench: &[(&[&[1_000_000], &[1_000_000]], |x| Ok(vec![call(x, HuberLoss::new())?]))],
    ..Row::new("huber_loss", "torch.nn.functional.huber_loss", || {
        // Differences on both sides of δ, and not next to it.
        let inputs = [distinct(1, [4, 6]), distinct(2, [4, 6]).mul(0.5).expect("floats")];
        let weight = uniform(3, [6], 0.5, 2.0);
        let with_weight = [inputs.as_slice(), std::slice::from_ref(&weight)].concat();
        let mut samples =
            samples::reductions(&inputs, |x, reduction| call(x, HuberLoss { reduction, ..Default::default() }));
        samples.extend([
            Sample::new("delta 0.3", inputs.clone(), |x| call(x, HuberLoss { delta: 0.3, ..Default::default() })),
            Sample::new("weight", inputs, move |x| {
                call(x, HuberLoss { weight: Some(weight.clone()), ..Default::default() })
            }),
            Sample::new("gradient of the weight", with_weight, |x| {
                call(x, HuberLoss { weight: Some(x[2].clone()), ..Default::default() })
            }),
        ]);
        samples
    })
};
