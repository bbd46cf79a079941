//! The form of an element-wise operation of one tensor.

use chainrule_kernels::elementwise::{map, zip};
use chainrule_kernels::{Buffer, Float};

use crate::autograd::{Backward, Context, Save, record};
use crate::{DType, Element, Result, Tensor, bail, dispatch_float};

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
/// Integers and booleans are converted to the default float dtype, unless [`INTEGERS`](Unary::INTEGERS).
pub(crate) trait Unary: Copy + Send + Sync + 'static {
    /// The operation's name.
    const NAME: &'static str;
    /// What the two forms of the derivative look at.
    const SAVES: Saves;
    /// Whether integers stay integers ([`int`](Unary::int)); booleans are refused then.
    const INTEGERS: bool = false;
    /// Estimated time for an element on one thread, in nanoseconds.
    const COST_NS: f64 = 0.5;

    /// f(x)
    fn f<T: Float>(self, x: T) -> T;
    /// f(x) for an integer.
    fn int(self, x: i64) -> i64 {
        x
    }
    /// g · f′(x), computed from what is saved: x or y = f(x). Where f is constant this is 0 whatever g is, an
    /// infinity included.
    fn df<T: Float>(self, g: T, saved: T) -> T;
    /// The same, written with tensor operations so that it can be differentiated again.
    fn grad(self, g: &Tensor, saved: &Tensor) -> Result<Tensor>;
}

/// Applies an element-wise operation and records it.
#[track_caller]
pub(crate) fn unary<U: Unary>(x: &Tensor, operation: U) -> Result<Tensor> {
    match x.dtype() {
        DType::I64 if U::INTEGERS => {
            return x.map_elements(U::COST_NS, |v| operation.int(v));
        }
        DType::Bool if U::INTEGERS => {
            bail!(DType, U::NAME, "not defined for bool: convert it with to_dtype first")
        }
        DType::I64 | DType::Bool => return unary(&x.to_dtype(DType::F32)?, operation),
        _ => {}
    }
    let y = dispatch_float!(x.dtype(), T => x.map_elements(U::COST_NS, |v: T| operation.f(v))?);
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

impl Tensor {
    /// A function of each element, as a tensor of this shape outside any graph. `T` must be the dtype.
    #[track_caller]
    pub(crate) fn map_elements<T: Element, R: Element>(
        &self,
        ns: f64,
        f: impl Fn(T) -> R + Sync,
    ) -> Result<Tensor> {
        let mut out = Buffer::<R>::recycled(self.numel());
        map(self.shape(), self.strided::<T>()?, &mut out, ns, f);
        Ok(Tensor::from_parts(out, self.shape().clone()))
    }
}

struct UnaryBackward<U>(U);

/// What was saved; for a constant derivative, which looks at nothing, the gradient stands in.
fn saved<'a, U: Unary>(ctx: &'a Context<'_>) -> &'a Tensor {
    if U::SAVES == Saves::Nothing { ctx.grad() } else { ctx.saved(0) }
}

impl<U: Unary> Backward for UnaryBackward<U> {
    fn name(&self) -> &'static str {
        U::NAME
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(self.0.grad(ctx.grad(), saved::<U>(ctx))?)])
    }

    /// In one pass.
    fn backward_fused(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (g, saved) = (ctx.grad(), saved::<U>(ctx));
        let grad = dispatch_float!(g.dtype(), T => {
            let mut out = Buffer::<T>::recycled(g.numel());
            let operands = (g.strided::<T>()?, saved.strided::<T>()?);
            zip(g.shape(), operands, &mut out, U::COST_NS + 0.5, |g, v| self.0.df(g, v));
            Tensor::from_parts(out, g.shape().clone())
        });
        Ok(vec![Some(grad)])
    }
}
