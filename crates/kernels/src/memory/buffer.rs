//! [`Buffer`]: an owned slice from the pool, or the memory of a `Vec`.

use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use super::block::Block;
use super::class::{MAX_BYTES, class_of};
use super::pool;
use super::refused::{OutOfMemory, try_vec};
use crate::Element;

/// The alignment of pool memory: a line of the cache.
pub(super) const ALIGN: usize = 64;

/// Up to so many bytes, the memory of a `Vec` that does not begin at a line is copied into memory that does: where it is
/// read from a cache, loads that reach over two lines cost up to a fifth of the speed of a kernel. What is larger comes
/// from main memory, whose speed hides them.
const COPIED_BYTES: usize = 32 << 20;

/// An owned slice of numbers, 64-byte aligned but for what came from a very large `Vec`.
pub struct Buffer<T: Element> {
    block: Block,
    elements: PhantomData<T>,
}

// SAFETY: a buffer owns its memory as a Vec does, and its elements may be sent and shared.
unsafe impl<T: Element> Send for Buffer<T> {}
// SAFETY: as above; access through a shared reference only reads.
unsafe impl<T: Element> Sync for Buffer<T> {}

impl<T: Element> Buffer<T> {
    /// A buffer whose contents are arbitrary: what its memory held before. The caller writes all of it.
    ///
    /// When debug assertions are on it is filled with a poison value (NaN for floats), so that a kernel that
    /// leaves a gap shows. (Not under Miri, where that would take most of the time.)
    ///
    /// # Errors
    /// Where the system has no memory of that size.
    #[inline]
    pub fn try_recycled(len: usize) -> Result<Self, OutOfMemory> {
        let mut buffer = Self::taken(len)?;
        if cfg!(debug_assertions) && !cfg!(miri) {
            buffer.fill_raw(T::POISON);
        } else if !T::ANY_BITS {
            buffer.fill_raw(T::ZERO);
        }
        Ok(buffer)
    }

    /// A buffer that no element is written of: what it holds need not be a valid `T`.
    #[inline]
    fn taken(len: usize) -> Result<Self, OutOfMemory> {
        let bytes = len.checked_mul(size_of::<T>()).filter(|&bytes| bytes <= MAX_BYTES);
        let Some(block) = bytes.and_then(|bytes| pool::take(class_of(bytes))) else {
            return Err(OutOfMemory::of::<T>(len));
        };
        // SAFETY: the block was taken from the pool, so we alone know it.
        unsafe { block.header_mut() }.len = len;
        Ok(Buffer { block, elements: PhantomData })
    }

    /// As [`try_recycled`](Buffer::try_recycled), without the poison, which takes long for large buffers.
    #[cfg(test)]
    pub(super) fn try_recycled_unpoisoned(len: usize) -> Option<Self> {
        assert!(T::ANY_BITS);
        Self::taken(len).ok()
    }

    /// As [`try_recycled`](Buffer::try_recycled), for a kernel's own scratch whose size does not follow the caller's
    /// sizes.
    ///
    /// # Panics
    /// Where the system has no memory of that size.
    pub fn recycled(len: usize) -> Self {
        match Self::try_recycled(len) {
            Ok(buffer) => buffer,
            Err(refused) => panic!("{refused}"),
        }
    }

    /// Writes every element without looking at what is there (it may not be a valid `T`).
    fn fill_raw(&mut self, value: T) {
        // SAFETY: the block is ours.
        let header = unsafe { self.block.header() };
        for i in 0..header.len {
            // SAFETY: i < len, and the memory is ours.
            unsafe { header.data.cast::<T>().add(i).write(value) };
        }
    }

    /// A buffer of zeros (`false` for `bool`).
    ///
    /// # Errors
    /// Where the system has no memory of that size.
    pub fn try_zeros(len: usize) -> Result<Self, OutOfMemory> {
        let mut buffer = Self::try_recycled(len)?;
        buffer.fill(T::ZERO);
        Ok(buffer)
    }

