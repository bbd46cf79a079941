//! Leaky rectified linear unit.

use crate::operation::{Saves, Unary, unary};
use crate::table::{Kink, Row, Sample, distinct};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct LeakyRelu {
    slope: f64,
}

impl Unary for LeakyRelu {
    const NAME: &'static str = "leaky_relu";
    const SAVES: Saves = Saves::Input;
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        // With a slope of 0 it is 0 at −∞ too.
        let least = T::of(if self.slope == 0.0 { -1.0 } else { f64::NEG_INFINITY });
        let below = if x < least { least } else { x };
        if x > T::ZERO { x } else { below * T::of(self.slope) }
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, x: T) -> T {
        if x > T::ZERO { g } else { g * T::of(self.slope) }
    }
    fn grad(self, g: &Tensor, x: &Tensor) -> Result<Tensor> {
        Tensor::where_(&x.gt(0.0)?, g, &g.mul(self.slope)?)
    }
}

impl Tensor {
    /// x where it is positive, else `negative_slope`·x; the derivative at 0 is `negative_slope` (PyTorch:
    /// `torch.nn.functional.leaky_relu`, where the slope defaults to 0.01).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([-10.0, 2.0]).leaky_relu(0.1)?.to_vec::<f32>()?, [-1.0, 2.0]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn leaky_relu(&self, negative_slope: f64) -> Result<Tensor> {
        unary(self, LeakyRelu { slope: negative_slope })
    }
}

pub(super) const ROW: Row = Row {
    kinks: || vec![Kink { at: 0.0, call: |x| x.leaky_relu(0.1), derivative: 0.1 }],
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].leaky_relu(0.01)?]))],
    ..Row::new("leaky_relu", "torch.nn.functional.leaky_relu", || vec![Sample::new("", [distinct(1, [2, 3])], |x| x[0].leaky_relu(0.1))])
};
