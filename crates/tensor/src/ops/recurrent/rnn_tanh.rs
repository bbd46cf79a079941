//! A simple recurrent layer, with tanh or max(x, 0).

use chainrule_kernels::recurrent::Sizes;
use chainrule_kernels::recurrent::rnn::{self, Activation};

use crate::allocate::InOperation;
use crate::autograd::{Backward, Context, Save, record_many};
use crate::recurrent::{
    GradientMemory, OfSums, Operands, RecurrentWeights, contiguous, grad_or_zeros, in_order, incoming, last,
    of_tanh, outputs, slice, weights,
};
use crate::table::{Refusal, Row, Sample, uniform, values};
use crate::{Result, Tensor, bail, dispatch_float};

struct RnnBackward {
    operation: &'static str,
    activation: Activation,
    sizes: Sizes,
    bias: bool,
}

impl RnnBackward {
    fn inputs(&self) -> usize {
        if self.bias { 6 } else { 4 }
    }

    /// The states in tensor operations, the first before all others.
    #[track_caller]
    fn states(&self, ctx: &Context<'_>) -> Result<Vec<Tensor>> {
        let bias = |i: usize| if self.bias { ctx.saved(i).map(Some) } else { Ok(None) };
        let sums = ctx.saved(0)?.linear(ctx.saved(2)?, bias(4)?)?;
        let mut hidden = ctx.saved(1)?.clone();
        let mut states = vec![hidden.clone()];
        for from_input in in_order(&sums, self.sizes.reverse)? {
            let sum = from_input.add(&hidden.linear(ctx.saved(3)?, bias(5)?)?)?;
            hidden = match self.activation {
                Activation::Tanh => sum.tanh()?,
                Activation::Relu => sum.relu()?,
            };
            states.push(hidden.clone());
        }
        Ok(states)
    }
}

impl Backward for RnnBackward {
    fn name(&self) -> &'static str {
        self.operation
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let mut states = self.states(ctx)?;
        let mut of_hidden = grad_or_zeros(ctx, 1, ctx.saved(1)?)?;
        let of_outputs = match ctx.grad_of(0)? {
            Some(grad) => in_order(grad, self.sizes.reverse)?,
            None => Vec::new(),
        };
        let mut of_sums = Vec::with_capacity(self.sizes.times);
        for (time, state) in states[1..].iter().enumerate().rev() {
            if let Some(grad) = of_outputs.get(time) {
                of_hidden = of_hidden.add(grad)?;
            }
            let of_sum = match self.activation {
                Activation::Tanh => of_hidden.mul(&of_tanh(state)?)?,
                Activation::Relu => of_hidden.masked_fill(&state.le(0.0)?, 0.0)?,
            };
            of_hidden = of_sum.matmul(ctx.saved(3)?)?;
            of_sums.push(of_sum);
        }
        of_sums.reverse();
        states.pop();
        let of_sums = OfSums { of_inputs: of_sums.clone(), of_states: of_sums, before: states };
        of_sums.gradients(ctx.saved(0)?, vec![of_hidden], ctx.saved(2)?, self.sizes.reverse, self.bias)
    }

    fn backward_fused(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let inputs = (0..self.inputs()).map(|i| ctx.saved(i)).collect::<Result<Vec<_>>>()?;
        let values = contiguous(&inputs)?;
        let states = ctx.saved(self.inputs())?;
        let [of_output, of_hidden] = [incoming(ctx, 0)?, incoming(ctx, 1)?];
        let grads = dispatch_float!(values[0].dtype(), T => {
            let mut memory = GradientMemory::<T>::new(self.operation, ctx, &self.sizes, [1, 1], self.bias)?;
            rnn::backward(
                self.sizes,
                self.activation,
                values[0].as_slice()?,
                weights(&values[2..])?,
                states.as_slice()?,
                [slice(&of_output)?, slice(&of_hidden)?],
                memory.gradients(),
            )
            .in_operation(self.operation)?;
            memory.into_tensors([], self.bias)
        });
        Ok(grads)
    }
}

