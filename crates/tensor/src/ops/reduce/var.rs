//! Variance, and what the standard deviation shares with it.

use chainrule_kernels::Number;
use chainrule_kernels::batch_norm::{Moments, Normal, moments, normalize};

use crate::autograd::{Backward, Context, Save, record};
use crate::centred::centred;
use crate::reduction::Reduced;
use crate::shape::IntoDims;
use crate::table::{Refusal, Row, Sample, values};
use crate::{DType, FloatElement, Result, Shape, Tensor, bail, dispatch_float};

/// The variance, or its square root.
struct SpreadBackward {
    is_root: bool,
    dims: Vec<isize>,
    keepdim: Shape,
    /// The number of elements that go into one result, and that number less the correction.
    count: usize,
    divisor: f64,
}

impl SpreadBackward {
    /// What the gradient multiplies the centred elements by, without that of the result: in the scale of `normal`.
    fn factor(&self, moments: Moments, normal: Normal) -> f64 {
        if !self.is_root {
            return 2.0 / self.divisor / normal.scale;
        }
        let root = (moments.squares / self.divisor.max(0.0)).sqrt() * (normal.scale / moments.scale);
        // Where all elements are equal the derivative is taken as 0.
        if root == 0.0 { 0.0 } else { 1.0 / (self.divisor * root) }
    }

    fn fused<T: FloatElement>(&self, ctx: &Context<'_>) -> Result<Tensor> {
        let (g, x) = (ctx.grad()?.contiguous()?, ctx.saved(0)?);
        let reduced = Reduced::new(self.name(), x.shape(), &self.dims)?;
        let (x, dims, order) = reduced.by_channel(x)?;
        let statistics = ctx.saved(1)?.as_slice::<f64>()?.as_chunks().0;
        let channels = statistics.iter().zip(g.as_slice::<T>()?).map(|(&statistics, g)| {
            let moments = Moments::from_array(statistics);
            let normal = moments.normal::<T>(self.count as f64, 0.0);
            Normal { inverse: g.to_f64() * self.factor(moments, normal), ..normal }
        });
        let channels: Vec<Normal> = channels.collect();
        let values = x.as_slice::<T>()?;
        let mut out = x.shape().allocate::<T>(self.name())?;
        normalize(values, dims, &channels, None, None, &mut out);
        let mut back = vec![0; order.len()];
        for (place, &dim) in order.iter().enumerate() {
            back[dim as usize] = place as isize;
        }
        Tensor::from_parts(out, x.shape().clone()).permute(&back)
    }
}

impl Backward for SpreadBackward {
    fn name(&self) -> &'static str {
        if self.is_root { "std" } else { "var" }
    }

    // In double precision, and of elements whose mean is 0 but for one rounding of the elements themselves.
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (g, x) = (ctx.grad()?.reshape(&self.keepdim)?.to_dtype(DType::F64)?, ctx.saved(0)?);
        let wide = x.to_dtype(DType::F64)?;
        let centred = centred(&wide, &self.dims)?;
        let slope = if self.is_root {
            let y = wide.std_dim(&self.dims[..], self.count as f64 - self.divisor, true)?;
            let zero = y.eq(0.0)?;
            let g = g.masked_fill(&zero, 0.0)?;
            g.mul(&centred.div(&y.masked_fill(&zero, 1.0)?)?.div(self.divisor)?)?
        } else {
            g.mul(2.0 / self.divisor)?.mul(&centred)?
        };
        Ok(vec![Some(slope.to_dtype(x.dtype())?)])
    }

    fn backward_fused(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let grad = dispatch_float!(ctx.saved(0)?.dtype(), T => self.fused::<T>(ctx)?);
        Ok(vec![Some(grad)])
    }
}

/// The variance over dimensions, or its square root.
#[track_caller]
pub(super) fn spread(
    operation: &'static str,
    x: &Tensor,
    dims: Vec<isize>,
    correction: f64,
    keepdim: bool,
) -> Result<Tensor> {
    if !x.dtype().is_float() {
        bail!(DType, operation, "not defined for {}: convert it with to_dtype first", x.dtype());
    }
    let reduced = Reduced::new(operation, x.shape(), &dims)?;
    let is_root = operation.starts_with("std");
    let count = reduced.count();
    let divisor = count as f64 - correction;
    let (values, shape) = (reduced.by_channel(x)?, reduced.shape(keepdim));
    let (values, channels) = (values.0, values.1);
    let of_channels = Shape::from([channels[1], 4]);
    let mut statistics = of_channels.allocate::<f64>(operation)?;
    let out = dispatch_float!(x.dtype(), T => {
        let mut out = shape.allocate::<T>(operation)?;
        let places = statistics.as_chunks_mut().0;
        moments(values.as_slice::<T>()?, channels, 0.0, |channel, moments| {
            let spread = moments.squares / divisor.max(0.0);
            let scale = moments.scale;
            out[channel] = T::from_f64(if is_root { spread.sqrt() / scale } else { spread / scale / scale });
            places[channel] = moments.to_array();
        });
        Tensor::from_parts(out, shape)
    });
    let statistics = Tensor::from_parts(statistics, of_channels);
    let keepdim = reduced.keepdim_shape();
    let backward = SpreadBackward { is_root, dims, keepdim, count, divisor };
    record(backward, &[x], &[Save::Input(0), Save::Value(&statistics)], out)
}

impl Tensor {
    /// The variance of all elements, Σ (x − mean)² / (n − 1), a 0-d tensor; NaN where there is but one
    /// (PyTorch: `torch.var`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([1.0, 2.0, 3.0]).var()?.item()?, 1.0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For integers and booleans.
    #[track_caller]
    pub fn var(&self) -> Result<Tensor> {
        spread("var", self, Vec::new(), 1.0, false)
    }

    /// The variance over one or several dimensions (none given: over all), which disappear or, with `keepdim`,
    /// stay with size 1. The sum of squares is divided by n − `correction`, or by 0 where that is negative:
    /// 1 estimates the variance of what the n elements are a sample of, 0 is the variance of the elements
    /// themselves.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[1.0, 3.0], [3.0, 7.0]]);
    /// assert_eq!(x.var_dim(1, 0.0, false)?.to_vec::<f32>()?, [1.0, 4.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For integers and booleans, and when a dimension is out of range or named twice.
    #[track_caller]
    pub fn var_dim(&self, dim: impl IntoDims, correction: f64, keepdim: bool) -> Result<Tensor> {
        spread("var_dim", self, dim.into_dims(), correction, keepdim)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["var_dim: ", "dimension 2"], || values(1, [2, 3]).var_dim(2, 1.0, false)),
            Refusal::new(&["int64"], || Tensor::new([1, 2]).var()),
        ]
    },
    bench: &[(&[&[1024, 1024]], |x| Ok(vec![x[0].var_dim(1, 0.0, false)?]))],
    ..Row::new("var", "torch.var", || {
        vec![
            Sample::new("all", [values(1, [2, 3])], |x| x[0].var()),
            Sample::new("last, uncorrected", [values(1, [2, 3])], |x| x[0].var_dim(-1, 0.0, true)),
            Sample::new("outer and inner", [values(1, [2, 3, 2])], |x| x[0].var_dim([0, 2], 1.5, false)),
        ]
    })
};
