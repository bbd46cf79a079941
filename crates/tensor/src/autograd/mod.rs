//! Reverse-mode automatic differentiation.
//!
//! Each operation on tracked tensors [`record`]s a node that holds what its backward formula needs and edges
//! to the nodes of its inputs. [`Tensor::backward`](crate::Tensor::backward) walks these nodes newest first. There is no global tape:
//! a graph lives exactly as long as the tensors that came out of it.
//!
//! An operation of one's own is a type that implements [`Backward`]; see there for an example.

mod anomaly;
mod context;
mod engine;
mod few;
mod grad;
mod gradcheck;
mod gradient;
mod guards;
mod handle;
mod hooks;
mod leaf;
mod mode;
mod node;
mod parts;
mod record;
mod rows;
mod wanted;

pub use anomaly::{AnomalyGuard, detect_anomaly};
pub use context::Context;
pub(crate) use grad::whole;
pub use grad::{GradOptions, grad};
pub use gradcheck::{GradcheckOptions, gradcheck, gradcheck_with, gradgradcheck, gradgradcheck_with};
pub use hooks::HookHandle;
pub use mode::{GradModeGuard, enable_grad, is_grad_enabled, no_grad, no_grad_guard, set_grad_enabled};
pub use node::Backward;
pub use record::{Save, is_tracked, record, record_many};
pub use rows::RowGradient;

pub(crate) use engine::{BackwardOptions, backward};
pub(crate) use few::Few;
pub(crate) use gradient::Gradient;
pub(crate) use leaf::Leaf;
pub(crate) use node::{Edge, Node};
pub(crate) use parts::{Parts, are_few};
