//! Binary cross-entropy of logits.

use crate::elementwise::{ElementwiseLoss, Float, elementwise};
use crate::limits::times;
use crate::{Reduction, check, samples};
use chainrule_tensor::table::{Kink, Refusal, Row, Sample, cast, uniform, values};
use chainrule_tensor::{Result, Tensor};

/// Binary cross-entropy of logits (PyTorch: `torch.nn.BCEWithLogitsLoss`); see
/// [`binary_cross_entropy_with_logits`].
#[derive(Clone, Debug, Default)]
pub struct BCEWithLogitsLoss {
    /// A factor for the loss of each element, broadcast to the shape of the input. Default: none.
    pub weight: Option<Tensor>,
    /// What becomes of the losses of single elements. Default: their mean, which divides by their number
    /// whatever the weights.
    pub reduction: Reduction,
    /// A factor for the part of the loss that belongs to positive targets, broadcast to the shape of the input:
    /// `[C]` has one for each class of an input `[N, C]`. Default: none.
    pub pos_weight: Option<Tensor>,
}

criterion!(BCEWithLogitsLoss, binary_cross_entropy_with_logits);

const NAME: &str = "binary_cross_entropy_with_logits";

/// −ln σ(x) = ln(1 + e⁻ˣ), finite for every finite x.
#[inline(always)]
pub(super) fn negative_log_sigmoid<T: Float>(x: T) -> T {
    (-x).maximum(T::ZERO) + (-x.abs()).exp().ln_1p()
}

/// −y·ln σ(x) − (1 − y)·ln σ(−x): |x| times what the target gives to the other side, which may be 0 where x is infinite,
/// and what is less than ln 2.
#[inline(always)]
pub(super) fn logit_cross_entropy<T: Float>(x: T, y: T) -> T {
    let other = if x < T::ZERO { y } else { T::ONE - y };
    other.times(x.abs()) + (-x.abs()).exp().ln_1p()
}

/// The same, written with tensor operations.
pub(super) fn logit_cross_entropy_formula(x: &Tensor, y: &Tensor) -> Result<Tensor> {
    let own = times(y, &negative_log_sigmoid_formula(x)?)?;
    own.add(&times(&y.neg()?.add(1.0)?, &negative_log_sigmoid_formula(&x.neg()?)?)?)
}

/// The same, written with tensor operations.
pub(super) fn negative_log_sigmoid_formula(x: &Tensor) -> Result<Tensor> {
    // Beyond 40 the exponential is below the precision of f64.
    x.neg()?.softplus(1.0, 40.0)
}

#[derive(Clone, Copy)]
struct Plain;

impl ElementwiseLoss for Plain {
    const NAME: &'static str = NAME;
    const COST_NS: f64 = 4.0;
    #[inline(always)]
    fn f<T: Float>(self, [x, y]: [T; 2]) -> T {
        logit_cross_entropy(x, y)
    }
    #[inline(always)]
    fn df<T: Float>(self, operand: usize, [x, y]: [T; 2]) -> T {
        if operand == 0 { x.sigmoid() - y } else { -x }
    }
    fn df_formula(self, operand: usize, [x, y]: [&Tensor; 2]) -> Result<Tensor> {
        if operand == 0 { x.sigmoid()?.sub(y) } else { x.neg() }
    }
}

/// With a weight p for positive targets as the third operand.
#[derive(Clone, Copy)]
struct Weighted;

impl ElementwiseLoss<3> for Weighted {
    const NAME: &'static str = NAME;
    const COST_NS: f64 = 4.0;
    #[inline(always)]
    fn f<T: Float>(self, [x, y, p]: [T; 3]) -> T {
        let other = if x < T::ZERO { p * y } else { T::ONE - y };
        other.times(x.abs()) + (T::ONE + (p - T::ONE) * y) * (-x.abs()).exp().ln_1p()
    }
    #[inline(always)]
    fn df<T: Float>(self, operand: usize, [x, y, p]: [T; 3]) -> T {
        match operand {
            0 => (T::ONE + (p - T::ONE) * y) * x.sigmoid() - p * y,
            1 => p.times(negative_log_sigmoid(x)) - negative_log_sigmoid(-x),
            _ => y.times(negative_log_sigmoid(x)),
        }
    }
    fn df_formula(self, operand: usize, [x, y, p]: [&Tensor; 3]) -> Result<Tensor> {
        match operand {
            0 => p.sub(1.0)?.mul(y)?.add(1.0)?.mul(&x.sigmoid()?)?.sub(&p.mul(y)?),
            1 => times(p, &negative_log_sigmoid_formula(x)?)?.sub(&negative_log_sigmoid_formula(&x.neg()?)?),
            _ => times(y, &negative_log_sigmoid_formula(x)?),
        }
    }
}

