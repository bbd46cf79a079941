//! Masks of attention: from PyTorch's of this layer, which say what is hidden, to those of
//! [`Tensor::scaled_dot_product_attention`], which say what is seen. Floats are added to scores in both.

use chainrule_tensor::{DType, Result, Shape, Tensor, bail};

use super::MultiheadAttentionOptions;

/// All masks as one that broadcasts to scores `[N, heads, L, S]` and has all S.
#[track_caller]
pub(super) fn joined(
    options: &MultiheadAttentionOptions,
    scores: &Shape,
    batched: bool,
    dtype: DType,
) -> Result<Option<Tensor>> {
    let [n, heads, queries, keys] = [scores[0], scores[1], scores[2], scores[3]];
    let attention = match &options.attn_mask {
        None if options.is_causal => Some(Tensor::arange(queries)?.unsqueeze(1)?.lt(&Tensor::arange(keys)?)?),
        None => None,
        Some(mask) => {
            check(mask, "attn_mask", dtype)?;
            Some(match **mask.shape() {
                [l, s] if [l, s] == [queries, keys] => mask.clone(),
                [m, l, s] if [m, l, s] == [n * heads, queries, keys] => mask.reshape(scores)?,
                _ => bail!(
                    Shape,
                    "MultiheadAttention",
                    "attn_mask has shape {}, where [{queries}, {keys}] or [{}, {queries}, {keys}] is taken",
                    mask.shape(),
                    n * heads
                ),
            })
        }
    };
    let padding = match &options.key_padding_mask {
        None => None,
        Some(mask) => {
            check(mask, "key_padding_mask", dtype)?;
            let want = if batched { Shape::from([n, keys]) } else { Shape::from([keys]) };
            if *mask.shape() != want {
                bail!(
                    Shape,
                    "MultiheadAttention",
                    "key_padding_mask has shape {}, where {want} is taken",
                    mask.shape()
                );
            }
            Some(mask.reshape([n, 1, 1, keys])?)
        }
    };
    let is_float = |mask: &Option<Tensor>| mask.as_ref().is_some_and(|mask| mask.dtype().is_float());
    let either = is_float(&attention) || is_float(&padding);
    let form = |mask: Tensor| match (either, mask.dtype()) {
        (false, _) => mask.logical_not(),
        (true, DType::Bool) => Tensor::full([1], 0.0, dtype)?.masked_fill(&mask, f64::NEG_INFINITY),
        (true, _) => Ok(mask),
    };
    Ok(match (attention.map(form).transpose()?, padding.map(form).transpose()?) {
        (Some(a), Some(b)) => Some(if either { a.add(&b)? } else { a.logical_and(&b)? }),
        (a, b) => a.or(b),
    })
}

#[track_caller]
fn check(mask: &Tensor, name: &str, dtype: DType) -> Result<()> {
    if mask.dtype() != DType::Bool && mask.dtype() != dtype {
        bail!(DType, "MultiheadAttention", "{name} must be bool or {dtype}, not {}", mask.dtype());
    }
    Ok(())
}

/// The same mask with one key more, which everybody sees.
#[track_caller]
pub(super) fn with_column(mask: Option<Tensor>) -> Result<Option<Tensor>> {
    let Some(mask) = mask else { return Ok(None) };
    let shape = mask.shape().with_size(mask.rank() - 1, 1)?;
    let value = if mask.dtype() == DType::Bool { 1.0 } else { 0.0 };
    Ok(Some(Tensor::cat(&[&mask, &Tensor::full(shape, value, mask.dtype())?], -1)?))
}

/// Which rows of scores a mask hides altogether, with size 1 in the place of the keys; none where there is no such row.
#[track_caller]
pub(super) fn unseeing(mask: &Tensor) -> Result<Option<Tensor>> {
    let rows = match mask.dtype() {
        DType::Bool => mask.any_dim(-1, true)?.logical_not()?,
        _ => mask.detach().eq(f64::NEG_INFINITY)?.all_dim(-1, true)?,
    };
    Ok(if rows.any()?.to_scalar::<bool>()? { Some(rows) } else { None })
}
