//! A small language model: pre-norm transformer blocks with causal attention.

use super::{linear, train};
use crate::Step;
use crate::data::{integers, uniform};
use chainrule::ScaledDotProductAttentionOptions;
use chainrule::prelude::*;

const VOCABULARY: usize = 96;
const WIDTH: usize = 128;
const HEADS: usize = 4;
const LENGTH: usize = 64;
const BATCH: usize = 16;

#[derive(Module)]
struct Norm {
    weight: Parameter,
    bias: Parameter,
}

impl Norm {
    fn new() -> Result<Norm> {
        Ok(Norm {
            weight: Parameter::new(Tensor::ones([WIDTH])?)?,
            bias: Parameter::new(Tensor::zeros([WIDTH])?)?,
        })
    }
}

impl Forward for Norm {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.layer_norm(&[WIDTH], Some(&self.weight.tensor()), Some(&self.bias.tensor()), 1e-5)
    }
}

#[derive(Module)]
struct Block {
    norm1: Norm,
    norm2: Norm,
    qkv: Linear,
    projection: Linear,
    up: Linear,
    down: Linear,
}

impl Block {
    fn new(name: &str) -> Result<Block> {
        Ok(Block {
            norm1: Norm::new()?,
            norm2: Norm::new()?,
            qkv: linear(&format!("{name}.qkv"), WIDTH, 3 * WIDTH)?,
            projection: linear(&format!("{name}.proj"), WIDTH, WIDTH)?,
            up: linear(&format!("{name}.fc1"), WIDTH, 4 * WIDTH)?,
            down: linear(&format!("{name}.fc2"), 4 * WIDTH, WIDTH)?,
        })
    }

    fn attention(&self, x: &Tensor) -> Result<Tensor> {
        // [3, B, heads, T, width of a head]
        let qkv = self.qkv.forward(x)?.reshape([BATCH, LENGTH, 3, HEADS, WIDTH / HEADS])?;
        let qkv = qkv.permute([2, 0, 3, 1, 4])?.unbind(0)?;
        let causal = ScaledDotProductAttentionOptions { is_causal: true, ..Default::default() };
        let mixed = qkv[0].scaled_dot_product_attention(&qkv[1], &qkv[2], causal)?;
        let mixed = mixed.transpose(1, 2)?.reshape([BATCH, LENGTH, WIDTH])?;
        self.projection.forward(&mixed)
    }
}

impl Forward for Block {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let x = x.add(&self.attention(&self.norm1.forward(x)?)?)?;
        let hidden = self.up.forward(&self.norm2.forward(&x)?)?.gelu()?;
        x.add(&self.down.forward(&hidden)?)
    }
}

#[derive(Module)]
struct Gpt {
    tokens: Parameter,
    positions: Parameter,
    block1: Block,
    block2: Block,
    norm: Norm,
    head: Linear,
}

impl Forward for Gpt {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let tokens = self.tokens.tensor().index_select(0, &x.reshape([BATCH * LENGTH])?)?;
        let x = tokens.reshape([BATCH, LENGTH, WIDTH])?.add(&self.positions.tensor())?;
        let x = self.block2.forward(&self.block1.forward(&x)?)?;
        self.head.forward(&self.norm.forward(&x)?)
    }
}

/// Two layers of width 128 with 4 heads on 16 texts of 64 tokens.
pub(crate) fn gpt() -> Result<Step> {
    let model = Gpt {
        tokens: Parameter::new(uniform("gpt.tok", [VOCABULARY, WIDTH], -0.1, 0.1)?)?,
        positions: Parameter::new(uniform("gpt.pos", [LENGTH, WIDTH], -0.1, 0.1)?)?,
        block1: Block::new("gpt.0")?,
        block2: Block::new("gpt.1")?,
        norm: Norm::new()?,
        head: linear("gpt.head", WIDTH, VOCABULARY)?,
    };
    let (x, y) = (integers("gpt.x", [BATCH, LENGTH], 96)?, integers("gpt.y", [BATCH * LENGTH], 96)?);
    let optimizer = AdamW::new(model.parameters(), AdamWOptions { lr: 3e-4, ..Default::default() })?;
    train(optimizer, move || {
        let logits = model.forward(&x)?.reshape([BATCH * LENGTH, VOCABULARY])?;
        CrossEntropyLoss::new().forward(&logits, &y)
    })
}
