//! chainrule: a reverse-mode autograd tensor engine for CPUs with the meaning of PyTorch.

pub use chainrule_tensor::*;

/// The table of operations and losses, which tests and benches are driven by.
pub mod table {
    pub use chainrule_tensor::table::*;

    /// Every row: operations, then losses.
    pub fn rows() -> Vec<&'static Row> {
        operations()
    }
}
