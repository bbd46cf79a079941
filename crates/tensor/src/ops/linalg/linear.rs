//! Affine map.

use chainrule_kernels::gemm::{GemmNumber, Matrix, Onto, gemm};
use chainrule_kernels::{Float, reduce};

use crate::allocate::InOperation;
use crate::autograd::{Backward, Context, Save, record};
use crate::table::{Refusal, Row, Sample, values};
use crate::{DType, Element, Result, Shape, Tensor, bail, dispatch_float};

struct LinearBackward {
    bias: bool,
}

impl Backward for LinearBackward {
    fn name(&self) -> &'static str {
        "linear"
    }

    // y = x·Wᵀ + b: dx = dy·W, dW = dyᵀ·x, and db is the sum of dy over all rows.
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (x, weight) = (ctx.saved(0)?, ctx.saved(1)?);
        let (outputs, inputs) = (weight.shape()[0], weight.shape()[1]);
        let rows: usize = x.shape()[..x.rank() - 1].iter().product();
        let g = ctx.grad()?.reshape([rows, outputs])?;
        let mut grads = vec![
            ctx.when_needed(0, || g.matmul(weight)?.reshape(x.shape()))?,
            ctx.when_needed(1, || g.t()?.matmul(&x.reshape([rows, inputs])?))?,
        ];
        if self.bias {
            grads.push(ctx.when_needed(2, || g.sum_dim(0, false))?);
        }
        Ok(grads)
    }

    fn backward_fused(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        dispatch_float!(ctx.grad()?.dtype(), T => self.fused::<T>(ctx))
    }
}

impl LinearBackward {
    /// The same products and the same sum, of the memory as it lies.
    fn fused<T: Element + Float + GemmNumber>(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (g, x, weight) = (ctx.grad()?.in_order()?, ctx.saved(0)?.in_order()?, ctx.saved(1)?);
        let (outputs, inputs) = (weight.shape()[0], weight.shape()[1]);
        let rows = x.shape()[..x.rank() - 1].iter().product();
        let dy = Matrix::row_major(g.as_slice::<T>()?, outputs);
        let product = |shape: &Shape, size: (usize, usize, usize), a, b| {
            let mut out = shape.allocate("linear")?;
            gemm(size, a, b, T::ZERO, &mut out).in_operation("linear")?;
            Ok(Tensor::from_parts(out, shape.clone()))
        };
        let mut grads = vec![
            ctx.when_needed(0, || product(x.shape(), (rows, inputs, outputs), dy, matrix(weight)?))?,
            ctx.when_needed(1, || {
                let x = Matrix::row_major(x.as_slice::<T>()?, inputs);
                product(weight.shape(), (outputs, inputs, rows), dy.transposed(), x)
            })?,
        ];
        if self.bias {
            grads.push(ctx.when_needed(2, || {
                Tensor::build_for("linear", [outputs], |out| reduce::sum(dy.data, [1, rows, outputs], out))
            })?);
        }
        Ok(grads)
    }
}

/// A tensor of two dimensions as kernels see it.
fn matrix<T: Element>(x: &Tensor) -> Result<Matrix<'_, T>> {
    let view = x.strided::<T>()?;
    Ok(Matrix {
        data: view.data,
        offset: view.offset,
        row_stride: view.strides[0],
        column_stride: view.strides[1],
    })
}

