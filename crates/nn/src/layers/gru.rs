//! Gated recurrent units.

use std::fmt;

use chainrule_tensor::{Result, Tensor, bail};

use super::recurrent::{Kind, RecurrentBuilder, Stack};
use crate::{Module, Visitor};

/// Layers of gated recurrent units over sequences (PyTorch: `torch.nn.GRU`).
///
/// With x the input at one time and h the state before it, and W x + b and U h + b' in three parts each: r = σ(of x + of
/// h), z = σ(of x + of h), n = tanh(of x + r·(of h)), h = (1 − z)·n + z·h. W, U, b and b' are `weight_ih_l0`,
/// `weight_hh_l0`, `bias_ih_l0` and `bias_hh_l0`, of the next layer `weight_ih_l1` and so on, of the way back
/// `weight_ih_l0_reverse` and so on; they begin uniform within ±1/√hidden_size, in PyTorch's order of draws.
///
/// Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine Translation", 2014.
///
/// ```
/// # use chainrule_nn::{GRU, Module};
/// # use chainrule_tensor::{Result, Tensor};
/// # fn main() -> Result<()> {
/// let gru = GRU::builder(3, 5).num_layers(2).batch_first(true).build()?;
/// let x = Tensor::ones([4, 7, 3])?; // 4 sequences of 7 times
/// let (output, h_n) = gru.forward(&x, None)?;
/// assert_eq!(*output.shape(), [4, 7, 5]);
/// assert_eq!(*h_n.shape(), [2, 4, 5]);
/// // The sequences go on where they ended.
/// let (output, _) = gru.forward(&x, Some(&h_n))?;
/// assert_eq!(gru.named_parameters()[0].0, "weight_ih_l0");
/// # Ok(())
/// # }
/// ```
pub struct GRU(Stack);

impl GRU {
    /// One layer in one direction with biases, in `f32`, over inputs of `input_size` numbers with states of
    /// `hidden_size`.
    ///
    /// # Errors
    /// When a size is 0, or the weights would not fit in memory.
    #[track_caller]
    pub fn new(input_size: usize, hidden_size: usize) -> Result<GRU> {
        GRU::builder(input_size, hidden_size).build()
    }

    /// Layers with other options.
    pub fn builder(input_size: usize, hidden_size: usize) -> RecurrentBuilder<GRU> {
        RecurrentBuilder::new(Kind::Gru, input_size, hidden_size)
    }

    /// The output of the last layer at all times, `[T, B, H]` for an input `[T, B, I]`, and the last states of all
    /// layers, `[layers, B, H]`. In both directions the output is `[T, B, 2·H]`, and there are two states of each layer,
    /// one after the other. `state` are the first states, in the same form; zeros where absent. An input `[T, I]` is one
    /// sequence; output and states have no dimension for the batch then.
    ///
    /// # Errors
    /// When shapes do not fit, for no times, and when the dtype is not the parameters'.
    #[track_caller]
    pub fn forward(&self, x: &Tensor, state: Option<&Tensor>) -> Result<(Tensor, Tensor)> {
        let (output, states) = self.0.forward(x, state.as_ref().map(std::slice::from_ref))?;
        match <[Tensor; 1]>::try_from(states) {
            Ok([hidden]) => Ok((output, hidden)),
            Err(_) => bail!(Graph, "GRU", "a state was lost"),
        }
    }
}

impl RecurrentBuilder<GRU> {
    /// Makes the layers.
    ///
    /// # Errors
    /// When a size is 0, the probability of dropout not between 0 and 1, or the dtype not floating-point.
    #[track_caller]
    pub fn build(self) -> Result<GRU> {
        self.stack().map(GRU)
    }
}

impl Module for GRU {
    fn visit(&self, visitor: &mut dyn Visitor) {
        self.0.visit(visitor);
    }
}

impl fmt::Debug for GRU {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
