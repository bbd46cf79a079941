//! [`Shared`]: a buffer with several owners.

use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::fence;

use super::block::Block;
use super::buffer::{Buffer, drop_block, elements, elements_mut};
use crate::Element;

/// A counted handle to a buffer: what an `Arc` of one would be, without a second allocation, since blocks have room
/// for the count. As there are no weak handles, the only handle is dropped without a locked instruction.
pub struct Shared<T: Element> {
    block: Block,
    elements: PhantomData<T>,
}

// SAFETY: handles only read what they share, but for the only one; elements may be sent and shared, and the last
// handle, on whatever thread, returns the memory.
unsafe impl<T: Element> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Element> Sync for Shared<T> {}

impl<T: Element> Shared<T> {
    /// Whether this is the only handle now. Only its owner can know that it stays so.
    #[inline]
    pub fn is_only_handle(&self) -> bool {
        // SAFETY: the block lives as long as a handle. Acquire: whatever others did with theirs lies before.
        unsafe { self.block.header() }.handles.load(Acquire) == 1
    }

    /// The elements to write, where this is the only handle.
    #[inline]
    pub fn get_mut(&mut self) -> Option<&mut [T]> {
        // SAFETY: this handle is the only one and is borrowed, so no other can come from it.
        self.is_only_handle().then(|| unsafe { elements_mut(self.block) })
    }

    /// The buffer, where this is the only handle.
    pub fn into_buffer(self) -> Option<Buffer<T>> {
        if !self.is_only_handle() {
            return None;
        }
        let this = ManuallyDrop::new(self);
        // SAFETY: this was the only handle, and it is not dropped.
        Some(unsafe { Buffer::from_block(this.block) })
    }
}

impl<T: Element> From<Buffer<T>> for Shared<T> {
    #[inline]
    fn from(buffer: Buffer<T>) -> Self {
        // The count of a block that is not shared is 1.
        Shared { block: buffer.into_block(), elements: PhantomData }
    }
}

impl<T: Element> Clone for Shared<T> {
    #[inline]
    fn clone(&self) -> Self {
        // SAFETY: the block lives as long as a handle.
        let handles = unsafe { self.block.header() }.handles.fetch_add(1, Relaxed);
        if handles > isize::MAX as usize {
            // Somebody forgets handles without end; the count must not come round to 0.
            std::process::abort();
        }
        Shared { block: self.block, elements: PhantomData }
    }
}

impl<T: Element> Drop for Shared<T> {
    #[inline]
    fn drop(&mut self) {
        // The count is left at 1, where the next buffer wants it.
        if !self.is_only_handle() {
            // SAFETY: the block lives as long as a handle.
            let handles = &unsafe { self.block.header() }.handles;
            if handles.fetch_sub(1, Release) != 1 {
                return;
            }
            fence(Acquire);
            handles.store(1, Relaxed);
        }
        // SAFETY: this was the last handle.
        unsafe { drop_block::<T>(self.block) }
    }
}

impl<T: Element> Deref for Shared<T> {
    type Target = [T];
    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: the block lives as long as a handle, and is only written through `get_mut`, which no other handle
        // lives beside.
        unsafe { elements(self.block) }
    }
}

impl<T: Element> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_only_handle_writes() {
        let mut one = Shared::from(Buffer::filled(100, 1.0f32));
        one.get_mut().unwrap()[7] = 2.0;
        let mut two = one.clone();
        assert!(one.get_mut().is_none() && two.get_mut().is_none() && two.clone().into_buffer().is_none());
        assert_eq!(two[7], 2.0);
        drop(one);
        assert!(two.get_mut().is_some());
        assert_eq!(two.into_buffer().unwrap()[7], 2.0);
    }

    #[test]
    fn memory_comes_back_with_the_last_handle() {
        let one = Shared::from(Buffer::<i64>::filled(3000, 5));
        let address = one.as_ptr();
        let others = vec![one.clone(); 10];
        drop(one);
        assert_eq!(others[9][2999], 5);
        drop(others);
        assert_eq!(Buffer::<i64>::recycled(3000).as_ptr(), address);
    }

    #[test]
    fn handles_on_many_threads_return_the_memory_once() {
        // Other tests run meanwhile and take buffers too, so each of these is large enough to show.
        let (len, rounds) = if cfg!(miri) { (1 << 10, 5) } else { (1 << 18, 500) };
        let before = super::super::stats();
        for _ in 0..rounds {
            let mut buffer = Buffer::<f64>::recycled(len);
            buffer[len - 1] = 3.0;
            let shared = Shared::from(buffer);
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    let mut mine = shared.clone();
                    scope.spawn(move || {
                        for _ in 0..50 {
                            let other = mine.clone();
                            assert_eq!(other[len - 1], 3.0);
                            drop(std::mem::replace(&mut mine, other));
                        }
                    });
                }
                drop(shared);
            });
        }
        assert!(super::super::stats().in_use_bytes < before.in_use_bytes + rounds * 8 * len / 2);
    }

    #[test]
    #[cfg_attr(miri, ignore = "thread caches fill after thousands of buffers")]
    fn blocks_come_back_to_a_thread_that_makes_what_another_drops() {
        // A loader's worker makes labels, the training loop drops them. Small blocks are kept by the thread that drops them,
        // until it has a mebibyte.
        let (count, before) = (100_000, super::super::stats().system_allocations);
        let (sender, receiver) = std::sync::mpsc::sync_channel(4);
        std::thread::scope(|scope| {
            scope.spawn(move || (0..count).for_each(|_| sender.send(Buffer::<i64>::filled(64, 1)).unwrap()));
            receiver.into_iter().for_each(drop);
        });
        let asked = super::super::stats().system_allocations - before;
        assert!(asked < count / 2, "{asked} blocks from the system for {count} buffers");
    }

    #[test]
    fn vectors_are_shared_without_a_copy() {
        let values = vec![0.0f32; 10 << 20];
        let address = values.as_ptr();
        let shared = Shared::from(Buffer::from_vec(values));
        assert_eq!(shared.clone().as_ptr(), address);
        let values = shared.into_buffer().unwrap().into_vec().unwrap();
        assert_eq!(values.as_ptr(), address);
    }
}
