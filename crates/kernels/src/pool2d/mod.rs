//! Maximum and average pooling of planes.
//!
//! Of a window only the elements that lie inside the plane for some output are looked at, so that work is in proportion to
//! planes and outputs, however far windows reach beyond.

mod adaptive;
mod average;
mod halving;
mod max;
mod shape;
#[cfg(test)]
mod tests;

pub use adaptive::{AdaptiveShape, adaptive_avg_backward, adaptive_avg_forward};
pub use average::{avg_backward, avg_forward};
pub use max::{max_backward, max_forward};
pub use shape::{Pool2dShape, Pool2dSizes};
