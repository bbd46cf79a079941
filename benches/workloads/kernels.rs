//! Single operations; the names that end in `_fb` go forward and back.

use chainrule::prelude::*;
use chainrule::{Conv2dOptions, MaxPool2dOptions, ScaledDotProductAttentionOptions};

use crate::data::{integers, numbers, uniform};
use crate::{Step, Workload};

pub(crate) const WORKLOADS: &[Workload] = &[
    ("matmul_64", || matmul(64)),
    ("matmul_256", || matmul(256)),
    ("matmul_1024", || matmul(1024)),
    ("matmul_tall", || {
        forward([numbers("m.tall.a", [4096, 64])?, numbers("m.tall.b", [64, 512])?], |[a, b]| a.matmul(b))
    }),
    ("bmm", || {
        forward([numbers("m.bmm.a", [64, 64, 32])?, numbers("m.bmm.b", [64, 32, 64])?], |[a, b]| a.matmul(b))
    }),
    ("add_1m", || {
        forward([numbers("m.add.a", [1_000_000])?, numbers("m.add.b", [1_000_000])?], |[a, b]| a.add(b))
    }),
    ("add_bias", || {
        forward([numbers("m.bias.a", [4096, 1024])?, numbers("m.bias.b", [1024])?], |[a, b]| a.add(b))
    }),
    ("exp_1m", || forward([uniform("m.exp.x", [1_000_000], -3.0, 3.0)?], |[x]| x.exp())),
    ("gelu_1m", || forward([uniform("m.gelu.x", [1_000_000], -3.0, 3.0)?], |[x]| x.gelu())),
    ("sum_all_4m", || forward([numbers("m.sum.x", [4_000_000])?], |[x]| x.sum())),
    ("sum_dim0", || forward([numbers("m.sum0.x", [4096, 1024])?], |[x]| x.sum_dim(0, false))),
    ("softmax", || forward([uniform("m.softmax.x", [4096, 1000], -3.0, 3.0)?], |[x]| x.softmax(-1))),
    ("layernorm_fb", || {
        let weight = uniform("m.ln.w", [768], 0.5, 1.5)?;
        let inputs = [numbers("m.ln.x", [4096, 768])?, weight, numbers("m.ln.b", [768])?];
        both_ways(inputs, |[x, w, b]| x.layer_norm(&[768], Some(w), Some(b), 1e-5))
    }),
    ("ce_fb", || cross_entropy("m.ce", 4096, 1000)),
    ("ce_fb_vocab", || cross_entropy("m.cev", 512, 32_000)),
    ("conv2d_fb", || convolve("m.conv", [8, 64, 56, 56], [64, 64, 3, 3], 0.1)),
    ("conv1_fb", || convolve("m.conv1", [64, 1, 28, 28], [16, 1, 3, 3], 0.5)),
    ("conv1x1_fb", || convolve("m.conv1x1", [8, 64, 56, 56], [256, 64, 1, 1], 0.1)),
    ("conv1x1_fb_small", || convolve("m.conv1x1s", [8, 512, 7, 7], [2048, 512, 1, 1], 0.1)),
    ("depthwise_fb", || convolve("m.depth", [8, 64, 56, 56], [64, 1, 3, 3], 0.5)),
    ("depthwise_fb_small", || convolve("m.depths", [8, 960, 7, 7], [960, 1, 3, 3], 0.5)),
    ("maxpool_fb", || {
        both_ways([numbers("m.pool.x", [64, 16, 28, 28])?], |[x]| x.max_pool2d(MaxPool2dOptions::new(2)))
    }),
    ("embedding_fb", || {
        let indices = integers("m.emb.i", [64 * 64], 10_000)?;
        both_ways([numbers("m.emb.w", [10_000, 128])?], move |[w]| {
            w.index_select(0, &indices)?.reshape([64, 64, 128])
        })
    }),
    ("attention_fb", || attention("m.att", [16, 4, 64, 32])),
    ("attention_fb_long", || attention("m.attl", [4, 8, 512, 64])),
    ("transpose_copy", || forward([numbers("m.tr.x", [2048, 2048])?], |[x]| x.t()?.contiguous())),
    ("chain_small", chain),
];

