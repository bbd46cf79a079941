//! The loss of angles between pairs of vectors that are alike or not.

use crate::rows::{Row as Given, RowLoss, rows, sums};
use crate::{Reduction, check, samples};
use chainrule_kernels::Float;
use chainrule_tensor::table::{Kink, Refusal, Row, Sample, values};
use chainrule_tensor::{DType, Result, Shape, Tensor, bail};

/// The loss of angles between pairs of vectors (PyTorch: `torch.nn.CosineEmbeddingLoss`); see
/// [`cosine_embedding_loss`].
#[derive(Clone, Debug, Default)]
pub struct CosineEmbeddingLoss {
    /// The cosine up to which a pair that is not alike costs nothing, from −1 to 1. Default: 0.
    pub margin: f64,
    /// What becomes of the losses of single pairs. Default: their mean.
    pub reduction: Reduction,
}

criterion!(CosineEmbeddingLoss, cosine_embedding_loss, (input1, input2, target));

const NAME: &str = "cosine_embedding_loss";

/// What is added to the square of each length, so that a vector of zeros has an angle. PyTorch has it as a 32-bit
/// number, whatever the dtype.
const EPSILON: f64 = 1e-12f32 as f64;

/// The loss of each pair of vectors a of the first input and b of the second, that are alike (target y = 1) or not
/// (y = −1), reduced: their mean unless the options say otherwise (PyTorch:
/// `torch.nn.functional.cosine_embedding_loss`). With c = a·b / √((a² + 10⁻¹²)(b² + 10⁻¹²)), their cosine, it is
/// 1 − c for y = 1, max(0, c − margin) for y = −1, and 0 for any other y. Gradients flow to both inputs.
///
/// The inputs are `[N, D]` with a target `[N]`, or `[D]` with a target that is 0-d; sizes of 1 of one input
/// or of the target repeat. The target may be `i64`.
///
/// ```
/// # use chainrule_loss::{CosineEmbeddingLoss, cosine_embedding_loss};
/// # use chainrule_tensor::{Tensor, Result};
/// # fn main() -> Result<()> {
/// let (a, b) = (Tensor::new([[1.0, 0.0], [1.0, 0.0]]), Tensor::new([[0.0, 2.0], [3.0, 4.0]]));
/// let loss = cosine_embedding_loss(&a, &b, &Tensor::new([1, -1]), &CosineEmbeddingLoss::new())?;
/// assert!((loss.item()? - (1.0 + 0.6) / 2.0).abs() < 1e-6);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For inputs or a target of other shapes, for inputs that are not floating-point, and for different
/// floating-point dtypes.
#[track_caller]
pub fn cosine_embedding_loss(
    input1: &Tensor,
    input2: &Tensor,
    target: &Tensor,
    options: &CosineEmbeddingLoss,
) -> Result<Tensor> {
    let &CosineEmbeddingLoss { margin, reduction } = options;
    check::labels(NAME, input1, target)?;
    check::same_dtype(NAME, input1, "second input", input2)?;
    let [a, b] = check::broadcast(NAME, ["input1", "input2"], [input1, input2])?;
    let shape: Shape = a.shape().iter().copied().take(a.rank().max(1) - 1).collect();
    let fits = *target.shape() == shape || a.rank() == 2 && *target.shape() == [1];
    if !(1..=2).contains(&a.rank()) || !fits {
        bail!(
            Shape,
            NAME,
            "the inputs have shapes {} and {} and the target {}: inputs are [N, D] with a target [N] or [1], or [D] with a 0-d target",
            input1.shape(),
            input2.shape(),
            target.shape()
        );
    }
    let labels = target.expand(&shape)?.to_dtype(DType::F64)?.contiguous()?;
    let labels = labels.as_slice::<f64>()?.to_vec();
    reduction.reduce(&rows(CosineEmbedding { margin, labels }, [&a, &b], shape)?)
}

/// The losses of pairs with their labels.
struct CosineEmbedding {
    margin: f64,
    labels: Vec<f64>,
}

/// The cosine between two vectors, and their lengths.
struct Angle {
    cosine: f64,
    lengths: [f64; 2],
}

/// Computed from the vectors times a number each.
#[inline(always)]
fn angle<T: Float>(vectors: [&[T]; 2], [p, q]: [f64; 2]) -> Angle {
    let [product, a, b] = sums(vectors, |[a, b]| {
        let (a, b) = (p * a.to_f64(), q * b.to_f64());
        [a * b, a * a, b * b]
    });
    let (a, b) = ((a + p * p * EPSILON).sqrt(), (b + q * q * EPSILON).sqrt());
    Angle { cosine: product / (a * b), lengths: [a / p, b / q] }
}

/// The largest size of a number; 1 where all are smaller.
fn largest<T: Float>(v: &[T]) -> f64 {
    v.iter().fold(1.0, |most: f64, &v| most.max(v.to_f64().abs()))
}

impl RowLoss<2, 4> for CosineEmbedding {
    const NAME: &'static str = NAME;

