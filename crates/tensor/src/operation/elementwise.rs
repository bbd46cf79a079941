//! What element-wise operations share: inputs to strided views, a buffer for the output, the traversal.
//!
//! Compiled for element types; of an operation there is only the loop over a block, as the argument `body`.

use chainrule_kernels::elementwise::{
    Function1, MapBody, View, ZipBody, map_block, map_blocks, map_slice, zip_blocks, zip_slices,
};

use crate::{Element, Result, Shape, Tensor};

impl Tensor {
    /// A function of each element, as a tensor of this shape outside any graph. `T` must be the dtype.
    #[track_caller]
    pub(crate) fn map_elements<T: Element, R: Element>(
        &self,
        operation: &str,
        ns: f64,
        f: impl Function1<T, R> + Sync,
    ) -> Result<Tensor> {
        self.map_blocks(operation, ns, &|x: &[T], out: &mut [R]| map_block(x, out, &f))
    }

    #[track_caller]
    fn map_blocks<T: Element, R: Element>(
        &self,
        operation: &str,
        ns: f64,
        body: &MapBody<'_, T, R>,
    ) -> Result<Tensor> {
        let mut out = self.shape().allocate::<R>(operation)?;
        match self.contiguous_elements::<T>() {
            Some(values) => map_slice(values, &mut out, ns, body),
            None => map_blocks(self.shape(), self.strided::<T>()?, &mut out, ns, body),
        }
        Ok(Tensor::from_parts(out, self.shape().clone()))
    }
}

/// A function of two tensors at each index of a shape that both broadcast to, as a tensor outside any graph.
/// `A` and `B` must be their dtypes.
#[track_caller]
pub(crate) fn zip_tensors<A: Element, B: Element, R: Element>(
    operation: &str,
    shape: &Shape,
    (a, b): (&Tensor, &Tensor),
    ns: f64,
    body: &ZipBody<'_, A, B, R>,
) -> Result<Tensor> {
    let mut out = shape.allocate::<R>(operation)?;
    if a.shape() == shape
        && b.shape() == shape
        && let (Some(a), Some(b)) = (a.contiguous_elements::<A>(), b.contiguous_elements::<B>())
    {
        zip_slices((a, b), &mut out, ns, body);
        return Ok(Tensor::from_parts(out, shape.clone()));
    }
    let (a_strides, b_strides) = (a.broadcast_strides(shape), b.broadcast_strides(shape));
    let a = View { strides: &a_strides, ..a.strided::<A>()? };
    let b = View { strides: &b_strides, ..b.strided::<B>()? };
    zip_blocks(shape, (a, b), &mut out, ns, body);
    Ok(Tensor::from_parts(out, shape.clone()))
}

impl Tensor {
    /// Strides that walk this tensor over a shape that it broadcasts to: 0 where an element repeats.
    pub(crate) fn broadcast_strides(&self, shape: &Shape) -> Shape {
        let missing = shape.len() - self.rank();
        (0..shape.len())
            .map(|dim| match dim.checked_sub(missing) {
                Some(own) if self.layout().shape()[own] != 1 => self.layout().strides()[own],
                _ => 0,
            })
            .collect()
    }
}
