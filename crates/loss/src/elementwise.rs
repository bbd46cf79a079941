//! The form of a loss of single elements: ℓ = f(x, y) for each element x of the input and y of the target, an
//! optional weight for each, and a reduction.
//!
//! A loss of this form is a type that implements [`ElementwiseLoss`]; [`elementwise`] does the rest: checks, one
//! pass for the value and its reduction, one for each gradient that is wanted, and the recorded way back.

use chainrule_kernels::arrays;
use chainrule_tensor::autograd::{Backward, Context, Save, record};
use chainrule_tensor::{FloatElement, Result, Tensor, bail, dispatch_float};

use crate::{Reduction, check};

pub use chainrule_kernels::Float;

/// A loss f(x, y) of an input's element x and a target's element y. The type holds the options.
///
/// ```
/// use chainrule_loss::Reduction;
/// use chainrule_loss::elementwise::{ElementwiseLoss, Float, elementwise};
/// use chainrule_tensor::{Result, Tensor};
///
/// /// ln cosh(x − y)
/// #[derive(Clone, Copy)]
/// struct LogCosh;
///
/// impl ElementwiseLoss for LogCosh {
///     const NAME: &'static str = "log_cosh";
///     fn f<T: Float>(self, x: T, y: T) -> T {
///         let d = (x - y).abs();
///         d + (T::of(-2.0) * d).exp().ln_1p() - T::of(std::f64::consts::LN_2)
///     }
///     fn dx<T: Float>(self, x: T, y: T) -> T {
///         (x - y).tanh()
///     }
///     fn dx_formula(self, x: &Tensor, y: &Tensor) -> Result<Tensor> {
///         // tanh d = 1 − 2 / (e²ᵈ + 1)
///         x.sub(y)?.mul(2.0)?.exp()?.add(1.0)?.reciprocal()?.mul(-2.0)?.add(1.0)
///     }
/// }
///
/// fn main() -> Result<()> {
///     let x = Tensor::new([0.0, 3.0]).requires_grad_(true)?;
///     let loss = elementwise(LogCosh, &x, &Tensor::new([0.0, 0.0]), None, Reduction::Sum)?;
///     assert!((loss.item()? - 3f64.cosh().ln()).abs() < 1e-6);
///     Ok(())
/// }
/// ```
pub trait ElementwiseLoss: Copy + Send + Sync + 'static {
    /// The name of the loss's function, for messages.
    const NAME: &'static str;
    /// Estimated time for an element on one thread, in nanoseconds.
    const COST_NS: f64 = 0.5;

    /// f(x, y)
    fn f<T: Float>(self, x: T, y: T) -> T;
    /// ∂f/∂x
    fn dx<T: Float>(self, x: T, y: T) -> T;
    /// ∂f/∂y; as given right for every function of x − y.
    fn dy<T: Float>(self, x: T, y: T) -> T {
        -self.dx(x, y)
    }
    /// ∂f/∂x, written with tensor operations so that it can be differentiated again.
    fn dx_formula(self, x: &Tensor, y: &Tensor) -> Result<Tensor>;
    /// ∂f/∂y, written with tensor operations; as given right for every function of x − y.
    fn dy_formula(self, x: &Tensor, y: &Tensor) -> Result<Tensor> {
        self.dx_formula(x, y)?.neg()
    }
}

/// The loss of an input and a target of one shape, weighted and reduced. Gradients flow to the input, the
/// target and the weight. A weight broadcasts to the shape of the input; the mean divides by the number of
/// elements, not by the sum of the weights.
///
/// # Errors
/// For different shapes, for different dtypes or ones that are not floating-point, and for a weight that does
/// not broadcast to the input's shape.
#[track_caller]
pub fn elementwise<L: ElementwiseLoss>(
    loss: L,
    input: &Tensor,
    target: &Tensor,
    weight: Option<&Tensor>,
    reduction: Reduction,
) -> Result<Tensor> {
    check::float_input(L::NAME, input)?;
    check::same_shape(L::NAME, input, target)?;
    check::same_dtype(L::NAME, input, "target", target)?;
    let (x, y) = (input.contiguous()?, target.contiguous()?);
    let node = ElementwiseBackward { loss, reduction, is_weighted: weight.is_some() };
    let Some(weight) = weight else {
        let value = dispatch_float!(x.dtype(), T => forward::<T, L>(loss, &x, &y, None, reduction)?);
        return record(node, &[&x, &y], &[Save::Input(0), Save::Input(1)], value);
    };
    check::same_dtype(L::NAME, input, "weight", weight)?;
    let Ok(expanded) = weight.detach().expand(x.shape()) else {
        let (weight, input) = (weight.shape(), x.shape());
        bail!(Shape, L::NAME, "a weight of shape {weight} does not broadcast to the input's shape {input}");
    };
    let w = expanded.contiguous()?;
    let value = dispatch_float!(x.dtype(), T => forward::<T, L>(loss, &x, &y, Some(&w), reduction)?);
    record(node, &[&x, &y, weight], &[Save::Input(0), Save::Input(1), Save::Input(2)], value)
}

