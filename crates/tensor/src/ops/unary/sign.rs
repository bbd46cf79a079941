//! Sign.

use crate::operation::{Saves, Unary, flat, unary};
use crate::table::{Kink, Row, Sample, uniform};
use crate::{DType, Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Sign;

impl Unary for Sign {
    const NAME: &'static str = "sign";
    const SAVES: Saves = Saves::Nothing;
    const INT: Option<fn(i64) -> i64> = Some(|x| x.signum());
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        if x > T::ZERO {
            T::ONE
        } else if x < T::ZERO {
            -T::ONE
        } else {
            T::ZERO
        }
    }
    #[inline(always)]
    fn df<T: Float>(self, _: T, _: T) -> T {
        T::ZERO
    }
    fn grad(self, g: &Tensor, _: &Tensor) -> Result<Tensor> {
        flat(g)
    }
}

impl Tensor {
    /// −1, 0 or 1, element by element, and 0 for a NaN; booleans as they are (PyTorch: `torch.sign`). The
    /// derivative is 0.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([-2.5, 0.0, 3.0]).sign()?.to_vec::<f32>()?, [-1.0, 0.0, 1.0]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn sign(&self) -> Result<Tensor> {
        if self.dtype() == DType::Bool { Ok(self.clone()) } else { unary(self, Sign) }
    }
}

pub(super) const ROW: Row = Row {
    kinks: || vec![Kink { at: 0.0, call: Tensor::sign, derivative: 0.0 }],
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].sign()?]))],
    ..Row::new("sign", "torch.sign", || vec![Sample::new("", [uniform(1, [2, 3], 0.1, 0.4)], |x| x[0].sign()).flat()])
};
