//! The loss of distances between pairs that are alike or not.

use crate::elementwise::{ElementwiseLoss, Float, elementwise};
use crate::{Reduction, check, samples};
use chainrule_tensor::table::{Kink, Refusal, Row, Sample, distinct, values};
use chainrule_tensor::{Result, Tensor};

/// The loss of distances between pairs that are alike or not (PyTorch: `torch.nn.HingeEmbeddingLoss`); see
/// [`hinge_embedding_loss`].
#[derive(Clone, Debug)]
pub struct HingeEmbeddingLoss {
    /// The distance from which on a pair that is not alike costs nothing. Default: 1.
    pub margin: f64,
    /// What becomes of the losses of single elements. Default: their mean.
    pub reduction: Reduction,
}

impl Default for HingeEmbeddingLoss {
    fn default() -> Self {
        HingeEmbeddingLoss { margin: 1.0, reduction: Reduction::default() }
    }
}

criterion!(HingeEmbeddingLoss, hinge_embedding_loss);

const NAME: &str = "hinge_embedding_loss";

#[derive(Clone, Copy)]
struct HingeEmbedding {
    margin: f64,
}

impl ElementwiseLoss for HingeEmbedding {
    const NAME: &'static str = NAME;
    // A target that is neither 1 nor −1 counts as both, as in PyTorch.
    #[inline(always)]
    fn f<T: Float>(self, [x, y]: [T; 2]) -> T {
        let apart = if y == T::ONE { T::ZERO } else { (T::of(self.margin) - x).maximum(T::ZERO) };
        let together = if y == -T::ONE { T::ZERO } else { x };
        apart + together
    }
    #[inline(always)]
    fn df<T: Float>(self, operand: usize, [x, y]: [T; 2]) -> T {
        let apart = if y != T::ONE && T::of(self.margin) > x { -T::ONE } else { T::ZERO };
        let together = if y == -T::ONE { T::ZERO } else { T::ONE };
        if operand == 0 { apart + together } else { T::ZERO }
    }
    fn df_formula(self, operand: usize, [x, y]: [&Tensor; 2]) -> Result<Tensor> {
        if operand == 1 {
            return Tensor::zeros_like(y);
        }
        let apart = y.ne(1.0)?.logical_and(&x.lt(self.margin)?)?.to_dtype(x.dtype())?;
        y.ne(-1.0)?.to_dtype(x.dtype())?.sub(&apart)
    }
}

/// The loss of each distance x of the input, of a pair that is alike (target y = 1) or not (y = −1), reduced:
/// their mean unless the options say otherwise (PyTorch: `torch.nn.functional.hinge_embedding_loss`). It is x for
/// y = 1, and max(0, margin − x) for y = −1; any other y counts as both. Gradients flow to the input, and are 0
/// for y = −1 where x is the margin.
///
/// The target may be `i64`. It has the shape of the input; sizes of 1 repeat.
///
/// Source: Hadsell, Chopra and LeCun, *Dimensionality Reduction by Learning an Invariant Mapping* (2006), with
/// the distance in the place of its square.
///
/// ```
/// # use chainrule_loss::{HingeEmbeddingLoss, hinge_embedding_loss};
/// # use chainrule_tensor::{Tensor, Result};
/// # fn main() -> Result<()> {
/// let (distances, alike) = (Tensor::new([0.5, 0.25, 3.0]), Tensor::new([1, -1, -1]));
/// let loss = hinge_embedding_loss(&distances, &alike, &HingeEmbeddingLoss::new())?;
/// assert!((loss.item()? - (0.5 + 0.75) / 3.0).abs() < 1e-6);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For an input that is not floating-point, for a target of another floating-point dtype, and for shapes with
/// different numbers of dimensions or sizes that neither agree nor are 1.
#[track_caller]
pub fn hinge_embedding_loss(input: &Tensor, target: &Tensor, options: &HingeEmbeddingLoss) -> Result<Tensor> {
    let &HingeEmbeddingLoss { margin, reduction } = options;
    let target = check::labels(NAME, input, target)?;
    let [input, target] = check::broadcast(NAME, ["input", "target"], [input, &target])?;
    elementwise(HingeEmbedding { margin }, [&input, &target], None, reduction)
}

fn call(x: &Tensor, y: &Tensor, margin: f64, reduction: Reduction) -> Result<Tensor> {
    hinge_embedding_loss(x, y, &HingeEmbeddingLoss { margin, reduction })
}

pub(super) const ROW: Row = Row {
    kinks: || {
        let apart = |x: &Tensor| call(x, &Tensor::new([-1]), 1.0, Reduction::Mean);
        let together = |x: &Tensor| call(x, &Tensor::new([1]), 1.0, Reduction::Mean);
        let both = |x: &Tensor| call(x, &Tensor::new([0]), 1.0, Reduction::Mean);
        vec![
            Kink { at: 1.0, call: apart, derivative: 0.0 },
            Kink { at: 1.0, call: together, derivative: 1.0 },
            Kink { at: 1.0, call: both, derivative: 1.0 },
            Kink { at: 0.5, call: both, derivative: 0.0 },
        ]
    },
    errors: || {
        let x = || values(1, [2, 3]);
        vec![
            Refusal::new(&["[2, 3]", "[3]"], move || call(&x(), &values(2, [3]), 1.0, Reduction::Mean)),
            Refusal::new(&["[2, 3]", "[2, 2]"], move || call(&x(), &values(2, [2, 2]), 1.0, Reduction::Mean)),
            Refusal::new(&["float64", "float32"], move || {
                call(&x(), &Tensor::new([[1.0; 3]; 2]), 1.0, Reduction::Mean)
            }),
            Refusal::new(&["int64"], || call(&Tensor::new([1]), &Tensor::new([1]), 1.0, Reduction::Mean)),
        ]
    },
    bench: &[(&[&[1_000_000]], |x| {
        let y = Tensor::full(x[0].shape(), -1.0, x[0].dtype())?;
        Ok(vec![call(&x[0], &y, 1.0, Reduction::Mean)?])
    })],
    ..Row::new(NAME, "torch.nn.functional.hinge_embedding_loss", || {
        let y = || Tensor::new([[1, -1, -1], [-1, 1, -1]]);
        let x = || [distinct(1, [2, 3])];
        let mut samples =
            samples::reductions(&x(), |x, reduction| {
                call(&x[0], &Tensor::new([[1, -1, -1], [-1, 1, -1]]), 1.0, reduction)
            });
        samples.extend([
            Sample::new("margin 0.1", x(), move |x| call(&x[0], &y(), 0.1, Reduction::Mean)),
            Sample::new("one target for a column", x(), |x| {
                call(&x[0], &Tensor::new([[1, -1, -1]]), 1.0, Reduction::Mean)
            }),
        ]);
        samples
    })
};