/// A function of constants.
fn forward<const N: usize>(
    inputs: [Tensor; N],
    f: impl Fn(&[Tensor; N]) -> Result<Tensor> + 'static,
) -> Result<Step> {
    Ok(Box::new(move |_| Ok(vec![f(&inputs)?])))
}

/// A function and its gradients with respect to all inputs, where the gradient of the result is all ones.
pub(crate) fn both_ways<const N: usize>(
    inputs: [Tensor; N],
    f: impl Fn(&[Tensor; N]) -> Result<Tensor> + 'static,
) -> Result<Step> {
    let inputs: Vec<Tensor> = inputs.into_iter().map(|x| x.requires_grad_(true)).collect::<Result<_>>()?;
    let inputs: [Tensor; N] = inputs.try_into().map_err(|_| ()).expect("as many as there were");
    let ones = Tensor::ones_like(&f(&inputs)?)?;
    Ok(Box::new(move |_| {
        let y = f(&inputs)?;
        let gradients = autograd::grad(&[&y], &inputs.each_ref(), &[Some(&ones)], GradOptions::default())?;
        Ok([y.detach()].into_iter().chain(gradients.into_iter().flatten()).collect())
    }))
}

fn matmul(n: usize) -> Result<Step> {
    let inputs = [numbers(&format!("m.mm{n}.a"), [n, n])?, numbers(&format!("m.mm{n}.b"), [n, n])?];
    forward(inputs, |[a, b]| a.matmul(b))
}

/// A convolution padded to keep the images' size, in as many groups as the weight leaves.
fn convolve(name: &str, images: [usize; 4], weight: [usize; 4], bound: f32) -> Result<Step> {
    let groups = images[1] / weight[1];
    let padding = [weight[2] / 2, weight[3] / 2];
    let weight = uniform(&format!("{name}.w"), weight, -bound, bound)?;
    both_ways([numbers(&format!("{name}.x"), images)?, weight], move |[x, w]| {
        x.conv2d(w, None, Conv2dOptions { padding, groups, ..Conv2dOptions::default() })
    })
}

fn cross_entropy(name: &str, rows: usize, classes: usize) -> Result<Step> {
    let targets = integers(&format!("{name}.y"), [rows], classes as u64)?;
    let logits = uniform(&format!("{name}.x"), [rows, classes], -3.0, 3.0)?;
    both_ways([logits], move |[x]| CrossEntropyLoss::new().forward(x, &targets))
}

/// Causal attention of `[batch, heads, length, width of a head]`.
fn attention(name: &str, shape: [usize; 4]) -> Result<Step> {
    let [q, k, v] = ["q", "k", "v"].map(|x| numbers(&format!("{name}.{x}"), shape));
    both_ways([q?, k?, v?], |[q, k, v]| {
        let causal = ScaledDotProductAttentionOptions { is_causal: true, ..Default::default() };
        q.scaled_dot_product_attention(k, v, causal)
    })
}

/// 50 operations on 16 numbers: what an operation costs beside its arithmetic.
fn chain() -> Result<Step> {
    let x = numbers("m.chain.x", [16])?.requires_grad_(true)?;
    let a = uniform("m.chain.a", [16], -0.1, 0.1)?.requires_grad_(true)?;
    let b = uniform("m.chain.b", [16], 0.9, 1.1)?.requires_grad_(true)?;
    Ok(Box::new(move |_| {
        let mut y = x.clone();
        for i in 0..50 {
            y = if i % 2 == 0 { y.add(&a)? } else { y.mul(&b)? };
        }
        let gradients = autograd::grad(&[&y.sum()?], &[&x, &a, &b], &[], GradOptions::default())?;
        Ok([y.detach()].into_iter().chain(gradients.into_iter().flatten()).collect())
    }))
}
