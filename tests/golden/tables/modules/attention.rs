//! Attention.

use std::sync::Arc;

use chainrule::Tensor;
use chainrule::nn::{Module, MultiheadAttention, MultiheadAttentionOptions};

use super::{Built, Entry, Given};
use crate::call::Call;
use crate::output::give;
use crate::stop::Outcome;

pub(crate) const ENTRIES: &[Entry] = &[(
    "MultiheadAttention(embed_dim, num_heads, dropout, bias, add_bias_kv, add_zero_attn, kdim, vdim, batch_first) on (query, key, value, key_padding_mask, need_weights, attn_mask, average_attn_weights, is_causal)",
    |c| {
        let layer = MultiheadAttention::builder(c.get("embed_dim")?, c.get("num_heads")?)
            .dtype(c.dtype)
            .given(c.optional("dropout")?, |b, v| b.dropout(v))
            .given(c.optional("bias")?, |b, v| b.bias(v))
            .given(c.optional("add_bias_kv")?, |b, v| b.add_bias_kv(v))
            .given(c.optional("add_zero_attn")?, |b, v| b.add_zero_attn(v))
            .given(c.optional("kdim")?, |b, v| b.kdim(v))
            .given(c.optional("vdim")?, |b, v| b.vdim(v))
            .given(c.optional("batch_first")?, |b, v| b.batch_first(v));
        let layer = Arc::new(layer.build()?);
        let module: Arc<dyn Module> = layer.clone();
        let forward = Box::new(move |c: &Call| {
            let default = MultiheadAttentionOptions::default();
            let options = MultiheadAttentionOptions {
                key_padding_mask: c.optional::<&Tensor>("key_padding_mask")?.cloned(),
                need_weights: c.or("need_weights", default.need_weights)?,
                attn_mask: c.optional::<&Tensor>("attn_mask")?.cloned(),
                average_attn_weights: c.or("average_attn_weights", default.average_attn_weights)?,
                is_causal: c.or("is_causal", default.is_causal)?,
            };
            let inputs = [c.get("query")?, c.get("key")?, c.get("value")?];
            let (output, weights) = layer.forward(inputs[0], inputs[1], inputs[2], &options)?;
            match weights {
                Some(weights) => give(Ok((output, weights))),
                None => give(Ok(output)),
            }
        });
        Outcome::Ok(Built { module: Some(module), inputs: Vec::new(), forward })
    },
)];
