//! The loss of triplets under a distance of one's own.

use std::fmt;
use std::sync::Arc;

use super::triplet_margin_loss::{euclidean, inputs};
use crate::{Reduction, check, samples};
use chainrule_tensor::table::{Refusal, Row, Sample, values};
use chainrule_tensor::{Result, Tensor, bail};

/// A distance between the rows of two tensors: a function written with tensor operations.
pub type DistanceFunction = Arc<dyn Fn(&Tensor, &Tensor) -> Result<Tensor> + Send + Sync>;

/// The loss of triplets under a distance of one's own (PyTorch: `torch.nn.TripletMarginWithDistanceLoss`); see
/// [`triplet_margin_with_distance_loss`].
#[derive(Clone)]
pub struct TripletMarginWithDistanceLoss {
    /// The distance. Default: the Euclidean one of [`triplet_margin_loss`](crate::triplet_margin_loss).
    pub distance_function: Option<DistanceFunction>,
    /// By how much the positive must be nearer than the negative to cost nothing, above 0. Default: 1.
    pub margin: f64,
    /// Whether the distance to the negative is that of the positive, where this is smaller. Default: false.
    pub swap: bool,
    /// What becomes of the losses of single triplets. Default: their mean.
    pub reduction: Reduction,
}

impl Default for TripletMarginWithDistanceLoss {
    fn default() -> Self {
        let reduction = Reduction::default();
        TripletMarginWithDistanceLoss { distance_function: None, margin: 1.0, swap: false, reduction }
    }
}

impl fmt::Debug for TripletMarginWithDistanceLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { distance_function, margin, swap, reduction } = self;
        f.debug_struct("TripletMarginWithDistanceLoss")
            .field("distance_function", &distance_function.as_ref().map(|_| "…"))
            .field("margin", margin)
            .field("swap", swap)
            .field("reduction", reduction)
            .finish()
    }
}

criterion!(TripletMarginWithDistanceLoss, triplet_margin_with_distance_loss, (anchor, positive, negative));

const NAME: &str = "triplet_margin_with_distance_loss";

/// The loss max(0, d(a, p) − d(a, n) + margin) of each triplet of an anchor a, a positive p and a negative n under
/// a distance d of one's own, reduced: their mean unless the options say otherwise (PyTorch:
/// `torch.nn.functional.triplet_margin_with_distance_loss`). Gradients flow to all three.
///
/// The distance gets two tensors of the shape of the three, and gives one number for each triplet. With `swap`,
/// d(a, n) is replaced by d(p, n) where that is smaller.
///
/// ```
/// # use std::sync::Arc;
/// # use chainrule_loss::{TripletMarginWithDistanceLoss, triplet_margin_with_distance_loss};
/// # use chainrule_tensor::{Tensor, Result};
/// # fn main() -> Result<()> {
/// let options = TripletMarginWithDistanceLoss {
///     distance_function: Some(Arc::new(|a, b| a.sub(b)?.abs()?.amax(-1, false))),
///     ..Default::default()
/// };
/// let (anchor, positive, negative) = (Tensor::new([0.0, 0.0]), Tensor::new([3.0, 4.0]), Tensor::new([0.0, 2.0]));
/// let loss = triplet_margin_with_distance_loss(&anchor, &positive, &negative, &options)?;
/// assert_eq!(loss.item()?, 4.0 - 2.0 + 1.0);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For a margin that is not above 0, for different shapes or 0-d tensors, for different dtypes or ones that are
/// not floating-point, and those of the distance.
#[track_caller]
pub fn triplet_margin_with_distance_loss(
    anchor: &Tensor,
    positive: &Tensor,
    negative: &Tensor,
    options: &TripletMarginWithDistanceLoss,
) -> Result<Tensor> {
    let &TripletMarginWithDistanceLoss { ref distance_function, margin, swap, reduction } = options;
    check::option(NAME, "margin", margin, margin > 0.0, "above 0")?;
    check_shapes(NAME, anchor, positive, negative)?;
    let losses = match distance_function {
        Some(distance) => Triplet { distance: &**distance, margin, swap }.losses(anchor, positive, negative)?,
        None => euclidean([anchor, positive, negative], margin, 1e-6, swap)?,
    };
    reduction.reduce(&losses)
}

type Distance<'a> = &'a dyn Fn(&Tensor, &Tensor) -> Result<Tensor>;

/// What the losses of triplets are computed from.
pub(super) struct Triplet<'a> {
    pub(super) distance: Distance<'a>,
    pub(super) margin: f64,
    pub(super) swap: bool,
}

impl Triplet<'_> {
    /// The loss of each triplet.
    pub(super) fn losses(&self, anchor: &Tensor, positive: &Tensor, negative: &Tensor) -> Result<Tensor> {
        let near = (self.distance)(anchor, positive)?;
        let mut far = (self.distance)(anchor, negative)?;
        if self.swap {
            far = far.minimum(&(self.distance)(positive, negative)?)?;
        }
        near.sub(&far)?.add(self.margin)?.relu()
    }
}

/// Refuses triplets of different shapes or dtypes.
#[track_caller]
pub(super) fn check_shapes(loss: &str, anchor: &Tensor, positive: &Tensor, negative: &Tensor) -> Result<()> {
    check::float_input(loss, anchor)?;
    for (name, other) in [("positive", positive), ("negative", negative)] {
        check::same_dtype(loss, anchor, name, other)?;
        check::same_shape(loss, ("anchor", anchor), (name, other))?;
    }
    if anchor.rank() == 0 {
        bail!(Shape, loss, "the three are 0-d: they must be vectors [D] or rows [N, D]");
    }
    Ok(())
}

fn call(x: &[Tensor], options: TripletMarginWithDistanceLoss) -> Result<Tensor> {
    triplet_margin_with_distance_loss(&x[0], &x[1], &x[2], &options)
}

/// The squared distance, for the samples.
fn squared() -> Option<DistanceFunction> {
    Some(Arc::new(|a, b| a.sub(b)?.square()?.sum_dim(-1, false)))
}

pub(super) const ROW: Row = Row {
    errors: || {
        let refusal = |mentions, negative: fn() -> Tensor, margin| {
            let options = move || TripletMarginWithDistanceLoss { margin, ..Default::default() };
            Refusal::new(mentions, move || call(&[values(1, [2, 3]), values(2, [2, 3]), negative()], options()))
        };
        vec![
            refusal(&["[2, 3]", "[2, 4]"], || values(3, [2, 4]), 1.0),
            refusal(&["margin", "-1"], || values(3, [2, 3]), -1.0),
            refusal(&["float64", "float32"], || Tensor::new([[1.0; 3]; 2]), 1.0),
        ]
    },
    ..Row::new(NAME, "torch.nn.functional.triplet_margin_with_distance_loss", || {
        let mut samples = samples::reductions(&inputs(), |x, reduction| {
            let default = TripletMarginWithDistanceLoss::new();
            call(x, TripletMarginWithDistanceLoss { distance_function: squared(), margin: 9.0, reduction, ..default })
        });
        samples.extend([
            Sample::new("Euclidean", inputs(), |x| {
                call(x, TripletMarginWithDistanceLoss { margin: 2.0, ..Default::default() })
            }),
            Sample::new("swap", inputs(), |x| {
                let default = TripletMarginWithDistanceLoss::new();
                let distance_function = squared();
                call(x, TripletMarginWithDistanceLoss { distance_function, margin: 9.0, swap: true, ..default })
            }),
        ]);
        samples
    })
};
