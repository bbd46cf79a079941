//! Rectified linear unit.

use crate::operation::{Saves, Unary, unary};
use crate::table::{Kink, Row, Sample, values};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Relu;

impl Unary for Relu {
    const NAME: &'static str = "relu";
    const SAVES: Saves = Saves::Output;
    const INT: Option<fn(i64) -> i64> = Some(|x| x.max(0));
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        // Written so that a NaN stays a NaN.
        if x <= T::ZERO { T::ZERO } else { x }
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, y: T) -> T {
        if y <= T::ZERO { T::ZERO } else { g }
    }
    fn grad(self, g: &Tensor, y: &Tensor) -> Result<Tensor> {
        g.masked_fill(&y.le(0.0)?, 0.0)
    }
}

impl Tensor {
    /// max(x, 0), element by element; the derivative at 0 is 0 (PyTorch: `torch.relu`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([-1.0, 2.0]).relu()?.to_vec::<f32>()?, [0.0, 2.0]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn relu(&self) -> Result<Tensor> {
        unary(self, Relu)
    }
}

pub(super) const ROW: Row = Row {
    kinks: || vec![Kink { at: 0.0, call: Tensor::relu, derivative: 0.0 }],
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].relu()?]))],
    ..Row::new("relu", "torch.relu", || vec![Sample::new("", [values(1, [2, 5])], |x| x[0].relu())])
};
