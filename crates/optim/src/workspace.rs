//! [`Workspace`]: memory for the intermediate results of updates.

use chainrule_kernels::memory::OutOfMemory;
use chainrule_kernels::{Buffer, Element};
use chainrule_tensor::DType;

use crate::algorithm::Scratch;

/// Memory that one update after the other uses.
#[derive(Default)]
pub(crate) struct Workspace {
    pub(crate) f32: Numbers<f32>,
    pub(crate) f64: Numbers<f64>,
    pub(crate) sums: Numbers<f64>,
}

/// Numbers, as many as the largest request was for.
pub(crate) struct Numbers<T: Element>(Option<Buffer<T>>);

impl<T: Element> Default for Numbers<T> {
    fn default() -> Self {
        Numbers(None)
    }
}

impl<T: Element> Numbers<T> {
    fn reserve(&mut self, len: usize) -> Result<(), OutOfMemory> {
        if self.0.as_ref().map_or(0, |buffer| buffer.len()) < len {
            // The smaller one goes back first.
            self.0 = None;
            self.0 = Some(Buffer::try_recycled(len)?);
        }
        Ok(())
    }

    /// The first `len` numbers, which were reserved.
    pub(crate) fn first(&mut self, len: usize) -> &mut [T] {
        self.0.as_mut().map_or(&mut [][..], |buffer| &mut buffer[..len])
    }
}

impl Workspace {
    /// Makes room for an update of a parameter of this dtype.
    pub(crate) fn reserve(&mut self, dtype: DType, scratch: Scratch) -> Result<(), OutOfMemory> {
        match dtype {
            DType::F64 => self.f64.reserve(scratch.values)?,
            _ => self.f32.reserve(scratch.values)?,
        }
        self.sums.reserve(scratch.sums)
    }
}
