//! Scaled dot-product attention.

use crate::attention::{NAME, Settings};
use crate::autograd::{Backward, Context, Save, record};
use crate::shape::broadcast;
use crate::table::{Refusal, Row, Sample, values};
use crate::{DType, Result, Shape, Tensor, bail, dispatch_float};

/// The options of [`Tensor::scaled_dot_product_attention`].
#[derive(Clone, Debug, Default)]
pub struct ScaledDotProductAttentionOptions {
    /// What broadcasts to `[.., L, S]`: where a boolean is false the query does not see the key; a float is added to
    /// the score. Default none.
    pub attn_mask: Option<Tensor>,
    /// The probability of each weight to be set to 0, in which case the others are multiplied by 1 / (1 − p). There
    /// is no evaluation mode: it is for the caller to give 0 then. Default 0.
    pub dropout_p: f64,
    /// Whether query i sees only the keys up to i. Not together with a mask. Default false.
    pub is_causal: bool,
    /// What scores are multiplied with. Default 1 / √E.
    pub scale: Option<f64>,
    /// Whether several heads of queries, dimension −3, share one head of keys and values, in order. Default false.
    pub enable_gqa: bool,
}

struct AttentionBackward {
    settings: Settings,
    masked: bool,
}

impl Backward for AttentionBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    // With weights P, dV = Pᵀ·g, dP = g·Vᵀ, dS = P ∘ (dP − Σ P ∘ dP), dQ = scale · dS·K and dK = scale · dSᵀ·Q. The
    // engine sums over broadcast dimensions.
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (g, [query, key, value]) = (ctx.grad()?, [ctx.saved(0)?, ctx.saved(1)?, ctx.saved(2)?]);
        let weights = self.settings.weights(query, key, self.mask(ctx)?)?;
        let of_value = ctx.when_needed(2, || weights.transpose(-2, -1)?.matmul(g))?;
        let of_weights = g.matmul(&value.transpose(-2, -1)?)?;
        let mean = weights.mul(&of_weights)?.sum_dim(-1, true)?;
        let of_scores = weights.mul(&of_weights.sub(&mean)?)?;
        let scale = self.settings.scale;
        let of_query = ctx.when_needed(0, || of_scores.matmul(key)?.mul(scale))?;
        let of_key = ctx.when_needed(1, || of_scores.transpose(-2, -1)?.matmul(query)?.mul(scale))?;
        let mut grads = vec![of_query, of_key, of_value];
        if self.mask(ctx)?.is_some_and(|mask| mask.dtype().is_float()) {
            grads.push(Some(of_scores));
        }
        Ok(grads)
    }

    fn backward_fused(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let mask = self.mask(ctx)?;
        let float_mask = mask.is_some_and(|mask| mask.dtype().is_float());
        if float_mask && ctx.needs(3)? {
            // The gradient of the mask is as large as the matrix of scores.
            return self.backward(ctx);
        }
        let g = ctx.grad()?;
        // The gradient of a sum has no memory of its own, which the kernel reads slowly.
        let g = if g.strides().last() == Some(&1) { g.clone() } else { g.contiguous()? };
        let inputs = [ctx.saved(0)?, ctx.saved(1)?, ctx.saved(2)?];
        let (out, log_sums) = (ctx.saved(3)?, ctx.saved(4)?);
        let grads = dispatch_float!(g.dtype(), T => {
            self.settings.run_backward::<T>(inputs, mask, [out, log_sums, &g])?
        });
        Ok(grads.into_iter().map(Some).chain(float_mask.then_some(None)).collect())
    }
}

impl AttentionBackward {
    fn mask<'a>(&self, ctx: &'a Context<'_>) -> Result<Option<&'a Tensor>> {
        if self.masked { ctx.saved(5).map(Some) } else { Ok(None) }
    }
}

