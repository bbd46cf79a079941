//! Blocks of memory: a header, and behind it the data.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;
use std::sync::atomic::AtomicUsize;

use super::buffer::ALIGN;
use super::class::bytes_of;

/// What the header takes, so that the data behind it is aligned too.
const HEADER: usize = size_of::<Header>();

/// What a block knows of itself. It is there from the block's birth to its end, in use or not.
#[repr(C, align(64))]
pub(super) struct Header {
    /// The number of handles, where the block is shared.
    pub(super) handles: AtomicUsize,
    /// The data: behind the header, or the allocation of a `Vec`.
    pub(super) data: NonNull<u8>,
    /// Elements of the data.
    pub(super) len: usize,
    /// The capacity of the `Vec` that the data belongs to; 0 where it is behind the header.
    pub(super) capacity: usize,
    /// The size class of the block, and the size of its data.
    pub(super) class: usize,
    pub(super) bytes: usize,
    /// The block behind this one in a list of free ones.
    next: Option<Block>,
}

/// A pointer to a block, which says nothing of who owns it.
#[derive(Clone, Copy)]
pub(super) struct Block(NonNull<Header>);

// SAFETY: a block that is sent belongs to nobody else (it is in a free list), or to handles that take care of it.
unsafe impl Send for Block {}

impl Block {
    /// A new block from the system, zeroed. `None` where it has none.
    pub(super) fn new(class: usize) -> Option<Block> {
        // SAFETY: the layout's size is not 0.
        let memory = NonNull::new(unsafe { alloc_zeroed(layout(class)) })?;
        let block = Block(memory.cast());
        let header = Header {
            handles: AtomicUsize::new(1),
            data: block.own_data(),
            len: 0,
            capacity: 0,
            class,
            bytes: bytes_of(class),
            next: None,
        };
        // SAFETY: the memory is ours, aligned to 64 bytes and has room for a header.
        unsafe { block.0.write(header) };
        Some(block)
    }

    /// What lies behind the header.
    pub(super) fn own_data(self) -> NonNull<u8> {
        // SAFETY: every block is larger than its header.
        unsafe { self.0.cast().add(HEADER) }
    }

    /// The header, to read.
    ///
    /// # Safety
    /// The block is alive, and nobody changes the header meanwhile (but for the number of handles).
    #[inline(always)]
    pub(super) unsafe fn header<'a>(self) -> &'a Header {
        // SAFETY: the caller's promise; a block has a header from its birth on.
        unsafe { self.0.as_ref() }
    }

    /// The header, to write.
    ///
    /// # Safety
    /// The block is alive, and nobody else looks at the header meanwhile.
    #[inline(always)]
    pub(super) unsafe fn header_mut<'a>(mut self) -> &'a mut Header {
        // SAFETY: the caller's promise.
        unsafe { self.0.as_mut() }
    }

    /// Gives the block to the system.
    ///
    /// # Safety
    /// Nobody else knows the block, and its data is behind its header.
    pub(super) unsafe fn free(self) {
        // SAFETY: the caller's promise; `new` allocated the block with this layout.
        unsafe { dealloc(self.0.as_ptr().cast(), layout(self.header().class)) }
    }
}

fn layout(class: usize) -> Layout {
    Layout::from_size_align(HEADER + bytes_of(class), ALIGN).expect("a size class below isize::MAX")
}

/// Free blocks of one class, the last one given first.
pub(super) struct List {
    first: Option<Block>,
    /// How many more the list takes.
    room: usize,
}

impl List {
    /// An empty list that takes no more than `room` blocks.
    pub(super) const fn new(room: usize) -> Self {
        List { first: None, room }
    }

    /// Adds a block that belongs to nobody, unless the list is full.
    #[inline]
    pub(super) fn push(&mut self, block: Block) -> bool {
        if self.room == 0 {
            return false;
        }
        self.room -= 1;
        // SAFETY: the block belongs to nobody, so we alone know it.
        unsafe { block.header_mut() }.next = self.first.replace(block);
        true
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Option<Block> {
        let block = self.first?;
        self.room += 1;
        // SAFETY: blocks of the list belong to nobody but the list. (What `next` says of a block outside any list means
        // nothing.)
        self.first = unsafe { block.header() }.next;
        Some(block)
    }
}
