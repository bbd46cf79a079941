//! [`Buffer`]: an owned slice from the pool, or from a `Vec` without a copy.

use std::fmt;
use std::mem::{ManuallyDrop, size_of};
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use super::pool::{self, Block, MAX_BYTES, bytes_of, class_of};
use super::stats::{gave_back, took};
use crate::Element;

/// An owned slice of numbers, 64-byte aligned when it comes from the pool.
pub struct Buffer<T: Element> {
    pointer: NonNull<T>,
    len: usize,
    owner: Owner,
}

/// Where the memory goes when the buffer is dropped.
#[derive(Clone, Copy)]
enum Owner {
    /// No memory at all.
    Empty,
    /// The pool's free list of a class.
    Pool { class: usize },
    /// The allocation of a `Vec` with this capacity.
    Vec { capacity: usize },
}

// SAFETY: a buffer owns its memory as a Vec does, and its elements may be sent and shared.
unsafe impl<T: Element> Send for Buffer<T> {}
// SAFETY: as above; access through a shared reference only reads.
unsafe impl<T: Element> Sync for Buffer<T> {}

impl<T: Element> Buffer<T> {
    /// A buffer whose contents are arbitrary: what its memory held before. The caller writes all of it. `None`
    /// where the system has no memory of that size.
    ///
    /// When debug assertions are on it is filled with a poison value (NaN for floats), so that a kernel that
    /// leaves a gap shows.
    pub fn try_recycled(len: usize) -> Option<Self> {
        if len == 0 {
            return Some(Buffer { pointer: NonNull::dangling(), len, owner: Owner::Empty });
        }
        let bytes = len.checked_mul(size_of::<T>()).filter(|&bytes| bytes <= MAX_BYTES)?;
        let class = class_of(bytes);
        let block = pool::take(class)?;
        took(bytes_of(class));
        let mut buffer = Buffer { pointer: block.0.cast(), len, owner: Owner::Pool { class } };
        if cfg!(debug_assertions) {
            buffer.fill_raw(T::POISON);
        } else if !T::ANY_BITS {
            buffer.fill_raw(T::ZERO);
        }
        Some(buffer)
    }

    /// As [`try_recycled`](Buffer::try_recycled), for a kernel's own intermediate results.
    ///
    /// # Panics
    /// Where the system has no memory of that size.
    pub fn recycled(len: usize) -> Self {
        match Self::try_recycled(len) {
            Some(buffer) => buffer,
            None => panic!("there is no memory for {len} elements of {} bytes", size_of::<T>()),
        }
    }

    /// Writes every element without looking at what is there (it may not be a valid `T`).
    fn fill_raw(&mut self, value: T) {
        for i in 0..self.len {
            // SAFETY: i < len, and the memory is ours.
            unsafe { self.pointer.as_ptr().add(i).write(value) };
        }
    }

    /// A buffer of one value.
    pub fn filled(len: usize, value: T) -> Self {
        let mut buffer = Self::recycled(len);
        buffer.fill(value);
        buffer
    }

    /// A buffer of zeros (`false` for `bool`).
    pub fn zeros(len: usize) -> Self {
        Self::filled(len, T::ZERO)
    }

    /// A copy of a slice.
    pub fn copy_of(values: &[T]) -> Self {
        let mut buffer = Self::recycled(values.len());
        buffer.copy_from_slice(values);
        buffer
    }

    /// Takes over the memory of a `Vec`: no copy.
    pub fn from_vec(values: Vec<T>) -> Self {
        let mut values = ManuallyDrop::new(values);
        let owner = match values.capacity() {
            0 => Owner::Empty,
            capacity => Owner::Vec { capacity },
        };
        let pointer = NonNull::new(values.as_mut_ptr()).expect("a Vec's pointer is never null");
        Buffer { pointer, len: values.len(), owner }
    }

    /// The values as a `Vec`: without a copy where the memory came from one, else copied.
    pub fn into_vec(self) -> Vec<T> {
        match self.owner {
            Owner::Vec { capacity } => {
                let this = ManuallyDrop::new(self);
                // SAFETY: pointer, length and capacity are those that `from_vec` took from a Vec<T>.
                unsafe { Vec::from_raw_parts(this.pointer.as_ptr(), this.len, capacity) }
            }
            _ => self.to_vec(),
        }
    }
}

impl<T: Element> Drop for Buffer<T> {
    fn drop(&mut self) {
        match self.owner {
            Owner::Empty => {}
            Owner::Pool { class } => {
                gave_back(bytes_of(class));
                pool::give_back(Block(self.pointer.cast()), class);
            }
            Owner::Vec { capacity } => {
                // SAFETY: pointer, length and capacity are those that `from_vec` took from a Vec<T>.
                drop(unsafe { Vec::from_raw_parts(self.pointer.as_ptr(), self.len, capacity) });
            }
        }
    }
}

impl<T: Element> Deref for Buffer<T> {
    type Target = [T];
    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: `len` elements are initialised: pool memory is zeroed when it comes from the system and only
        // ever written with whole elements, `bool` buffers are filled at birth, and a Vec's are initialised.
        unsafe { std::slice::from_raw_parts(self.pointer.as_ptr(), self.len) }
    }
}

impl<T: Element> DerefMut for Buffer<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`, and the borrow is unique.
        unsafe { std::slice::from_raw_parts_mut(self.pointer.as_ptr(), self.len) }
    }
}

impl<T: Element> Clone for Buffer<T> {
    fn clone(&self) -> Self {
        Self::copy_of(self)
    }
}

impl<T: Element> fmt::Debug for Buffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_aligned_and_comes_back() {
        let first = Buffer::<f32>::filled(1000, 1.5);
        let address = first.as_ptr() as usize;
        assert_eq!(address % 64, 0);
        assert!(first.iter().all(|&x| x == 1.5));
        drop(first);
        let second = Buffer::<f64>::recycled(500);
        assert_eq!(second.as_ptr() as usize, address, "a block of the same class is taken again");
    }

    #[test]
    fn vectors_go_in_and_out_without_a_copy() {
        let v = vec![1i64, 2, 3];
        let address = v.as_ptr();
        let buffer = Buffer::from_vec(v);
        assert_eq!(&buffer[..], [1, 2, 3]);
        let v = buffer.into_vec();
        assert_eq!(v.as_ptr(), address);
    }

    #[test]
    fn booleans_are_valid_whatever_was_there_before() {
        let mut bytes = Buffer::<i64>::recycled(64);
        bytes.fill(-1);
        drop(bytes);
        let flags = Buffer::<bool>::recycled(512);
        let same = flags[0];
        assert!(flags.iter().all(|&b| b == same));
    }

    #[test]
    fn memory_that_there_is_not_is_refused() {
        let before = super::super::stats().peak_bytes;
        for len in [1 << 45, 1 << 58, 1 << 60, 1 << 62, usize::MAX] {
            assert!(Buffer::<f64>::try_recycled(len).is_none(), "{len}");
        }
        assert!(super::super::stats().peak_bytes < before + (1 << 40), "what was refused is not counted");
        assert!(std::panic::catch_unwind(|| Buffer::<f32>::recycled(1 << 45)).is_err());
    }

    #[test]
    fn empty_buffers_need_no_memory() {
        assert!(Buffer::<f32>::recycled(0).is_empty());
        assert!(Buffer::<f32>::from_vec(Vec::new()).into_vec().is_empty());
    }
}
