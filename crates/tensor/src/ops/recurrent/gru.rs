//! A layer of gated recurrent units.

use chainrule_kernels::recurrent::Sizes;
use chainrule_kernels::recurrent::gru::{self, GATES};

use crate::allocate::InOperation;
use crate::autograd::{Backward, Context, Save, record_many};
use crate::recurrent::{
    GradientMemory, OfSums, Operands, RecurrentWeights, contiguous, grad_or_zeros, in_order, incoming, last,
    of_sigmoid, of_tanh, outputs, slice, weights,
};
use crate::table::{Refusal, Row, Sample, uniform, values};
use crate::{Result, Tensor, bail, dispatch_float};

struct GruBackward {
    sizes: Sizes,
    bias: bool,
}

/// What the way back needs of one time.
struct Step {
    before: Tensor,
    r: Tensor,
    z: Tensor,
    n: Tensor,
    /// What comes from the state before, in n.
    from_state: Tensor,
}

impl GruBackward {
    fn inputs(&self) -> usize {
        if self.bias { 6 } else { 4 }
    }

    /// The way forward in tensor operations.
    #[track_caller]
    fn steps(&self, ctx: &Context<'_>) -> Result<Vec<Step>> {
        let bias = |i: usize| if self.bias { ctx.saved(i).map(Some) } else { Ok(None) };
        let sums = ctx.saved(0)?.linear(ctx.saved(2)?, bias(4)?)?;
        let mut hidden = ctx.saved(1)?.clone();
        let mut steps = Vec::with_capacity(self.sizes.times);
        for from_input in in_order(&sums, self.sizes.reverse)? {
            let inputs = from_input.chunk(GATES, 1)?;
            let states = hidden.linear(ctx.saved(3)?, bias(5)?)?.chunk(GATES, 1)?;
            let (r, z) = (inputs[0].add(&states[0])?.sigmoid()?, inputs[1].add(&states[1])?.sigmoid()?);
            let n = inputs[2].add(&r.mul(&states[2])?)?.tanh()?;
            let next = n.add(&z.mul(&hidden.sub(&n)?)?)?;
            let before = std::mem::replace(&mut hidden, next);
            steps.push(Step { before, r, z, n, from_state: states[2].clone() });
        }
        Ok(steps)
    }
}

impl Backward for GruBackward {
    fn name(&self) -> &'static str {
        "gru"
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let steps = self.steps(ctx)?;
        let mut of_hidden = grad_or_zeros(ctx, 1, ctx.saved(1)?)?;
        let of_outputs = match ctx.grad_of(0)? {
            Some(grad) => in_order(grad, self.sizes.reverse)?,
            None => Vec::new(),
        };
        let (mut of_inputs, mut of_states) = (Vec::new(), Vec::new());
        for (time, step) in steps.iter().enumerate().rev() {
            if let Some(grad) = of_outputs.get(time) {
                of_hidden = of_hidden.add(grad)?;
            }
            let Step { before, r, z, n, from_state } = step;
            let of_n = of_hidden.sub(&of_hidden.mul(z)?)?.mul(&of_tanh(n)?)?;
            let of_z = of_hidden.mul(&before.sub(n)?)?.mul(&of_sigmoid(z)?)?;
            let of_r = of_n.mul(from_state)?.mul(&of_sigmoid(r)?)?;
            let of_state = Tensor::cat(&[&of_r, &of_z, &of_n.mul(r)?], 1)?;
            of_inputs.push(Tensor::cat(&[of_r, of_z, of_n], 1)?);
            of_hidden = of_hidden.mul(z)?.add(&of_state.matmul(ctx.saved(3)?)?)?;
            of_states.push(of_state);
        }
        of_inputs.reverse();
        of_states.reverse();
        let before = steps.into_iter().map(|step| step.before).collect();
        let of_sums = OfSums { of_inputs, of_states, before };
        of_sums.gradients(ctx.saved(0)?, vec![of_hidden], ctx.saved(2)?, self.sizes.reverse, self.bias)
    }

    fn backward_fused(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let inputs = (0..self.inputs()).map(|i| ctx.saved(i)).collect::<Result<Vec<_>>>()?;
        let values = contiguous(&inputs)?;
        let kept = |i: usize| ctx.saved(self.inputs() + i);
        let [of_output, of_hidden] = [incoming(ctx, 0)?, incoming(ctx, 1)?];
        let grads = dispatch_float!(values[0].dtype(), T => {
            let mut memory = GradientMemory::<T>::new("gru", ctx, &self.sizes, [1, GATES], self.bias)?;
            gru::backward(
                self.sizes,
                values[0].as_slice()?,
                weights(&values[2..])?,
                [kept(0)?.as_slice()?, kept(1)?.as_slice()?, kept(2)?.as_slice()?],
                [slice(&of_output)?, slice(&of_hidden)?],
                memory.gradients(),
            )
            .in_operation("gru")?;
            memory.into_tensors([], self.bias)
        });
        Ok(grads)
    }
}

