//! Convolutional networks.

use super::{convolution, linear, train};
use crate::Step;
use crate::data::{integers, numbers, uniform};
use chainrule::prelude::*;

/// Two convolutions with ReLU and pooling and two linear layers on 64 images of 28×28.
pub(crate) fn cnn() -> Result<Step> {
    let model = Sequential::new()
        .push(convolution("cnn.c1", 1, 16, true)?)
        .push(ReLU::new())
        .push(MaxPool2d::new(2)?)
        .push(convolution("cnn.c2", 16, 32, true)?)
        .push(ReLU::new())
        .push(MaxPool2d::new(2)?)
        .push(Flatten::new())
        .push(linear("cnn.l1", 1568, 128)?)
        .push(ReLU::new())
        .push(linear("cnn.l2", 128, 10)?);
    let (x, y) = (numbers("cnn.x", [64, 1, 28, 28])?, integers("cnn.y", [64], 10)?);
    let optimizer = Adam::new(model.parameters(), AdamOptions { lr: 5e-4, ..Default::default() })?;
    train(optimizer, move || CrossEntropyLoss::new().forward(&model.forward(&x)?, &y))
}

#[derive(Module)]
struct ResidualBlock {
    conv1: Conv2d,
    norm1: BatchNorm2d,
    conv2: Conv2d,
    norm2: BatchNorm2d,
}

impl Forward for ResidualBlock {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let hidden = self.norm1.forward(&self.conv1.forward(x)?)?.relu()?;
        x.add(&self.norm2.forward(&self.conv2.forward(&hidden)?)?)?.relu()
    }
}

/// A block of 64 channels on 16 maps of 32×32.
pub(crate) fn resblock() -> Result<Step> {
    let model = ResidualBlock {
        conv1: convolution("res.c1", 64, 64, false)?,
        norm1: BatchNorm2d::new(64)?,
        conv2: convolution("res.c2", 64, 64, false)?,
        norm2: BatchNorm2d::new(64)?,
    };
    let x = uniform("res.x", [16, 64, 32, 32], -1.0, 1.0)?;
    let optimizer = Sgd::new(model.parameters(), SgdOptions { lr: 0.01, ..Default::default() })?;
    train(optimizer, move || model.forward(&x)?.square()?.mean())
}
