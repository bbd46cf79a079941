//! The forms that operations are written in, and the table that lists them.
//!
//! An operation is one file under `ops/`: its meaning, its way back, its documentation and its row in the
//! [`table`]. There are four forms: element-wise of one operand ([`Unary`]), of two ([`Binary`]), composite
//! (tensor operations only: nothing to write for the way back), and irregular (implements
//! [`Backward`](crate::autograd::Backward)).

mod binary;
mod elementwise;
mod operand;
pub mod table;
mod unary;

pub(crate) use binary::{Binary, Compare, binary, compare};
pub(crate) use elementwise::zip_tensors;
pub use operand::{Operand, Scalar};
pub(crate) use unary::{Saves, Unary, flat, unary};
