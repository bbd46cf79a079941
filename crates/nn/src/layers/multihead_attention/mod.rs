//! Attention with several heads.

mod builder;
mod masks;

use std::fmt;
use std::ptr;

use chainrule_tensor::{Parameter, Result, ScaledDotProductAttentionOptions, Shape, Tensor, bail};

use crate::forward::inside;
use crate::{Forward, Linear, Module, Training};
pub use builder::MultiheadAttentionBuilder;
use masks::{joined, unseeing, with_column};

/// Attention of several heads, each with a part of the features (PyTorch: `torch.nn.MultiheadAttention`).
///
/// Queries, keys and values are mapped linearly, cut into heads, go through scaled dot-product attention, and their
/// results, side by side, are mapped linearly once more. Weights begin with `xavier_uniform_`, that of the output as in
/// [`Linear`], biases with zeros, `bias_k` and `bias_v` with `xavier_normal_`, in PyTorch's order of draws.
///
/// Vaswani et al., "Attention Is All You Need", 2017.
///
/// ```
/// # use chainrule_nn::{MultiheadAttention, MultiheadAttentionOptions};
/// # use chainrule_tensor::{Result, Tensor};
/// # fn main() -> Result<()> {
/// let attention = MultiheadAttention::builder(8, 2).batch_first(true).build()?;
/// let x = Tensor::ones([3, 5, 8])?; // 3 sequences of 5
/// let (y, weights) = attention.forward(&x, &x, &x, &MultiheadAttentionOptions::default())?;
/// assert_eq!((y.shape(), weights.unwrap().shape()), (&[3, 5, 8].into(), &[3, 5, 5].into()));
/// // The fast way: no matrix of weights is made.
/// let causal = MultiheadAttentionOptions { need_weights: false, is_causal: true, ..Default::default() };
/// assert!(attention.forward(&x, &x, &x, &causal)?.1.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Module)]
pub struct MultiheadAttention {
    /// What maps queries, keys and values, one under the other, `[3·embed_dim, embed_dim]`; none where `kdim` or `vdim`
    /// is another number.
    pub in_proj_weight: Option<Parameter>,
    /// Instead of it, `[embed_dim, embed_dim]`.
    pub q_proj_weight: Option<Parameter>,
    /// `[embed_dim, kdim]`.
    pub k_proj_weight: Option<Parameter>,
    /// `[embed_dim, vdim]`.
    pub v_proj_weight: Option<Parameter>,
    /// `[3·embed_dim]`.
    pub in_proj_bias: Option<Parameter>,
    /// A key of its own for every sequence, `[1, 1, embed_dim]`; only with `add_bias_kv`.
    pub bias_k: Option<Parameter>,
    /// Its value, `[1, 1, embed_dim]`.
    pub bias_v: Option<Parameter>,
    /// What maps the result.
    pub out_proj: Linear,
    num_heads: usize,
    dropout: f64,
    add_zero_attn: bool,
    batch_first: bool,
    training: Training,
}

/// What may be said with each call of [`MultiheadAttention::forward`].
#[derive(Clone, Debug)]
pub struct MultiheadAttentionOptions {
    /// Keys that nobody sees, `[N, S]`, or `[S]` without a batch: `true` for those that are not there, or a float that is
    /// added to their scores. Default none.
    pub key_padding_mask: Option<Tensor>,
    /// Whether the weights are given out too; without, nothing of their size is made. Default `true`.
    pub need_weights: bool,
    /// Which query does not see which key, `[L, S]` or `[N·heads, L, S]`: `true` where it does not, or a float that is
    /// added to the score. Default none.
    pub attn_mask: Option<Tensor>,
    /// Whether the weights that are given out are the means over the heads. Default `true`.
    pub average_attn_weights: bool,
    /// Whether query i sees only the keys up to i. In PyTorch this is a hint that needs the mask as well; here it is the
    /// mask. Not together with `attn_mask`. Default `false`.
    pub is_causal: bool,
}

impl Default for MultiheadAttentionOptions {
    fn default() -> Self {
        MultiheadAttentionOptions {
            key_padding_mask: None,
            need_weights: true,
            attn_mask: None,
            average_attn_weights: true,
            is_causal: false,
        }
    }
}

impl MultiheadAttention {
    /// Attention with biases, over keys and values of `embed_dim` features as well, in `f32`. Each of the `num_heads`
    /// heads has `embed_dim / num_heads` of them.
    ///
    /// # Errors
    /// When a size is 0, or `num_heads` does not divide `embed_dim`.
    #[track_caller]
    pub fn new(embed_dim: usize, num_heads: usize) -> Result<MultiheadAttention> {
        MultiheadAttention::builder(embed_dim, num_heads).build()
    }

