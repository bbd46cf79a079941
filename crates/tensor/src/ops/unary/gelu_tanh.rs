//! Gaussian error linear unit, approximated with tanh.

use crate::operation::{Saves, Unary, unary};
use crate::table::{Kink, Row, Sample, values};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

use std::f64::consts::{FRAC_2_SQRT_PI, SQRT_2};

/// √(2/π)
const SCALE: f64 = FRAC_2_SQRT_PI * SQRT_2 / 2.0;
const CUBIC: f64 = 0.044715;

/// Beyond this tanh is −1 or 1 to the last bit. Arguments are kept within, so that neither an infinity nor a square that
/// is one meets the zero that is left.
const FAR: f64 = 40.0;

/// √(2/π) · (x + 0.044715x³)
#[inline(always)]
fn inner<T: Float>(x: T) -> T {
    T::of(SCALE) * (x + T::of(CUBIC) * x * x * x)
}

#[derive(Clone, Copy)]
struct GeluTanh;

impl Unary for GeluTanh {
    const NAME: &'static str = "gelu_tanh";
    const SAVES: Saves = Saves::Input;
    const COST_NS: f64 = 8.0;
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        let below = if x < T::of(-FAR) { T::of(-FAR) } else { x };
        below * T::of(0.5) * (T::ONE + inner(below).tanh())
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, x: T) -> T {
        let x = x.within(T::of(FAR));
        let t = inner(x).tanh();
        let slope = T::of(SCALE) * (T::ONE + T::of(3.0 * CUBIC) * x * x);
        g * (T::of(0.5) * ((T::ONE + t) + x * (T::ONE - t * t) * slope))
    }
    fn grad(self, g: &Tensor, x: &Tensor) -> Result<Tensor> {
        let x = &x.clamp(Some(-FAR), Some(FAR))?;
        let t = x.add(&x.pow(3.0)?.mul(CUBIC)?)?.mul(SCALE)?.tanh()?;
        let slope = x.square()?.mul(3.0 * CUBIC)?.add(1.0)?.mul(SCALE)?;
        let rise = t.square()?.neg()?.add(1.0)?.mul(&slope)?.mul(x)?;
        g.mul(&t.add(1.0)?.add(&rise)?.mul(0.5)?)
    }
}

impl Tensor {
    /// ½x · (1 + tanh(√(2/π) · (x + 0.044715x³))), element by element, which is within 0.0005 of
    /// [`gelu`](Tensor::gelu) (PyTorch: `torch.nn.functional.gelu` with `approximate="tanh"`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([0.0, 100.0]).gelu_tanh()?.to_vec::<f32>()?, [0.0, 100.0]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn gelu_tanh(&self) -> Result<Tensor> {
        unary(self, GeluTanh)
    }
}

pub(super) const ROW: Row = Row {
    kinks: || vec![Kink { at: 0.0, call: Tensor::gelu_tanh, derivative: 0.5 }],
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].gelu_tanh()?]))],
    ..Row::new("gelu_tanh", "torch.nn.functional.gelu", || vec![Sample::new("", [values(1, [2, 3])], |x| x[0].gelu_tanh())])
};
