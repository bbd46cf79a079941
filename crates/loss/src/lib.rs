//! The loss functions of chainrule.
//!
//! Most users depend on the crate `chainrule`, which re-exports all of this.
//!
//! Every loss is a struct of options with PyTorch's names and defaults, and a function of the same meaning:
//! `criterion.forward(&outputs, &targets)` and `cross_entropy(&outputs, &targets, &criterion)` are the same
//! call. The value and its [`Reduction`] are computed in one pass, and so are the gradients; where the way back
//! is itself recorded (`create_graph`) it is written with tensor operations, so losses can be differentiated to
//! any order.
//!
//! An input and a target of different shapes are an error: they would broadcast to a loss that nobody meant. The
//! few losses that PyTorch defines with broadcasting say so.
//!
//! A loss of one's own is a function of tensors, or a type that implements
//! [`ElementwiseLoss`](elementwise::ElementwiseLoss) where it is one of single elements and is to be as fast as
//! these.

mod check;
pub mod elementwise;
mod layout;
mod limits;
mod losses;
mod reduction;
mod rows;
mod samples;
mod weighted;

/// The table of losses, in the form of the table of operations.
pub mod table {
    use chainrule_tensor::table::Row;

    /// The row of every loss.
    pub fn losses() -> Vec<&'static Row> {
        crate::losses::rows()
    }
}

pub use prelude::*;

/// What `chainrule::prelude` has of this crate.
#[doc(hidden)]
pub mod prelude {
    pub use crate::losses::*;
    pub use crate::reduction::Reduction;
}
