//! Product.

use chainrule_kernels::reduce;

use crate::autograd::{Backward, Context, Save, record};
use crate::reduction::Reduced;
use crate::shape::dim_index;
use crate::table::{Refusal, Row, Sample, values};
use crate::{DType, Result, Tensor, dispatch_float};

/// The most values without a 0 that are copied for the sake of products of the others. With more, a product that is out of
/// range has others that are.
const COPIED: usize = 1024;

struct ProdBackward {
    dim: usize,
}

impl Backward for ProdBackward {
    fn name(&self) -> &'static str {
        "prod"
    }

    // In double precision, where a product of numbers of single precision is more rarely out of range.
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let x = ctx.saved(0)?;
        let [outer, n, inner] = x.shape().around(self.dim)?;
        let g = ctx.grad()?.reshape([outer, 1, inner])?.to_dtype(DType::F64)?;
        let flat = x.reshape([outer, n, inner])?.to_dtype(DType::F64)?;
        let y = flat.prod_dim(1, true)?;
        let out_of_range = || -> Result<bool> {
            let size = y.detach().abs()?;
            let in_range = size.ge(f64::MIN_POSITIVE)?.logical_and(&size.le(f64::MAX)?)?;
            Ok(!in_range.all()?.to_scalar::<bool>()?)
        };
        let has_zeros = flat.detach().eq(0.0)?.any()?.to_scalar::<bool>()?;
        let others = if has_zeros || n <= COPIED && out_of_range()? {
            // One copy of the values for each of them, in which it is replaced by 1: n² numbers, for which
            // every derivative exists.
            let copies = flat.reshape([outer, 1, n, inner])?.expand([outer, n, n, inner])?;
            let i = Tensor::arange(n)?;
            let own = i.reshape([n, 1, 1])?.eq(&i.reshape([1, n, 1])?)?;
            copies.masked_fill(&own, 1.0)?.prod_dim(2, false)?
        } else {
            y.div(&flat)?
        };
        Ok(vec![Some(g.mul(&others)?.reshape(x.shape())?.to_dtype(x.dtype())?)])
    }

    fn backward_fused(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (g, x) = (ctx.grad()?.contiguous()?, ctx.saved(0)?.contiguous()?);
        let dims = x.shape().around(self.dim)?;
        let grad = dispatch_float!(x.dtype(), T => {
            let (values, scale) = (x.as_slice::<T>()?, g.as_slice::<T>()?);
            Tensor::build_for("prod", x.shape(), |out: &mut [T]| reduce::prod_of_others(values, scale, dims, out))?
        });
        Ok(vec![Some(grad)])
    }
}

impl Tensor {
    /// The product of all elements, a 0-d tensor; 1 where there are none (PyTorch: `torch.prod`). Integers and
    /// booleans are multiplied as `i64`. The gradient is exact where elements are 0.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([0.0, 2.0, 3.0]).requires_grad_(true)?;
    /// x.prod()?.backward()?;
    /// assert_eq!(x.grad().unwrap().to_vec::<f32>()?, [6.0, 0.0, 0.0]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn prod(&self) -> Result<Tensor> {
        self.reshape([self.numel()])?.prod_over("prod", 0, false)
    }

    /// The product over one dimension, which disappears or, with `keepdim`, stays with size 1.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.prod_dim(0, false)?.to_vec::<f32>()?, [3.0, 8.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the dimension is out of range.
    #[track_caller]
    pub fn prod_dim(&self, dim: isize, keepdim: bool) -> Result<Tensor> {
        self.prod_over("prod_dim", dim, keepdim)
    }

    #[track_caller]
    fn prod_over(&self, operation: &'static str, dim: isize, keepdim: bool) -> Result<Tensor> {
        let reduced = Reduced::new(operation, self.shape(), &[dim])?;
        let out = match self.dtype() {
            DType::F32 => reduced.run(self, reduce::prod::<f32>)?,
            DType::F64 => reduced.run(self, reduce::prod::<f64>)?,
            _ => reduced.run(&self.to_dtype(DType::I64)?, reduce::prod_i64)?,
        };
        let backward = ProdBackward { dim: dim_index(operation, dim, self.rank())? };
        record(backward, &[self], &[Save::Input(0)], out.in_shape(reduced.shape(keepdim)))
    }
}

pub(super) const ROW: Row = Row {
    errors: || vec![Refusal::new(&["dimension 2"], || values(1, [2, 3]).prod_dim(2, false))],
    bench: &[
        (&[&[1_000_000]], |x| Ok(vec![x[0].prod()?])),
        (&[&[1024, 1024]], |x| Ok(vec![x[0].prod_dim(0, false)?])),
    ],
    ..Row::new("prod", "torch.prod", || {
        let with_zeros = |zeros: &[usize]| {
            let mut x = values(1, [2, 4]).to_vec::<f64>().expect("f64 values");
            zeros.iter().for_each(|&i| x[i] = 0.0);
            Tensor::from_vec(x, [2, 4]).expect("eight values")
        };
        vec![
            Sample::new("all", [values(1, [2, 3])], |x| x[0].prod()),
            Sample::new("0-d", [values(1, [])], |x| x[0].prod()),
            Sample::new("middle, kept", [values(1, [2, 3, 2])], |x| x[0].prod_dim(1, true)),
            Sample::new("one zero", [with_zeros(&[1])], |x| x[0].prod()),
            Sample::new("two zeros", [with_zeros(&[1, 6])], |x| x[0].prod_dim(0, false)),
            Sample::new("zeros in one row", [with_zeros(&[0, 2])], |x| x[0].prod_dim(1, false)),
        ]
    })
};
