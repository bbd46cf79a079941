//! Sigmoid linear unit.

use crate::operation::{Saves, Unary, unary};
use crate::table::{Kink, Row, Sample, values};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

/// Beyond this the sigmoid is 0 or 1 to the last bit. Arguments are kept within, so that an infinity does not meet the
/// zero.
const FAR: f64 = 1000.0;

#[derive(Clone, Copy)]
struct Silu;

impl Unary for Silu {
    const NAME: &'static str = "silu";
    const SAVES: Saves = Saves::Input;
    const COST_NS: f64 = 3.0;
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        let below = if x < T::of(-FAR) { T::of(-FAR) } else { x };
        below / (T::ONE + (-below).exp())
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, x: T) -> T {
        let x = x.within(T::of(FAR));
        let s = x.sigmoid();
        g * (s * (T::ONE + x * (T::ONE - s)))
    }
    fn grad(self, g: &Tensor, x: &Tensor) -> Result<Tensor> {
        let x = x.clamp(Some(-FAR), Some(FAR))?;
        let s = x.sigmoid()?;
        g.mul(&s.add(&x.mul(&s.sub(&s.square()?)?)?)?)
    }
}

impl Tensor {
    /// x · sigmoid(x), element by element, also called swish (PyTorch: `torch.nn.functional.silu`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([0.0, 100.0]).silu()?.to_vec::<f32>()?, [0.0, 100.0]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn silu(&self) -> Result<Tensor> {
        unary(self, Silu)
    }
}

pub(super) const ROW: Row = Row {
    kinks: || vec![Kink { at: 0.0, call: Tensor::silu, derivative: 0.5 }],
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].silu()?]))],
    ..Row::new("silu", "torch.nn.functional.silu", || vec![Sample::new("", [values(1, [2, 3])], |x| x[0].silu())])
};
