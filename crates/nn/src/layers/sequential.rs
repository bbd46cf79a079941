//! Layer after layer.

use std::fmt;
use std::sync::Arc;

use chainrule_tensor::{Error, Result, Tensor, drop_in_turn};

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
    layers: Vec<Arc<dyn Layer>>,
}

impl Sequential {
    /// No layers: gives back what it is given.
    pub fn new() -> Sequential {
        Sequential::default()
    }

    /// With a layer added at the end.
    #[must_use]
    pub fn push(mut self, layer: impl Layer + 'static) -> Sequential {
        self.layers.push(Arc::new(layer));
        self
    }

    /// The layers, in order.
    pub fn layers(&self) -> &[Arc<dyn Layer>] {
        &self.layers
    }

    /// An error in a layer that does not know its path is named after the layer's indices, the outermost first.
    fn inside(&self, indices: &[usize], error: Error) -> Error {
        let indices: Vec<String> = indices.iter().map(usize::to_string).collect();
        let error = error.in_part(&indices.join("."));
        match self.path() {
            Some(path) => error.in_module(&path),
            None => error,
        }
    }
}

impl From<Vec<Box<dyn Layer>>> for Sequential {
    fn from(layers: Vec<Box<dyn Layer>>) -> Sequential {
        Sequential { layers: layers.into_iter().map(Arc::from).collect() }
    }
}

impl Module for Sequential {
    fn visit(&self, visitor: &mut dyn Visitor) {
        for (i, layer) in self.layers.iter().enumerate() {
            visitor.layer(&i.to_string(), layer);
        }
    }
}

impl Forward for Sequential {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut x = x.clone();
        // The layers that are gone through now, and the index of the next; before them those around.
        let (mut layers, mut next) = (&*self.layers, 0);
        let mut around = Vec::new();
        loop {
            let Some(layer) = layers.get(next) else {
                match around.pop() {
                    Some(outer) => (layers, next) = outer,
                    None => return Ok(x),
                }
                continue;
            };
            next += 1;
            if let Some(inner) = layer.sequence() {
                around.push((layers, next));
                (layers, next) = (inner, 0);
                continue;
            }
            x = match layer.forward(&x) {
                Ok(y) => y,
                Err(error) => {
                    around.push((layers, next));
                    let indices: Vec<usize> = around.iter().map(|(_, next)| next - 1).collect();
                    return at_caller(Err(self.inside(&indices, error)));
                }
            };
        }
    }

    fn sequence(&self) -> Option<&[Arc<dyn Layer>]> {
        Some(&self.layers)
    }
}

/// Containers in containers are dropped one after the other, however deep they are.
impl Drop for Sequential {
    fn drop(&mut self) {
        if !self.layers.is_empty() {
            drop_in_turn(std::mem::take(&mut self.layers));
        }
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
