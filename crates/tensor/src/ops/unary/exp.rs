//! Exponential.

use crate::operation::{Saves, Unary, unary};
use crate::table::{Row, Sample, values};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Exp;

impl Unary for Exp {
    const NAME: &'static str = "exp";
    const SAVES: Saves = Saves::Output;
    const COST_NS: f64 = 2.0;
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        x.exp()
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, y: T) -> T {
        g * y
    }
    fn grad(self, g: &Tensor, y: &Tensor) -> Result<Tensor> {
        g.mul(y)
    }
}

impl Tensor {
    /// eˣ, element by element (PyTorch: `torch.exp`). Integers and booleans are computed in `f32`.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([0.0, 1.0]).exp()?.to_vec::<f32>()?, [1.0, std::f32::consts::E]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn exp(&self) -> Result<Tensor> {
        unary(self, Exp)
    }
}

pub(super) const ROW: Row = Row {
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].exp()?]))],
    ..Row::new("exp", "torch.exp", || vec![Sample::new("", [values(1, [2, 3])], |x| x[0].exp())])
};
