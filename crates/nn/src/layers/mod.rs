//! The layers, one file each.

mod avg_pool2d;
mod batch_norm2d;
mod conv2d;
mod dropout;
mod flatten;
mod gelu;
mod identity;
mod leaky_relu;
mod linear;
mod log_softmax;
mod max_pool2d;
mod relu;
mod sequential;
mod sigmoid;
mod softmax;
mod tanh;

pub use avg_pool2d::{AvgPool2d, AvgPool2dBuilder};
pub use batch_norm2d::{BatchNorm2d, BatchNorm2dBuilder};
pub use conv2d::{Conv2d, Conv2dBuilder};
pub use dropout::Dropout;
pub use flatten::{Flatten, FlattenBuilder};
pub use gelu::{Approximate, GELU, GELUBuilder};
pub use identity::Identity;
pub use leaky_relu::{LeakyReLU, LeakyReLUBuilder};
pub use linear::{Linear, LinearBuilder};
pub use log_softmax::LogSoftmax;
pub use max_pool2d::{MaxPool2d, MaxPool2dBuilder};
pub use relu::ReLU;
pub use sequential::Sequential;
pub use sigmoid::Sigmoid;
pub use softmax::Softmax;
pub use tanh::Tanh;