impl Tensor {
    /// softmax(scale · Q·Kᵀ + mask) · V for this tensor Q `[.., L, E]`, `key` K `[.., S, E]` and `value` V `[.., S, Eᵥ]`:
    /// the mean of the values for each of the L queries, with weights by how well the S keys fit it, `[.., L, Eᵥ]`. The
    /// dimensions in front broadcast. (PyTorch: `torch.nn.functional.scaled_dot_product_attention`; Vaswani et al.
    /// 2017.)
    ///
    /// Where a query sees no key the result and all gradients are 0, as they are where S is 0. Memory for the scores is
    /// only taken with dropout, for derivatives of derivatives, and where a float mask gets a gradient. The order of
    /// dimensions in memory is that of this tensor, so that heads that were moved forward move back without a copy.
    ///
    /// ```
    /// # use chainrule_tensor::{ScaledDotProductAttentionOptions, Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let (key, value) = (Tensor::new([[1.0, 0.0], [0.0, 1.0]]), Tensor::new([[10.0], [20.0]]));
    /// let query = Tensor::new([[50.0, 50.0], [0.0, 50.0]]);
    /// let y = query.scaled_dot_product_attention(&key, &value, Default::default())?;
    /// assert_eq!(y.to_vec::<f32>()?, [15.0, 20.0]);
    /// let causal = ScaledDotProductAttentionOptions { is_causal: true, ..Default::default() };
    /// assert_eq!(query.scaled_dot_product_attention(&key, &value, causal)?.to_vec::<f32>()?, [10.0, 20.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When E or S differ or dimensions in front do not broadcast; for fewer than two dimensions; for dtypes that differ
    /// or are not floats; for a mask that does not broadcast to `[.., L, S]` or is neither `bool` nor of the dtype of the
    /// query (or `f32`), or together with `is_causal`; for a `dropout_p` that is not between 0 and 1; with `enable_gqa`,
    /// when keys and values have different numbers of heads or ones that do not divide that of the queries.
    #[track_caller]
    pub fn scaled_dot_product_attention(
        &self,
        key: &Tensor,
        value: &Tensor,
        options: ScaledDotProductAttentionOptions,
    ) -> Result<Tensor> {
        check(self, key, value, &options)?;
        if !options.enable_gqa {
            return attend(self, key, value, options);
        }
        let heads_of = |t: &Tensor| t.shape()[t.rank() - 3];
        let (heads, groups) = (heads_of(self), heads_of(key));
        if heads_of(value) != groups || groups == 0 || !heads.is_multiple_of(groups) {
            bail!(
                Shape,
                NAME,
                "{heads} heads of queries cannot share {groups} heads of keys and {} of values",
                heads_of(value)
            );
        }
        // Heads as groups, each of which shares what has one head a group.
        let grouped = |t: &Tensor| {
            let (dim, shape) = (t.rank() - 3, t.shape().with_size(t.rank() - 3, groups)?);
            t.reshape(shape.with_inserted(dim + 1, heads / groups)?)
        };
        let attn_mask = match &options.attn_mask {
            Some(mask) if mask.rank() > 2 && heads_of(mask) == heads => Some(grouped(mask)?),
            Some(mask) if mask.rank() > 2 => Some(mask.unsqueeze(-3)?),
            mask => mask.clone(),
        };
        let options = ScaledDotProductAttentionOptions { attn_mask, ..options };
        let y = attend(&grouped(self)?, &key.unsqueeze(-3)?, &value.unsqueeze(-3)?, options)?;
        let dim = y.rank() - 4;
        y.reshape(y.shape().without(dim)?.with_size(dim, heads)?)
    }
}

