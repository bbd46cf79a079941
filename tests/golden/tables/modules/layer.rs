//! Layers that are neither activations nor losses.

use chainrule::nn::*;

use super::{Entry, Given, layer};
use crate::stop::not_built;
use crate::tables::options::{padding, stride};

pub(crate) const ENTRIES: &[Entry] = &[
    ("AvgPool2d(kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)", |c| {
        let layout = AvgPool2d::builder(c.get::<[usize; 2]>("kernel_size")?)
            .given(stride::<2>(c)?, |b, v| b.stride(v))
            .given(c.optional::<[usize; 2]>("padding")?, |b, v| b.padding(v))
            .given(c.optional("ceil_mode")?, |b, v| b.ceil_mode(v))
            .given(c.optional("count_include_pad")?, |b, v| b.count_include_pad(v))
            .given(c.optional("divisor_override")?, |b, v| b.divisor_override(v));
        layer(layout.build())
    }),
    ("BatchNorm2d(num_features, eps, momentum, affine, track_running_stats)", |c| {
        let mut norm = BatchNorm2d::builder(c.get("num_features")?)
            .dtype(c.dtype)
            .given(c.optional("eps")?, |b, v| b.eps(v))
            .given(c.optional("affine")?, |b, v| b.affine(v))
            .given(c.optional("track_running_stats")?, |b, v| b.track_running_stats(v));
        // `None` is a setting of its own.
        if c.value("momentum").is_some() {
            norm = norm.momentum(c.optional::<f64>("momentum")?);
        }
        layer(norm.build())
    }),
    (
        "Conv2d(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode)",
        |c| {
            if c.or("padding_mode", "zeros")? != "zeros" {
                return not_built("option not built: Conv2d padding_mode");
            }
            let (channels, size) =
                ((c.get("in_channels")?, c.get("out_channels")?), c.get::<[usize; 2]>("kernel_size")?);
            let conv = Conv2d::builder(channels.0, channels.1, size)
                .dtype(c.dtype)
                .given(c.optional::<[usize; 2]>("stride")?, |b, v| b.stride(v))
                .padding(padding(c, [0; 2])?)
                .given(c.optional::<[usize; 2]>("dilation")?, |b, v| b.dilation(v))
                .given(c.optional("groups")?, |b, v| b.groups(v))
                .given(c.optional("bias")?, |b, v| b.bias(v));
            layer(conv.build())
        },
    ),
    ("Dropout(p, inplace)", |c| layer(Dropout::new(c.or("p", 0.5)?))),
    (
        "Embedding(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse)",
        |c| {
            if c.optional::<f64>("max_norm")?.is_some() {
                return not_built("option not built: Embedding max_norm");
            }
            // Without `max_norm` it has no meaning.
            c.or("norm_type", 2.0)?;
            for option in ["scale_grad_by_freq", "sparse"] {
                if c.or(option, false)? {
                    return not_built(format!("option not built: Embedding {option}"));
                }
            }
            let embedding = Embedding::builder(c.get("num_embeddings")?, c.get("embedding_dim")?)
                .dtype(c.dtype)
                .given(c.optional("padding_idx")?, |b, v| b.padding_idx(v));
            layer(embedding.build())
        },
    ),
    ("Flatten(start_dim, end_dim)", |c| {
        let flatten = Flatten::builder()
            .given(c.optional("start_dim")?, |b, v| b.start_dim(v))
            .given(c.optional("end_dim")?, |b, v| b.end_dim(v));
        layer(flatten.build())
    }),
    ("LayerNorm(normalized_shape, eps, elementwise_affine, bias)", |c| {
        let norm = LayerNorm::builder(c.get::<Vec<usize>>("normalized_shape")?)
            .dtype(c.dtype)
            .given(c.optional("eps")?, |b, v| b.eps(v))
            .given(c.optional("elementwise_affine")?, |b, v| b.elementwise_affine(v))
            .given(c.optional("bias")?, |b, v| b.bias(v));
        layer(norm.build())
    }),
    ("Linear(in_features, out_features, bias)", |c| {
        let linear = Linear::builder(c.get("in_features")?, c.get("out_features")?)
            .dtype(c.dtype)
            .given(c.optional("bias")?, |b, v| b.bias(v));
        layer(linear.build())
    }),
    ("MaxPool2d(kernel_size, stride, padding, dilation, return_indices, ceil_mode)", |c| {
        if c.or("return_indices", false)? {
            return not_built("option not built: MaxPool2d return_indices");
        }
        let pool = MaxPool2d::builder(c.get::<[usize; 2]>("kernel_size")?)
            .given(stride::<2>(c)?, |b, v| b.stride(v))
            .given(c.optional::<[usize; 2]>("padding")?, |b, v| b.padding(v))
            .given(c.optional::<[usize; 2]>("dilation")?, |b, v| b.dilation(v))
            .given(c.optional("ceil_mode")?, |b, v| b.ceil_mode(v));
        layer(pool.build())
    }),
];
