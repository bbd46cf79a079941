//! Matrix product.

use chainrule_kernels::gemm::{Matrix, batched, gemm};

use crate::allocate::InOperation;
use crate::autograd::{Backward, Context, Save, record};
use crate::shape::broadcast;
use crate::table::{Refusal, Row, Sample, values};
use crate::{DType, Element, Result, Shape, Tensor, bail};

struct MatmulBackward;

impl Backward for MatmulBackward {
    fn name(&self) -> &'static str {
        "matmul"
    }

    // C = A·B: dA = dC·Bᵀ, dB = Aᵀ·dC; the engine sums over broadcast batch dimensions.
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (g, a, b) = (ctx.grad()?, ctx.saved(0)?, ctx.saved(1)?);
        Ok(vec![
            ctx.when_needed(0, || g.matmul(&b.transpose(-2, -1)?))?,
            ctx.when_needed(1, || a.transpose(-2, -1)?.matmul(g))?,
        ])
    }
}

impl Tensor {
    /// The matrix product, with PyTorch's rules (`torch.matmul`): two vectors give their dot product, a
    /// vector counts as one row on the left and one column on the right, and further dimensions in front are
    /// batches that broadcast. Two booleans or integers are multiplied as integers.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let a = Tensor::new([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(a.matmul(&Tensor::new([1.0, 1.0]))?.to_vec::<f32>()?, [3.0, 7.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For a scalar, for inner sizes that differ, for batches that do not broadcast, and for different
    /// dtypes.
    #[track_caller]
    pub fn matmul(&self, other: &Tensor) -> Result<Tensor> {
        let (a, b) = (self, other);
        let unfit = || format!("shapes {} and {} cannot be multiplied", a.shape(), b.shape());
        if a.rank() == 0 || b.rank() == 0 {
            bail!(Shape, "matmul", "{}: both need at least one dimension", unfit());
        }
        if a.dtype() != b.dtype() {
            bail!(
                DType,
                "matmul",
                "{}: they hold {} and {}; convert one with to_dtype",
                unfit(),
                a.dtype(),
                b.dtype()
            );
        }
        let (k, k_of_b) = (a.shape()[a.rank() - 1], b.shape()[b.rank().saturating_sub(2)]);
        if k != k_of_b {
            bail!(Shape, "matmul", "{}: the inner sizes {k} and {k_of_b} differ", unfit());
        }
        match (a.rank(), b.rank()) {
            (1, 1) => a.reshape([1, k])?.matmul(&b.reshape([k, 1])?)?.reshape([]),
            (1, _) => a.reshape([1, k])?.matmul(b)?.squeeze_at(-2),
            (_, 1) => a.matmul(&b.reshape([k, 1])?)?.squeeze_at(-1),
            // A batch of left factors times one right factor is one tall product.
            (n, 2) if n > 2 && a.is_contiguous() => {
                let rows: usize = a.shape()[..n - 1].iter().product();
                let shape = a.shape().with_size(n - 1, b.shape()[1])?;
                a.reshape([rows, k])?.matmul(b)?.reshape(&shape)
            }
            _ => product(a, b),
        }
    }

    /// Removes a dimension of size 1.
    #[track_caller]
    fn squeeze_at(&self, dim: isize) -> Result<Tensor> {
        let dim = (self.rank() as isize + dim) as usize;
        self.reshape(self.shape().without(dim)?)
    }
}

/// The product of two tensors with at least two dimensions.
#[track_caller]
fn product(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let split = |t: &Tensor| Shape::from(&t.shape()[..t.rank() - 2]);
    let batch = broadcast("matmul", &split(a), &split(b))
        .map_err(|e| e.context(format!("shapes {} and {} cannot be multiplied", a.shape(), b.shape())))?;
    let (m, k, n) = (a.shape()[a.rank() - 2], a.shape()[a.rank() - 1], b.shape()[b.rank() - 1]);
    let shape: Shape = batch.iter().copied().chain([m, n]).collect();
    let out = match a.dtype() {
        DType::F32 => multiply::<f32>(a, b, &batch, [m, n, k], &shape)?,
        DType::F64 => multiply::<f64>(a, b, &batch, [m, n, k], &shape)?,
        DType::I64 => multiply::<i64>(a, b, &batch, [m, n, k], &shape)?,
        DType::Bool => bail!(DType, "matmul", "not defined for bool: convert with to_dtype first"),
    };
    record(MatmulBackward, &[a, b], &[Save::Input(0), Save::Input(1)], out)
}

