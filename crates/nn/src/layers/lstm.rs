//! Long short-term memory.

use std::fmt;

use chainrule_tensor::{Result, Tensor, bail};

use super::recurrent::{Kind, RecurrentBuilder, Stack};
use crate::{Module, Visitor};

/// Layers of long short-term memory over sequences (PyTorch: `torch.nn.LSTM`, without projections).
///
/// With x the input at one time, h the hidden state and c the cell before it, and W x + b + U h + b' in four parts i, f,
/// g, o: c = σ(f)·c + σ(i)·tanh(g), h = σ(o)·tanh(c). W, U, b and b' are `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0` and
/// `bias_hh_l0`, of the next layer `weight_ih_l1` and so on, of the way back `weight_ih_l0_reverse` and so on; they begin
/// uniform within ±1/√hidden_size, in PyTorch's order of draws.
///
/// Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997.
///
/// ```
/// # use chainrule_nn::{LSTM, Module};
/// # use chainrule_tensor::{Result, Tensor};
/// # fn main() -> Result<()> {
/// let lstm = LSTM::builder(3, 5).num_layers(2).batch_first(true).build()?;
/// let x = Tensor::ones([4, 7, 3])?; // 4 sequences of 7 times
/// let (output, (h_n, c_n)) = lstm.forward(&x, None)?;
/// assert_eq!(*output.shape(), [4, 7, 5]);
/// assert_eq!(*h_n.shape(), [2, 4, 5]);
/// // The sequences go on where they ended.
/// let (output, _) = lstm.forward(&x, Some((&h_n, &c_n)))?;
/// assert_eq!(lstm.named_parameters()[0].0, "weight_ih_l0");
/// # Ok(())
/// # }
/// ```
pub struct LSTM(Stack);

impl LSTM {
    /// One layer in one direction with biases, in `f32`, over inputs of `input_size` numbers with states of
    /// `hidden_size`.
    ///
    /// # Errors
    /// When a size is 0, or the weights would not fit in memory.
    #[track_caller]
    pub fn new(input_size: usize, hidden_size: usize) -> Result<LSTM> {
        LSTM::builder(input_size, hidden_size).build()
    }

    /// Layers with other options.
    pub fn builder(input_size: usize, hidden_size: usize) -> RecurrentBuilder<LSTM> {
        RecurrentBuilder::new(Kind::Lstm, input_size, hidden_size)
    }

    /// The output of the last layer at all times, `[T, B, H]` for an input `[T, B, I]`, and the last hidden states and
    /// cells of all layers, `[layers, B, H]` each. In both directions the output is `[T, B, 2·H]`, and there are two
    /// states of each layer, one after the other. `state` are the first hidden states and cells, in the same form; zeros
    /// where absent. An input `[T, I]` is one sequence; outputs and states have no dimension for the batch then.
    ///
    /// # Errors
    /// When shapes do not fit, for no times, and when the dtype is not the parameters'.
    #[track_caller]
    pub fn forward(
        &self,
        x: &Tensor,
        state: Option<(&Tensor, &Tensor)>,
    ) -> Result<(Tensor, (Tensor, Tensor))> {
        let first = state.map(|(hidden, cell)| [hidden, cell]);
        let (output, states) = self.0.forward(x, first.as_ref().map(|first| &first[..]))?;
        match <[Tensor; 2]>::try_from(states) {
            Ok([hidden, cell]) => Ok((output, (hidden, cell))),
            Err(_) => bail!(Graph, "LSTM", "a state was lost"),
        }
    }
}

impl RecurrentBuilder<LSTM> {
    /// Makes the layers.
    ///
    /// # Errors
    /// When a size is 0, the probability of dropout not between 0 and 1, or the dtype not floating-point.
    #[track_caller]
    pub fn build(self) -> Result<LSTM> {
        self.stack().map(LSTM)
    }
}

impl Module for LSTM {
    fn visit(&self, visitor: &mut dyn Visitor) {
        self.0.visit(visitor);
    }
}

impl fmt::Debug for LSTM {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
