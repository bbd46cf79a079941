//! The form of a loss of single elements: ℓ = f(x, y, …) for each element x of the input, y of the target and
//! of any further operand, an optional weight for each, and a reduction.
//!
//! A loss of this form is a type that implements [`ElementwiseLoss`]; [`elementwise`] does the rest: checks, one
//! pass for the value and its reduction, one for each gradient that is wanted, and the recorded way back.

use chainrule_kernels::arrays::{self, Function};
use chainrule_tensor::autograd::{Backward, Context, Save, record};
use chainrule_tensor::{DType, FloatElement, Result, Tensor, dispatch_float};

use crate::reduction::batch;
use crate::{Reduction, check};

pub use chainrule_kernels::Float;

/// A loss f(x, y, …) of the elements of `N` operands: the input, the target, and what else there is. The type
/// holds the options.
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
///     #[inline(always)]
///     fn f<T: Float>(self, [x, y]: [T; 2]) -> T {
///         let d = (x - y).abs();
///         d + (T::of(-2.0) * d).exp().ln_1p() - T::of(std::f64::consts::LN_2)
///     }
///     #[inline(always)]
///     fn df<T: Float>(self, operand: usize, [x, y]: [T; 2]) -> T {
///         if operand == 0 { (x - y).tanh() } else { (y - x).tanh() }
///     }
///     fn df_formula(self, operand: usize, [x, y]: [&Tensor; 2]) -> Result<Tensor> {
///         if operand == 0 { x.sub(y)?.tanh() } else { y.sub(x)?.tanh() }
///     }
/// }
///
/// fn main() -> Result<()> {
///     let x = Tensor::new([0.0, 3.0]).requires_grad_(true)?;
///     let loss = elementwise(LogCosh, [&x, &Tensor::new([0.0, 0.0])], None, Reduction::Sum)?;
///     assert!((loss.item()? - 3f64.cosh().ln()).abs() < 1e-6);
///     Ok(())
/// }
/// ```
pub trait ElementwiseLoss<const N: usize = 2>: Copy + Send + Sync + 'static {
    /// The name of the loss's function, for messages.
    const NAME: &'static str;
    /// Estimated time for an element on one thread, in nanoseconds.
    const COST_NS: f64 = 0.5;

    /// f(x, y, …). To be `#[inline(always)]`, as its derivative: only within the loop is it compiled for the
    /// instructions that the processor has, and a function outside of it may take ten times as long.
    fn f<T: Float>(self, operands: [T; N]) -> T;
    /// ∂f/∂x where `operand` is 0, ∂f/∂y where it is 1, and so on.
    fn df<T: Float>(self, operand: usize, operands: [T; N]) -> T;
    /// The same derivative, written with tensor operations so that it can be differentiated again.
    fn df_formula(self, operand: usize, operands: [&Tensor; N]) -> Result<Tensor>;
}

/// The loss of operands of one shape, weighted and reduced. Gradients flow to all operands and to the weight. A
/// weight broadcasts to the shape of the operands; the mean divides by the number of elements, not by the sum of
/// the weights.
///
/// # Errors
/// For different shapes, for different dtypes or ones that are not floating-point, and for a weight that does
/// not broadcast to the input's shape.
#[track_caller]
pub fn elementwise<const N: usize, L: ElementwiseLoss<N>>(
    loss: L,
    operands: [&Tensor; N],
    weight: Option<&Tensor>,
    reduction: Reduction,
) -> Result<Tensor> {
    let input = operands[0];
    check::float_input(L::NAME, input)?;
    for (k, operand) in operands.into_iter().enumerate().skip(1) {
        let name = if k == 1 { "target" } else { "further operand" };
        check::same_shape(L::NAME, ("input", input), (name, operand))?;
        check::same_dtype(L::NAME, input, name, operand)?;
    }
    let mut inputs = Vec::with_capacity(N + 1);
    for operand in operands {
        inputs.push(operand.contiguous()?);
    }
    let expanded = match weight {
        None => None,
        Some(weight) => {
            let expanded = check::expanded(L::NAME, input, "weight", weight)?;
            inputs.push(weight.clone());
            Some(expanded.detach().contiguous()?)
        }
    };
    let value = dispatch_float!(input.dtype(), T => {
        forward::<T, N, L>(loss, std::array::from_fn(|k| &inputs[k]), expanded.as_ref(), reduction)?
    });
    let node = ElementwiseBackward { loss, reduction, is_weighted: weight.is_some() };
    let inputs: Vec<&Tensor> = inputs.iter().collect();
    let saved: Vec<Save<'_>> = (0..inputs.len()).map(Save::Input).collect();
    record(node, &inputs, &saved, value)
}

