//! [`Storage`]: the shared memory of one or many tensors.

use std::sync::Arc;

use chainrule_kernels::Buffer;

use crate::DType;

/// A counted handle to memory of one dtype. Views of a tensor share it.
#[derive(Clone)]
#[doc(hidden)]
pub enum Storage {
    F32(Arc<Buffer<f32>>),
    F64(Arc<Buffer<f64>>),
    I64(Arc<Buffer<i64>>),
    Bool(Arc<Buffer<bool>>),
}

impl Storage {
    pub(crate) fn dtype(&self) -> DType {
        match self {
            Storage::F32(_) => DType::F32,
            Storage::F64(_) => DType::F64,
            Storage::I64(_) => DType::I64,
            Storage::Bool(_) => DType::Bool,
        }
    }

    /// The address of the memory: equal for views of one another.
    pub(crate) fn address(&self) -> usize {
        match self {
            Storage::F32(b) => b.as_ptr() as usize,
            Storage::F64(b) => b.as_ptr() as usize,
            Storage::I64(b) => b.as_ptr() as usize,
            Storage::Bool(b) => b.as_ptr() as usize,
        }
    }
}
