//! Rounding down.

use crate::operation::{Saves, Unary, flat, unary};
use crate::table::{Kink, Refusal, Row, Sample, uniform};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Floor;

impl Unary for Floor {
    const NAME: &'static str = "floor";
    const SAVES: Saves = Saves::Nothing;
    const INT: Option<fn(i64) -> i64> = Some(|x| x);
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        x.floor()
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
    /// The largest integer not above x, element by element (PyTorch: `torch.floor`). The derivative is 0.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([-1.5, 1.5]).floor()?.to_vec::<f32>()?, [-2.0, 1.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For booleans.
    #[track_caller]
    pub fn floor(&self) -> Result<Tensor> {
        unary(self, Floor)
    }
}

pub(super) const ROW: Row = Row {
    kinks: || vec![Kink { at: 0.0, call: Tensor::floor, derivative: 0.0 }],
    errors: || vec![Refusal::new(&["bool"], || Tensor::new([true]).floor())],
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].floor()?]))],
    ..Row::new("floor", "torch.floor", || vec![Sample::new("", [uniform(1, [2, 3], 0.1, 0.4)], |x| x[0].floor()).flat()])
};