/// The value: losses, or their sum taken in the same pass.
fn forward<T: FloatElement, const N: usize, L: ElementwiseLoss<N>>(
    loss: L,
    operands: [&Tensor; N],
    weight: Option<&Tensor>,
    reduction: Reduction,
) -> Result<Tensor> {
    if reduction == Reduction::None {
        return map(operands, weight, T::ONE, L::COST_NS, Value(loss));
    }
    let (arrays, f) = (slots::<T, N>(operands, weight)?, Value(loss));
    let sum = match weight {
        None => arrays::sum(arrays, L::COST_NS, Scaled::<T, _, N> { scale: T::ONE, f }),
        Some(_) => arrays::sum(arrays, L::COST_NS, Weighted::<T, _, N> { scale: T::ONE, f }),
    };
    let sum = match weight {
        _ if sum.is_finite() || T::DTYPE == DType::F64 => sum,
        // Single losses may be too large for the type of a mean that is not.
        None => arrays::sum_wide(arrays, Scaled::<f64, _, N> { scale: 1.0, f }),
        Some(_) => arrays::sum_wide(arrays, Weighted::<f64, _, N> { scale: 1.0, f }),
    };
    let shape = operands[0].shape();
    Tensor::full_of([], T::from_f64(reduction.apply(sum, shape.numel() as f64, batch(shape))))
}

/// `scale · factor · f(x, y, …)` for each element of contiguous tensors.
fn map<T: FloatElement, const N: usize>(
    operands: [&Tensor; N],
    factor: Option<&Tensor>,
    scale: T,
    ns: f64,
    f: impl Function<T, N>,
) -> Result<Tensor> {
    let arrays = slots::<T, N>(operands, factor)?;
    Tensor::build(operands[0].shape(), |out| match factor {
        None => arrays::map(arrays, out, ns, Scaled::<T, _, N> { scale, f }),
        Some(_) => arrays::map(arrays, out, ns, Weighted::<T, _, N> { scale, f }),
    })
}

/// The loss of an element.
#[derive(Clone, Copy)]
struct Value<L>(L);

impl<T: Float, L: ElementwiseLoss<N>, const N: usize> Function<T, N> for Value<L> {
    #[inline(always)]
    fn at(self, operands: [T; N]) -> T {
        self.0.f(operands)
    }
}

/// The derivative by one operand: the input where `INPUT` says so. It, and the target of a loss of two, are numbers
/// that the compiler knows, so that its loop computes that derivative alone.
#[derive(Clone, Copy)]
struct Slope<L, const INPUT: bool> {
    loss: L,
    operand: usize,
}

impl<T: Float, L: ElementwiseLoss<N>, const N: usize, const INPUT: bool> Function<T, N> for Slope<L, INPUT> {
    #[inline(always)]
    fn at(self, operands: [T; N]) -> T {
        let operand = match N {
            _ if INPUT => 0,
            2 => 1,
            _ => self.operand,
        };
        self.loss.df(operand, operands)
    }
}

/// A number times a function of the operands.
#[derive(Clone, Copy)]
struct Scaled<T, F, const N: usize> {
    scale: T,
    f: F,
}

impl<T: Float, F: Function<T, N>, const N: usize> Function<T, { FACTOR + 1 }> for Scaled<T, F, N> {
    #[inline(always)]
    fn at(self, elements: [T; FACTOR + 1]) -> T {
        self.scale * self.f.at(first(elements))
    }
}

/// The same times the factor of the element.
#[derive(Clone, Copy)]
struct Weighted<T, F, const N: usize> {
    scale: T,
    f: F,
}

impl<T: Float, F: Function<T, N>, const N: usize> Function<T, { FACTOR + 1 }> for Weighted<T, F, N> {
    #[inline(always)]
    fn at(self, elements: [T; FACTOR + 1]) -> T {
        self.scale * elements[FACTOR] * self.f.at(first(elements))
    }
}

/// Where a kernel finds the factor of an element, after the operands.
const FACTOR: usize = 3;