/// One simple recurrent layer.
#[track_caller]
pub(super) fn simple(
    operation: &'static str,
    activation: Activation,
    x: &Tensor,
    state: &Tensor,
    weights: RecurrentWeights<'_>,
    reverse: bool,
) -> Result<(Tensor, Tensor)> {
    let operands = Operands::new(operation, 1, x, &[state], weights, reverse)?;
    let sizes = operands.sizes;
    let states = dispatch_float!(x.dtype(), T => {
        let mut states = operands.states::<T>(operation, 1)?;
        rnn::forward(sizes, activation, operands.values[0].as_slice()?, operands.weights(1)?, &mut states).in_operation(operation)?;
        Tensor::from_parts(states, operands.shape(1, sizes.hidden))
    });
    let results = vec![outputs(&states, &sizes), last(&states, &sizes)];
    let backward = RnnBackward { operation, activation, sizes, bias: weights.bias.is_some() };
    let saved: Vec<Save<'_>> =
        (0..operands.inputs.len()).map(Save::Input).chain([Save::Value(&states)]).collect();
    match <[Tensor; 2]>::try_from(record_many(backward, &operands.inputs, &saved, results)?) {
        Ok([output, hidden]) => Ok((output, hidden)),
        Err(_) => bail!(Graph, operation, "recording lost an output"),
    }
}

impl Tensor {
    /// One simple recurrent layer in one direction over sequences `[T, B, I]`, starting from the hidden state `state` h,
    /// `[B, H]`: at each time h = tanh(W x + b + U h + b'). Gives the hidden states of all times `[T, B, H]`, and the last
    /// one. With `reverse` it goes from the last time to the first (PyTorch: `torch.rnn_tanh`, of one layer; Elman,
    /// "Finding Structure in Time", 1990).
    ///
    /// ```
    /// # use chainrule_tensor::{RecurrentWeights, Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[[0.0]], [[10.0]]]);
    /// let one = Tensor::ones([1, 1])?;
    /// let weights = RecurrentWeights { weight_ih: &one, weight_hh: &one, bias: None };
    /// let (output, hidden) = x.rnn_tanh(&Tensor::zeros([1, 1])?, weights, false)?;
    /// assert_eq!(output.to_vec::<f32>()?, [0.0, 1.0]);
    /// assert_eq!(hidden.item()?, 1.0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When shapes do not fit, for no times and for no hidden units, when dtypes differ, and for integers and booleans.
    #[track_caller]
    pub fn rnn_tanh(
        &self,
        state: &Tensor,
        weights: RecurrentWeights<'_>,
        reverse: bool,
    ) -> Result<(Tensor, Tensor)> {
        simple("rnn_tanh", Activation::Tanh, self, state, weights, reverse)
    }
}

/// Operands for T times, a batch of B, I inputs and H hidden units.
pub(super) fn operands<const T: usize, const B: usize, const I: usize, const H: usize>(
    bias: bool,
) -> Vec<Tensor> {
    let mut operands = vec![values(1, [T, B, I]), values(2, [B, H])];
    operands.extend([uniform(4, [H, I], -1.0, 1.0), uniform(5, [H, H], -1.0, 1.0)]);
    if bias {
        operands.extend([values(6, [H]), values(7, [H])]);
    }
    operands
}

pub(super) fn weights_of(x: &[Tensor]) -> RecurrentWeights<'_> {
    let bias = if x.len() == 6 { Some([&x[4], &x[5]]) } else { None };
    RecurrentWeights { weight_ih: &x[2], weight_hh: &x[3], bias }
}

fn call(x: &[Tensor], reverse: bool) -> Result<Vec<Tensor>> {
    let (output, hidden) = x[0].rnn_tanh(&x[1], weights_of(x), reverse)?;
    Ok(vec![output, hidden])
}

pub(super) const ROW: Row = Row {
    errors: || {
        let with = |i: usize, wrong: fn() -> Tensor| {
            move || {
                let mut operands = operands::<3, 2, 2, 2>(true);
                operands[i] = wrong();
                Ok(call(&operands, false)?.remove(0))
            }
        };
        vec![
            Refusal::new(&["[3, 2]"], with(0, || values(1, [3, 2]))),
            Refusal::new(&["weight_ih", "[2, 2]", "[3, 2, 5]"], with(0, || values(1, [3, 2, 5]))),
            Refusal::new(&["state", "[1, 2]"], with(1, || values(1, [1, 2]))),
        ]
    },
    bench: &[(&[&[32, 32, 64], &[32, 128], &[128, 64], &[128, 128], &[128], &[128]], |x| call(x, false))],
    ..Row::new("rnn_tanh", "torch.rnn_tanh", || {
        vec![
            Sample::many("several times", operands::<3, 2, 2, 2>(true), |x| call(x, false)),
            Sample::many("reverse, no bias", operands::<2, 1, 1, 2>(false), |x| call(x, true)),
        ]
    })
};
