//! Memory for results: the one place where there may be too little.

use chainrule_kernels::Buffer;
use chainrule_kernels::memory::{self, OutOfMemory};

use crate::{DType, Element, Error, ErrorKind, Result, Shape, Tensor};

impl Shape {
    /// Memory for a tensor of this shape, with arbitrary contents: for an operation that writes several outputs at
    /// once, and then makes tensors of them with [`Tensor::from_buffer`](crate::Tensor::from_buffer). For one
    /// output there is [`Tensor::build`](crate::Tensor::build).
    ///
    /// # Errors
    /// When there is not so much memory. The error names the operation, the shape and the bytes.
    #[track_caller]
    pub fn allocate<T: Element>(&self, operation: &str) -> Result<Buffer<T>> {
        match self.addressable_numel().and_then(|numel| Buffer::try_recycled(numel).ok()) {
            Some(buffer) => Ok(buffer),
            None => Err(too_large(operation, self, T::DTYPE)),
        }
    }
}

/// What a kernel gave for want of memory, as an error of the operation that called it.
pub trait InOperation<T> {
    /// The value, or an error of kind [`Memory`](ErrorKind::Memory) that names the operation and the caller's line.
    ///
    /// # Errors
    /// When there was no memory.
    #[track_caller]
    fn in_operation(self, operation: &str) -> Result<T>;
}

impl<T> InOperation<T> for Result<T, OutOfMemory> {
    #[inline]
    #[track_caller]
    fn in_operation(self, operation: &str) -> Result<T> {
        match self {
            Ok(value) => Ok(value),
            Err(refused) => Err(Error::new(ErrorKind::Memory, operation, refused.to_string())),
        }
    }
}

/// An empty `Vec` with room for `len` elements, for lists whose length a caller decides.
///
/// # Errors
/// When there is not so much memory.
#[track_caller]
pub fn try_vec<T>(operation: &str, len: usize) -> Result<Vec<T>> {
    memory::try_vec(len).in_operation(operation)
}

/// [`try_vec`] for as many tensors, where there is memory for what each of them takes by itself too: its shape, strides
/// and place in the graph.
#[track_caller]
pub(crate) fn try_list(operation: &str, len: usize) -> Result<Vec<Tensor>> {
    /// About so much, in bytes.
    const EACH: usize = 512;
    if len > 1000 {
        drop(try_vec::<[u8; EACH]>(operation, len)?);
    }
    try_vec(operation, len)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn want_of_memory_names_the_operation_and_the_line() {
        let line = line!() + 1;
        let error = try_vec::<u64>("split", 1 << 50).unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Memory, "split"));
        assert_eq!(error.message(), "there is no memory for 9007199254740992 bytes");
        let at = error.location().unwrap();
        assert_eq!((at.file(), at.line()), (file!(), line));
    }
}
