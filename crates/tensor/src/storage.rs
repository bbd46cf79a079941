//! [`Storage`]: the shared memory of one or many tensors.

use chainrule_kernels::memory::Shared;

use crate::DType;

/// A counted handle to memory of one dtype. Views of a tensor share it.
#[derive(Clone)]
#[doc(hidden)]
pub enum Storage {
    F32(Shared<f32>),
    F64(Shared<f64>),
    I64(Shared<i64>),
    Bool(Shared<bool>),
}

impl Storage {
    #[inline]
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

    /// Whether this is the only handle to the memory.
    #[inline]
    pub(crate) fn is_only_handle(&self) -> bool {
        match self {
            Storage::F32(b) => b.is_only_handle(),
            Storage::F64(b) => b.is_only_handle(),
            Storage::I64(b) => b.is_only_handle(),
            Storage::Bool(b) => b.is_only_handle(),
        }
    }
}
