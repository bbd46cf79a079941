//! Square.

use crate::operation::{Saves, Unary, unary};
use crate::table::{Row, Sample, values};
use crate::{DType, Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Square;

impl Unary for Square {
    const NAME: &'static str = "square";
    const SAVES: Saves = Saves::Input;
    const INT: Option<fn(i64) -> i64> = Some(|x| x.wrapping_mul(x));
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        x * x
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, x: T) -> T {
        g * (x + x)
    }
    fn grad(self, g: &Tensor, x: &Tensor) -> Result<Tensor> {
        g.mul(&x.mul(2.0)?)
    }
}

impl Tensor {
    /// x², element by element; as integers for booleans (PyTorch: `torch.square`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([4.0, -0.5]).square()?.to_vec::<f32>()?, [16.0, 0.25]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn square(&self) -> Result<Tensor> {
        if self.dtype() == DType::Bool { self.to_dtype(DType::I64) } else { unary(self, Square) }
    }
}

pub(super) const ROW: Row = Row {
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].square()?]))],
    ..Row::new("square", "torch.square", || vec![Sample::new("", [values(1, [2, 3])], |x| x[0].square())])
};
