//! Layer after layer.

use std::fmt;

use chainrule_tensor::{Error, Result, Tensor};

use crate::forward::at_caller;
use crate::{Forward, Layer, Module, Visitor};

/// Layers of which each takes what the one before gives (PyTorch: `torch.nn.Sequential`). In a state dict they
/// are called `0`, `1`, ….
///
/// ```
/// # use chainrule_nn::{Forward, Linear, Module, ReLU, Sequential, sequential};
/// # use chainrule_tensor::{Result, Tensor};
/// # fn main() -> Result<()> {
/// let model = sequential![Linear::new(10, 32)?, ReLU::new(), Linear::new(32, 2)?];
/// assert_eq!(*model.forward(&Tensor::zeros([4, 10])?)?.shape(), [4, 2]);
/// // The same, in a form that loops can be made of.
/// let model = Sequential::new().push(Linear::new(10, 32)?).push(ReLU::new()).push(Linear::new(32, 2)?);
/// assert_eq!(model.state_dict()?.names().last(), Some("2.bias"));
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct Sequential {
    layers: Vec<Box<dyn Layer>>,
}

impl Sequential {
    /// No layers: gives back what it is given.
    pub fn new() -> Sequential {
        Sequential::default()
    }

    /// With a layer added at the end.
    #[must_use]
    pub fn push(mut self, layer: impl Layer + 'static) -> Sequential {
        self.layers.push(Box::new(layer));
        self
    }

    /// The layers, in order.
    pub fn layers(&self) -> &[Box<dyn Layer>] {
        &self.layers
    }

    /// An error in a layer that does not know its path is named after the layer's index.
    fn inside(&self, index: usize, error: Error) -> Error {
        let error = error.in_part(&index.to_string());
        match self.path() {
            Some(path) => error.in_module(&path),
            None => error,
        }
    }
}

impl From<Vec<Box<dyn Layer>>> for Sequential {
    fn from(layers: Vec<Box<dyn Layer>>) -> Sequential {
        Sequential { layers }
    }
}

impl Module for Sequential {
    fn visit(&self, visitor: &mut dyn Visitor) {
        self.layers.visit(visitor);
    }
}

impl Forward for Sequential {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut x = x.clone();
        for (i, layer) in self.layers.iter().enumerate() {
            x = match layer.forward(&x) {
                Ok(y) => y,
                Err(error) => return Err(at_caller(self.inside(i, error))),
            };
        }
        Ok(x)
    }
}

impl fmt::Debug for Sequential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sequential").field("layers", &self.layers.len()).finish()
    }
}

/// A [`Sequential`] of the layers given, in the manner of `torch.nn.Sequential(…)`.
///
/// ```
/// # use chainrule_nn::{Linear, ReLU, sequential};
/// # fn main() -> chainrule_tensor::Result<()> {
/// let model = sequential![Linear::new(4, 8)?, ReLU::new(), Linear::new(8, 1)?];
/// assert_eq!(model.layers().len(), 3);
/// # Ok(())
/// # }
/// ```
#[macro_export]
macro_rules! sequential {
    ($($layer:expr),* $(,)?) => { $crate::Sequential::new()$(.push($layer))* };
}
