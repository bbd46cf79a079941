//! The form of an element-wise operation of two tensors, with broadcasting and type promotion.

use chainrule_kernels::elementwise::{View, zip};
use chainrule_kernels::{Buffer, Float, Number};

use super::Operand;
use crate::autograd::{Backward, Context, Save, record};
use crate::shape::broadcast;
use crate::{DType, Element, Result, Shape, Tensor, bail, dispatch};

/// Which dtypes an operation computes in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Types {
    /// Every dtype.
    All,
    /// Floats and integers; booleans are refused where both operands are.
    Numbers,
    /// Floats; integers and booleans are converted to the default float dtype.
    Floats,
}

/// An element-wise operation y = f(a, b).
pub(crate) trait Binary: Copy + Send + Sync + 'static {
    /// The operation's name.
    const NAME: &'static str;
    /// The dtypes that it computes in.
    const TYPES: Types = Types::All;
    /// What [`grads`](Binary::grads) finds in its context.
    const SAVES: &'static [Save<'static>];
    /// Estimated time for an element on one thread, in nanoseconds.
    const COST_NS: f64 = 0.5;

    /// f(a, b)
    fn float<T: Float>(self, a: T, b: T) -> T;
    /// f(a, b) for integers.
    fn int(self, a: i64, _b: i64) -> i64 {
        a
    }
    /// f(a, b) for booleans.
    fn boolean(self, a: bool, _b: bool) -> bool {
        a
    }
    /// The gradients of a and b. They may have the broadcast shape.
    fn grads(self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>>;
}

/// Applies an element-wise operation and records it.
#[track_caller]
pub(crate) fn binary<'a, B: Binary>(
    a: impl Into<Operand<'a>>,
    b: impl Into<Operand<'a>>,
    operation: B,
) -> Result<Tensor> {
    let (a, b) = (a.into(), b.into());
    let dtype = match (B::TYPES, a.result_dtype(&b)) {
        (Types::Floats, dtype) => dtype.to_float(),
        (Types::Numbers, DType::Bool) => {
            bail!(DType, B::NAME, "not defined for two operands of bool: convert one with to_dtype first")
        }
        (_, dtype) => dtype,
    };
    let (a, b) = (a.to_tensor(dtype)?, b.to_tensor(dtype)?);
    let shape = broadcast(B::NAME, a.shape(), b.shape())?;
    let y = match dtype {
        DType::F32 => apply(&shape, (&a, &b), B::COST_NS, |x: f32, y: f32| operation.float(x, y)),
        DType::F64 => apply(&shape, (&a, &b), B::COST_NS, |x: f64, y: f64| operation.float(x, y)),
        DType::I64 => apply(&shape, (&a, &b), B::COST_NS, |x: i64, y: i64| operation.int(x, y)),
        DType::Bool => apply(&shape, (&a, &b), B::COST_NS, |x: bool, y: bool| operation.boolean(x, y)),
    }?;
    record(BinaryBackward(operation), &[&a, &b], B::SAVES, y)
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
    let (a, b) = (a.to_tensor(dtype)?, b.to_tensor(dtype)?);
    let shape = broadcast(C::NAME, a.shape(), b.shape())?;
    dispatch!(dtype, T => apply(&shape, (&a, &b), 0.5, |x: T, y: T| comparison.holds(x, y)))
}

/// Applies a function at each index of the broadcast shape.
#[track_caller]
fn apply<T: Element, R: Element>(
    shape: &Shape,
    (a, b): (&Tensor, &Tensor),
    ns: f64,
    f: impl Fn(T, T) -> R + Sync,
) -> Result<Tensor> {
    let mut out = Buffer::<R>::recycled(shape.checked_numel("broadcast")?);
    let (a_strides, b_strides) = (a.broadcast_strides(shape), b.broadcast_strides(shape));
    let a = View { strides: &a_strides, ..a.strided::<T>()? };
    let b = View { strides: &b_strides, ..b.strided::<T>()? };
    zip(shape, (a, b), &mut out, ns, f);
    Ok(Tensor::from_parts(out, shape.clone()))
}

impl Tensor {
    /// Strides that walk this tensor over a shape that it broadcasts to: 0 where an element repeats.
    pub(crate) fn broadcast_strides(&self, shape: &Shape) -> Shape {
        let missing = shape.len() - self.rank();
        (0..shape.len())
            .map(|dim| match dim.checked_sub(missing) {
                Some(own) if self.layout.shape[own] != 1 => self.layout.strides[own],
                _ => 0,
            })
            .collect()
    }
}

struct BinaryBackward<B>(B);

impl<B: Binary> Backward for BinaryBackward<B> {
    fn name(&self) -> &'static str {
        B::NAME
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        self.0.grads(ctx)
    }
}