#[track_caller]
fn multiply<T: Element + chainrule_kernels::gemm::GemmNumber>(
    a: &Tensor,
    b: &Tensor,
    batch: &Shape,
    [m, n, k]: [usize; 3],
    shape: &Shape,
) -> Result<Tensor> {
    let mut out = shape.allocate::<T>("matmul")?;
    let (left, right) = (Batches::<T>::new(a, batch)?, Batches::<T>::new(b, batch)?);
    let multiplied = match batch.numel() {
        1 => gemm((m, n, k), left.matrix(0), right.matrix(0), T::ZERO, &mut out),
        count => batched(count, (m, n, k), |i| left.matrix(i), |i| right.matrix(i), T::ZERO, &mut out),
    };
    multiplied.in_operation("matmul")?;
    Ok(Tensor::from_parts(out, shape.clone()))
}

/// The matrices of a tensor, one for each index of a batch shape.
pub(crate) struct Batches<'a, T> {
    data: &'a [T],
    offset: usize,
    row_stride: usize,
    column_stride: usize,
    batch: &'a Shape,
    batch_strides: Shape,
}

impl<'a, T: Element> Batches<'a, T> {
    #[track_caller]
    pub(crate) fn new(t: &'a Tensor, batch: &'a Shape) -> Result<Self> {
        let view = t.strided::<T>()?;
        let matrix = &t.shape()[t.rank() - 2..];
        let full: Shape = batch.iter().copied().chain(matrix.iter().copied()).collect();
        let strides = t.broadcast_strides(&full);
        let (batch_strides, matrix_strides) = strides.split_at(batch.len());
        Ok(Batches {
            data: view.data,
            offset: view.offset,
            row_stride: matrix_strides[0],
            column_stride: matrix_strides[1],
            batch,
            batch_strides: batch_strides.into(),
        })
    }

    pub(crate) fn matrix(&self, index: usize) -> Matrix<'a, T> {
        let mut rest = index;
        let mut offset = self.offset;
        for dim in (0..self.batch.len()).rev() {
            offset += rest % self.batch[dim] * self.batch_strides[dim];
            rest /= self.batch[dim];
        }
        Matrix { data: self.data, offset, row_stride: self.row_stride, column_stride: self.column_stride }
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["[2, 3]", "[4, 5]", "3 and 4"], || values(1, [2, 3]).matmul(&values(2, [4, 5]))),
            Refusal::new(&["[2, 3, 4, 5]", "[3, 2, 5, 6]"], || {
                values(1, [2, 3, 4, 5]).matmul(&values(2, [3, 2, 5, 6]))
            }),
            Refusal::new(&["[]"], || values(1, []).matmul(&values(2, [2]))),
            Refusal::new(&["float64", "int64"], || values(1, [2, 2]).matmul(&Tensor::new([[1, 2], [3, 4]]))),
        ]
    },
    bench: &[
        (&[&[64, 64], &[64, 64]], |x| Ok(vec![x[0].matmul(&x[1])?])),
        (&[&[1024, 1024], &[1024, 1024]], |x| Ok(vec![x[0].matmul(&x[1])?])),
        (&[&[64, 64, 32], &[64, 32, 64]], |x| Ok(vec![x[0].matmul(&x[1])?])),
    ],
    ..Row::new("matmul", "torch.matmul", || {
        vec![
            Sample::new("matrices", [values(1, [2, 3]), values(2, [3, 4])], |x| x[0].matmul(&x[1])),
            Sample::new("transposed", [values(1, [3, 2]), values(2, [4, 3])], |x| {
                x[0].t()?.matmul(&x[1].t()?)
            }),
            Sample::new("dot", [values(1, [3]), values(2, [3])], |x| x[0].matmul(&x[1])),
            Sample::new("vector left", [values(1, [3]), values(2, [2, 3, 2])], |x| x[0].matmul(&x[1])),
            Sample::new("vector right", [values(1, [2, 2, 3]), values(2, [3])], |x| x[0].matmul(&x[1])),
            Sample::new("batch", [values(1, [2, 2, 3]), values(2, [2, 3, 2])], |x| x[0].matmul(&x[1])),
            Sample::new("batch of one", [values(1, [2, 2, 3]), values(2, [3, 2])], |x| x[0].matmul(&x[1])),
            Sample::new("broadcast", [values(1, [2, 1, 2, 3]), values(2, [3, 3, 1])], |x| x[0].matmul(&x[1])),
        ]
    })
};
