//! The hinge loss of support vector machines.

use crate::elementwise::{ElementwiseLoss, Float, elementwise};
use crate::limits::times;
use crate::{Reduction, check, samples};
use chainrule_tensor::table::{Kink, Refusal, Row, Sample, distinct, values};
use chainrule_tensor::{Result, Tensor};

/// The hinge loss of support vector machines; see [`hinge_loss`].
#[derive(Clone, Debug, Default)]
pub struct HingeLoss {
    /// Whether losses are squared. Default: false.
    pub squared: bool,
    /// What becomes of the losses of single elements. Default: their mean.
    pub reduction: Reduction,
}

criterion!(HingeLoss, hinge_loss);

const NAME: &str = "hinge_loss";

#[derive(Clone, Copy)]
struct Hinge;

impl ElementwiseLoss for Hinge {
    const NAME: &'static str = NAME;
    #[inline(always)]
    fn f<T: Float>(self, [x, y]: [T; 2]) -> T {
        (T::ONE - y * x).maximum(T::ZERO)
    }
    #[inline(always)]
    fn df<T: Float>(self, operand: usize, [x, y]: [T; 2]) -> T {
        let slope = if operand == 0 { -y } else { -x };
        if T::ONE > y * x { slope } else { T::ZERO }
    }
    fn df_formula(self, operand: usize, [x, y]: [&Tensor; 2]) -> Result<Tensor> {
        let free = y.mul(x)?.lt(1.0)?.logical_not()?;
        if operand == 0 { y } else { x }.neg()?.masked_fill(&free, 0.0)
    }
}

#[derive(Clone, Copy)]
struct SquaredHinge;

impl ElementwiseLoss for SquaredHinge {
    const NAME: &'static str = NAME;
    #[inline(always)]
    fn f<T: Float>(self, [x, y]: [T; 2]) -> T {
        let z = (T::ONE - y * x).maximum(T::ZERO);
        z * z
    }
    #[inline(always)]
    fn df<T: Float>(self, operand: usize, [x, y]: [T; 2]) -> T {
        let z = (T::ONE - y * x).maximum(T::ZERO);
        (T::of(-2.0) * z).times(if operand == 0 { y } else { x })
    }
    fn df_formula(self, operand: usize, [x, y]: [&Tensor; 2]) -> Result<Tensor> {
        let z = y.mul(x)?.neg()?.add(1.0)?.relu()?.mul(-2.0)?;
        times(&z, if operand == 0 { y } else { x })
    }
}

/// The hinge loss max(0, 1 − y·x) of each score x of the input and label y, 1 or −1, of the target, squared where
/// the options say so, and reduced: their mean by default. Gradients flow to both, and are 0 where y·x = 1. The
/// target may be `i64`.
///
/// PyTorch has no such loss; [`multi_margin_loss`](crate::multi_margin_loss) is that of more than two classes. Source:
/// Cortes and Vapnik, *Support-Vector Networks* (1995). The penalty on the weights that belongs to a support
/// vector machine is the optimizer's `weight_decay`.
///
/// ```
/// # use chainrule_loss::{HingeLoss, hinge_loss};
/// # use chainrule_tensor::{Tensor, Result};
/// # fn main() -> Result<()> {
/// let (scores, labels) = (Tensor::new([2.0, 0.5, 0.5, 1.0]), Tensor::new([1, 1, -1, 1]));
/// assert_eq!(hinge_loss(&scores, &labels, &HingeLoss::new())?.item()?, (0.0 + 0.5 + 1.5 + 0.0) / 4.0);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For labels other than 1 and −1 (0 and 1 are those of
/// [`binary_cross_entropy_with_logits`](crate::binary_cross_entropy_with_logits)), for different shapes, for an
/// input that is not floating-point, and for a target of another floating-point dtype.
#[track_caller]
pub fn hinge_loss(input: &Tensor, target: &Tensor, options: &HingeLoss) -> Result<Tensor> {
    let target = check::labels(NAME, input, target)?.contiguous()?;
    check::same_shape(NAME, ("input", input), ("target", &target))?;
    let rule = "labels are 1 and -1: of labels 0 and 1 make them by 2y - 1";
    check::each(NAME, "target", &target, rule, |y| y == 1.0 || y == -1.0)?;
    match options.squared {
        false => elementwise(Hinge, [input, &target], None, options.reduction),
        true => elementwise(SquaredHinge, [input, &target], None, options.reduction),
    }
}

fn call(x: &Tensor, y: &Tensor, squared: bool, reduction: Reduction) -> Result<Tensor> {
    hinge_loss(x, y, &HingeLoss { squared, reduction })
}

fn labels() -> Tensor {
    Tensor::new([[1, -1, 1], [-1, 1, -1]])
}

pub(super) const ROW: Row = Row {
    kinks: || {
        let plain = |x: &Tensor| call(x, &Tensor::new([1]), false, Reduction::Mean);
        let squared = |x: &Tensor| call(x, &Tensor::new([1]), true, Reduction::Mean);
        vec![
            Kink { at: 1.0, call: plain, derivative: 0.0 },
            Kink { at: 1.0, call: squared, derivative: 0.0 },
            Kink { at: 0.0, call: squared, derivative: -2.0 },
        ]
    },
    errors: || {
        let refusal = |mentions, y: fn() -> Tensor| {
            Refusal::new(mentions, move || call(&values(1, [2, 3]), &y(), false, Reduction::Mean))
        };
        vec![
            refusal(&["[2, 3]", "[3]"], || Tensor::new([1, 1, -1])),
            refusal(&["target", "0", "(1, 0)", "2y - 1"], || Tensor::new([[1, 1, 1], [0, 0, 1]])),
            refusal(&["bool"], || Tensor::new([[true; 3]; 2])),
            refusal(&["float64", "float32"], || Tensor::new([[1.0; 3]; 2])),
            Refusal::new(&["int64"], || call(&Tensor::new([1]), &Tensor::new([1]), false, Reduction::Mean)),
        ]
    },
    bench: &[(&[&[1_000_000]], |x| {
        let y = Tensor::full(x[0].shape(), -1.0, x[0].dtype())?;
        Ok(vec![call(&x[0], &y, false, Reduction::Mean)?])
    })],
    ..Row::new(NAME, "", || {
        let x = || [distinct(1, [2, 3]).mul(5.0).expect("floats")];
        let mut samples = samples::reductions(&x(), |x, reduction| call(&x[0], &labels(), false, reduction));
        samples.extend([
            Sample::new("squared", x(), |x| call(&x[0], &labels(), true, Reduction::Mean)),
            Sample::new("squared, none", x(), |x| call(&x[0], &labels(), true, Reduction::None)),
        ]);
        samples
    })
};