/// −w·(p·y·ln σ(x) + (1 − y)·ln(1 − σ(x))) of each logit x of the input and y of the target, where σ is the
/// sigmoid, reduced: the mean unless the options say otherwise (PyTorch:
/// `torch.nn.functional.binary_cross_entropy_with_logits`). w is the weight and p the weight of positive
/// targets, 1 where not given. Gradients flow to the input, the target and both weights.
///
/// It is computed from |x| and ln(1 + e^−|x|), which are finite for every finite logit:
/// [`binary_cross_entropy`](crate::binary_cross_entropy) of a sigmoid is not as precise. At infinite logits the loss has
/// its limit, 0 where they are right (PyTorch: NaN).
///
/// ```
/// # use chainrule_loss::{BCEWithLogitsLoss, binary_cross_entropy_with_logits};
/// # use chainrule_tensor::{Tensor, Result};
/// # fn main() -> Result<()> {
/// let (x, y) = (Tensor::new([0.0, -1000.0]), Tensor::new([1.0, 1.0]));
/// let loss = binary_cross_entropy_with_logits(&x, &y, &BCEWithLogitsLoss::new())?;
/// assert!((loss.item()? - (2f64.ln() + 1000.0) / 2.0).abs() < 1e-4);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For different shapes, for different dtypes or ones that are not floating-point, and for weights that do not
/// broadcast to the input's shape.
#[track_caller]
pub fn binary_cross_entropy_with_logits(
    input: &Tensor,
    target: &Tensor,
    options: &BCEWithLogitsLoss,
) -> Result<Tensor> {
    let BCEWithLogitsLoss { weight, reduction, pos_weight } = options;
    let Some(pos_weight) = pos_weight else {
        return elementwise(Plain, [input, target], weight.as_ref(), *reduction);
    };
    let pos_weight = check::expanded(NAME, input, "pos_weight", pos_weight)?;
    elementwise(Weighted, [input, target, &pos_weight], weight.as_ref(), *reduction)
}

fn call(x: &[Tensor], options: BCEWithLogitsLoss) -> Result<Tensor> {
    let like = |weight: Option<Tensor>| weight.map(|weight| cast(&weight, x[0].dtype()));
    let (weight, pos_weight) = (like(options.weight), like(options.pos_weight));
    let options = BCEWithLogitsLoss { weight, pos_weight, ..options };
    binary_cross_entropy_with_logits(&x[0], &x[1], &options)
}

/// The loss with `x[2]` as weights, which thereby get a gradient.
fn weighted(x: &[Tensor], pos_weight: bool, reduction: Reduction) -> Result<Tensor> {
    let (weight, pos_weight) = if pos_weight { (None, Some(&x[2])) } else { (Some(&x[2]), None) };
    let options = BCEWithLogitsLoss { weight: weight.cloned(), reduction, pos_weight: pos_weight.cloned() };
    binary_cross_entropy_with_logits(&x[0], &x[1], &options)
}

fn samples() -> Vec<Sample> {
    let inputs = [values(1, [2, 3]), uniform(2, [2, 3], 0.0, 1.0)];
    let weights = || Some(uniform(3, [3], 0.5, 2.0));
    let with_weights = [inputs.as_slice(), &[uniform(3, [3], 0.5, 2.0)]].concat();
    let far = [values(4, [6]).mul(20.0).expect("floats"), uniform(5, [6], 0.0, 1.0)];
    let mut samples =
        samples::reductions(&inputs, |x, reduction| call(x, BCEWithLogitsLoss { reduction, ..Default::default() }));
    samples.extend([
        Sample::new("large logits", far, |x| call(x, BCEWithLogitsLoss::new())),
        Sample::new("weight", inputs.clone(), move |x| {
            call(x, BCEWithLogitsLoss { weight: weights(), ..Default::default() })
        }),
        Sample::new("pos_weight", inputs.clone(), move |x| {
            call(x, BCEWithLogitsLoss { pos_weight: weights(), ..Default::default() })
        }),
        Sample::new("both weights, none", inputs, move |x| {
            let (weight, pos_weight) = (weights(), Some(uniform(6, [2, 1], 0.5, 2.0)));
            call(x, BCEWithLogitsLoss { weight, pos_weight, reduction: Reduction::None })
        }),
        Sample::new("gradient of the weight", with_weights.clone(), |x| weighted(x, false, Reduction::Sum)),
        Sample::new("gradient of pos_weight", with_weights.clone(), |x| weighted(x, true, Reduction::Mean)),
        Sample::new("gradient of pos_weight, none", with_weights, |x| weighted(x, true, Reduction::None)),
    ]);
    samples
}

fn errors() -> Vec<Refusal> {
    let x = || values(1, [2, 3]);
    let wide = || Some(values(2, [2]));
    vec![
        Refusal::new(&["[2, 3]", "[3]"], move || call(&[x(), values(2, [3])], BCEWithLogitsLoss::new())),
        Refusal::new(&["float64", "int64"], || {
            call(&[values(1, [2]), Tensor::new([0, 1])], BCEWithLogitsLoss::new())
        }),
        Refusal::new(&["weight", "[2]", "[2, 3]"], move || {
            call(&[x(), x()], BCEWithLogitsLoss { weight: wide(), ..Default::default() })
        }),
        Refusal::new(&["pos_weight", "[2]", "[2, 3]"], move || {
            call(&[x(), x()], BCEWithLogitsLoss { pos_weight: wide(), ..Default::default() })
        }),
        Refusal::new(&["pos_weight", "float32"], move || {
            let pos_weight = Some(Tensor::new([1.0, 2.0, 3.0]));
            let options = BCEWithLogitsLoss { pos_weight, ..Default::default() };
            binary_cross_entropy_with_logits(&x(), &x(), &options)
        }),
    ]
}

pub(super) const ROW: Row = Row {
    kinks: || {
        let positive = |x: &Tensor| call(&[x.clone(), Tensor::ones_like(x)?], BCEWithLogitsLoss::new());
        vec![
            Kink { at: -1000.0, call: positive, derivative: -1.0 },
            Kink { at: 0.0, call: positive, derivative: -0.5 },
            Kink { at: 1000.0, call: positive, derivative: 0.0 },
        ]
    },
    errors,
    bench: &[(&[&[1_000_000], &[1_000_000]], |x| Ok(vec![call(x, BCEWithLogitsLoss::new())?]))],
    ..Row::new(NAME, "torch.nn.functional.binary_cross_entropy_with_logits", samples)
};
