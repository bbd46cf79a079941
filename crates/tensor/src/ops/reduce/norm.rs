//! Norms of vectors.

use crate::autograd::{Backward, Context, Save, record};
use crate::reduction::Reduced;
use crate::shape::IntoDims;
use crate::table::{Kink, Refusal, Row, Sample, distinct, values};
use crate::{Result, Shape, Tensor, bail};

struct NormBackward {
    p: f64,
    keepdim: Shape,
}

impl Backward for NormBackward {
    fn name(&self) -> &'static str {
        "norm"
    }

    // sign(x) · |x/y|ᵖ⁻¹, and 0 where y or x is: filled in before anything is divided, so that no derivative
    // of any order meets an infinity there.
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (x, y) = (ctx.saved(0)?, ctx.saved(1)?.reshape(&self.keepdim)?);
        let zero = y.eq(0.0)?;
        let g = ctx.grad()?.reshape(&self.keepdim)?.masked_fill(&zero, 0.0)?;
        let y = y.masked_fill(&zero, 1.0)?;
        if self.p == 2.0 {
            return Ok(vec![Some(g.div(&y)?.mul(x)?)]);
        }
        let power = x.masked_fill(&x.eq(0.0)?, 1.0)?.abs()?.div(&y)?.pow(self.p - 1.0)?;
        Ok(vec![Some(g.mul(&x.sign()?.mul(&power)?)?)])
    }
}

impl Tensor {
    /// The p-norm of all elements, (Σ |x|ᵖ)^(1/p), a 0-d tensor: 2 is the Euclidean length, 1 the sum of
    /// absolute values, ∞ the largest and −∞ the smallest of them, 0 the number of elements that are not 0
    /// (PyTorch: `torch.linalg.vector_norm`).
    ///
    /// The gradient is 0 where the norm is. Equal elements share that of ±∞ evenly, and p = 0 has none.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([3.0, -4.0]).norm(2.0)?.item()?, 5.0);
    /// assert_eq!(Tensor::new([3.0, -4.0]).norm(f64::INFINITY)?.item()?, 4.0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For integers and booleans, and for an infinite or negative p where there are no elements.
    #[track_caller]
    pub fn norm(&self, p: f64) -> Result<Tensor> {
        self.norm_dim(p, Vec::new(), false)
    }

    /// The p-norm over one or several dimensions (none given: over all), which disappear or, with `keepdim`,
    /// stay with size 1.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[3.0, 4.0], [6.0, 8.0]]);
    /// assert_eq!(x.norm_dim(2.0, 1, false)?.to_vec::<f32>()?, [5.0, 10.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`norm`](Tensor::norm), and when a dimension is out of range or named twice.
    #[track_caller]
    pub fn norm_dim(&self, p: f64, dim: impl IntoDims, keepdim: bool) -> Result<Tensor> {
        if !self.dtype().is_float() {
            bail!(DType, "norm", "not defined for {}: convert it with to_dtype first", self.dtype());
        }
        let dims = dim.into_dims();
        let reduced = Reduced::new("norm", self.shape(), &dims)?;
        if (p < 0.0 || p.is_infinite()) && reduced.count() == 0 && reduced.shape(false).numel() > 0 {
            bail!(Shape, "norm", "there is no element to take the norm {p} of: the shape is {}", self.shape());
        }
        if p == f64::INFINITY {
            return self.abs()?.amax(dims, keepdim);
        }
        if p == f64::NEG_INFINITY {
            return self.abs()?.amin(dims, keepdim);
        }
        if p == 1.0 {
            return self.abs()?.sum_dim(dims, keepdim);
        }
        let x = self.detach();
        if p == 0.0 {
            return x.ne(0.0)?.to_dtype(x.dtype())?.sum_dim(dims, keepdim);
        }
        let powers = if p == 2.0 { x.square()? } else { x.abs()?.pow(p)? };
        let out = powers.sum_dim(dims, keepdim)?.pow(1.0 / p)?;
        let operation = NormBackward { p, keepdim: reduced.keepdim_shape() };
        record(operation, &[self], &[Save::Input(0), Save::Output(0)], out)
    }
}

pub(super) const ROW: Row = Row {
    kinks: || {
        vec![
            Kink { at: 0.0, call: |x| x.norm(1.0), derivative: 0.0 },
            Kink { at: 0.0, call: |x| x.norm(1.5), derivative: 0.0 },
            Kink { at: 0.0, call: |x| x.norm(2.0), derivative: 0.0 },
            Kink { at: 0.0, call: |x| x.norm(3.0), derivative: 0.0 },
            Kink { at: 0.0, call: |x| x.norm(0.5), derivative: 0.0 },
            Kink { at: 0.0, call: |x| x.norm(-1.0), derivative: 0.0 },
            Kink { at: 0.0, call: |x| x.norm(f64::INFINITY), derivative: 0.0 },
        ]
    },
    errors: || {
        vec![
            Refusal::new(&["dimension 2"], || values(1, [2, 3]).norm_dim(2.0, 2, false)),
            Refusal::new(&["[0]", "inf"], || values(1, [0]).norm(f64::INFINITY)),
            Refusal::new(&["int64"], || Tensor::new([1, 2]).norm(2.0)),
        ]
    },
    bench: &[(&[&[4_000_000]], |x| Ok(vec![x[0].norm(2.0)?]))],
    ..Row::new("norm", "torch.linalg.vector_norm", || {
        let p = |label, p: f64| Sample::new(label, [distinct(1, [2, 3])], move |x| x[0].norm_dim(p, 1, true));
        vec![
            Sample::new("2, all", [values(1, [2, 3])], |x| x[0].norm(2.0)),
            p("1", 1.0),
            p("1.5", 1.5),
            p("2", 2.0),
            p("3", 3.0),
            p("-1", -1.0),
            p("infinity", f64::INFINITY),
            p("-infinity", f64::NEG_INFINITY),
        ]
    })
};
