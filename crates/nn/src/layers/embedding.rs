//! A table of vectors by number.

use std::fmt;

use chainrule_tensor::{DType, Parameter, Result, Tensor, bail, dispatch_float};

use crate::forward::inside;
use crate::{Forward, Module};

/// Vectors of `embedding_dim` numbers for `num_embeddings` words: maps `i64` numbers of any shape to their rows of the
/// weight, `[…, embedding_dim]` (PyTorch: `torch.nn.Embedding`, without `max_norm` and `scale_grad_by_freq`; for
/// `sparse`, see [`row_gradient`](Parameter::row_gradient)).
///
/// The weight begins with normal numbers of mean 0 and deviation 1, in PyTorch's order of draws; the row `padding_idx`
/// with zeros, and it gets no gradient.
///
/// ```
/// # use chainrule_nn::{Embedding, Forward, Module};
/// # use chainrule_tensor::{Result, Tensor};
/// # fn main() -> Result<()> {
/// let words = Embedding::builder(1000, 16).padding_idx(0).build()?;
/// let y = words.forward(&Tensor::new([[17, 4, 0], [999, 0, 0]]))?;
/// assert_eq!(*y.shape(), [2, 3, 16]);
/// assert_eq!(y.slice(1, 2..)?.abs()?.sum()?.item()?, 0.0);
/// # Ok(())
/// # }
/// ```
#[derive(Module)]
pub struct Embedding {
    /// `[num_embeddings, embedding_dim]`.
    pub weight: Parameter,
    padding_idx: Option<usize>,
}

/// The options of an [`Embedding`] layer.
#[derive(Clone, Debug)]
pub struct EmbeddingBuilder {
    num_embeddings: usize,
    embedding_dim: usize,
    padding_idx: Option<isize>,
    dtype: DType,
}

impl Embedding {
    /// A table without a padding row, in `f32`.
    ///
    /// # Errors
    /// When the weight would not fit in memory.
    #[track_caller]
    pub fn new(num_embeddings: usize, embedding_dim: usize) -> Result<Embedding> {
        Embedding::builder(num_embeddings, embedding_dim).build()
    }

    /// A table with other options.
    pub fn builder(num_embeddings: usize, embedding_dim: usize) -> EmbeddingBuilder {
        EmbeddingBuilder { num_embeddings, embedding_dim, padding_idx: None, dtype: DType::F32 }
    }
}

impl EmbeddingBuilder {
    /// The row that stands for no word, counted from the end where negative: zeros at first, and never trained. Default
    /// none.
    #[must_use]
    pub fn padding_idx(self, padding_idx: isize) -> Self {
        EmbeddingBuilder { padding_idx: Some(padding_idx), ..self }
    }

    /// The dtype of the weight; default `F32`.
    #[must_use]
    pub fn dtype(self, dtype: DType) -> Self {
        EmbeddingBuilder { dtype, ..self }
    }

    /// Makes the layer.
    ///
    /// # Errors
    /// When `padding_idx` is none of the rows, the weight would not fit in memory, or the dtype is not floating-point.
    #[track_caller]
    pub fn build(self) -> Result<Embedding> {
        let EmbeddingBuilder { num_embeddings, embedding_dim, padding_idx, dtype } = self;
        let padding_idx = match padding_idx {
            Some(index) => {
                let from_start =
                    if index < 0 { index.checked_add_unsigned(num_embeddings) } else { Some(index) };
                match from_start.and_then(|row| usize::try_from(row).ok()) {
                    Some(row) if row < num_embeddings => Some(row),
                    _ => bail!(Value, "Embedding", "padding_idx {index} is none of {num_embeddings} rows"),
                }
            }
            None => None,
        };
        let weight = Parameter::new(Tensor::normal([num_embeddings, embedding_dim], 0.0, 1.0, dtype)?)?;
        if let Some(row) = padding_idx {
            dispatch_float!(dtype, T => {
                weight.update(|values: &mut [T]| values[row * embedding_dim..][..embedding_dim].fill(T::from(0u8)))?;
            });
        }
        Ok(Embedding { weight, padding_idx })
    }
}

impl Forward for Embedding {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        inside(self, x.embedding(&self.weight.tensor(), self.padding_idx.map(|row| row as isize)))
    }
}

impl fmt::Debug for Embedding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = self.weight.shape();
        f.debug_struct("Embedding")
            .field("num_embeddings", &shape[0])
            .field("embedding_dim", &shape[1])
            .field("padding_idx", &self.padding_idx)
            .finish()
    }
}
