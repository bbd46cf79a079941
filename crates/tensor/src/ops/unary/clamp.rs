//! Clamp.

use crate::operation::{Saves, Unary, unary};
use crate::table::{Kink, Refusal, Row, Sample, distinct, values};
use crate::{Result, Tensor, bail};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Clamp {
    min: Option<f64>,
    max: Option<f64>,
}

impl Unary for Clamp {
    const NAME: &'static str = "clamp";
    const SAVES: Saves = Saves::Input;
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        let x = self.min.map_or(x, |min| if T::of(min) <= x || x.is_nan() { x } else { T::of(min) });
        self.max.map_or(x, |max| if T::of(max) >= x || x.is_nan() { x } else { T::of(max) })
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, x: T) -> T {
        let above = self.min.is_none_or(|min| x > T::of(min));
        let below = self.max.is_none_or(|max| x < T::of(max));
        if above & below { g } else { T::ZERO }
    }
    fn grad(self, g: &Tensor, x: &Tensor) -> Result<Tensor> {
        let mut g = g.clone();
        if let Some(min) = self.min {
            g = g.masked_fill(&x.gt(min)?.logical_not()?, 0.0)?;
        }
        if let Some(max) = self.max {
            g = g.masked_fill(&x.lt(max)?.logical_not()?, 0.0)?;
        }
        Ok(g)
    }
}

impl Tensor {
    /// x kept from falling below `min` and from rising above `max`, where they are given; `max` where
    /// `min` > `max` (PyTorch: `torch.clamp`). The derivative is 1 strictly between the bounds and 0 elsewhere, the
    /// bounds included. Integers are computed in `f32`; [`maximum`](Tensor::maximum) and
    /// [`minimum`](Tensor::minimum) with an integer keep them.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([-1.0, 0.5, 2.0]);
    /// assert_eq!(x.clamp(Some(0.0), Some(1.0))?.to_vec::<f32>()?, [0.0, 0.5, 1.0]);
    /// assert_eq!(x.clamp(Some(0.0), None)?.to_vec::<f32>()?, [0.0, 0.5, 2.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When neither bound is given.
    #[track_caller]
    pub fn clamp(&self, min: Option<f64>, max: Option<f64>) -> Result<Tensor> {
        if min.is_none() && max.is_none() {
            bail!(Value, "clamp", "neither min nor max is given");
        }
        unary(self, Clamp { min, max })
    }
}

pub(super) const ROW: Row = Row {
    kinks: || vec![
Kink { at: 0.0, call: |x| x.clamp(Some(0.0), Some(1.0)), derivative: 0.0 },
Kink { at: 1.0, call: |x| x.clamp(Some(0.0), Some(1.0)), derivative: 0.0 },
Kink { at: 0.5, call: |x| x.clamp(Some(1.0), Some(0.0)), derivative: 0.0 },
],
    errors: || vec![Refusal::new(&["min", "max"], || values(1, [2]).clamp(None, None))],
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].clamp(Some(0.0), Some(1.0))?]))],
    ..Row::new("clamp", "torch.clamp", || {
    vec![
        Sample::new("both", [distinct(1, [3, 17])], |x| x[0].clamp(Some(-0.75), Some(0.5))),
        Sample::new("below", [distinct(1, [5])], |x| x[0].clamp(Some(0.0), None)),
        Sample::new("above", [distinct(1, [5])], |x| x[0].clamp(None, Some(0.0))),
    ]
})
};
