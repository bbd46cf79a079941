//! Taking elements by index, and adding to elements by index.
//!
//! All arrays are contiguous and all indices are checked by the caller. Where an index occurs more than once
//! the additions happen in the order of the index, on any number of threads.

mod elements;
mod rows;
mod slices;
#[cfg(test)]
mod tests;
mod view;

pub use elements::{gather, numbers, scatter_add};
pub use rows::{add_rows, order, put_rows, sum_rows};
pub use slices::{index_add, index_select};
pub use view::add_view;
