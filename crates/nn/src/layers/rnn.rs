//! The simple recurrent layer.

use std::fmt;

use chainrule_tensor::{Result, Tensor, bail};

use super::recurrent::{Kind, RecurrentBuilder, Stack};
use crate::{Module, Visitor};

/// Simple recurrent layers over sequences (PyTorch: `torch.nn.RNN`).
///
/// With x the input at one time and h the state before it: h = tanh(W x + b + U h + b'), or max(…, 0). W, U, b and b' are
/// `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0` and `bias_hh_l0`, of the next layer `weight_ih_l1` and so on, of the way
/// back `weight_ih_l0_reverse` and so on; they begin uniform within ±1/√hidden_size, in PyTorch's order of draws.
///
/// Elman, "Finding Structure in Time", 1990.
///
/// ```
/// # use chainrule_nn::{RNN, Module};
/// # use chainrule_tensor::{Result, Tensor};
/// # fn main() -> Result<()> {
/// let rnn = RNN::builder(3, 5).num_layers(2).batch_first(true).build()?;
/// let x = Tensor::ones([4, 7, 3])?; // 4 sequences of 7 times
/// let (output, h_n) = rnn.forward(&x, None)?;
/// assert_eq!(*output.shape(), [4, 7, 5]);
/// assert_eq!(*h_n.shape(), [2, 4, 5]);
/// // The sequences go on where they ended.
/// let (output, _) = rnn.forward(&x, Some(&h_n))?;
/// assert_eq!(rnn.named_parameters()[0].0, "weight_ih_l0");
/// # Ok(())
/// # }
/// ```
pub struct RNN(Stack);

impl RNN {
    /// One layer in one direction with biases, in `f32`, over inputs of `input_size` numbers with states of
    /// `hidden_size`.
    ///
    /// # Errors
    /// When a size is 0, or the weights would not fit in memory.
    #[track_caller]
    pub fn new(input_size: usize, hidden_size: usize) -> Result<RNN> {
        RNN::builder(input_size, hidden_size).build()
    }

    /// Layers with other options.
    pub fn builder(input_size: usize, hidden_size: usize) -> RecurrentBuilder<RNN> {
        RecurrentBuilder::new(Kind::Tanh, input_size, hidden_size)
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
            Err(_) => bail!(Graph, "RNN", "a state was lost"),
        }
    }
}

/// The function of the units of an [`RNN`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RNNNonlinearity {
    /// tanh x
    Tanh,
    /// max(x, 0)
    ReLU,
}

impl RecurrentBuilder<RNN> {
    /// The function of the units; default tanh.
    #[must_use]
    pub fn nonlinearity(self, nonlinearity: RNNNonlinearity) -> Self {
        self.kind(match nonlinearity {
            RNNNonlinearity::Tanh => Kind::Tanh,
            RNNNonlinearity::ReLU => Kind::Relu,
        })
    }

    /// Makes the layers.
    ///
    /// # Errors
    /// When a size is 0, the probability of dropout not between 0 and 1, or the dtype not floating-point.
    #[track_caller]
    pub fn build(self) -> Result<RNN> {
        self.stack().map(RNN)
    }
}

impl Module for RNN {
    fn visit(&self, visitor: &mut dyn Visitor) {
        self.0.visit(visitor);
    }
}

impl fmt::Debug for RNN {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
