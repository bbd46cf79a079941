//! Normal numbers within limits.

use chainrule_tensor::random::{Generator, try_with_default};
use chainrule_tensor::{DType, Parameter, Result, Tensor, bail};

/// The options of [`trunc_normal_`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TruncNormal {
    /// The mean before cutting; default 0.
    pub mean: f64,
    /// The standard deviation before cutting; default 1.
    pub std: f64,
    /// The lower limit itself, not in units of `std`; default -2.
    pub a: f64,
    /// The upper limit itself; default 2.
    pub b: f64,
}

impl Default for TruncNormal {
    fn default() -> Self {
        TruncNormal { mean: 0.0, std: 1.0, a: -2.0, b: 2.0 }
    }
}

/// Above this probability of being within the limits, what falls outside is drawn anew.
const LIKELY: f64 = 0.3;

/// Where fewer uniform numbers than this part would be taken, numbers are drawn from the tail directly.
const TAKEN: f64 = 0.01;

/// So many rounds leave nothing open even of 2^60 numbers, where each is closed with a probability of
/// [`TAKEN`]. Where the grid of the numbers' type has few values between the limits, that is not so.
const ROUNDS: usize = 10_000;

/// Fills a parameter with numbers from a normal distribution, of which only those between `a` and `b` are taken
/// (PyTorch: `torch.nn.init.trunc_normal_`).
///
/// Where most are, those outside are drawn anew; where few are, uniform numbers between the limits are taken or left
/// by the density (von Neumann's rejection). These are PyTorch's methods and streams. Where of the uniform numbers less
/// than a hundredth would be taken, as with limits of which the nearer is ten deviations away, PyTorch does not end; here
/// exponential numbers are taken or left instead (Robert, "Simulation of truncated normal variables", 1995).
///
/// # Errors
/// When `std` is not greater than 0, `a` not less than `b`, or an option not finite.
#[track_caller]
pub fn trunc_normal_(parameter: &Parameter, options: TruncNormal) -> Result<()> {
    let TruncNormal { mean, std, a, b } = options;
    if !(std > 0.0 && a < b && [mean, std, b - a].iter().all(|x| x.is_finite())) {
        bail!(Value, "trunc_normal_", "std must be above 0 and a below b, and all finite, in {options:?}");
    }
    let like = parameter.tensor().detach();
    if like.numel() == 0 {
        return Ok(());
    }
    let limits = Limits { low: (a - mean) / std, high: (b - mean) / std };
    let within = cumulative(limits.high)? - cumulative(limits.low)?;
    let values = if within > LIKELY {
        by_drawing_anew(&like, options)?
    } else if limits.part_taken() > TAKEN {
        by_density(&like, options)?
    } else {
        None
    };
    match values {
        Some(values) => parameter.set(&values),
        None => parameter.set(&one_by_one(&like, options, limits)?),
    }
}

/// `None` where that does not end.
#[track_caller]
fn by_drawing_anew(like: &Tensor, TruncNormal { mean, std, a, b }: TruncNormal) -> Result<Option<Tensor>> {
    let mut values = like.normal_like(mean, std)?;
    for _ in 0..ROUNDS {
        let outside = values.lt(a)?.logical_or(&values.gt(b)?)?;
        if !outside.any()?.to_scalar::<bool>()? {
            return Ok(Some(values));
        }
        // As many are drawn as there are in all: PyTorch's order.
        values = Tensor::where_(&outside, &like.normal_like(mean, std)?, &values)?;
    }
    Ok(None)
}

/// `None` where that does not end.
#[track_caller]
fn by_density(like: &Tensor, TruncNormal { mean, std, a, b }: TruncNormal) -> Result<Option<Tensor>> {
    // The density's logarithm is measured from its highest point between the limits.
    let highest = -0.5 * ((mean.clamp(a, b) - mean) / std).powi(2);
    let left_out = |candidates: &Tensor| {
        let density = candidates.sub(mean)?.div(std)?.square()?.mul(-0.5)?.sub(highest)?;
        like.rand_like()?.log()?.gt(&density)
    };
    let mut values = like.uniform_like(a, b)?;
    let mut pending = left_out(&values)?;
    for _ in 0..ROUNDS {
        if !pending.any()?.to_scalar::<bool>()? {
            return Ok(Some(values));
        }
        let candidates = like.uniform_like(a, b)?;
        values = Tensor::where_(&pending, &candidates, &values)?;
        pending = pending.logical_and(&left_out(&candidates)?)?;
    }
    Ok(None)
}

