//! Tangent.

use crate::operation::{Saves, Unary, unary};
use crate::table::{Row, Sample, uniform};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Tan;

impl Unary for Tan {
    const NAME: &'static str = "tan";
    const SAVES: Saves = Saves::Output;
    const COST_NS: f64 = 8.0;
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        x.tan()
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, y: T) -> T {
        g * (y * y + T::ONE)
    }
    fn grad(self, g: &Tensor, y: &Tensor) -> Result<Tensor> {
        g.mul(&y.square()?.add(1.0)?)
    }
}

impl Tensor {
    /// tan x, element by element, x in radians (PyTorch: `torch.tan`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([0.0, std::f64::consts::FRAC_PI_4]).tan()?.to_vec::<f32>()?, [0.0, 1.0]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn tan(&self) -> Result<Tensor> {
        unary(self, Tan)
    }
}

pub(super) const ROW: Row = Row {
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].tan()?]))],
    ..Row::new("tan", "torch.tan", || vec![Sample::new("", [uniform(1, [2, 3], -1.2, 1.2)], |x| x[0].tan())])
};
