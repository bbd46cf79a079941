//! The network.

use chainrule::prelude::*;

/// Two convolutions, each followed by ReLU and pooling, and two linear layers.
#[derive(Module)]
pub struct Cnn {
    conv1: Conv2d,
    conv2: Conv2d,
    pool: MaxPool2d,
    fc1: Linear,
    fc2: Linear,
}

impl Cnn {
    /// With first weights from the process-wide random numbers.
    pub fn new() -> Result<Cnn> {
        Ok(Cnn {
            conv1: Conv2d::builder(1, 16, 3).padding(1).build()?,
            conv2: Conv2d::builder(16, 32, 3).padding(1).build()?,
            pool: MaxPool2d::new(2)?,
            fc1: Linear::new(32 * 7 * 7, 128)?,
            fc2: Linear::new(128, 10)?,
        })
    }
}

impl Forward for Cnn {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let x = self.pool.forward(&self.conv1.forward(x)?.relu()?)?; // [N, 1, 28, 28] to [N, 16, 14, 14]
        let x = self.pool.forward(&self.conv2.forward(&x)?.relu()?)?; // to [N, 32, 7, 7]
        let x = self.fc1.forward(&x.flatten(1, -1)?)?.relu()?; // to [N, 128]
        self.fc2.forward(&x) // to [N, 10]
    }
}