/// Each number by itself, in double precision, in row-major order: one of [`Limits::draw`].
#[track_caller]
fn one_by_one(like: &Tensor, TruncNormal { mean, std, a, b }: TruncNormal, limits: Limits) -> Result<Tensor> {
    let values = Tensor::full(like.shape(), 0.0, DType::F64)?;
    let mut values = values.into_vec::<f64>()?;
    let drawn = try_with_default(|generator| {
        values.fill_with(|| match limits.draw(generator) {
            Place::BeyondLow(distance) => a + std * distance,
            Place::BelowHigh(distance) => b - std * distance,
            Place::AroundMean(distance) => mean + std * distance,
        });
    });
    if let Err(fault) = drawn {
        bail!(Value, "trunc_normal_", "{fault}");
    }
    // Rounding must not lead out of the limits.
    Tensor::from_vec(values, like.shape())?.to_dtype(like.dtype())?.clamp(Some(a), Some(b))
}

/// The limits in deviations from the mean.
#[derive(Clone, Copy)]
struct Limits {
    low: f64,
    high: f64,
}

/// A number as a distance in deviations, which is exact also where the limits are so far from the mean that their
/// difference to it is not.
enum Place {
    BeyondLow(f64),
    BelowHigh(f64),
    AroundMean(f64),
}

impl Limits {
    /// How far the nearer limit is from the mean, if both lie on one side of it, and how far the limits are apart.
    fn tail(self) -> (f64, f64) {
        (self.low.max(-self.high).max(0.0), self.high - self.low)
    }

    /// About the part of the uniform numbers between the limits that the density lets through.
    fn part_taken(self) -> f64 {
        let (near, width) = self.tail();
        if !near.is_finite() {
            return 0.0;
        }
        // The density from the nearer limit on, relative to that there, has at most this integral (Mills' ratio).
        let integral = 4.0 / (3.0 * near + near.hypot(8f64.sqrt()));
        (integral / width).min(1.0)
    }

    /// A number between the limits. Of the candidates more than every second is taken.
    fn draw(self, generator: &mut Generator) -> Place {
        let (near, width) = self.tail();
        if near == 0.0 {
            return Place::AroundMean(self.draw_around_mean(generator));
        }
        if !near.is_finite() {
            return if self.low > 0.0 { Place::BeyondLow(0.0) } else { Place::BelowHigh(0.0) };
        }
        // An exponential number of this rate fits best; from the limit on, it is the peak of the density's ratio to it.
        let rate = 0.5 * (near + near.hypot(2.0));
        let peak = 2.0 / (near + near.hypot(2.0));
        let distance = loop {
            let [u, v] = units(generator);
            // By the inverse of the distribution function of those between the limits.
            let distance = (-(u * (-rate * width).exp_m1()).ln_1p() / rate).min(width);
            if v <= (-0.5 * (distance - peak).powi(2)).exp() {
                break distance;
            }
        };
        if self.low > 0.0 { Place::BeyondLow(distance) } else { Place::BelowHigh(distance) }
    }

    fn draw_around_mean(self, generator: &mut Generator) -> f64 {
        let Limits { low, high } = self;
        let mut candidate = [0.0];
        loop {
            if high - low > 2.0 {
                _ = generator.normal(&mut candidate, 0.0, 1.0);
                if (low..=high).contains(&candidate[0]) {
                    return candidate[0];
                }
            } else {
                let [u, v] = units(generator);
                let candidate = low + (high - low) * u;
                if v <= (-0.5 * candidate * candidate).exp() {
                    return candidate;
                }
            }
        }
    }
}

fn units(generator: &mut Generator) -> [f64; 2] {
    let mut units = [0.0; 2];
    // Bounds of 0 and 1 are never refused.
    _ = generator.uniform(&mut units, 0.0, 1.0);
    units
}

/// The probability that a standard normal number is below `x`.
#[track_caller]
fn cumulative(x: f64) -> Result<f64> {
    let x = Tensor::full([], x / 2f64.sqrt(), DType::F64)?;
    Ok((1.0 + x.erf()?.item()?) / 2.0)
}
