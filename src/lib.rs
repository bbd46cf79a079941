//! chainrule: a reverse-mode autograd tensor engine for CPUs with the meaning of PyTorch.
//!
//! [`prelude`] has what a training program needs; the modules have everything, each with its own page:
//! tensors and automatic differentiation at the root of this crate and in [`autograd`], layers in [`nn`],
//! losses in [`loss`], optimizers and schedulers in [`optim`], data sets and loaders in [`data`], metrics and
//! training helpers in [`train`].
#![doc = include_str!("../README.md")]

pub use chainrule_tensor::*;

pub use chainrule_data as data;
pub use chainrule_loss as loss;
pub use chainrule_optim as optim;
pub use chainrule_train as train;

/// Modules, layers and state dicts.
pub mod nn {
    // The derive macro of the same name writes paths that begin with `::chainrule`.
    pub use chainrule_derive::Module;
    pub use chainrule_nn::*;
}

/// The table of operations and losses, which the tests and benches of chainrule are driven by. Programs do not need
/// it.
pub mod table {
    pub use chainrule_tensor::table::*;

    /// Every row: operations, then losses.
    pub fn rows() -> Vec<&'static Row> {
        operations().into_iter().chain(crate::loss::table::losses()).collect()
    }
}

/// What a training program needs: `use chainrule::prelude::*;`
pub mod prelude {
    pub use crate::autograd::{self, GradOptions, grad, no_grad};
    pub use crate::data::prelude::*;
    pub use crate::loss::prelude::*;
    // The derive macro of this crate, not that of the glob.
    pub use crate::nn::Module;
    pub use crate::nn::prelude::*;
    pub use crate::optim::prelude::*;
    pub use crate::random::manual_seed;
    pub use crate::train::*;
    pub use crate::{DType, Error, ErrorKind, Parameter, Result, Shape, StateDict, Tensor, set_num_threads};
}

/// The guide, whose code is tested.
#[cfg(doctest)]
#[doc = include_str!("../docs/guide.md")]
pub struct Guide;
