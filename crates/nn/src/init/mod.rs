//! Initial values: PyTorch's `torch.nn.init`, with its names.
//!
//! Each function fills a [`Parameter`] in place, whatever its gradient and graph, and draws from the default generator
//! in PyTorch's order, so that a seed gives PyTorch's values; inside of
//! [`with_generator`](chainrule_tensor::random::with_generator) from another. One that fails changes nothing and draws
//! nothing.
//!
//! | function | values |
//! |---|---|
//! | [`uniform_`], [`normal_`], [`trunc_normal_`] | of one distribution |
//! | [`constant_`], [`ones_`], [`zeros_`], [`eye_`], [`dirac_`] | fixed |
//! | [`xavier_uniform_`], [`xavier_normal_`] | scaled by both fans (Glorot) |
//! | [`kaiming_uniform_`], [`kaiming_normal_`] | scaled by one fan and the nonlinearity (He) |
//! | [`orthogonal_`], [`sparse_`] | orthogonal rows or columns; columns with many zeros |
//!
//! ```
//! use chainrule_nn::init::{self, Kaiming, Nonlinearity};
//! use chainrule_nn::{Conv2d, Linear};
//! # use chainrule_tensor::Result;
//! # fn main() -> Result<()> {
//! let conv = Conv2d::new(3, 8, 3)?;
//! init::kaiming_normal_(&conv.weight, Kaiming { nonlinearity: Nonlinearity::Relu, ..Kaiming::default() })?;
//! let head = Linear::builder(8, 2).bias(false).build()?;
//! init::xavier_uniform_(&head.weight, init::calculate_gain(Nonlinearity::Tanh, None))?;
//! # Ok(())
//! # }
//! ```
//!
//! New layers have PyTorch's default values already; their pages say which.

mod default;
mod dirac;
mod distributions;
mod fan;
mod fixed;
mod gain;
mod householder;
mod kaiming;
mod orthogonal;
mod sparse;
mod trunc_normal;
mod xavier;

pub(crate) use default::{bias, constant, weight, within_inverse_root};
pub use dirac::dirac_;
pub use distributions::{normal_, uniform_};
pub use fan::{FanMode, calculate_fan_in_and_fan_out};
pub use fixed::{constant_, eye_, ones_, zeros_};
pub use gain::{Nonlinearity, calculate_gain};
pub use kaiming::{Kaiming, kaiming_normal_, kaiming_uniform_};
pub use orthogonal::orthogonal_;
pub use sparse::sparse_;
pub use trunc_normal::{TruncNormal, trunc_normal_};
pub use xavier::{xavier_normal_, xavier_uniform_};

// For links in the documentation above.
#[allow(unused_imports, reason = "named in documentation only")]
use chainrule_tensor::Parameter;
