//! Norms of vectors.

use chainrule_kernels::elementwise::{View, zip3};
use chainrule_kernels::reduce::{norms, rounded, sum_wide};
use chainrule_kernels::{Element, Number};

use crate::autograd::{Backward, Context, Save, record};
use crate::reduction::Reduced;
use crate::shape::IntoDims;
use crate::table::{Kink, Refusal, Row, Sample, distinct, values};
use crate::{DType, Result, Shape, Tensor, bail, dispatch_float};

struct NormBackward {
    p: f64,
    dims: Vec<isize>,
    keepdim: Shape,
}

impl NormBackward {
    /// g · sign(x) · |x/y|ᵖ⁻¹, and 0 where y or x is: filled in before anything is divided, so that no derivative
    /// of any order meets an infinity there.
    fn formula(&self, g: &Tensor, x: &Tensor, y: &Tensor) -> Result<Tensor> {
        let zero = y.eq(0.0)?;
        let g = g.reshape(&self.keepdim)?.masked_fill(&zero, 0.0)?;
        let y = y.masked_fill(&zero, 1.0)?;
        if self.p == 2.0 {
            return g.mul(&x.div(&y)?);
        }
        let power = x.masked_fill(&x.eq(0.0)?, 1.0)?.abs()?.div(&y)?.pow(self.p - 1.0)?;
        g.mul(&x.sign()?.mul(&power)?)
    }
}

impl Backward for NormBackward {
    fn name(&self) -> &'static str {
        "norm"
    }

    // In double precision, of which no quotient or power of numbers of single precision leaves the range.
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (g, x) = (ctx.grad()?, ctx.saved(0)?);
        let wide = x.to_dtype(DType::F64)?;
        let y = wide.norm_dim(self.p, &self.dims[..], true)?;
        Ok(vec![Some(self.formula(&g.to_dtype(DType::F64)?, &wide, &y)?.to_dtype(x.dtype())?)])
    }

    fn backward_fused(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (g, x, y) = (ctx.grad()?.reshape(&self.keepdim)?, ctx.saved(0)?, ctx.saved(1)?);
        let shape = x.shape();
        let out = dispatch_float!(x.dtype(), T => {
            let mut grad = shape.allocate::<T>("norm")?;
            let (g_strides, y_strides) = (g.broadcast_strides(shape), y.broadcast_strides(shape));
            let g = View { strides: &g_strides, ..g.strided::<T>()? };
            let operands = (g, x.strided::<T>()?, View { strides: &y_strides, ..y.strided::<f64>()? });
            if self.p == 2.0 {
                let slope = |g: T, x: T, y: f64| if y == 0.0 { T::ZERO } else { T::from_f64(g.to_f64() * (x.to_f64() / y)) };
                zip3(shape, operands, &mut grad, 2.0, slope);
            } else {
                let power = self.p - 1.0;
                zip3(shape, operands, &mut grad, 20.0, |g: T, x: T, y: f64| {
                    if y == 0.0 || x == T::ZERO {
                        return T::ZERO;
                    }
                    let x = x.to_f64();
                    let sign = if x > 0.0 { 1.0 } else if x < 0.0 { -1.0 } else { x };
                    T::from_f64(g.to_f64() * (sign * (x.abs() / y).powf(power)))
                });
            }
            Tensor::from_parts(grad, shape.clone())
        });
        Ok(vec![Some(out)])
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
        self.norm_over("norm", p, Vec::new(), false)
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
        self.norm_over("norm_dim", p, dim.into_dims(), keepdim)
    }

    #[track_caller]
    fn norm_over(&self, operation: &'static str, p: f64, dims: Vec<isize>, keepdim: bool) -> Result<Tensor> {
        if !self.dtype().is_float() {
            bail!(DType, operation, "not defined for {}: convert it with to_dtype first", self.dtype());
        }
        let reduced = Reduced::new(operation, self.shape(), &dims)?;
        if (p < 0.0 || p.is_infinite()) && reduced.count() == 0 && reduced.shape(false).numel() > 0 {
            bail!(Shape, operation, "there is no element to take the norm {p} of: the shape is {}", self.shape());
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
        let x = self.detach().contiguous()?;
        let of_norms = |x: &[f64], dims, out: &mut [f64]| match p {
            0.0 => sum_wide(x, dims, 1.0, out),
            _ => norms(x, dims, p, out),
        };
        let shape = reduced.keepdim_shape();
        let (out, wide) = dispatch_float!(x.dtype(), T => {
            let wide = reduced.run_wide(x.as_slice::<T>()?, |x, dims, out| norms(x, dims, p, out), of_norms)?;
            let mut out = shape.allocate::<T>(operation)?;
            rounded(&wide, &mut out, |norm| norm);
            (Tensor::from_parts(out, shape.clone()), Tensor::from_parts(wide, shape.clone()))
        });
        let out = out.in_shape(reduced.shape(keepdim));
        if p == 0.0 {
            return Ok(out);
        }
        let backward = NormBackward { p, dims, keepdim: shape };
        record(backward, &[self], &[Save::Input(0), Save::Value(&wide)], out)
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
            Refusal::new(&["norm_dim: ", "dimension 2"], || values(1, [2, 3]).norm_dim(2.0, 2, false)),
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