    /// Attention with other options.
    pub fn builder(embed_dim: usize, num_heads: usize) -> MultiheadAttentionBuilder {
        MultiheadAttentionBuilder::new(embed_dim, num_heads)
    }

    /// Queries `[L, N, embed_dim]`, keys `[S, N, kdim]` and values `[S, N, vdim]` of N sequences give `[L, N, embed_dim]`
    /// and, where they are wanted, the weights `[N, L, S]`, or `[N, heads, L, S]` without averaging. With `batch_first`
    /// N comes first; without a batch there is no N. The weights of a query that sees no key are 0, and its output is the
    /// bias (PyTorch: NaN where weights are wanted).
    ///
    /// # Errors
    /// When shapes do not fit, a mask is neither `bool` nor of the dtype of the queries, or `is_causal` comes with a mask.
    #[track_caller]
    pub fn forward(
        &self,
        query: &Tensor,
        key: &Tensor,
        value: &Tensor,
        options: &MultiheadAttentionOptions,
    ) -> Result<(Tensor, Option<Tensor>)> {
        inside(self, self.run([query, key, value], options))
    }

    #[track_caller]
    fn run(
        &self,
        inputs: [&Tensor; 3],
        options: &MultiheadAttentionOptions,
    ) -> Result<(Tensor, Option<Tensor>)> {
        let batched = self.check(inputs)?;
        // `[N, L, E]` from here on.
        let first = |x: Tensor| match (batched, self.batch_first) {
            (false, _) => x.unsqueeze(0),
            (true, true) => Ok(x),
            (true, false) => x.transpose(0, 1),
        };
        let [query, key, value] = self.projected(inputs)?;
        let (query, mut key, mut value) = (first(query)?, first(key)?, first(value)?);
        let (n, queries, keys) = (query.size(0)?, query.size(1)?, key.size(1)?);
        let scores: Shape = [n, self.num_heads, queries, keys].into();
        if options.is_causal && options.attn_mask.is_some() {
            bail!(Value, "MultiheadAttention", "attn_mask and is_causal exclude each other");
        }
        let only_causal = options.is_causal
            && options.key_padding_mask.is_none()
            && self.bias_k.is_none()
            && !(self.add_zero_attn || options.need_weights);
        let mut mask = match only_causal {
            true => None,
            false => joined(options, &scores, batched, query.dtype())?,
        };
        if let (Some(bias_k), Some(bias_v)) = (&self.bias_k, &self.bias_v) {
            let behind = |x: &Tensor, bias: &Parameter| {
                let bias = bias.tensor();
                Tensor::cat(&[x, &bias.expand([n, 1, bias.size(-1)?])?], 1)
            };
            (key, value) = (behind(&key, bias_k)?, behind(&value, bias_v)?);
            mask = with_column(mask)?;
        }
        let heads = |x: &Tensor| {
            let width = x.size(-1)? / self.num_heads;
            x.reshape([n, x.size(1)?, self.num_heads, width])?.transpose(1, 2)
        };
        let (query, mut key, mut value) = (heads(&query)?, heads(&key)?, heads(&value)?);
        if self.add_zero_attn {
            let zero = Tensor::full(key.shape().with_size(2, 1)?, 0.0, key.dtype())?;
            (key, value) = (Tensor::cat(&[&key, &zero], 2)?, Tensor::cat(&[&value, &zero], 2)?);
            mask = with_column(mask)?;
        }
        let dropout_p = if self.training.get() { self.dropout } else { 0.0 };
        let (y, weights) = if options.need_weights {
            let (y, weights) = weighted(&query, &key, &value, mask.as_ref(), dropout_p)?;
            let weights = if options.average_attn_weights { weights.mean_dim(1, false)? } else { weights };
            (y, Some(if batched { weights } else { weights.squeeze_dim(0)? }))
        } else {
            let attention = ScaledDotProductAttentionOptions {
                attn_mask: mask,
                dropout_p,
                is_causal: only_causal,
                ..Default::default()
            };
            (query.scaled_dot_product_attention(&key, &value, attention)?, None)
        };
        let y = self.out_proj.forward(&y.transpose(1, 2)?.flatten(2, -1)?)?;
        let y = match (batched, self.batch_first) {
            (false, _) => y.squeeze_dim(0)?,
            (true, true) => y,
            (true, false) => y.transpose(0, 1)?,
        };
        Ok((y, weights))
    }

