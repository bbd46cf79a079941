//! PyTorch's names and what they are here: the only place to touch when something new has been built.

pub(crate) mod initializers;
mod losses;
pub(crate) mod modules;
pub(crate) mod operations;
pub(crate) mod optimizers;
mod options;
pub(crate) mod schedulers;
