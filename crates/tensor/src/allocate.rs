//! Memory for results: the one place where there may be too little.

use chainrule_kernels::Buffer;

use crate::{DType, Element, Error, ErrorKind, Result, Shape};

impl Shape {
    /// Memory for a tensor of this shape, with arbitrary contents: for an operation that writes several outputs at
    /// once, and then makes tensors of them with [`Tensor::from_buffer`](crate::Tensor::from_buffer). For one
    /// output there is [`Tensor::build`](crate::Tensor::build).
    ///
    /// # Errors
    /// When there is not so much memory. The error names the operation, the shape and the bytes.
    #[track_caller]
    pub fn allocate<T: Element>(&self, operation: &str) -> Result<Buffer<T>> {
        match self.addressable_numel().and_then(Buffer::try_recycled) {
            Some(buffer) => Ok(buffer),
            None => Err(too_large(operation, self, T::DTYPE)),
        }
    }
}

#[cold]
#[track_caller]
fn too_large(operation: &str, shape: &Shape, dtype: DType) -> Error {
    let mut sizes = shape.iter().filter(|&&n| n != 0);
    let bytes = sizes.try_fold(dtype.size() as u128, |product, &n| product.checked_mul(n as u128));
    let bytes = bytes.map_or_else(|| "more than 2^128".to_string(), |bytes| bytes.to_string());
    Error::new(
        ErrorKind::Memory,
        operation,
        format!("there is no memory for a tensor of shape {shape} of {dtype}: {bytes} bytes"),
    )
}
