//! Products.

use chainrule::{ScaledDotProductAttentionOptions, Tensor};

use super::Entry;
use crate::output::give;

pub(crate) const ENTRIES: &[Entry] = &[
    ("linear", |c| give(c.input()?.linear(c.get("weight")?, c.optional("bias")?))),
    ("matmul", |c| give(c.input()?.matmul(c.get("other")?))),
    ("scaled_dot_product_attention", |c| {
        let options = ScaledDotProductAttentionOptions {
            attn_mask: c.optional::<&Tensor>("attn_mask")?.cloned(),
            dropout_p: c.or("dropout_p", 0.0)?,
            is_causal: c.or("is_causal", false)?,
            scale: c.optional("scale")?,
            enable_gqa: c.or("enable_gqa", false)?,
        };
        let query: &Tensor = c.get("query")?;
        give(query.scaled_dot_product_attention(c.get("key")?, c.get("value")?, options))
    }),
];
