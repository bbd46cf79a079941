//! The form of an element-wise operation of one tensor.

use chainrule_kernels::Float;
use chainrule_kernels::elementwise::{Function1, Function2, zip_block};

use super::elementwise::zip_tensors;
use crate::autograd::{Backward, Context, Few, Save, record};
use crate::{DType, Result, Tensor, bail, dispatch_float};

/// What the derivative is computed from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saves {
    /// Nothing: the derivative is a constant.
    Nothing,
    /// x.
    Input,
    /// y = f(x).
    Output,
}

/// An element-wise operation y = f(x). The type holds the options.
///
/// `f` and `df` must be `#[inline(always)]`: they are the body of loops that are compiled for each instruction set,
/// and as functions of their own they would be compiled without any.
///
/// An operation without [`INT`](Unary::INT) computes integers and booleans in the default float dtype; one with
/// it refuses booleans.
pub(crate) trait Unary: Copy + Send + Sync + 'static {
    /// The operation's name.
    const NAME: &'static str;
    /// What the two forms of the derivative look at.
    const SAVES: Saves;
    /// f(x) for an integer.
    const INT: Option<fn(i64) -> i64> = None;
    /// Estimated time for an element on one thread, in nanoseconds.
    const COST_NS: f64 = 0.5;

    /// f(x)
    fn f<T: Float>(self, x: T) -> T;
    /// g · f′(x), computed from what is saved: x or y = f(x). Where f is constant this is 0 whatever g is, an
    /// infinity included.
    fn df<T: Float>(self, g: T, saved: T) -> T;
    /// The same, written with tensor operations so that it can be differentiated again.
    fn grad(self, g: &Tensor, saved: &Tensor) -> Result<Tensor>;
}

/// Applies an element-wise operation and records it.
#[track_caller]
pub(crate) fn unary<U: Unary>(x: &Tensor, operation: U) -> Result<Tensor> {
    match (x.dtype(), U::INT) {
        (DType::F32 | DType::F64, _) => {}
        (DType::I64, Some(f)) => return x.map_elements(U::NAME, U::COST_NS, f),
        (DType::Bool, Some(_)) => {
            bail!(DType, U::NAME, "not defined for bool: convert it with to_dtype first")
        }
        _ => return unary(&x.to_dtype(DType::F32)?, operation),
    }
    let y = dispatch_float!(x.dtype(), T => x.map_elements::<T, T>(U::NAME, U::COST_NS, Value(operation))?);
    let saved: &[Save<'_>] = match U::SAVES {
        Saves::Nothing => &[],
        Saves::Input => &[Save::Input(0)],
        Saves::Output => &[Save::Output(0)],
    };
    record(UnaryBackward(operation), &[x], saved, y)
}

/// The gradient of an operation that is constant wherever it has a derivative: zero, in its place in the graph
/// of g, so that it can be differentiated as any other.
pub(crate) fn flat(g: &Tensor) -> Result<Tensor> {
    g.masked_fill(&Tensor::new(true), 0.0)
}

/// f as the body of a loop.
struct Value<U>(U);

impl<U: Unary, T: Float> Function1<T, T> for Value<U> {
    #[inline(always)]
    fn at(&self, x: T) -> T {
        self.0.f(x)
    }
}

/// df as the body of a loop.
struct Derivative<U>(U);

impl<U: Unary, T: Float> Function2<T, T, T> for Derivative<U> {
    #[inline(always)]
    fn at(&self, g: T, saved: T) -> T {
        self.0.df(g, saved)
    }
}

struct UnaryBackward<U>(U);

/// What was saved; for a constant derivative, which looks at nothing, the gradient stands in.
fn saved<'a, U: Unary>(ctx: &'a Context<'_>) -> Result<&'a Tensor> {
    if U::SAVES == Saves::Nothing { ctx.grad() } else { ctx.saved(0) }
}

impl<U: Unary> Backward for UnaryBackward<U> {
    fn name(&self) -> &'static str {
        U::NAME
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(self.0.grad(ctx.grad()?, saved::<U>(ctx)?)?)])
    }

    fn backward_fused(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(self.fused(ctx)?)])
    }

    fn gradients(&self, ctx: &Context<'_>, recorded: bool) -> Result<Few<Option<Tensor>>> {
        let grad = if recorded { self.0.grad(ctx.grad()?, saved::<U>(ctx)?)? } else { self.fused(ctx)? };
        Ok(Few::One([Some(grad)]))
    }
}

impl<U: Unary> UnaryBackward<U> {
    /// In one pass.
    fn fused(&self, ctx: &Context<'_>) -> Result<Tensor> {
        let (g, saved) = (ctx.grad()?, saved::<U>(ctx)?);
        dispatch_float!(g.dtype(), T => {
            zip_tensors(U::NAME, g.shape(), (g, saved), U::COST_NS + 0.5, &|g, saved, out| {
                zip_block::<T, T, T>((g, saved), out, &Derivative(self.0));
            })
        })
    }
}
