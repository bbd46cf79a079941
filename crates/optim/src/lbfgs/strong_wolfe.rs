//! A line search for the strong Wolfe conditions: first out, until a minimum is between two points, then in.

use chainrule_kernels::Buffer;
use chainrule_tensor::{FloatElement, InOperation, Result};

use super::NAME;

/// How much the loss has to fall, as a part of what the slope at the beginning promises.
const ENOUGH_FALL: f64 = 1e-4;
/// How flat the slope has to become, as a part of that at the beginning.
const FLAT: f64 = 0.9;

/// A point on the line.
pub(super) struct Point<T: FloatElement> {
    pub(super) t: f64,
    pub(super) loss: f64,
    pub(super) grad: Buffer<T>,
    /// The derivative of the loss by t.
    pub(super) slope: f64,
}

impl<T: FloatElement> Point<T> {
    #[track_caller]
    fn try_clone(&self) -> Result<Self> {
        let grad = Buffer::try_copy_of(&self.grad).in_operation(NAME)?;
        Ok(Point { grad, ..*self })
    }
}

/// Looks for a point, beginning with `t`, by `most` + 1 evaluations at most. `size` is the largest change of a value
/// for t = 1.
#[track_caller]
pub(super) fn search<T: FloatElement>(
    mut evaluate: impl FnMut(f64) -> Result<Point<T>>,
    begin: Point<T>,
    t: f64,
    size: f64,
    tolerance_change: f64,
    most: i64,
) -> Result<Point<T>> {
    let (loss, slope) = (begin.loss, begin.slope);
    let too_high = |point: &Point<T>| point.loss > loss + ENOUGH_FALL * point.t * slope;
    let flat = |point: &Point<T>| point.slope.abs() <= -FLAT * slope;

    let mut before = begin.try_clone()?;
    let mut point = evaluate(t)?;
    let mut rounds = 0;
    let mut bracket = loop {
        if rounds >= most {
            break [begin, point];
        }
        if too_high(&point) || (rounds > 1 && point.loss >= before.loss) {
            break [before, point];
        }
        if flat(&point) {
            return Ok(point);
        }
        if point.slope >= 0.0 {
            break [before, point];
        }
        let bounds = (point.t + 0.01 * (point.t - before.t), point.t * 10.0);
        let t = cubic_minimum(&before, &point, bounds);
        before = point;
        point = evaluate(t)?;
        rounds += 1;
    };

    let mut low = lower(&bracket);
    // Twice near an end is too often.
    let mut near_an_end = false;
    while rounds < most && (bracket[1].t - bracket[0].t).abs() * size >= tolerance_change {
        let (left, right) = (bracket[0].t.min(bracket[1].t), bracket[0].t.max(bracket[1].t));
        let mut t = cubic_minimum(&bracket[0], &bracket[1], (left, right));
        let margin = 0.1 * (right - left);
        if (right - t).min(t - left) < margin {
            if near_an_end || t >= right || t <= left {
                t = if (t - right).abs() < (t - left).abs() { right - margin } else { left + margin };
                near_an_end = false;
            } else {
                near_an_end = true;
            }
        } else {
            near_an_end = false;
        }
        let point = evaluate(t)?;
        rounds += 1;
        if too_high(&point) || point.loss >= bracket[low].loss {
            bracket[1 - low] = point;
            low = lower(&bracket);
            continue;
        }
        if flat(&point) {
            return Ok(point);
        }
        if point.slope * (bracket[1 - low].t - bracket[low].t) >= 0.0 {
            bracket[1 - low] = bracket[low].try_clone()?;
        }
        bracket[low] = point;
    }
    Ok(bracket.into_iter().nth(low).expect("one of two"))
}

/// The place of the lower loss; of equal ones the first.
fn lower<T: FloatElement>(bracket: &[Point<T>; 2]) -> usize {
    usize::from(bracket[0].loss.is_nan() || bracket[0].loss > bracket[1].loss || bracket[1].loss.is_nan())
}

/// The minimum between the bounds of the cubic with the losses and slopes of two points; their middle where it has
/// none.
fn cubic_minimum<T: FloatElement>(a: &Point<T>, b: &Point<T>, (left, right): (f64, f64)) -> f64 {
    let d1 = a.slope + b.slope - 3.0 * (a.loss - b.loss) / (a.t - b.t);
    let square = d1 * d1 - a.slope * b.slope;
    if square.is_nan() || square < 0.0 {
        return (left + right) / 2.0;
    }
    let d2 = square.sqrt();
    let minimum = if a.t <= b.t {
        b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2))
    } else {
        a.t - (a.t - b.t) * ((a.slope + d2 - d1) / (a.slope - b.slope + 2.0 * d2))
    };
    minimum.max(left).min(right)
}