/// The value: losses, or their sum taken in the same pass.
fn forward<T: FloatElement, L: ElementwiseLoss>(
    loss: L,
    x: &Tensor,
    y: &Tensor,
    w: Option<&Tensor>,
    reduction: Reduction,
) -> Result<Tensor> {
    if reduction == Reduction::None {
        return map(x, y, w, T::ONE, L::COST_NS, |x: T, y| loss.f(x, y));
    }
    let (x, y) = (x.as_slice::<T>()?, y.as_slice::<T>()?);
    let sum = match w {
        None => arrays::sum([x, y], L::COST_NS, |[x, y]| loss.f(x, y)),
        Some(w) => arrays::sum([x, y, w.as_slice()?], L::COST_NS, |[x, y, w]| w * loss.f(x, y)),
    };
    Tensor::full_of([], T::from_f64(reduction.apply(sum, x.len() as f64)))
}

/// `scale · factor · f(x, y)` for each element of contiguous tensors.
fn map<T: FloatElement>(
    x: &Tensor,
    y: &Tensor,
    factor: Option<&Tensor>,
    scale: T,
    ns: f64,
    f: impl Fn(T, T) -> T + Sync,
) -> Result<Tensor> {
    let shape = x.shape();
    let (x, y) = (x.as_slice::<T>()?, y.as_slice::<T>()?);
    let factor = factor.map(|factor| factor.as_slice::<T>()).transpose()?;
    Tensor::build(shape, |out| match factor {
        None => arrays::map([x, y], out, ns, |[x, y]| scale * f(x, y)),
        Some(c) => arrays::map([x, y, c], out, ns, |[x, y, c]| scale * c * f(x, y)),
    })
}

struct ElementwiseBackward<L> {
    loss: L,
    reduction: Reduction,
    is_weighted: bool,
}

impl<L: ElementwiseLoss> ElementwiseBackward<L> {
    fn weight<'a>(&self, ctx: &'a Context<'_>) -> Option<&'a Tensor> {
        self.is_weighted.then(|| ctx.saved(2))
    }

    fn fused<T: FloatElement>(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (loss, x, y) = (self.loss, ctx.saved(0), ctx.saved(1));
        // The gradient of each element's loss is `scale` times that element of `factor`, where there is one.
        let (factor, scale) = match self.reduction {
            Reduction::None => (Some(ctx.grad().contiguous()?), 1.0),
            reduction => (None, reduction.apply(ctx.grad().item()?, x.numel() as f64)),
        };
        let weighted = match (self.weight(ctx), &factor) {
            (None, _) => factor.clone(),
            (Some(w), None) => Some(w.expand(x.shape())?.contiguous()?),
            (Some(w), Some(g)) => Some(g.mul(w)?),
        };
        let scale = T::from_f64(scale);
        let mut grads = vec![
            ctx.when_needed(0, || map(x, y, weighted.as_ref(), scale, L::COST_NS, |x, y| loss.dx(x, y)))?,
            ctx.when_needed(1, || map(x, y, weighted.as_ref(), scale, L::COST_NS, |x, y| loss.dy(x, y)))?,
        ];
        if self.is_weighted {
            grads.push(
                ctx.when_needed(2, || map(x, y, factor.as_ref(), scale, L::COST_NS, |x, y| loss.f(x, y)))?,
            );
        }
        Ok(grads)
    }
}

impl<L: ElementwiseLoss> Backward for ElementwiseBackward<L> {
    fn name(&self) -> &'static str {
        L::NAME
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (loss, x, y) = (self.loss, ctx.saved(0), ctx.saved(1));
        let g = ctx.grad().mul(self.reduction.apply(1.0, x.numel() as f64))?;
        let weighted = match self.weight(ctx) {
            Some(w) => g.mul(w)?,
            None => g.clone(),
        };
        let mut grads = vec![
            ctx.when_needed(0, || weighted.mul(&loss.dx_formula(x, y)?))?,
            ctx.when_needed(1, || weighted.mul(&loss.dy_formula(x, y)?))?,
        ];
        if self.is_weighted {
            // The loss itself, without a weight, is its derivative with respect to the weight.
            let loss = || elementwise(loss, x, y, None, Reduction::None);
            grads.push(ctx.when_needed(2, || g.mul(&loss()?))?);
        }
        Ok(grads)
    }

    fn backward_fused(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        dispatch_float!(ctx.saved(0).dtype(), T => self.fused::<T>(ctx))
    }
}
