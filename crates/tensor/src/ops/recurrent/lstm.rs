//! A layer of long short-term memory.

use chainrule_kernels::recurrent::Sizes;
use chainrule_kernels::recurrent::lstm::{self, GATES, Incoming};

use crate::allocate::InOperation;
use crate::autograd::{Backward, Context, Save, record_many};
use crate::recurrent::{
    GradientMemory, OfSums, Operands, RecurrentWeights, contiguous, grad_or_zeros, in_order, incoming, last,
    of_sigmoid, of_tanh, outputs, slice, weights,
};
use crate::table::{Refusal, Row, Sample, uniform, values};
use crate::{Result, Shape, Tensor, bail, dispatch_float};

/// First hidden state and first cell.
const STATES: usize = 2;

struct LstmBackward {
    sizes: Sizes,
    bias: bool,
}

/// What the way back needs of one time.
struct Step {
    hidden_before: Tensor,
    cell_before: Tensor,
    gates: [Tensor; GATES],
    tanh_of_cell: Tensor,
}

impl LstmBackward {
    fn inputs(&self) -> usize {
        if self.bias { 7 } else { 5 }
    }

    /// The way forward in tensor operations.
    #[track_caller]
    fn steps(&self, ctx: &Context<'_>) -> Result<Vec<Step>> {
        let bias = |i: usize| if self.bias { ctx.saved(i).map(Some) } else { Ok(None) };
        let sums = ctx.saved(0)?.linear(ctx.saved(3)?, bias(5)?)?;
        let (mut hidden, mut cell) = (ctx.saved(1)?.clone(), ctx.saved(2)?.clone());
        let mut steps = Vec::with_capacity(self.sizes.times);
        for from_input in in_order(&sums, self.sizes.reverse)? {
            let sums = from_input.add(&hidden.linear(ctx.saved(4)?, bias(6)?)?)?.chunk(GATES, 1)?;
            let [i, f, o] = [sums[0].sigmoid()?, sums[1].sigmoid()?, sums[3].sigmoid()?];
            let g = sums[2].tanh()?;
            let next = f.mul(&cell)?.add(&i.mul(&g)?)?;
            let tanh_of_cell = next.tanh()?;
            let (cell_before, hidden_before) = (cell, hidden);
            (cell, hidden) = (next, o.mul(&tanh_of_cell)?);
            steps.push(Step { hidden_before, cell_before, gates: [i, f, g, o], tanh_of_cell });
        }
        Ok(steps)
    }
}

impl Backward for LstmBackward {
    fn name(&self) -> &'static str {
        "lstm"
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let steps = self.steps(ctx)?;
        let mut of_hidden = grad_or_zeros(ctx, 1, ctx.saved(1)?)?;
        let mut of_cell = grad_or_zeros(ctx, 2, ctx.saved(2)?)?;
        let of_outputs = match ctx.grad_of(0)? {
            Some(grad) => in_order(grad, self.sizes.reverse)?,
            None => Vec::new(),
        };
        let mut of_sums = Vec::with_capacity(steps.len());
        for (time, step) in steps.iter().enumerate().rev() {
            if let Some(grad) = of_outputs.get(time) {
                of_hidden = of_hidden.add(grad)?;
            }
            let ([i, f, g, o], tanh) = (&step.gates, &step.tanh_of_cell);
            let of_o = of_hidden.mul(tanh)?.mul(&of_sigmoid(o)?)?;
            let through_hidden = of_hidden.mul(o)?.mul(&of_tanh(tanh)?)?;
            of_cell = of_cell.add(&through_hidden)?;
            let of_i = of_cell.mul(g)?.mul(&of_sigmoid(i)?)?;
            let of_f = of_cell.mul(&step.cell_before)?.mul(&of_sigmoid(f)?)?;
            let of_g = of_cell.mul(i)?.mul(&of_tanh(g)?)?;
            let of_gates = Tensor::cat(&[of_i, of_f, of_g, of_o], 1)?;
            of_hidden = of_gates.matmul(ctx.saved(4)?)?;
            of_cell = of_cell.mul(f)?;
            of_sums.push(of_gates);
        }
        of_sums.reverse();
        let before = steps.into_iter().map(|step| step.hidden_before).collect();
        let of_sums = OfSums { of_inputs: of_sums.clone(), of_states: of_sums, before };
        of_sums.gradients(
            ctx.saved(0)?,
            vec![of_hidden, of_cell],
            ctx.saved(3)?,
            self.sizes.reverse,
            self.bias,
        )
    }

    fn backward_fused(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let inputs = (0..self.inputs()).map(|i| ctx.saved(i)).collect::<Result<Vec<_>>>()?;
        let values = contiguous(&inputs)?;
        let kept = |i: usize| ctx.saved(self.inputs() + i);
        let [of_output, of_hidden, of_cell] = [incoming(ctx, 0)?, incoming(ctx, 1)?, incoming(ctx, 2)?];
        let grads = dispatch_float!(values[0].dtype(), T => {
            let state = Shape::from([self.sizes.batch, self.sizes.hidden]);
            let mut memory = GradientMemory::<T>::new("lstm", ctx, &self.sizes, [STATES, GATES], self.bias)?;
            let mut of_first_cell = state.allocate::<T>("lstm")?;
            let incoming = Incoming { output: slice(&of_output)?, state: slice(&of_hidden)?, cell: slice(&of_cell)? };
            lstm::backward(
                self.sizes,
                values[0].as_slice()?,
                weights(&values[1 + STATES..])?,
                [kept(0)?.as_slice()?, kept(1)?.as_slice()?, kept(2)?.as_slice()?],
                incoming,
                memory.gradients(),
                &mut of_first_cell,
            )
            .in_operation("lstm")?;
            memory.into_tensors([Tensor::from_parts(of_first_cell, state)], self.bias)
        });
        Ok(grads)
    }
}