/// The arrays of a kernel: operands, then the factor. What is not there is filled up with the input, which costs
/// nothing: the compiler drops what a loop reads and does not use.
fn slots<'a, T: FloatElement, const N: usize>(
    operands: [&'a Tensor; N],
    factor: Option<&'a Tensor>,
) -> Result<[&'a [T]; FACTOR + 1]> {
    const { assert!(N <= FACTOR, "a loss of more operands than kernels are made for") };
    let mut slots = [operands[0].as_slice::<T>()?; FACTOR + 1];
    for (slot, operand) in slots.iter_mut().zip(operands) {
        *slot = operand.as_slice()?;
    }
    if let Some(factor) = factor {
        slots[FACTOR] = factor.as_slice()?;
    }
    Ok(slots)
}

/// The operands among the elements that a kernel reads.
#[inline(always)]
fn first<T: Copy, const N: usize>(v: [T; FACTOR + 1]) -> [T; N] {
    std::array::from_fn(|k| v[k])
}

struct ElementwiseBackward<L, const N: usize> {
    loss: L,
    reduction: Reduction,
    is_weighted: bool,
}

impl<const N: usize, L: ElementwiseLoss<N>> ElementwiseBackward<L, N> {
    fn operands<'a>(&self, ctx: &'a Context<'_>) -> Result<[&'a Tensor; N]> {
        let mut operands = [ctx.saved(0)?; N];
        for (k, operand) in operands.iter_mut().enumerate().skip(1) {
            *operand = ctx.saved(k)?;
        }
        Ok(operands)
    }

    fn weight<'a>(&self, ctx: &'a Context<'_>) -> Result<Option<&'a Tensor>> {
        self.is_weighted.then(|| ctx.saved(N)).transpose()
    }

    /// What the reduction multiplies each loss with.
    fn scale(&self, ctx: &Context<'_>) -> Result<f64> {
        let shape = ctx.saved(0)?.shape();
        Ok(self.reduction.apply(1.0, shape.numel() as f64, batch(shape)))
    }

    /// The gradient of the weight, if there is one: the losses without it.
    fn weight_gradient(&self, ctx: &Context<'_>) -> Result<Option<Tensor>> {
        ctx.when_needed(N, || {
            let losses = elementwise(self.loss, self.operands(ctx)?, None, Reduction::None)?;
            losses.mul(&ctx.grad()?.mul(self.scale(ctx)?)?)
        })
    }

    fn fused<T: FloatElement>(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (loss, operands) = (self.loss, self.operands(ctx)?);
        let shape = operands[0].shape();
        // The gradient of each element's loss is `scale` times that element of `factor`, where there is one.
        let (factor, scale) = match self.reduction {
            Reduction::None => (Some(ctx.grad()?.contiguous()?), 1.0),
            _ => (None, ctx.grad()?.item()? * self.scale(ctx)?),
        };
        let factor = match (self.weight(ctx)?, factor) {
            (None, factor) => factor,
            (Some(w), None) => Some(w.expand(shape)?.contiguous()?),
            (Some(w), Some(g)) => Some(g.mul(w)?),
        };
        let (factor, scale) = (factor.as_ref(), T::from_f64(scale));
        let mut grads = Vec::with_capacity(N + 1);
        for k in 0..N {
            let cost = L::COST_NS;
            grads.push(ctx.when_needed(k, || match k {
                0 => map(operands, factor, scale, cost, Slope::<L, true> { loss, operand: 0 }),
                _ => map(operands, factor, scale, cost, Slope::<L, false> { loss, operand: k }),
            })?);
        }
        Ok(grads)
    }
}

impl<const N: usize, L: ElementwiseLoss<N>> Backward for ElementwiseBackward<L, N> {
    fn name(&self) -> &'static str {
        L::NAME
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let operands = self.operands(ctx)?;
        let g = ctx.grad()?.mul(self.scale(ctx)?)?;
        let weighted = match self.weight(ctx)? {
            Some(w) => g.mul(w)?,
            None => g,
        };
        let mut grads = Vec::with_capacity(N + 1);
        for k in 0..N {
            grads.push(ctx.when_needed(k, || weighted.mul(&self.loss.df_formula(k, operands)?))?);
        }
        if self.is_weighted {
            grads.push(self.weight_gradient(ctx)?);
        }
        Ok(grads)
    }

    fn backward_fused(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let mut grads = dispatch_float!(ctx.saved(0)?.dtype(), T => self.fused::<T>(ctx))?;
        if self.is_weighted {
            grads.push(self.weight_gradient(ctx)?);
        }
        Ok(grads)
    }
}
