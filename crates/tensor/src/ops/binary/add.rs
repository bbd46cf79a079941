//! Addition.

use crate::autograd::{Context, Save};
use crate::operation::{Binary, Operand, binary};
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Add;

impl Binary for Add {
    const NAME: &'static str = "add";
    const SAVES: &'static [Save<'static>] = &[];
    const INT: Option<fn(i64, i64) -> i64> = Some(|a, b| a.wrapping_add(b));
    const BOOL: Option<fn(bool, bool) -> bool> = Some(|a, b| a | b);
    #[inline(always)]
    fn float<T: Float>(self, a: T, b: T) -> T {
        a + b
    }
    fn grads(self, ctx: &Context<'_>) -> Result<[Option<Tensor>; 2]> {
        Ok([Some(ctx.grad()?.clone()), Some(ctx.grad()?.clone())])
    }
}

impl Tensor {
    /// a + b with broadcasting; also the operator `+` (PyTorch: `torch.add`). For booleans: or.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[1.0, 2.0], [3.0, 4.0]]).add(&Tensor::new([10.0, 20.0]))?;
    /// assert_eq!(x.to_vec::<f32>()?, [11.0, 22.0, 13.0, 24.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn add<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        binary(self, other, Add)
    }
}

pub(super) const ROW: Row = Row {
    errors: || vec![Refusal::new(&["[2, 3]", "[4]"], || values(1, [2, 3]).add(&values(2, [4])))],
    bench: &[(&[&[1_000_000], &[1_000_000]], |x| Ok(vec![x[0].add(&x[1])?]))],
    ..Row::new("add", "torch.add", || {
        vec![
            Sample::new("same shape", [values(1, [2, 3]), values(2, [2, 3])], |x| x[0].add(&x[1])),
            Sample::new("broadcast", [values(1, [2, 1, 3]), values(2, [4, 1])], |x| x[0].add(&x[1])),
            Sample::new("0-d", [values(1, [3]), values(2, [])], |x| x[0].add(&x[1])),
            Sample::new("number", [values(1, [3])], |x| x[0].add(2.5)),
            Sample::new("itself", [values(1, [3])], |x| x[0].add(&x[0])),
        ]
    })
};
