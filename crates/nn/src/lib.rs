//! Modules, layers and state dicts of chainrule.
//!
//! - [`Module`]: what holds parameters; derive it. [`Forward`]: what maps a tensor to a tensor.
//! - Layers, with PyTorch's names, defaults and initial values. `Linear::new(10, 2)?` takes what PyTorch
//!   requires; everything that has a default is set by a builder, the same way for every layer:
//!   `Linear::builder(10, 2).bias(false).build()?`.
//! - [`Sequential`] and [`sequential!`].
//! - [`init`]: initial values other than the default ones.
//!
//! ```
//! use chainrule_nn::{Forward, Linear, Module, ReLU};
//! use chainrule_tensor::{Result, Tensor};
//!
//! #[derive(Module)]
//! struct Mlp {
//!     fc1: Linear,
//!     act: ReLU,
//!     fc2: Linear,
//! }
//!
//! impl Forward for Mlp {
//!     fn forward(&self, x: &Tensor) -> Result<Tensor> {
//!         let x = self.act.forward(&self.fc1.forward(x)?)?;
//!         self.fc2.forward(&x)
//!     }
//! }
//!
//! # fn main() -> Result<()> {
//! let model = Mlp { fc1: Linear::new(10, 32)?, act: ReLU::new(), fc2: Linear::new(32, 2)? };
//! let names: Vec<String> = model.named_parameters().into_iter().map(|(name, _)| name).collect();
//! assert_eq!(names, ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]);
//! assert_eq!(*model.forward(&Tensor::zeros([4, 10])?)?.shape(), [4, 2]);
//! # Ok(())
//! # }
//! ```

// What the derive macro writes refers to this crate by its name.
extern crate self as chainrule_nn;

mod forward;
pub mod init;
mod layers;
mod module;
mod update_bn;

pub use forward::Layer;
pub use module::{Field, LoadReport, Visitor};
pub use prelude::*;

/// What `chainrule::prelude` has of this crate.
#[doc(hidden)]
pub mod prelude {
    pub use crate::forward::Forward;
    pub use crate::layers::*;
    pub use crate::module::{Buffer, LoadOptions, Module, Training};
    pub use crate::sequential;
    pub use crate::update_bn::update_bn;
    pub use chainrule_derive::ModuleOfNn as Module;
}