impl Tensor {
    /// x·Wᵀ + b for x of shape `[…, in]`, `weight` W `[out, in]` and `bias` b `[out]`; the result is
    /// `[…, out]`. A `weight` `[in]` gives one output without a dimension, `[…]`; there is no bias then (PyTorch:
    /// `torch.nn.functional.linear`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let (weight, bias) = (Tensor::new([[1.0, 2.0], [3.0, 4.0]]), Tensor::new([0.5, 0.0]));
    /// let y = Tensor::new([1.0, 1.0]).linear(&weight, Some(&bias))?;
    /// assert_eq!(y.to_vec::<f32>()?, [3.5, 7.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When shapes do not fit or dtypes differ, and for booleans.
    #[track_caller]
    pub fn linear(&self, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
        if let (&[inputs], Some(&last), None) = (&**weight.shape(), self.shape().last(), bias)
            && last == inputs
        {
            return self.matmul(weight);
        }
        let &[outputs, inputs] = &**weight.shape() else {
            bail!(
                Shape,
                "linear",
                "the weight is [out, in], or [in] without a bias, not of shape {} for an input of shape {}",
                weight.shape(),
                self.shape()
            );
        };
        if self.shape().last() != Some(&inputs) {
            bail!(
                Shape,
                "linear",
                "an input of shape {} does not end in the {inputs} inputs of a weight of shape {}",
                self.shape(),
                weight.shape()
            );
        }
        if let Some(bias) = bias.filter(|bias| *bias.shape() != [outputs]) {
            bail!(
                Shape,
                "linear",
                "a bias of shape {} does not fit the {outputs} outputs of a weight of shape {}",
                bias.shape(),
                weight.shape()
            );
        }
        let dtypes = || [Some(weight), bias].into_iter().flatten().map(Tensor::dtype);
        if let Some(other) = dtypes().find(|&dtype| dtype != self.dtype()) {
            bail!(
                DType,
                "linear",
                "the input holds {}, weight or bias {other}: convert one with to_dtype",
                self.dtype()
            );
        }
        let out = match self.dtype() {
            DType::F32 => affine::<f32>(self, weight, bias)?,
            DType::F64 => affine::<f64>(self, weight, bias)?,
            DType::I64 => affine::<i64>(self, weight, bias)?,
            DType::Bool => bail!(DType, "linear", "not defined for bool: convert with to_dtype first"),
        };
        let saved = [Save::Input(0), Save::Input(1)];
        match bias {
            Some(bias) => record(LinearBackward { bias: true }, &[self, weight, bias], &saved, out),
            None => record(LinearBackward { bias: false }, &[self, weight], &saved, out),
        }
    }
}

#[track_caller]
fn affine<T: Element + GemmNumber>(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let (outputs, inputs) = (weight.shape()[0], weight.shape()[1]);
    let shape = x.shape().with_size(x.rank() - 1, outputs)?;
    let mut out = shape.allocate::<T>("linear")?;
    let x = x.in_order()?;
    let rows: usize = x.shape()[..x.rank() - 1].iter().product();
    let bias = bias.map(Tensor::in_order).transpose()?;
    let onto = match &bias {
        Some(bias) => Onto::Row(bias.as_slice::<T>()?),
        None => Onto::Nothing,
    };
    let (x, weight) = (Matrix::row_major(x.as_slice::<T>()?, inputs), matrix(weight)?);
    gemm((rows, outputs, inputs), x, weight.transposed(), onto, &mut out).in_operation("linear")?;
    Ok(Tensor::from_parts(out, shape))
}

pub(super) const ROW: Row = Row {
    errors: || {
        let (x, weight) = (|| values(1, [2, 3]), || values(2, [4, 3]));
        vec![
            Refusal::new(&["[2, 3]", "[4, 5]"], move || x().linear(&values(2, [4, 5]), None)),
            Refusal::new(&["[2]"], move || x().linear(&values(2, [2]), None)),
            Refusal::new(&["[3]", "[4, 3]"], move || x().linear(&weight(), Some(&values(3, [3])))),
            Refusal::new(&["[]"], move || values(1, []).linear(&weight(), None)),
            Refusal::new(&["float64", "float32"], move || x().linear(&Tensor::new([[1.0, 2.0, 3.0]]), None)),
        ]
    },
    bench: &[
        (&[&[64, 784], &[128, 784], &[128]], |x| Ok(vec![x[0].linear(&x[1], Some(&x[2]))?])),
        (&[&[512, 1024], &[1024, 1024], &[1024]], |x| Ok(vec![x[0].linear(&x[1], Some(&x[2]))?])),
    ],
    ..Row::new("linear", "torch.nn.functional.linear", || {
        vec![
            Sample::new("rows", [values(1, [2, 3]), values(2, [4, 3]), values(3, [4])], |x| {
                x[0].linear(&x[1], Some(&x[2]))
            }),
            Sample::new("no bias", [values(1, [2, 3]), values(2, [2, 3])], |x| x[0].linear(&x[1], None)),
            Sample::new("vector", [values(1, [3]), values(2, [2, 3]), values(3, [2])], |x| {
                x[0].linear(&x[1], Some(&x[2]))
            }),
            Sample::new("batches", [values(1, [2, 2, 3]), values(2, [2, 3]), values(3, [2])], |x| {
                x[0].linear(&x[1], Some(&x[2]))
            }),
            Sample::new("one output", [values(1, [2, 3]), values(2, [3])], |x| x[0].linear(&x[1], None)),
            Sample::new("transposed", [values(1, [3, 2]), values(2, [3, 2])], |x| {
                x[0].t()?.linear(&x[1].t()?, None)
            }),
        ]
    })
};
