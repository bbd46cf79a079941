//! [`Counted`]: a value with several owners, in a block of the pool.

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::fence;

use super::block::Block;
use super::class::class_of;
use super::pool::{self, SMALL_BYTES};

/// A counted handle to a value, as an `Arc` is, for values that are made and dropped in large numbers: their memory is
/// recycled by the thread, and as there are no weak handles the only one is dropped without a locked instruction.
pub struct Counted<T> {
    block: Block,
    value: PhantomData<T>,
}

// SAFETY: as for an `Arc`: handles share the value, and the last one drops it, on whatever thread.
unsafe impl<T: Send + Sync> Send for Counted<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Counted<T> {}

impl<T> Counted<T> {
    const CLASS: usize = {
        assert!(size_of::<T>() <= SMALL_BYTES && align_of::<T>() <= 64, "a value that no small block holds");
        class_of(size_of::<T>())
    };

    /// The first handle to a value.
    ///
    /// # Panics
    /// Where the system has no memory.
    #[inline]
    pub fn new(value: T) -> Self {
        Self::with(|| value)
    }

    /// The first handle to a value that is made when there is memory for it, so that it need not be moved.
    ///
    /// # Panics
    /// Where the system has no memory.
    #[inline]
    pub fn with(make: impl FnOnce() -> T) -> Self {
        // (Where `make` panics, the block is lost.)
        let block = pool::take_value(Self::CLASS).expect("memory for a small value");
        // SAFETY: the block was taken from the pool, so we alone know it; it is large enough for the value and aligned
        // to 64 bytes. Its count is 1, as that of every block which is not shared.
        unsafe { block.own_data().cast::<T>().write(make()) };
        Counted { block, value: PhantomData }
    }

    /// The value to change, where this is the only handle.
    #[inline]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        // SAFETY: this handle is the only one and is borrowed, so no other can come from it.
        self.is_only_handle().then(|| unsafe { self.block.own_data().cast().as_mut() })
    }

    /// Whether this is the only handle now. Only its owner can know that it stays so.
    #[inline]
    pub fn is_only_handle(&self) -> bool {
        // SAFETY: the block lives as long as a handle. Acquire: whatever others did with theirs lies before.
        unsafe { self.block.header() }.handles.load(Acquire) == 1
    }
}

impl<T> Clone for Counted<T> {
    #[inline]
    fn clone(&self) -> Self {
        // SAFETY: the block lives as long as a handle.
        let handles = unsafe { self.block.header() }.handles.fetch_add(1, Relaxed);
        if handles > isize::MAX as usize {
            // Somebody forgets handles without end; the count must not come round to 0.
            std::process::abort();
        }
        Counted { block: self.block, value: PhantomData }
    }
}

impl<T> Deref for Counted<T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: `new` wrote the value, and it lives as long as a handle.
        unsafe { self.block.own_data().cast().as_ref() }
    }
}

impl<T> Drop for Counted<T> {
    #[inline]
    fn drop(&mut self) {
        // The count is left at 1, where the next value wants it.
        if !self.is_only_handle() {
            // SAFETY: the block lives as long as a handle.
            let handles = &unsafe { self.block.header() }.handles;
            if handles.fetch_sub(1, Release) != 1 {
                return;
            }
            fence(Acquire);
            handles.store(1, Relaxed);
        }
        let _block = FreeAtEnd(self.block, Self::CLASS);
        // SAFETY: this was the last handle, and the value is not used again.
        unsafe { self.block.own_data().cast::<T>().drop_in_place() };
    }
}

/// Gives the block back, also where the drop of the value panics.
struct FreeAtEnd(Block, usize);

impl Drop for FreeAtEnd {
    #[inline]
    fn drop(&mut self) {
        pool::give_back_value(self.0, self.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_value_lives_as_long_as_its_handles() {
        let inside = Arc::new(5);
        let one = Counted::new((inside.clone(), "text"));
        let two = one.clone();
        assert!(!one.is_only_handle());
        drop(one);
        assert_eq!((*two.0, two.1), (5, "text"));
        assert!(two.is_only_handle());
        assert_eq!(Arc::strong_count(&inside), 2);
        drop(two);
        assert_eq!(Arc::strong_count(&inside), 1);
    }

    #[test]
    fn memory_is_recycled_also_where_a_drop_panics() {
        struct Panics([u64; 40]);
        impl Drop for Panics {
            fn drop(&mut self) {
                assert!(std::thread::panicking() || self.0[39] != 1, "as the test wants it");
            }
        }
        let address = |handle: &Counted<Panics>| std::ptr::from_ref(&**handle) as usize;
        let first = Counted::new(Panics([1; 40]));
        let place = address(&first);
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(first))).is_err());
        assert_eq!(address(&Counted::new(Panics([0; 40]))), place);
    }

    #[test]
    fn handles_on_many_threads_drop_the_value_once() {
        let inside = Arc::new(());
        for _ in 0..if cfg!(miri) { 3 } else { 200 } {
            let counted = Counted::new(inside.clone());
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    let mine = counted.clone();
                    scope.spawn(move || (0..50).for_each(|_| drop(mine.clone())));
                }
                drop(counted);
            });
            assert_eq!(Arc::strong_count(&inside), 1);
        }
    }
}