/// What is wrong whatever the dimensions in front.
#[track_caller]
fn check(
    query: &Tensor,
    key: &Tensor,
    value: &Tensor,
    options: &ScaledDotProductAttentionOptions,
) -> Result<()> {
    let all = [query, key, value];
    let of = || format!("query {}, key {} and value {}", query.shape(), key.shape(), value.shape());
    let least = if options.enable_gqa { 3 } else { 2 };
    if all.iter().any(|t| t.rank() < least) {
        bail!(Shape, NAME, "{}: each needs at least {least} dimensions", of());
    }
    if !query.dtype().is_float() || all.iter().any(|t| t.dtype() != query.dtype()) {
        let [q, k, v] = all.map(Tensor::dtype);
        bail!(
            DType,
            NAME,
            "the dtypes of query, key and value are {q}, {k} and {v}: one float dtype is needed"
        );
    }
    let size = |t: &Tensor, from_end: usize| t.shape()[t.rank() - from_end];
    if size(query, 1) != size(key, 1) {
        bail!(Shape, NAME, "{}: queries of size {} and keys of size {}", of(), size(query, 1), size(key, 1));
    }
    if size(key, 2) != size(value, 2) {
        bail!(Shape, NAME, "{}: {} keys and {} values", of(), size(key, 2), size(value, 2));
    }
    if !(0.0..=1.0).contains(&options.dropout_p) {
        bail!(Value, NAME, "the probability dropout_p must be between 0 and 1, not {}", options.dropout_p);
    }
    let Some(mask) = &options.attn_mask else { return Ok(()) };
    if options.is_causal {
        bail!(Value, NAME, "attn_mask and is_causal cannot be combined: put the causal mask into attn_mask");
    }
    if ![DType::Bool, DType::F32, query.dtype()].contains(&mask.dtype()) {
        bail!(DType, NAME, "attn_mask must be bool or {}, not {}", query.dtype(), mask.dtype());
    }
    Ok(())
}

/// Attention of as many heads of keys as of queries, or of one that is broadcast.
#[track_caller]
fn attend(
    query: &Tensor,
    key: &Tensor,
    value: &Tensor,
    options: ScaledDotProductAttentionOptions,
) -> Result<Tensor> {
    let front = |t: &Tensor| Shape::from(&t.shape()[..t.rank() - 2]);
    let batch = broadcast(NAME, &broadcast(NAME, &front(query), &front(key))?, &front(value))?;
    let width = query.size(-1)?;
    let scores: Shape = batch.iter().copied().chain([query.size(-2)?, key.size(-2)?]).collect();
    let mask = match &options.attn_mask {
        Some(mask) if !mask.shape().broadcasts_to(&scores) => {
            bail!(Shape, NAME, "attn_mask of shape {} does not broadcast to scores {scores}", mask.shape())
        }
        Some(mask) if mask.dtype().is_float() => Some(mask.to_dtype(query.dtype())?),
        mask => mask.clone(),
    };
    // Without columns all scores are 0.
    let scale = options.scale.unwrap_or(1.0 / (width.max(1) as f64).sqrt());
    let settings = Settings { batch, causal: options.is_causal, scale };
    if options.dropout_p > 0.0 {
        let weights = settings.weights(query, key, mask.as_ref())?;
        return weights.dropout(options.dropout_p, true)?.matmul(value);
    }
    let detached = [query, key, value].map(Tensor::detach);
    let [out, log_sums] = dispatch_float!(query.dtype(), T => {
        settings.run_forward::<T>(detached.each_ref(), mask.as_ref())?
    });
    let mut inputs = vec![query, key, value];
    let mut saved =
        vec![Save::Input(0), Save::Input(1), Save::Input(2), Save::Output(0), Save::Value(&log_sums)];
    if let Some(mask) = &mask {
        if mask.dtype().is_float() {
            inputs.push(mask);
            saved.push(Save::Input(3));
        } else {
            saved.push(Save::Value(mask));
        }
    }
    record(AttentionBackward { settings, masked: mask.is_some() }, &inputs, &saved, out)
}

/// A call on the first three of some tensors.
fn with(x: &[Tensor], set: impl FnOnce(&mut ScaledDotProductAttentionOptions)) -> Result<Tensor> {
    let mut options = ScaledDotProductAttentionOptions::default();
    set(&mut options);
    x[0].scaled_dot_product_attention(&x[1], &x[2], options)
}