    /// Kept are the factors p, q and r of ∂f/∂a = p·b + q·a and ∂f/∂b = p·a + r·b.
    #[inline(always)]
    fn f<T: Float>(&self, i: usize, vectors: [&[T]; 2]) -> (T, [f64; 4]) {
        let mut angle = angle(vectors, [1.0; 2]);
        if !angle.lengths.iter().all(|length| length.is_finite()) {
            // Squares of `f64` may be too large.
            angle = self::angle(vectors, vectors.map(|v| 1.0 / largest(v)));
        }
        let Angle { cosine, lengths } = angle;
        let (loss, slope) = match self.labels[i] {
            1.0 => (1.0 - cosine, -1.0),
            -1.0 if cosine <= self.margin => (0.0, 0.0),
            -1.0 => (cosine - self.margin, 1.0),
            _ => (0.0, 0.0),
        };
        (T::from_f64(loss), [slope, cosine, 1.0 / lengths[0], 1.0 / lengths[1]])
    }

    #[inline(always)]
    fn df<T: Float>(&self, operand: usize, _: usize, row: Given<'_, T, 2, 4>, out: &mut [T]) {
        let ([a, b], [slope, cosine, p, q]) = (row.vectors, row.kept);
        let ((own, p), (other, q)) = if operand == 0 { ((a, p), (b, q)) } else { ((b, q), (a, p)) };
        // (other/‖other‖ − cosine·own/‖own‖)/‖own‖: products of two lengths may be too large.
        // In `f64`: of vectors of nearly one direction the products cancel.
        let (whole, along) = (row.g * slope * p, cosine * p);
        for ((out, &own), &other) in out.iter_mut().zip(own).zip(other) {
            *out = T::from_f64(whole * (q * other.to_f64() - along * own.to_f64()));
        }
    }

    fn formula(&self, [a, b]: [&Tensor; 2]) -> Result<Tensor> {
        let target = Tensor::from_vec(self.labels.clone(), &a.shape()[..a.rank() - 1])?;
        // Long vectors are made shorter: the cosine does not depend on what by.
        let size = |v: &Tensor| match v.size(-1)? {
            0 => Tensor::full([1], 1.0, v.dtype()),
            _ => v.detach().abs()?.amax(-1, true)?.clamp(Some(1.0), None),
        };
        let sizes = (size(a)?, size(b)?);
        let (a, b) = (a.div(&sizes.0)?, b.div(&sizes.1)?);
        let square = |v: &Tensor, size: &Tensor| {
            let epsilon = size.reciprocal()?.square()?.mul(EPSILON)?;
            v.square()?.sum_dim(-1, true)?.add(&epsilon)?.squeeze_dim(-1)
        };
        let lengths = square(&a, &sizes.0)?.mul(&square(&b, &sizes.1)?)?.sqrt()?;
        let cosine = a.mul(&b)?.sum_dim(-1, false)?.div(&lengths)?;
        let alike = cosine.neg()?.add(1.0)?.masked_fill(&target.ne(1.0)?, 0.0)?;
        let apart = cosine.sub(self.margin)?.relu()?.masked_fill(&target.ne(-1.0)?, 0.0)?;
        alike.add(&apart)
    }
}

fn call(x: &[Tensor], y: &Tensor, margin: f64, reduction: Reduction) -> Result<Tensor> {
    cosine_embedding_loss(&x[0], &x[1], y, &CosineEmbeddingLoss { margin, reduction })
}

pub(super) const ROW: Row = Row {
    kinks: || {
        // The vectors are at a right angle or the same; the derivative turns one of them.
        let right = |x: &Tensor| {
            let one = Tensor::ones_like(x)?;
            let a = Tensor::stack(&[&one, x], -1)?;
            let b = Tensor::stack(&[&Tensor::zeros_like(x)?, &one], -1)?;
            call(&[a, b], &Tensor::new([-1]), 0.0, Reduction::Mean)
        };
        vec![Kink { at: 0.0, call: right, derivative: 0.0 }]
    },
    errors: || {
        let call = |y: Tensor, a: Tensor, b: Tensor| call(&[a, b], &y, 0.0, Reduction::Mean);
        let y = || Tensor::new([1, -1]);
        vec![
            Refusal::new(&["[2, 3]", "[2, 4]"], move || call(y(), values(1, [2, 3]), values(2, [2, 4]))),
            Refusal::new(&["[2, 3]", "[3]"], move || call(y(), values(1, [2, 3]), values(2, [3]))),
            Refusal::new(&["[2, 3]", "[]"], move || call(Tensor::new(1), values(1, [2, 3]), values(2, [2, 3]))),
            Refusal::new(&["target", "[3]"], move || {
                call(Tensor::new([1, 1, 1]), values(1, [2, 3]), values(2, [2, 3]))
            }),
            Refusal::new(&["int64"], move || call(y(), Tensor::new([[1], [2]]), Tensor::new([[1], [2]]))),
        ]
    },
    bench: &[(&[&[4096, 128], &[4096, 128]], |x| {
        Ok(vec![call(x, &Tensor::full([4096], 1.0, x[0].dtype())?, 0.0, Reduction::Mean)?])
    })],
    ..Row::new(NAME, "torch.nn.functional.cosine_embedding_loss", || {
        let inputs = [values(1, [4, 3]), values(2, [4, 3])];
        let mut samples = samples::reductions(&inputs, |x, reduction| {
            call(x, &Tensor::new([1, -1, -1, 1]), 0.0, reduction)
        });
        samples.extend([
            Sample::new("margin", inputs, |x| call(x, &Tensor::new([-1, -1, -1, 0]), -0.9, Reduction::Mean)),
            Sample::new("one pair", [values(3, [3]), values(4, [3])], |x| {
                call(x, &Tensor::new(1), 0.0, Reduction::Mean)
            }),
        ]);
        samples
    })
};
