//! Normal numbers within limits.

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

/// After so many rounds, whose chance to be needed is below 1e-20 for a candidate, what is left is taken as it is.
const ROUNDS: usize = 1000;

/// Fills a parameter with numbers from a normal distribution, of which only those between `a` and `b` are taken
/// (PyTorch: `torch.nn.init.trunc_normal_`).
///
/// Where most are, those outside are drawn anew; where few are, uniform numbers between the limits are taken or left
/// by the density (von Neumann's rejection). Both are PyTorch's ways, and draw its numbers. Where the limits lie so far
/// out that hardly a uniform number would be taken, which PyTorch waits for, exponential numbers are taken or left
/// instead (Robert, "Simulation of truncated normal variables", 1995).
///
/// # Errors
/// When `std` is not greater than 0, `a` not less than `b`, or an option not finite in the parameter's dtype.
#[track_caller]
pub fn trunc_normal_(parameter: &Parameter, options: TruncNormal) -> Result<()> {
    let TruncNormal { mean, std, a, b } = options;
    if !(std > 0.0 && a < b && [mean, std, b - a].iter().all(|x| x.is_finite())) {
        bail!(Value, "trunc_normal_", "std must be above 0 and a below b, and all finite, in {options:?}");
    }
    let like = parameter.tensor().detach();
    if like.dtype() == DType::F32 && [mean, std, a, b].iter().any(|x| x.abs() > f64::from(f32::MAX)) {
        bail!(Value, "trunc_normal_", "{options:?} is beyond float32");
    }
    if like.numel() == 0 {
        return Ok(());
    }
    let within = cumulative((b - mean) / std)? - cumulative((a - mean) / std)?;
    let values = match Tail::of(options) {
        _ if within > LIKELY => by_drawing_anew(&like, options)?,
        Some(tail) => tail.draw(&like, options)?,
        None => by_density(&like, options)?,
    };
    // Rounding may have led beyond a limit.
    parameter.set(&values.clamp(Some(a), Some(b))?)
}

#[track_caller]
fn by_drawing_anew(like: &Tensor, TruncNormal { mean, std, a, b }: TruncNormal) -> Result<Tensor> {
    let mut values = like.normal_like(mean, std)?;
    for _ in 0..ROUNDS {
        let outside = values.lt(a)?.logical_or(&values.gt(b)?)?;
        if !outside.any()?.to_scalar::<bool>()? {
            break;
        }
        // As many are drawn as there are in all: PyTorch's order.
        values = Tensor::where_(&outside, &like.normal_like(mean, std)?, &values)?;
    }
    Ok(values)
}

/// Limits that are both on one side of the mean and so far from each other that the density falls steeply between them.
/// Numbers are in standard deviations from the mean.
struct Tail {
    nearer: f64,
    width: f64,
    /// 1 above the mean, -1 below.
    side: f64,
}

impl Tail {
    fn of(TruncNormal { mean, std, a, b }: TruncNormal) -> Option<Tail> {
        let (low, high) = ((a - mean) / std, (b - mean) / std);
        let (nearer, side) = if low > 0.0 { (low, 1.0) } else { (-high, -1.0) };
        let tail = Tail { nearer, width: (b - a) / std, side };
        // A uniform number is taken with a probability of about 1 / (nearer · width).
        (nearer > 0.0 && nearer * tail.width > 20.0).then_some(tail)
    }

    /// Exponential numbers of the best rate, cut off at the width, are taken or left by what the density has less.
    #[track_caller]
    fn draw(&self, like: &Tensor, TruncNormal { mean, std, .. }: TruncNormal) -> Result<Tensor> {
        let &Tail { nearer, width, side } = self;
        let excess = 2.0 / (nearer.hypot(2.0) + nearer);
        let rate = nearer + excess;
        // −ln(1 − u·(1 − e^(−rate·width))) / rate
        let candidates = || like.rand_like()?.mul((-rate * width).exp_m1())?.log1p()?.div(-rate);
        let left_out = |beyond: &Tensor| {
            let density = beyond.sub(excess)?.square()?.mul(-0.5)?;
            like.rand_like()?.log()?.gt(&density)
        };
        let beyond = taken(candidates, left_out)?;
        beyond.add(nearer)?.mul(side * std)?.add(mean)
    }
}

/// Candidates, each drawn anew until it is not left out.
#[track_caller]
fn taken(
    candidates: impl Fn() -> Result<Tensor>,
    left_out: impl Fn(&Tensor) -> Result<Tensor>,
) -> Result<Tensor> {
    let mut values = candidates()?;
    let mut pending = left_out(&values)?;
    for _ in 0..ROUNDS {
        if !pending.any()?.to_scalar::<bool>()? {
            break;
        }
        let others = candidates()?;
        values = Tensor::where_(&pending, &others, &values)?;
        pending = pending.logical_and(&left_out(&others)?)?;
    }
    Ok(values)
}

#[track_caller]
fn by_density(like: &Tensor, TruncNormal { mean, std, a, b }: TruncNormal) -> Result<Tensor> {
    // The density's logarithm is measured from its highest point between the limits.
    let highest = -0.5 * ((mean.clamp(a, b) - mean) / std).powi(2);
    let left_out = |candidates: &Tensor| {
        let density = candidates.sub(mean)?.div(std)?.square()?.mul(-0.5)?.sub(highest)?;
        like.rand_like()?.log()?.gt(&density)
    };
    taken(|| like.uniform_like(a, b), left_out)
}

/// The probability that a standard normal number is below `x`.
#[track_caller]
fn cumulative(x: f64) -> Result<f64> {
    let x = Tensor::full([], x / 2f64.sqrt(), DType::F64)?;
    Ok((1.0 + x.erf()?.item()?) / 2.0)
}
