//! PyTorch's names and what they are here: the only place to touch when something new has been built.

pub mod initializers;
mod losses;
pub mod modules;
pub mod operations;
pub mod optimizers;
mod options;
pub mod schedulers;
