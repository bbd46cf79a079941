//! The form of an element-wise operation of two tensors, with broadcasting and type promotion.

use chainrule_kernels::elementwise::{Function2, zip_block};
use chainrule_kernels::{Float, Number};

use super::Operand;
use super::elementwise::zip_tensors;
use crate::autograd::{Backward, Context, Few, Save, record};
use crate::shape;
use crate::{DType, Result, Shape, Tensor, bail, dispatch};

/// An element-wise operation y = f(a, b).
///
/// `float` must be `#[inline(always)]`; see [`Unary`](super::Unary).
///
/// An operation without [`INT`](Binary::INT) computes integers and booleans in the default float dtype; one
/// without [`BOOL`](Binary::BOOL) only refuses two booleans.
pub(crate) trait Binary: Copy + Send + Sync + 'static {
    /// The operation's name.
    const NAME: &'static str;
    /// What [`grads`](Binary::grads) finds in its context.
    const SAVES: &'static [Save<'static>];
    /// Estimated time for an element on one thread, in nanoseconds.
    const COST_NS: f64 = 0.5;
    /// f(a, b) for integers.
    const INT: Option<fn(i64, i64) -> i64> = None;
    /// f(a, b) for booleans.
    const BOOL: Option<fn(bool, bool) -> bool> = None;

    /// f(a, b)
    fn float<T: Float>(self, a: T, b: T) -> T;
    /// The gradients of a and b. They may have the broadcast shape.
    fn grads(self, ctx: &Context<'_>) -> Result<[Option<Tensor>; 2]>;
}

/// Applies an element-wise operation and records it.
#[track_caller]
pub(crate) fn binary<'a, B: Binary>(
    a: impl Into<Operand<'a>>,
    b: impl Into<Operand<'a>>,
    operation: B,
) -> Result<Tensor> {
    let (a, b) = (a.into(), b.into());
    let mut dtype = a.result_dtype(&b);
    if B::INT.is_none() {
        dtype = dtype.to_float();
    }
    let (mut space_a, mut space_b) = (None, None);
    let of = (a.as_tensor(dtype, &mut space_a)?, b.as_tensor(dtype, &mut space_b)?);
    let mut space = None;
    let shape = broadcast(B::NAME, of, &mut space)?;
    let y = match (dtype, B::INT, B::BOOL) {
        (DType::I64, Some(f), _) => {
            zip_tensors(B::NAME, shape, of, B::COST_NS, &|a, b, out| zip_block((a, b), out, &f))?
        }
        (DType::Bool, _, Some(f)) => {
            zip_tensors(B::NAME, shape, of, B::COST_NS, &|a, b, out| zip_block((a, b), out, &f))?
        }
        (DType::F32, ..) => zip_tensors(B::NAME, shape, of, B::COST_NS, &|a, b, out| {
            zip_block::<f32, f32, f32>((a, b), out, &Value(operation));
        })?,
        (DType::F64, ..) => zip_tensors(B::NAME, shape, of, B::COST_NS, &|a, b, out| {
            zip_block::<f64, f64, f64>((a, b), out, &Value(operation));
        })?,
        _ => {
            bail!(DType, B::NAME, "not defined for two operands of {dtype}: convert one with to_dtype first")
        }
    };
    record(BinaryBackward(operation), &[of.0, of.1], B::SAVES, y)
}

/// The function of floats as the body of a loop.
struct Value<B>(B);

impl<B: Binary, T: Float> Function2<T, T, T> for Value<B> {
    #[inline(always)]
    fn at(&self, a: T, b: T) -> T {
        self.0.float(a, b)
    }
}

/// The shape that two operands broadcast to, which is put into `space` unless they have it already.
#[track_caller]
#[inline]
fn broadcast<'a>(
    operation: &str,
    (a, b): (&'a Tensor, &Tensor),
    space: &'a mut Option<Shape>,
) -> Result<&'a Shape> {
    if a.shape() == b.shape() {
        return Ok(a.shape());
    }
    Ok(space.insert(shape::broadcast(operation, a.shape(), b.shape())?))
}

/// An element-wise comparison.
pub(crate) trait Compare: Copy + Send + Sync {
    /// The operation's name.
    const NAME: &'static str;
    /// Whether the relation holds; never for a NaN, except for "not equal".
    fn holds<T: Number>(self, a: T, b: T) -> bool;
}

/// Compares two operands in their common dtype; the result is a `bool` tensor outside any graph.
#[track_caller]
pub(crate) fn compare<'a, C: Compare>(
    a: impl Into<Operand<'a>>,
    b: impl Into<Operand<'a>>,
    comparison: C,
) -> Result<Tensor> {
    let (a, b) = (a.into(), b.into());
    let dtype = a.result_dtype(&b);
    let (mut space_a, mut space_b) = (None, None);
    let of = (a.as_tensor(dtype, &mut space_a)?, b.as_tensor(dtype, &mut space_b)?);
    let mut space = None;
    let shape = broadcast(C::NAME, of, &mut space)?;
    dispatch!(dtype, T => zip_tensors(C::NAME, shape, of, 0.5, &|a, b, out| {
        zip_block((a, b), out, &|x: T, y: T| comparison.holds(x, y));
    }))
}

struct BinaryBackward<B>(B);

impl<B: Binary> Backward for BinaryBackward<B> {
    fn name(&self) -> &'static str {
        B::NAME
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        self.0.grads(ctx).map(Vec::from)
    }

    fn gradients(&self, ctx: &Context<'_>, _: bool) -> Result<Few<Option<Tensor>>> {
        self.0.grads(ctx).map(Few::Two)
    }
}
