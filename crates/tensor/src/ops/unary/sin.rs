//! Sine.

use crate::operation::{Saves, Unary, unary};
use crate::table::{Row, Sample, values};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Sin;

impl Unary for Sin {
    const NAME: &'static str = "sin";
    const SAVES: Saves = Saves::Input;
    const COST_NS: f64 = 5.0;
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        x.sin()
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, x: T) -> T {
        g * x.cos()
    }
    fn grad(self, g: &Tensor, x: &Tensor) -> Result<Tensor> {
        g.mul(&x.cos()?)
    }
}

impl Tensor {
    /// sin x, element by element, x in radians (PyTorch: `torch.sin`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([0.0, std::f64::consts::FRAC_PI_2]).sin()?.to_vec::<f32>()?, [0.0, 1.0]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn sin(&self) -> Result<Tensor> {
        unary(self, Sin)
    }
}

pub(super) const ROW: Row = Row {
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].sin()?]))],
    ..Row::new("sin", "torch.sin", || vec![Sample::new("", [values(1, [2, 3])], |x| x[0].sin())])
};
