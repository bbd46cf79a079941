//! The loss of triplets: an anchor belongs nearer to what is like it than to what is not.

use super::triplet_margin_with_distance_loss::{Triplet, check_shapes};
use crate::rows::{Row as Given, RowLoss, rows, sums};
use crate::{Reduction, check, samples};
use chainrule_kernels::{Float, Number};
use chainrule_tensor::table::{Refusal, Row, Sample, values};
use chainrule_tensor::{Result, Tensor};

/// The loss of triplets (PyTorch: `torch.nn.TripletMarginLoss`); see [`triplet_margin_loss`].
#[derive(Clone, Debug)]
pub struct TripletMarginLoss {
    /// By how much the positive must be nearer than the negative to cost nothing, above 0. Default: 1.
    pub margin: f64,
    /// The norm's degree. Default: 2.
    pub p: f64,
    /// What is added to each component of a difference, so that its norm has a gradient. Default: 10⁻⁶.
    pub eps: f64,
    /// Whether the distance to the negative is that of the positive, where this is smaller. Default: false.
    pub swap: bool,
    /// What becomes of the losses of single triplets. Default: their mean.
    pub reduction: Reduction,
}

impl Default for TripletMarginLoss {
    fn default() -> Self {
        TripletMarginLoss { margin: 1.0, p: 2.0, eps: 1e-6, swap: false, reduction: Reduction::default() }
    }
}

criterion!(TripletMarginLoss, triplet_margin_loss, (anchor, positive, negative));

const NAME: &str = "triplet_margin_loss";

/// The loss max(0, d(a, p) − d(a, n) + margin) of each triplet of an anchor a, a positive p, which belongs near
/// to it, and a negative n, which does not, reduced: their mean unless the options say otherwise (PyTorch:
/// `torch.nn.functional.triplet_margin_loss`). The distance d(a, b) is the p-norm of a − b + ε. Gradients flow to
/// all three.
///
/// The three are `[N, D]` or `[D]`, vectors in the last dimension. With `swap`, d(a, n) is replaced by d(p, n)
/// where that is smaller (Balntas et al., *Learning local feature descriptors with triplets and shallow
/// convolutional neural networks*, 2016). The loss is that of Schroff, Kalenichenko and Philbin, *FaceNet* (2015),
/// with the distance in the place of its square. The Euclidean distance, p = 2, is computed together with the loss in one
/// pass each way; other norms are tensor operations of their own.
///
/// ```
/// # use chainrule_loss::{TripletMarginLoss, triplet_margin_loss};
/// # use chainrule_tensor::{Tensor, Result};
/// # fn main() -> Result<()> {
/// let (anchor, positive, negative) = (Tensor::new([0.0, 0.0]), Tensor::new([3.0, 4.0]), Tensor::new([0.0, 2.0]));
/// let loss = triplet_margin_loss(&anchor, &positive, &negative, &TripletMarginLoss::new())?;
/// assert!((loss.item()? - (5.0 - 2.0 + 1.0)).abs() < 1e-5);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For a margin that is not above 0, for different shapes or 0-d tensors, and for different dtypes or ones that
/// are not floating-point.
#[track_caller]
pub fn triplet_margin_loss(
    anchor: &Tensor,
    positive: &Tensor,
    negative: &Tensor,
    options: &TripletMarginLoss,
) -> Result<Tensor> {
    let &TripletMarginLoss { margin, p, eps, swap, reduction } = options;
    check::option(NAME, "margin", margin, margin > 0.0, "above 0")?;
    check_shapes(NAME, anchor, positive, negative)?;
    let losses = if p == 2.0 {
        euclidean([anchor, positive, negative], margin, eps, swap)?
    } else {
        let distance = |a: &Tensor, b: &Tensor| pairwise_distance(a, b, p, eps);
        Triplet { distance: &distance, margin, swap }.losses(anchor, positive, negative)?
    };
    reduction.reduce(&losses)
}

/// The loss of each triplet, under the Euclidean distance.
#[track_caller]
pub(super) fn euclidean(triplets: [&Tensor; 3], margin: f64, eps: f64, swap: bool) -> Result<Tensor> {
    let shape = triplets[0].shape();
    rows(Euclidean { margin, eps, swap }, triplets, shape.without(shape.len() - 1)?)
}

struct Euclidean {
    margin: f64,
    eps: f64,
    swap: bool,
}

impl RowLoss<3, 3> for Euclidean {
    const NAME: &'static str = NAME;

