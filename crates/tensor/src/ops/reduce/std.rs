//! Standard deviation.

use crate::operation::{Saves, Unary, unary};
use crate::reduction::Reduced;
use crate::shape::IntoDims;
use crate::table::{Kink, Refusal, Row, Sample, values};
use crate::{Result, Tensor, bail};
use chainrule_kernels::Float;

/// The square root of a variance, whose derivative at 0 is taken as 0: there all elements are equal.
#[derive(Clone, Copy)]
struct Root;

impl Unary for Root {
    const NAME: &'static str = "std";
    const SAVES: Saves = Saves::Output;
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        x.sqrt()
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, y: T) -> T {
        if y == T::ZERO { T::ZERO } else { g / (y + y) }
    }
    fn grad(self, g: &Tensor, y: &Tensor) -> Result<Tensor> {
        let zero = y.eq(0.0)?;
        g.masked_fill(&zero, 0.0)?.div(&y.masked_fill(&zero, 1.0)?.mul(2.0)?)
    }
}

impl Tensor {
    /// The standard deviation of all elements, √(Σ (x − mean)² / (n − 1)), a 0-d tensor; NaN where there is but
    /// one (PyTorch: `torch.std`). The gradient is 0 where all elements are equal.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([1.0, 2.0, 3.0]).std()?.item()?, 1.0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For integers and booleans.
    #[track_caller]
    pub fn std(&self) -> Result<Tensor> {
        self.std_dim(Vec::new(), 1.0, false)
    }

    /// The standard deviation over one or several dimensions (none given: over all), which disappear or, with
    /// `keepdim`, stay with size 1: the square root of [`var_dim`](Tensor::var_dim).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[1.0, 3.0], [3.0, 7.0]]);
    /// assert_eq!(x.std_dim(1, 0.0, false)?.to_vec::<f32>()?, [1.0, 2.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For integers and booleans, and when a dimension is out of range or named twice.
    #[track_caller]
    pub fn std_dim(&self, dim: impl IntoDims, correction: f64, keepdim: bool) -> Result<Tensor> {
        if !self.dtype().is_float() {
            bail!(DType, "std", "not defined for {}: convert it with to_dtype first", self.dtype());
        }
        let dims = dim.into_dims();
        // An error names this operation, not the variance.
        Reduced::new("std", self.shape(), &dims)?;
        unary(&self.var_dim(dims, correction, keepdim)?, Root)
    }
}

pub(super) const ROW: Row = Row {
    kinks: || vec![Kink { at: 0.5, call: |x| x.expand([3])?.std(), derivative: 0.0 }],
    errors: || {
        vec![
            Refusal::new(&["dimension 2"], || values(1, [2, 3]).std_dim(2, 1.0, false)),
            Refusal::new(&["int64"], || Tensor::new([1, 2]).std()),
        ]
    },
    ..Row::new("std", "torch.std", || {
        vec![
            Sample::new("all", [values(1, [2, 3])], |x| x[0].std()),
            Sample::new("last, uncorrected", [values(1, [2, 3])], |x| x[0].std_dim(-1, 0.0, true)),
        ]
    })
};
