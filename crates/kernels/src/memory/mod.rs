//! Recycled, 64-byte-aligned memory for tensor data.
//!
//! A [`Buffer`] is a slice that came from the pool and goes back to it when dropped, so that in the steady
//! state of a training loop the system allocator is not asked for anything: each step takes the very blocks
//! that the step before gave back, warm in the cache and with their pages mapped.

mod block;
mod buffer;
mod cache;
mod class;
mod counted;
mod counting;
mod pool;
mod refused;
mod shared;
mod stats;

pub use buffer::Buffer;
pub use counted::Counted;
pub use counting::CountingAllocator;
pub use pool::{set_cache_limit, trim};
pub(crate) use refused::total;
pub(crate) use refused::try_collect;
pub use refused::{OutOfMemory, try_vec};
pub use shared::Shared;
pub use stats::{Stats, reset_peak, stats};
