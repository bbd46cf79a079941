//! ndarray in and out (with the feature `ndarray`): views cost nothing, very large owned arrays move in without a copy.

use ndarray::{ArrayD, ArrayViewD, IxDyn, ShapeBuilder};

use crate::{Element, ErrorKind, Result, Tensor};

impl Tensor {
    /// The tensor as an ndarray view, whatever its strides; nothing is copied.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[1.0, 2.0], [3.0, 4.0]]).transpose(0, 1)?;
    /// let view = x.as_ndarray::<f32>()?;
    /// assert_eq!(view[[0, 1]], 3.0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When `T` is not the tensor's dtype.
    #[track_caller]
    pub fn as_ndarray<T: Element>(&self) -> Result<ArrayViewD<'_, T>> {
        let view = self.strided::<T>()?;
        let shape = IxDyn(self.shape());
        // Without an element strides mean nothing, and ndarray takes its own only.
        let array = match self.numel() {
            0 => ArrayViewD::from_shape(shape, &[]),
            _ => ArrayViewD::from_shape(shape.strides(IxDyn(view.strides)), &view.data[view.offset..]),
        };
        array.map_err(|e| {
            crate::Error::new(ErrorKind::Shape, "as_ndarray", format!("shape {}: {e}", self.shape()))
        })
    }

    /// An owned ndarray array as a tensor: its memory is taken over where the array is in standard
    /// (row-major) order and [`Tensor::from_vec`] would take it over, else copied.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::from_ndarray(ndarray::arr2(&[[1.0f32, 2.0], [3.0, 4.0]]))?;
    /// assert_eq!(x.shape(), &[2, 2]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn from_ndarray<T: Element, D: ndarray::Dimension>(array: ndarray::Array<T, D>) -> Result<Tensor> {
        let shape = array.shape().to_vec();
        if !array.is_standard_layout() {
            return Tensor::from_vec(array.iter().copied().collect(), shape);
        }
        match array.into_raw_vec_and_offset() {
            (values, None | Some(0)) if values.len() == shape.iter().product::<usize>() => {
                Tensor::from_vec(values, shape)
            }
            (values, offset) => {
                let start = offset.unwrap_or(0);
                Tensor::from_slice(&values[start..start + shape.iter().product::<usize>()], shape)
            }
        }
    }

    /// The values as an owned ndarray array in row-major order: without a copy where this is the only handle
    /// to memory that was taken over from a `Vec` or an array, else copied.
    ///
    /// # Errors
    /// When `T` is not the tensor's dtype.
    #[track_caller]
    pub fn into_ndarray<T: Element>(self) -> Result<ArrayD<T>> {
        let shape = IxDyn(self.shape());
        let values = self.into_vec::<T>()?;
        ArrayD::from_shape_vec(shape, values)
            .map_err(|e| crate::Error::new(ErrorKind::Shape, "into_ndarray", e.to_string()))
    }
}
