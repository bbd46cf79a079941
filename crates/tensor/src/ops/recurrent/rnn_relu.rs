//! A simple recurrent layer with max(x, 0).

use chainrule_kernels::recurrent::rnn::Activation;

use super::rnn_tanh::{operands, simple, weights_of};
use crate::recurrent::RecurrentWeights;
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Tensor};

impl Tensor {
    /// As [`rnn_tanh`](Tensor::rnn_tanh), with h = max(W x + b + U h + b', 0) (PyTorch: `torch.rnn_relu`).
    ///
    /// ```
    /// # use chainrule_tensor::{RecurrentWeights, Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[[1.0]], [[-3.0]], [[2.0]]]);
    /// let one = Tensor::ones([1, 1])?;
    /// let weights = RecurrentWeights { weight_ih: &one, weight_hh: &one, bias: None };
    /// let (output, _) = x.rnn_relu(&Tensor::ones([1, 1])?, weights, false)?;
    /// assert_eq!(output.to_vec::<f32>()?, [2.0, 0.0, 2.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`rnn_tanh`](Tensor::rnn_tanh).
    #[track_caller]
    pub fn rnn_relu(
        &self,
        state: &Tensor,
        weights: RecurrentWeights<'_>,
        reverse: bool,
    ) -> Result<(Tensor, Tensor)> {
        simple("rnn_relu", Activation::Relu, self, state, weights, reverse)
    }
}

fn call(x: &[Tensor], reverse: bool) -> Result<Vec<Tensor>> {
    let (output, hidden) = x[0].rnn_relu(&x[1], weights_of(x), reverse)?;
    Ok(vec![output, hidden])
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![Refusal::new(&["[3, 2]"], || {
            let mut operands = operands::<3, 2, 2, 2>(true);
            operands[0] = values(1, [3, 2]);
            Ok(call(&operands, false)?.remove(0))
        })]
    },
    ..Row::new("rnn_relu", "torch.rnn_relu", || {
        vec![
            Sample::many("several times", operands::<3, 2, 2, 2>(true), |x| call(x, false)),
            Sample::many("reverse, no bias", operands::<2, 1, 1, 2>(false), |x| call(x, true)),
        ]
    })
};