impl Tensor {
    /// One layer of gated recurrent units in one direction over sequences `[T, B, I]`, starting from the hidden state
    /// `state` h, `[B, H]`. Gives the hidden states of all times `[T, B, H]`, and the last one. With `reverse` it goes
    /// from the last time to the first (PyTorch: `torch.gru`, of one layer; Cho et al., "Learning Phrase
    /// Representations using RNN Encoder-Decoder", 2014).
    ///
    /// With W x + b and U h + b' in three parts of H rows each: r = σ(of x + of h), z likewise, n = tanh(of x + r·(of
    /// h)), h = (1 − z)·n + z·h. So the bias b' stands inside of r's product.
    ///
    /// ```
    /// # use chainrule_tensor::{RecurrentWeights, Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[[1.0, 2.0]], [[3.0, 4.0]]]);
    /// let (weight_ih, weight_hh) = (Tensor::zeros([3, 2])?, Tensor::zeros([3, 1])?);
    /// let weights = RecurrentWeights { weight_ih: &weight_ih, weight_hh: &weight_hh, bias: None };
    /// let (output, hidden) = x.gru(&Tensor::ones([1, 1])?, weights, false)?;
    /// assert_eq!(output.to_vec::<f32>()?, [0.5, 0.25]);
    /// assert_eq!(hidden.to_vec::<f32>()?, [0.25]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When shapes do not fit, for no times and for no hidden units, when dtypes differ, and for integers and booleans.
    #[track_caller]
    pub fn gru(
        &self,
        state: &Tensor,
        weights: RecurrentWeights<'_>,
        reverse: bool,
    ) -> Result<(Tensor, Tensor)> {
        let operands = Operands::new("gru", GATES, self, &[state], weights, reverse)?;
        let sizes = operands.sizes;
        let (states, gates, of_state) = dispatch_float!(self.dtype(), T => {
            let (all, times) = (operands.shape(1, sizes.hidden), operands.shape(0, sizes.hidden));
            let of_gates = operands.shape(0, GATES * sizes.hidden);
            let mut states = operands.states::<T>("gru", 1)?;
            let (mut gates, mut of_state) = (of_gates.allocate::<T>("gru")?, times.allocate::<T>("gru")?);
            let x = operands.values[0].as_slice()?;
            gru::forward(sizes, x, operands.weights(1)?, &mut states, &mut gates, &mut of_state).in_operation("gru")?;
            let gates = Tensor::from_parts(gates, of_gates);
            (Tensor::from_parts(states, all), gates, Tensor::from_parts(of_state, times))
        });
        let results = vec![outputs(&states, &sizes), last(&states, &sizes)];
        let operation = GruBackward { sizes, bias: weights.bias.is_some() };
        let kept = [&states, &gates, &of_state].map(Save::Value);
        let saved: Vec<Save<'_>> = (0..operands.inputs.len()).map(Save::Input).chain(kept).collect();
        match <[Tensor; 2]>::try_from(record_many(operation, &operands.inputs, &saved, results)?) {
            Ok([output, hidden]) => Ok((output, hidden)),
            Err(_) => bail!(Graph, "gru", "recording lost an output"),
        }
    }
}

fn call(x: &[Tensor], reverse: bool) -> Result<Vec<Tensor>> {
    let bias = if x.len() == 6 { Some([&x[4], &x[5]]) } else { None };
    let weights = RecurrentWeights { weight_ih: &x[2], weight_hh: &x[3], bias };
    let (output, hidden) = x[0].gru(&x[1], weights, reverse)?;
    Ok(vec![output, hidden])
}

/// Operands for T times, a batch of B, I inputs and H hidden units.
fn operands<const T: usize, const B: usize, const I: usize, const H: usize>(bias: bool) -> Vec<Tensor> {
    let mut operands = vec![values(1, [T, B, I]), values(2, [B, H])];
    operands.extend([uniform(4, [GATES * H, I], -1.0, 1.0), uniform(5, [GATES * H, H], -1.0, 1.0)]);
    if bias {
        operands.extend([values(6, [GATES * H]), values(7, [GATES * H])]);
    }
    operands
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
            Refusal::new(&["weight_ih", "[6, 2]", "[3, 2, 5]"], with(0, || values(1, [3, 2, 5]))),
            Refusal::new(&["state", "[1, 2]"], with(1, || values(1, [1, 2]))),
            Refusal::new(&["bias_ih", "[2]"], with(4, || values(1, [2]))),
        ]
    },
    bench: &[(&[&[32, 32, 64], &[32, 128], &[384, 64], &[384, 128], &[384], &[384]], |x| call(x, false))],
    ..Row::new("gru", "torch.gru", || {
        vec![
            Sample::many("several times", operands::<3, 2, 2, 2>(true), |x| call(x, false)),
            Sample::many("reverse, no bias", operands::<2, 1, 1, 2>(false), |x| call(x, true)),
            Sample::new("outputs alone", operands::<2, 1, 1, 1>(true), |x| Ok(call(x, false)?.remove(0))),
            Sample::new("last state alone", operands::<2, 1, 1, 1>(true), |x| Ok(call(x, false)?.remove(1))),
        ]
    })
};