pub(super) const ROW: Row = Row {
    errors: || {
        let x = || [values(1, [2, 3, 4]), values(2, [2, 5, 4]), values(3, [2, 5, 2])];
        let heads = || [values(1, [4, 3, 4]), values(2, [3, 5, 4]), values(3, [3, 5, 2])];
        let whole = |shape: [usize; 2]| Tensor::full(shape, 1.0, DType::I64);
        vec![
            Refusal::new(&["[4]", "at least 2"], move || {
                with(&[values(1, [4]), x()[1].clone(), x()[2].clone()], |_| {})
            }),
            Refusal::new(&["[2, 3, 4]", "size 4", "size 2"], move || {
                with(&[x()[0].clone(), x()[2].clone(), x()[2].clone()], |_| {})
            }),
            Refusal::new(&["[2, 5, 4]", "5 keys", "3 values"], move || {
                with(&[x()[0].clone(), x()[1].clone(), x()[0].clone()], |_| {})
            }),
            Refusal::new(&["[4]", "[3]"], move || with(&heads(), |_| {})),
            Refusal::new(&["4 heads", "3 heads"], move || with(&heads(), |o| o.enable_gqa = true)),
            Refusal::new(&["int64"], move || with(&[whole([3, 4])?, whole([5, 4])?, whole([5, 2])?], |_| {})),
            Refusal::new(&["float64", "float32"], move || {
                with(&[x()[0].to_dtype(DType::F32)?, x()[1].clone(), x()[2].clone()], |_| {})
            }),
            Refusal::new(&["attn_mask", "[3, 4]", "[2, 3, 5]"], move || {
                with(&x(), |o| o.attn_mask = Some(values(4, [3, 4])))
            }),
            Refusal::new(&["attn_mask", "int64"], move || with(&x(), |o| o.attn_mask = whole([3, 5]).ok())),
            Refusal::new(&["attn_mask", "is_causal"], move || {
                with(&x(), |o| (o.attn_mask, o.is_causal) = (Some(values(4, [3, 5])), true))
            }),
            Refusal::new(&["dropout_p", "1.5"], move || with(&x(), |o| o.dropout_p = 1.5)),
        ]
    },
    bench: &[
        (&[&[16, 4, 64, 32], &[16, 4, 64, 32], &[16, 4, 64, 32]], |x| {
            Ok(vec![with(x, |o| o.is_causal = true)?])
        }),
        (&[&[2, 300, 16], &[2, 700, 16], &[2, 700, 8]], |x| Ok(vec![with(x, |_| {})?])),
    ],
    ..Row::new(NAME, "torch.nn.functional.scaled_dot_product_attention", || {
        let inputs = || [values(1, [2, 3, 4]), values(2, [2, 5, 4]), values(3, [2, 5, 2])];
        // The second query sees nothing.
        let keep =
            Tensor::new([[true, false, true, true, false], [false; 5], [false, true, true, true, true]]);
        let heads_first = |x: &Tensor| x.reshape([2, 3, 2, 2])?.transpose(1, 2);
        vec![
            Sample::new("plain", inputs(), |x| with(x, |_| {})),
            Sample::new("causal", inputs(), |x| with(x, |o| o.is_causal = true)),
            Sample::new("scale", inputs(), |x| with(x, |o| o.scale = Some(-0.3))),
            Sample::new("boolean mask", inputs(), move |x| with(x, |o| o.attn_mask = Some(keep.clone()))),
            Sample::new("float mask", [&inputs()[..], &[values(4, [2, 1, 5])]].concat(), |x| {
                with(x, |o| o.attn_mask = Some(x[3].clone()))
            }),
            Sample::new("constant float mask", inputs(), |x| {
                with(x, |o| o.attn_mask = Some(values(4, [5]).to_dtype(DType::F32).expect("a conversion")))
            }),
            Sample::new(
                "broadcast",
                [values(1, [3, 4]), values(2, [2, 1, 5, 4]), values(3, [2, 5, 1])],
                |x| with(x, |_| {}),
            ),
            Sample::new(
                "shared heads",
                [values(1, [2, 4, 3, 2]), values(2, [2, 2, 3, 2]), values(3, [1, 2, 3, 2])],
                |x| with(x, |o| (o.enable_gqa, o.is_causal) = (true, true)),
            ),
            Sample::new(
                "heads moved forward",
                [values(1, [2, 3, 4]), values(2, [2, 3, 4]), values(3, [2, 3, 4])],
                move |x| {
                    let heads = [heads_first(&x[0])?, heads_first(&x[1])?, heads_first(&x[2])?];
                    with(&heads, |o| o.is_causal = true)?.transpose(1, 2)?.reshape([2, 3, 4])
                },
            ),
        ]
    })
};
