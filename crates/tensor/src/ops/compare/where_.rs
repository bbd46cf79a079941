//! Choice between two tensors, element by element.

use chainrule_kernels::elementwise::{View, zip3};

use crate::autograd::{Backward, Context, Save, record};
use crate::operation::Operand;
use crate::shape::broadcast;
use crate::table::{Refusal, Row, Sample, values};
use crate::{DType, Element, Result, Shape, Tensor, bail, dispatch};

struct WhereBackward;

impl Backward for WhereBackward {
    fn name(&self) -> &'static str {
        "where_"
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (g, condition) = (ctx.grad()?, ctx.saved(0)?);
        Ok(vec![
            ctx.when_needed(0, || g.masked_fill(&condition.logical_not()?, 0.0))?,
            ctx.when_needed(1, || g.masked_fill(condition, 0.0))?,
        ])
    }
}

impl Tensor {
    /// `a` where the condition is true and `b` where it is false, element by element, with broadcasting of all
    /// three (PyTorch: `torch.where`).
    ///
    /// Both sides are computed in full before they get here, and both take part in the backward pass: where an
    /// element is not chosen its gradient is 0, and a derivative that is infinite or NaN there makes a NaN of
    /// it. `where_(x > 0, √x, 0)` has the gradient NaN at 0; choose the argument as well to avoid that:
    /// `where_(x > 0, √where_(x > 0, x, 1), 0)`.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([-1.0, 4.0]);
    /// assert_eq!(Tensor::where_(&x.gt(0.0)?, &x, 0.0)?.to_vec::<f32>()?, [0.0, 4.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the condition is not `bool`, and when the shapes do not broadcast.
    #[track_caller]
    pub fn where_<'a>(
        condition: &Tensor,
        a: impl Into<Operand<'a>>,
        b: impl Into<Operand<'a>>,
    ) -> Result<Tensor> {
        if condition.dtype() != DType::Bool {
            bail!(DType, "where_", "the condition must be bool, not {}", condition.dtype());
        }
        let (a, b) = (a.into(), b.into());
        let dtype = a.result_dtype(&b);
        let (a, b) = (a.to_tensor(dtype)?, b.to_tensor(dtype)?);
        let shape = broadcast("where_", &broadcast("where_", a.shape(), b.shape())?, condition.shape())?;
        let y = dispatch!(dtype, T => choose::<T>(&shape, condition, &a, &b)?);
        record(WhereBackward, &[&a, &b], &[Save::Value(condition)], y)
    }
}

#[track_caller]
fn choose<T: Element>(shape: &Shape, condition: &Tensor, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let mut out = shape.allocate::<T>("where_")?;
    let strides = [condition, a, b].map(|t| t.broadcast_strides(shape));
    let operands = (
        View { strides: &strides[0], ..condition.strided::<bool>()? },
        View { strides: &strides[1], ..a.strided::<T>()? },
        View { strides: &strides[2], ..b.strided::<T>()? },
    );
    zip3(shape, operands, &mut out, 0.7, |c, a, b| if c { a } else { b });
    Ok(Tensor::from_parts(out, shape.clone()))
}

pub(super) const ROW: Row = Row {
    errors: || {
        let flags = || Tensor::new([true, false]);
        vec![
            Refusal::new(&["int64"], || Tensor::where_(&Tensor::new([1, 0]), 1.0, 0.0)),
            Refusal::new(&["[2]", "[3]"], move || Tensor::where_(&flags(), &values(1, [3]), 0.0)),
        ]
    },
    bench: &[(&[&[1_000_000], &[1_000_000]], |x| Ok(vec![Tensor::where_(&x[0].gt(&x[1])?, &x[0], &x[1])?]))],
    ..Row::new("where_", "torch.where", || {
        let mask = || Tensor::new([[true, false, true], [false, false, true]]);
        vec![
            Sample::new("same shape", [values(1, [2, 3]), values(2, [2, 3])], move |x| {
                Tensor::where_(&mask(), &x[0], &x[1])
            }),
            Sample::new("broadcast", [values(1, [3]), values(2, [4, 1, 1])], move |x| {
                Tensor::where_(&mask(), &x[0], &x[1])
            }),
            Sample::new("number", [values(1, [3])], move |x| Tensor::where_(&mask(), 2.0, &x[0])),
        ]
    })
};
