//! Taking elements by index, and adding to elements by index.
//!
//! All arrays are contiguous and all indices are checked by the caller. Where an index occurs more than once
//! the additions happen in the order of the index, on any number of threads.

mod elements;
mod slices;
#[cfg(test)]
mod tests;

pub use elements::{gather, scatter_add};
pub use slices::{index_add, index_select};
