//! Tensors and automatic differentiation: the core of chainrule.
//!
//! Most users depend on the crate `chainrule`, which re-exports all of this.
//!
//! - [`Tensor`]: an immutable n-dimensional array that knows how it was computed.
//! - [`Parameter`]: a trainable cell; the only thing that changes.
//! - [`autograd`]: gradients, to any order; operations of one's own.
//! - [`random`]: PyTorch's random numbers.
//! - [`table`]: the table of operations, which tests and benches are driven by.
//!
//! With the feature `ndarray` tensors convert from and to ndarray's arrays.

mod allocate;
mod attention;
pub mod autograd;
mod cell;
mod centred;
mod create;
mod create_random;
mod display;
mod dtype;
mod error;
mod falling;
mod indices;
#[cfg(feature = "ndarray")]
mod interop;
mod layout;
mod literal;
mod operation;
mod operators;
mod ops;
mod pair;
mod parameter;
mod printing;
pub mod random;
mod recurrent;
mod reduction;
mod shape;
mod state_dict;
mod storage;
mod tensor;
mod window;

#[doc(hidden)]
pub use allocate::{InOperation, try_vec};
pub use cell::{TensorCell, copies_on_write};
pub use chainrule_kernels::Buffer;
pub use chainrule_kernels::memory;
pub use chainrule_kernels::parallel::{num_threads, set_num_threads};
pub use dtype::{DType, Element, FloatElement};
pub use error::{Error, ErrorKind, Result};
#[doc(hidden)]
pub use falling::drop_in_turn;
pub use literal::Literal;
pub use operation::{Operand, Scalar, table};
pub use ops::attention::scaled_dot_product_attention::ScaledDotProductAttentionOptions;
pub use ops::conv::conv_transpose2d::ConvTranspose2dOptions;
pub use ops::conv::conv1d::Conv1dOptions;
pub use ops::conv::conv2d::Conv2dOptions;
pub use ops::norm::batch_norm::BatchNorm;
pub use ops::pool::avg_pool2d::AvgPool2dOptions;
pub use ops::pool::max_pool2d::MaxPool2dOptions;
pub use ops::shape::pad::PadMode;
pub use pair::IntoPair;
pub use parameter::Parameter;
pub use recurrent::RecurrentWeights;
pub use shape::{IntoDims, IntoSizes, Shape};
pub use state_dict::StateDict;
pub use tensor::Tensor;