impl Tensor {
    /// One layer of long short-term memory in one direction over sequences `[T, B, I]`, starting from `state`: the hidden
    /// state h and the cell c, `[B, H]` each. Gives the hidden states of all times `[T, B, H]`, and the last hidden state
    /// and cell. With `reverse` it goes from the last time to the first (PyTorch: `torch.lstm`, of one layer; Hochreiter
    /// and Schmidhuber, "Long Short-Term Memory", 1997).
    ///
    /// With W x + b + U h + b' in four parts i, f, g, o of H rows each: c = σ(f)·c + σ(i)·tanh(g), h = σ(o)·tanh(c).
    ///
    /// ```
    /// # use chainrule_tensor::{RecurrentWeights, Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[[1.0, 2.0]], [[3.0, 4.0]], [[5.0, 6.0]]]);
    /// let (h, c) = (Tensor::zeros([1, 1])?, Tensor::zeros([1, 1])?);
    /// let (weight_ih, weight_hh) = (Tensor::ones([4, 2])?, Tensor::zeros([4, 1])?);
    /// let weights = RecurrentWeights { weight_ih: &weight_ih, weight_hh: &weight_hh, bias: None };
    /// let (output, (hidden, cell)) = x.lstm((&h, &c), weights, false)?;
    /// assert_eq!(*output.shape(), [3, 1, 1]);
    /// assert_eq!(output.select(0, 2)?.to_vec::<f32>()?, hidden.to_vec::<f32>()?);
    /// assert!((cell.item()? - 2.9).abs() < 0.1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When shapes do not fit, for no times and for no hidden units, when dtypes differ, and for integers and booleans.
    #[track_caller]
    pub fn lstm(
        &self,
        state: (&Tensor, &Tensor),
        weights: RecurrentWeights<'_>,
        reverse: bool,
    ) -> Result<(Tensor, (Tensor, Tensor))> {
        let operands = Operands::new("lstm", GATES, self, &[state.0, state.1], weights, reverse)?;
        let sizes = operands.sizes;
        let (states, cells, gates) = dispatch_float!(self.dtype(), T => {
            let (of_states, of_gates) = (operands.shape(1, sizes.hidden), operands.shape(0, GATES * sizes.hidden));
            let (mut states, mut cells) = (operands.states::<T>("lstm", 1)?, operands.states::<T>("lstm", 2)?);
            let mut gates = of_gates.allocate::<T>("lstm")?;
            let x = operands.values[0].as_slice()?;
            lstm::forward(sizes, x, operands.weights(STATES)?, &mut states, &mut cells, &mut gates).in_operation("lstm")?;
            let cells = Tensor::from_parts(cells, of_states.clone());
            (Tensor::from_parts(states, of_states), cells, Tensor::from_parts(gates, of_gates))
        });
        let results = vec![outputs(&states, &sizes), last(&states, &sizes), last(&cells, &sizes)];
        let operation = LstmBackward { sizes, bias: weights.bias.is_some() };
        let kept = [&states, &cells, &gates].map(Save::Value);
        let saved: Vec<Save<'_>> = (0..operands.inputs.len()).map(Save::Input).chain(kept).collect();
        match <[Tensor; 3]>::try_from(record_many(operation, &operands.inputs, &saved, results)?) {
            Ok([output, hidden, cell]) => Ok((output, (hidden, cell))),
            Err(_) => bail!(Graph, "lstm", "recording lost an output"),
        }
    }
}

fn call(x: &[Tensor], reverse: bool) -> Result<Vec<Tensor>> {
    let bias = if x.len() == 7 { Some([&x[5], &x[6]]) } else { None };
    let weights = RecurrentWeights { weight_ih: &x[3], weight_hh: &x[4], bias };
    let (output, (hidden, cell)) = x[0].lstm((&x[1], &x[2]), weights, reverse)?;
    Ok(vec![output, hidden, cell])
}

/// Operands for T times, a batch of B, I inputs and H hidden units.
fn operands<const T: usize, const B: usize, const I: usize, const H: usize>(bias: bool) -> Vec<Tensor> {
    let state = |seed| values(seed, [B, H]);
    let mut operands = vec![values(1, [T, B, I]), state(2), state(3)];
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
            Refusal::new(&["weight_ih", "[8, 2]", "[3, 2, 5]"], with(0, || values(1, [3, 2, 5]))),
            Refusal::new(&["time", "[0, 2, 2]"], with(0, || values(1, [0, 2, 2]))),
            Refusal::new(&["state", "[1, 2]"], with(2, || values(1, [1, 2]))),
            Refusal::new(&["weight_hh", "[6, 2]"], with(4, || values(1, [6, 2]))),
            Refusal::new(&["bias_hh", "[2]"], with(6, || values(1, [2]))),
        ]
    },
    bench: &[(&[&[32, 32, 64], &[32, 128], &[32, 128], &[512, 64], &[512, 128], &[512], &[512]], |x| {
        call(x, false)
    })],
    ..Row::new("lstm", "torch.lstm", || {
        vec![
            Sample::many("several times", operands::<3, 2, 2, 2>(true), |x| call(x, false)),
            Sample::many("reverse, no bias", operands::<2, 1, 1, 2>(false), |x| call(x, true)),
            Sample::new("outputs alone", operands::<2, 1, 1, 1>(true), |x| Ok(call(x, false)?.remove(0))),
            Sample::new("last cell alone", operands::<2, 1, 1, 1>(true), |x| Ok(call(x, false)?.remove(2))),
        ]
    })
};