    /// Whether there is a batch.
    #[track_caller]
    fn check(&self, inputs: [&Tensor; 3]) -> Result<bool> {
        let rank = inputs[0].rank();
        if !(rank == 2 || rank == 3) || inputs.iter().any(|x| x.rank() != rank) {
            let [q, k, v] = inputs.map(Tensor::shape);
            bail!(
                Shape,
                "MultiheadAttention",
                "queries, keys and values have 2 dimensions each, or 3 with a batch, not shapes {q}, {k} and {v}"
            );
        }
        let batched = rank == 3;
        let widths = match &self.in_proj_weight {
            Some(weight) => [weight.shape()[1]; 3],
            None => [&self.q_proj_weight, &self.k_proj_weight, &self.v_proj_weight]
                .map(|weight| weight.as_ref().map_or(0, |weight| weight.shape()[1])),
        };
        for ((x, width), what) in inputs.into_iter().zip(widths).zip(["queries", "keys", "values"]) {
            if x.shape().last() != Some(&width) {
                bail!(
                    Shape,
                    "MultiheadAttention",
                    "{what} have {width} features here, not shape {}",
                    x.shape()
                );
            }
        }
        let [query, key, value] = inputs.map(|x| &x.shape()[..rank - 1]);
        let batch = if self.batch_first { 0 } else { 1 };
        if key != value || (batched && query[batch] != key[batch]) {
            let [q, k, v] = inputs.map(Tensor::shape);
            bail!(
                Shape,
                "MultiheadAttention",
                "queries of shape {q}, keys of shape {k} and values of shape {v} do not belong together"
            );
        }
        Ok(batched)
    }

    /// Queries, keys and values after their linear maps.
    #[track_caller]
    fn projected(&self, inputs: [&Tensor; 3]) -> Result<[Tensor; 3]> {
        let bias = self.in_proj_bias.as_ref().map(Parameter::tensor);
        let parts = |x: &Tensor, dim: isize, width: usize| -> Result<[Tensor; 3]> {
            let part = |i: usize| x.narrow(dim, (i * width) as isize, width);
            Ok([part(0)?, part(1)?, part(2)?])
        };
        let weights = match &self.in_proj_weight {
            Some(weight) => {
                let (weight, width) = (weight.tensor(), weight.shape()[1]);
                // Of an input that attends to itself, one product is enough.
                if ptr::eq(inputs[0], inputs[1]) && ptr::eq(inputs[1], inputs[2]) {
                    return parts(&inputs[0].linear(&weight, bias.as_ref())?, -1, width);
                }
                parts(&weight, 0, width)?
            }
            None => match [&self.q_proj_weight, &self.k_proj_weight, &self.v_proj_weight] {
                [Some(q), Some(k), Some(v)] => [q.tensor(), k.tensor(), v.tensor()],
                _ => bail!(Graph, "MultiheadAttention", "there are no weights"),
            },
        };
        let [q, k, v] = match bias {
            Some(bias) => parts(&bias, 0, weights[0].size(0)?)?.map(Some),
            None => [None, None, None],
        };
        Ok([
            inputs[0].linear(&weights[0], q.as_ref())?,
            inputs[1].linear(&weights[1], k.as_ref())?,
            inputs[2].linear(&weights[2], v.as_ref())?,
        ])
    }
}

/// The values weighted by attention, and the weights.
#[track_caller]
fn weighted(
    query: &Tensor,
    key: &Tensor,
    value: &Tensor,
    mask: Option<&Tensor>,
    dropout_p: f64,
) -> Result<(Tensor, Tensor)> {
    let scale = (1.0 / query.size(-1)? as f64).sqrt();
    let scores = query.mul(scale)?.matmul(&key.transpose(-2, -1)?)?;
    let scores = match mask {
        Some(mask) if mask.dtype().is_float() => scores.add(mask)?,
        Some(seen) => scores.masked_fill(&seen.logical_not()?, f64::NEG_INFINITY)?,
        None => scores,
    };
    let mut weights = match mask.map(unseeing).transpose()?.flatten() {
        // Neither the softmax nor its derivative is to see a row of −∞ alone.
        Some(rows) => scores.masked_fill(&rows, 0.0)?.softmax(-1)?.masked_fill(&rows, 0.0)?,
        None => scores.softmax(-1)?,
    };
    if dropout_p > 0.0 {
        weights = weights.dropout(dropout_p, true)?;
    }
    Ok((weights.matmul(value)?, weights))
}

impl fmt::Debug for MultiheadAttention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MultiheadAttention")
            .field("embed_dim", &self.out_proj.weight.shape()[0])
            .field("num_heads", &self.num_heads)
            .field("dropout", &self.dropout)
            .field("bias", &self.in_proj_bias.is_some())
            .field("add_bias_kv", &self.bias_k.is_some())
            .field("add_zero_attn", &self.add_zero_attn)
            .field("batch_first", &self.batch_first)
            .finish()
    }
}