    /// A copy of a slice.
    ///
    /// # Errors
    /// Where the system has no memory of that size.
    pub fn try_copy_of(values: &[T]) -> Result<Self, OutOfMemory> {
        let mut buffer = Self::try_recycled(values.len())?;
        buffer.copy_from_slice(values);
        Ok(buffer)
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

    /// The values of a `Vec`: its memory itself where that begins at a line of the cache, is larger than 32 MiB, or there
    /// is no other, else a copy.
    pub fn from_vec(values: Vec<T>) -> Self {
        let begins_at_line = (values.as_ptr() as usize).is_multiple_of(ALIGN);
        if !begins_at_line
            && size_of_val(&values[..]) <= COPIED_BYTES
            && let Ok(copy) = Self::try_copy_of(&values)
        {
            return copy;
        }
        let buffer = Self::recycled(0);
        if values.capacity() > 0 {
            let mut values = ManuallyDrop::new(values);
            // SAFETY: the block is that of a buffer that we own.
            let header = unsafe { buffer.block.header_mut() };
            (header.len, header.capacity) = (values.len(), values.capacity());
            header.data = NonNull::new(values.as_mut_ptr()).expect("a Vec's pointer is never null").cast();
        }
        buffer
    }

    /// The values as a `Vec`: its own memory where that was taken over from one, else a copy.
    ///
    /// # Errors
    /// Where the system has no memory for a copy.
    pub fn into_vec(self) -> Result<Vec<T>, OutOfMemory> {
        // SAFETY: the block is ours, and its elements are of this type. The buffer is empty afterwards.
        if let Some(values) = unsafe { take_vec::<T>(self.block) } {
            return Ok(values);
        }
        let mut values = try_vec(self.len())?;
        values.extend_from_slice(&self);
        Ok(values)
    }

    /// The block, which the caller has to [`drop_block`].
    #[inline]
    pub(super) fn into_block(self) -> Block {
        ManuallyDrop::new(self).block
    }

    /// # Safety
    /// The caller owns the block alone, and it came out of [`into_block`](Buffer::into_block) of this type.
    #[inline]
    pub(super) unsafe fn from_block(block: Block) -> Self {
        Buffer { block, elements: PhantomData }
    }
}

/// Takes the `Vec` out whose memory a block looks after, if it does; the block is empty then.
///
/// # Safety
/// Nobody else knows the block, and its elements are of this type.
#[inline]
unsafe fn take_vec<T: Element>(block: Block) -> Option<Vec<T>> {
    // SAFETY: the caller's promise.
    let header = unsafe { block.header_mut() };
    if header.capacity == 0 {
        return None;
    }
    // SAFETY: pointer, length and capacity are those that `from_vec` took from a Vec<T>.
    let values = unsafe { Vec::from_raw_parts(header.data.cast().as_ptr(), header.len, header.capacity) };
    (header.len, header.capacity, header.data) = (0, 0, block.own_data());
    Some(values)
}

/// Gives a block back to where it came from.
///
/// # Safety
/// Nobody else knows the block, and its elements are of this type.
#[inline]
pub(super) unsafe fn drop_block<T: Element>(block: Block) {
    // SAFETY: the caller's promise.
    drop(unsafe { take_vec::<T>(block) });
    pool::give_back(block);
}

/// The elements of a block.
///
/// # Safety
/// The block is alive as long as the slice and nobody writes its elements meanwhile, which are of this type.
#[inline]
pub(super) unsafe fn elements<'a, T: Element>(block: Block) -> &'a [T] {
    // SAFETY: the caller's promise; `len` elements are initialised: pool memory is zeroed when it comes from the
    // system and only ever written with whole elements, `bool` buffers are filled at birth, and a Vec's are
    // initialised.
    unsafe {
        let header = block.header();
        std::slice::from_raw_parts(header.data.cast().as_ptr(), header.len)
    }
}

/// The elements of a block, to write.
///
/// # Safety
/// The block is alive as long as the slice and nobody else looks at its elements meanwhile, which are of this type.
#[inline]
pub(super) unsafe fn elements_mut<'a, T: Element>(block: Block) -> &'a mut [T] {
    // SAFETY: as in `elements`, and the caller promises that nobody else looks.
    unsafe {
        let header = block.header();
        std::slice::from_raw_parts_mut(header.data.cast().as_ptr(), header.len)
    }
}

impl<T: Element> Drop for Buffer<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the block is ours, with elements of this type.
        unsafe { drop_block::<T>(self.block) }
    }
}

impl<T: Element> Deref for Buffer<T> {
    type Target = [T];
    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: the block is ours and borrowed.
        unsafe { elements(self.block) }
    }
}

impl<T: Element> DerefMut for Buffer<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: the block is ours, and the borrow is unique.
        unsafe { elements_mut(self.block) }
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
    fn vectors_are_copied_only_where_that_pays() {
        // Large ones are taken over, wherever they begin; they come from zeroed pages that are never touched.
        let v = vec![0i64; COPIED_BYTES / 8 + 1];
        let address = v.as_ptr();
        let buffer = Buffer::from_vec(v);
        assert_eq!(buffer.as_ptr(), address);
        let v = buffer.into_vec().unwrap();
        assert_eq!(v.as_ptr(), address);
        // Others begin at a line afterwards, and are taken over if they did before.
        for len in 1..100 {
            let v: Vec<i64> = (0..len).collect();
            let address = v.as_ptr();
            let buffer = Buffer::from_vec(v);
            assert_eq!(buffer.as_ptr() as usize % ALIGN, 0);
            assert_eq!(buffer.as_ptr() == address, (address as usize).is_multiple_of(ALIGN));
            assert!(buffer.iter().copied().eq(0..len));
            assert!(buffer.into_vec().unwrap().into_iter().eq(0..len));
        }
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
    #[cfg_attr(miri, ignore = "it ends the program where memory is refused")]
    fn memory_that_there_is_not_is_refused() {
        let before = super::super::stats().peak_bytes;
        for len in [1 << 45, 1 << 58, 1 << 60, 1 << 62, usize::MAX] {
            let refused = Buffer::<f64>::try_recycled(len).unwrap_err();
            assert_eq!(refused.bytes, len.saturating_mul(8), "{refused}");
        }
        assert!(super::super::stats().peak_bytes < before + (1 << 40), "what was refused is not counted");
        assert!(std::panic::catch_unwind(|| Buffer::<f32>::recycled(1 << 45)).is_err());
    }

    #[test]
    fn empty_buffers_need_no_memory() {
        assert!(Buffer::<f32>::recycled(0).is_empty());
        assert!(Buffer::<f32>::from_vec(Vec::new()).into_vec().unwrap().is_empty());
    }
}
