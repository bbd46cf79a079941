//! The options of attention with several heads.

use chainrule_tensor::{DType, Parameter, Result, Tensor, bail};

use super::MultiheadAttention;
use crate::forward::at_caller;
use crate::{Linear, Training, init};

/// The options of a [`MultiheadAttention`] layer.
#[derive(Clone, Debug)]
pub struct MultiheadAttentionBuilder {
    embed_dim: usize,
    num_heads: usize,
    dropout: f64,
    bias: bool,
    add_bias_kv: bool,
    add_zero_attn: bool,
    kdim: Option<usize>,
    vdim: Option<usize>,
    batch_first: bool,
    dtype: DType,
}

impl MultiheadAttentionBuilder {
    pub(super) fn new(embed_dim: usize, num_heads: usize) -> Self {
        MultiheadAttentionBuilder {
            embed_dim,
            num_heads,
            dropout: 0.0,
            bias: true,
            add_bias_kv: false,
            add_zero_attn: false,
            kdim: None,
            vdim: None,
            batch_first: false,
            dtype: DType::F32,
        }
    }

    /// The probability of each weight to be set to 0, in training mode; default 0.
    #[must_use]
    pub fn dropout(self, dropout: f64) -> Self {
        MultiheadAttentionBuilder { dropout, ..self }
    }

    /// Whether the linear maps have biases; default `true`.
    #[must_use]
    pub fn bias(self, bias: bool) -> Self {
        MultiheadAttentionBuilder { bias, ..self }
    }

    /// Whether every sequence has one more key and value, which are trained; default `false`.
    #[must_use]
    pub fn add_bias_kv(self, add_bias_kv: bool) -> Self {
        MultiheadAttentionBuilder { add_bias_kv, ..self }
    }

    /// Whether every sequence has one more key and value, which are zeros; default `false`.
    #[must_use]
    pub fn add_zero_attn(self, add_zero_attn: bool) -> Self {
        MultiheadAttentionBuilder { add_zero_attn, ..self }
    }

    /// How many features keys have; default `embed_dim`.
    #[must_use]
    pub fn kdim(self, kdim: usize) -> Self {
        MultiheadAttentionBuilder { kdim: Some(kdim), ..self }
    }

    /// How many features values have; default `embed_dim`.
    #[must_use]
    pub fn vdim(self, vdim: usize) -> Self {
        MultiheadAttentionBuilder { vdim: Some(vdim), ..self }
    }

    /// Whether the batch is the first dimension of inputs and output; default `false`: it is the second.
    #[must_use]
    pub fn batch_first(self, batch_first: bool) -> Self {
        MultiheadAttentionBuilder { batch_first, ..self }
    }

    /// The dtype of the parameters; default `F32`.
    #[must_use]
    pub fn dtype(self, dtype: DType) -> Self {
        MultiheadAttentionBuilder { dtype, ..self }
    }

    /// Makes the layer.
    ///
    /// # Errors
    /// When a size is 0, `num_heads` does not divide `embed_dim`, the probability is not between 0 and 1, or the dtype is
    /// not floating-point.
    #[track_caller]
    pub fn build(self) -> Result<MultiheadAttention> {
        at_caller(self.make())
    }

    fn make(self) -> Result<MultiheadAttention> {
        let MultiheadAttentionBuilder { embed_dim, num_heads, dropout, bias, dtype, .. } = self;
        let (kdim, vdim) = (self.kdim.unwrap_or(embed_dim), self.vdim.unwrap_or(embed_dim));
        for (name, size) in
            [("embed_dim", embed_dim), ("num_heads", num_heads), ("kdim", kdim), ("vdim", vdim)]
        {
            if size == 0 {
                bail!(Value, "MultiheadAttention", "{name} must be greater than zero");
            }
        }
        if !embed_dim.is_multiple_of(num_heads) {
            bail!(
                Value,
                "MultiheadAttention",
                "embed_dim {embed_dim} cannot be cut into {num_heads} heads of one size"
            );
        }
        if !(0.0..=1.0).contains(&dropout) {
            bail!(
                Value,
                "MultiheadAttention",
                "the probability of dropout must be between 0 and 1, not {dropout}"
            );
        }
        let zeros = |shape: &[usize]| Parameter::new(Tensor::full(shape, 0.0, dtype)?);
        // The order of PyTorch's draws: first the output's layer, whose bias is drawn before it is made zero.
        let out_proj = Linear::builder(embed_dim, embed_dim).bias(bias).dtype(dtype).build()?;
        let projection = |outputs: usize, inputs: usize| {
            let weight = zeros(&[outputs, inputs])?;
            init::xavier_uniform_(&weight, 1.0)?;
            Ok(Some(weight))
        };
        let (mut in_proj_weight, mut separate) = (None, [None, None, None]);
        if kdim == embed_dim && vdim == embed_dim {
            in_proj_weight = projection(3 * embed_dim, embed_dim)?;
        } else {
            separate = [
                projection(embed_dim, embed_dim)?,
                projection(embed_dim, kdim)?,
                projection(embed_dim, vdim)?,
            ];
        }
        let in_proj_bias = if bias { Some(zeros(&[3 * embed_dim])?) } else { None };
        if let Some(bias) = &out_proj.bias {
            init::zeros_(bias)?;
        }
        let key_of_its_own = || {
            let bias = zeros(&[1, 1, embed_dim])?;
            init::xavier_normal_(&bias, 1.0)?;
            Ok(Some(bias))
        };
        let (bias_k, bias_v) =
            if self.add_bias_kv { (key_of_its_own()?, key_of_its_own()?) } else { (None, None) };
        let [q_proj_weight, k_proj_weight, v_proj_weight] = separate;
        Ok(MultiheadAttention {
            in_proj_weight,
            q_proj_weight,
            k_proj_weight,
            v_proj_weight,
            in_proj_bias,
            bias_k,
            bias_v,
            out_proj,
            num_heads,
            dropout,
            add_zero_attn: self.add_zero_attn,
            batch_first: self.batch_first,
            training: Training::new(),
        })
    }
}