    /// Kept are the derivatives of the loss by its distances, each divided by the distance.
    #[inline(always)]
    fn f<T: Float>(&self, _: usize, vectors: [&[T]; 3]) -> (T, [f64; 3]) {
        let eps = T::of(self.eps);
        let square = |difference: T| {
            let difference = (difference + eps).to_f64();
            difference * difference
        };
        let [a_p, a_n, p_n] = match self.swap {
            true => sums(vectors, |[a, p, n]| [square(a - p), square(a - n), square(p - n)]),
            false => {
                let [a_p, a_n] = sums(vectors, |[a, p, n]| [square(a - p), square(a - n)]);
                [a_p, a_n, f64::INFINITY]
            }
        };
        let [a_p, a_n, p_n] = [a_p.sqrt(), a_n.sqrt(), p_n.sqrt()];
        let loss = Number::maximum(a_p - Number::minimum(a_n, p_n) + self.margin, 0.0);
        // A loss that is NaN has NaN for a gradient.
        let costs = if loss == 0.0 { 0.0 } else { 1.0 };
        // Distances that are equal share the derivative.
        let share = if a_n == p_n { 0.5 } else if a_n > p_n { 0.0 } else { 1.0 };
        let over = |slope: f64, distance: f64| if slope == 0.0 || distance == 0.0 { 0.0 } else { slope / distance };
        (T::from_f64(loss), [over(costs, a_p), over(-costs * share, a_n), over(-costs * (1.0 - share), p_n)])
    }

    #[inline(always)]
    fn df<T: Float>(&self, operand: usize, _: usize, row: Given<'_, T, 3, 3>, out: &mut [T]) {
        let ([a, p, n], eps) = (row.vectors, T::of(self.eps));
        let [a_p, a_n, p_n] = row.kept.map(|kept| T::from_f64(row.g * kept));
        // Two distances depend on each vector.
        let ((x, y, xy), (v, w, vw)) = match operand {
            0 => ((a, p, a_p), (a, n, a_n)),
            1 => ((a, p, -a_p), (p, n, p_n)),
            _ => ((a, n, -a_n), (p, n, -p_n)),
        };
        for ((((out, &x), &y), &v), &w) in out.iter_mut().zip(x).zip(y).zip(v).zip(w) {
            *out = xy * (x - y + eps) + vw * (v - w + eps);
        }
    }

    fn formula(&self, [anchor, positive, negative]: [&Tensor; 3]) -> Result<Tensor> {
        let distance = |a: &Tensor, b: &Tensor| pairwise_distance(a, b, 2.0, self.eps);
        Triplet { distance: &distance, margin: self.margin, swap: self.swap }.losses(anchor, positive, negative)
    }
}

/// The p-norm of a − b + ε over the last dimension.
pub(super) fn pairwise_distance(a: &Tensor, b: &Tensor, p: f64, eps: f64) -> Result<Tensor> {
    a.sub(b)?.add(eps)?.norm_dim(p, -1, false)
}

fn call(x: &[Tensor], options: TripletMarginLoss) -> Result<Tensor> {
    triplet_margin_loss(&x[0], &x[1], &x[2], &options)
}

pub(super) fn inputs() -> [Tensor; 3] {
    [values(1, [4, 3]), values(2, [4, 3]), values(3, [4, 3])]
}

pub(super) const ROW: Row = Row {
    errors: || {
        let refusal = |mentions, negative: fn() -> Tensor, margin| {
            let options = move || TripletMarginLoss { margin, ..Default::default() };
            Refusal::new(mentions, move || call(&[values(1, [2, 3]), values(2, [2, 3]), negative()], options()))
        };
        vec![
            refusal(&["[2, 3]", "[2, 4]"], || values(3, [2, 4]), 1.0),
            refusal(&["[2, 3]", "[3]"], || values(3, [3]), 1.0),
            refusal(&["margin", "0"], || values(3, [2, 3]), 0.0),
            refusal(&["float64", "float32"], || Tensor::new([[1.0; 3]; 2]), 1.0),
            Refusal::new(&["0-d"], || call(&[values(1, []), values(2, []), values(3, [])], TripletMarginLoss::new())),
        ]
    },
    bench: &[(&[&[4096, 128], &[4096, 128], &[4096, 128]], |x| Ok(vec![call(x, TripletMarginLoss::new())?]))],
    ..Row::new(NAME, "torch.nn.functional.triplet_margin_loss", || {
        let sample = |label, options: TripletMarginLoss| {
            Sample::new(label, inputs(), move |x| call(x, options.clone()))
        };
        let default = TripletMarginLoss::new;
        let mut samples = samples::reductions(&inputs(), |x, reduction| {
            call(x, TripletMarginLoss { margin: 2.0, reduction, ..Default::default() })
        });
        samples.extend([
            sample("p 1", TripletMarginLoss { p: 1.0, ..default() }),
            sample("p 3, eps 0.1", TripletMarginLoss { p: 3.0, eps: 0.1, margin: 3.0, ..default() }),
            sample("swap", TripletMarginLoss { swap: true, margin: 2.0, ..default() }),
            Sample::new("one triplet", [values(4, [3]), values(5, [3]), values(6, [3])], |x| {
                call(x, TripletMarginLoss { margin: 4.0, ..Default::default() })
            }),
        ]);
        samples
    })
};
