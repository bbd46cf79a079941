//! The numeric kernels of chainrule: slices in, slices out.
//!
//! Nothing here knows what a tensor or a graph is. Three things that everything else stands on live
//! here because they need `unsafe`: recycled, aligned memory ([`memory`]), the one door to threads
//! ([`parallel`]) and the run-time choice of an instruction set ([`simd`]).
//!
//! Shape errors are found by the callers (the tensor crate, at the door of each operation); kernels
//! state what they expect and check it with assertions, because a wrong length here is a bug of ours.

pub mod arrays;
pub mod attention;
pub mod batch_norm;
pub mod blocks;
pub mod conv2d;
pub mod cross_entropy;
pub mod element;
pub mod elementwise;
pub mod gemm;
pub mod index;
mod lanes;
pub mod layer_norm;
mod math;
pub mod memory;
pub mod norm;
pub mod parallel;
pub mod pool2d;
mod prefetch;
pub mod recurrent;
pub mod reduce;
mod register;
pub mod scaling;
pub mod scan;
pub mod simd;
pub mod softmax;
mod strips;
#[cfg(test)]
mod testing;
pub mod update;

pub use element::{Element, Float, Number};
pub use memory::Buffer;
