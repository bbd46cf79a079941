//! What LSTM, GRU and RNN have in common: layers upon layers, in one direction or both.

use std::fmt;
use std::marker::PhantomData;

use chainrule_tensor::{DType, Parameter, RecurrentWeights, Result, Shape, Tensor, bail, try_vec};

use crate::forward::{at_caller, inside};
use crate::{Module, Training, Visitor, init};

/// What a unit computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Lstm,
    Gru,
    Tanh,
    Relu,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Lstm => "LSTM",
            Kind::Gru => "GRU",
            Kind::Tanh | Kind::Relu => "RNN",
        }
    }

    fn gates(self) -> usize {
        match self {
            Kind::Lstm => 4,
            Kind::Gru => 3,
            Kind::Tanh | Kind::Relu => 1,
        }
    }

    /// How many states go from one time to the next.
    fn states(self) -> usize {
        if self == Kind::Lstm { 2 } else { 1 }
    }
}

/// The options of an [`LSTM`](crate::LSTM), [`GRU`](crate::GRU) or [`RNN`](crate::RNN) layer.
#[derive(Clone, Debug)]
pub struct RecurrentBuilder<L> {
    kind: Kind,
    input_size: usize,
    hidden_size: usize,
    num_layers: usize,
    bias: bool,
    batch_first: bool,
    dropout: f64,
    bidirectional: bool,
    dtype: DType,
    layer: PhantomData<L>,
}

impl<L> RecurrentBuilder<L> {
    pub(super) fn new(kind: Kind, input_size: usize, hidden_size: usize) -> Self {
        RecurrentBuilder {
            kind,
            input_size,
            hidden_size,
            num_layers: 1,
            bias: true,
            batch_first: false,
            dropout: 0.0,
            bidirectional: false,
            dtype: DType::F32,
            layer: PhantomData,
        }
    }

    /// How many layers stand upon each other, each taking in what the one below gives out; default 1.
    #[must_use]
    pub fn num_layers(self, num_layers: usize) -> Self {
        RecurrentBuilder { num_layers, ..self }
    }

    /// Whether there are biases; default `true`.
    #[must_use]
    pub fn bias(self, bias: bool) -> Self {
        RecurrentBuilder { bias, ..self }
    }

    /// Whether the batch is the first dimension of input and output, and time the second; default `false`. States are
    /// the same either way.
    #[must_use]
    pub fn batch_first(self, batch_first: bool) -> Self {
        RecurrentBuilder { batch_first, ..self }
    }

    /// The probability of dropout between layers, in training mode; default 0.
    #[must_use]
    pub fn dropout(self, dropout: f64) -> Self {
        RecurrentBuilder { dropout, ..self }
    }

    /// Whether each layer goes through the sequence in both directions and gives out both; default `false`.
    #[must_use]
    pub fn bidirectional(self, bidirectional: bool) -> Self {
        RecurrentBuilder { bidirectional, ..self }
    }

    /// The dtype of the parameters; default `F32`.
    #[must_use]
    pub fn dtype(self, dtype: DType) -> Self {
        RecurrentBuilder { dtype, ..self }
    }

    pub(super) fn kind(self, kind: Kind) -> Self {
        RecurrentBuilder { kind, ..self }
    }

    #[track_caller]
    pub(super) fn stack(self) -> Result<Stack> {
        at_caller(self.make())
    }

    /// Refuses sizes whose parameters have no room in memory all together: one by one they could be made for hours first.
    fn check_memory(&self, directions: usize) -> Result<()> {
        // What a parameter takes beside its numbers, about.
        const EACH: usize = 1024;
        let RecurrentBuilder { kind, input_size, hidden_size, num_layers, .. } = *self;
        let of_pass = |inputs: usize| {
            let columns = inputs.checked_add(hidden_size)?.checked_add(2)?;
            let numbers = kind.gates().checked_mul(hidden_size)?.checked_mul(columns)?;
            numbers.checked_mul(self.dtype.size())?.checked_add(4 * EACH)
        };
        let bytes = || {
            let others = of_pass(directions.checked_mul(hidden_size)?)?.checked_mul(num_layers - 1)?;
            of_pass(input_size)?.checked_add(others)?.checked_mul(directions)
        };
        match bytes() {
            Some(bytes) => try_vec::<u8>(kind.name(), bytes).map(drop),
            None => bail!(
                Memory,
                kind.name(),
                "there is no memory for {num_layers} layers of {hidden_size} units with {input_size} inputs"
            ),
        }
    }

    fn make(self) -> Result<Stack> {
        let RecurrentBuilder { kind, input_size, hidden_size, num_layers, bias, dtype, dropout, .. } = self;
        let sizes = [("input_size", input_size), ("hidden_size", hidden_size), ("num_layers", num_layers)];
        for (name, size) in sizes {
            if size == 0 {
                bail!(Value, kind.name(), "{name} must be greater than zero");
            }
        }
        if !(0.0..=1.0).contains(&dropout) {
            bail!(Value, kind.name(), "the probability of dropout must be between 0 and 1, not {dropout}");
        }
        let directions = if self.bidirectional { 2 } else { 1 };
        self.check_memory(directions)?;
        let wide = kind.gates() * hidden_size;
        let mut passes = Vec::with_capacity(num_layers * directions);
        for layer in 0..num_layers {
            let inputs = if layer == 0 { input_size } else { directions * hidden_size };
            for direction in 0..directions {
                let name =
                    |what: &str| format!("{what}_l{layer}{}", if direction == 1 { "_reverse" } else { "" });
                let draw = |what: &str, shape: &[usize]| {
                    Ok((name(what), init::within_inverse_root(shape, hidden_size, dtype)?))
                };
                passes.push(Pass {
                    weight_ih: draw("weight_ih", &[wide, inputs])?,
                    weight_hh: draw("weight_hh", &[wide, hidden_size])?,
                    bias: if bias {
                        Some([draw("bias_ih", &[wide])?, draw("bias_hh", &[wide])?])
                    } else {
                        None
                    },
                });
            }
        }
        Ok(Stack {
            kind,
            passes,
            directions,
            batch_first: self.batch_first,
            dropout,
            input_size,
            hidden_size,
            training: Training::new(),
        })
    }
}

/// A parameter and what it is called.
type Named = (String, Parameter);

/// One layer in one direction.
struct Pass {
    weight_ih: Named,
    weight_hh: Named,
    bias: Option<[Named; 2]>,
}

/// Layers upon layers.
pub(super) struct Stack {
    kind: Kind,
    /// Layer by layer, each forward first.
    passes: Vec<Pass>,
    directions: usize,
    batch_first: bool,
    dropout: f64,
    input_size: usize,
    hidden_size: usize,
    training: Training,
}

impl Stack {
    /// The outputs, and the last states of all passes `[layers · directions, B, H]`: hidden, and of an LSTM cell.
    #[track_caller]
    pub(super) fn forward(&self, x: &Tensor, first: Option<&[&Tensor]>) -> Result<(Tensor, Vec<Tensor>)> {
        inside(self, self.run(x, first))
    }

    #[track_caller]
    fn run(&self, x: &Tensor, first: Option<&[&Tensor]>) -> Result<(Tensor, Vec<Tensor>)> {
        let name = self.kind.name();
        let unbatched = x.rank() == 2;
        if !(unbatched || x.rank() == 3) || x.shape().last() != Some(&self.input_size) {
            bail!(
                Shape,
                name,
                "expects an input of 2 dimensions, or 3 with a batch, of which the last is {}, not shape {}",
                self.input_size,
                x.shape()
            );
        }
        let mut x = match (unbatched, self.batch_first) {
            (true, _) => x.unsqueeze(1)?,
            (false, true) => x.transpose(0, 1)?,
            (false, false) => x.clone(),
        };
        let first = match first {
            Some(first) => Some(self.check_states(first, x.shape()[1], unbatched)?),
            None => None,
        };
        let zeros = Tensor::full([x.shape()[1], self.hidden_size], 0.0, x.dtype())?;
        let mut last = vec![Vec::with_capacity(self.passes.len()); self.kind.states()];
        for (layer, passes) in self.passes.chunks(self.directions).enumerate() {
            if layer > 0 && self.dropout > 0.0 {
                x = x.dropout(self.dropout, self.training.get())?;
            }
            let mut outputs = Vec::with_capacity(self.directions);
            for (direction, pass) in passes.iter().enumerate() {
                let number = (layer * self.directions + direction) as isize;
                let state = |i: usize| match &first {
                    Some(first) => first[i].select(0, number),
                    None => Ok(zeros.clone()),
                };
                let (output, states) = self.pass(pass, &x, state, direction == 1)?;
                outputs.push(output);
                last.iter_mut().zip(states).for_each(|(last, state)| last.push(state));
            }
            x = if outputs.len() == 1 { outputs.remove(0) } else { Tensor::cat(&outputs, 2)? };
        }
        let output = match (unbatched, self.batch_first) {
            (true, _) => x.squeeze_dim(1)?,
            (false, true) => x.transpose(0, 1)?,
            (false, false) => x,
        };
        let mut states = Vec::with_capacity(last.len());
        for last in last {
            let all = if last.len() == 1 { last[0].unsqueeze(0)? } else { Tensor::stack(&last, 0)? };
            states.push(if unbatched { all.squeeze_dim(1)? } else { all });
        }
        Ok((output, states))
    }

    /// The first states with a dimension for the batch.
    #[track_caller]
    fn check_states(&self, first: &[&Tensor], batch: usize, unbatched: bool) -> Result<Vec<Tensor>> {
        let (count, hidden) = (self.passes.len(), self.hidden_size);
        let shape =
            if unbatched { Shape::from([count, hidden]) } else { Shape::from([count, batch, hidden]) };
        let mut states = Vec::with_capacity(first.len());
        for state in first {
            if *state.shape() != shape {
                bail!(
                    Shape,
                    self.kind.name(),
                    "a first state must have shape {shape} for this input, not {}",
                    state.shape()
                );
            }
            states.push(if unbatched { state.unsqueeze(1)? } else { (*state).clone() });
        }
        Ok(states)
    }

    #[track_caller]
    fn pass(
        &self,
        pass: &Pass,
        x: &Tensor,
        state: impl Fn(usize) -> Result<Tensor>,
        reverse: bool,
    ) -> Result<(Tensor, Vec<Tensor>)> {
        let (weight_ih, weight_hh) = (pass.weight_ih.1.tensor(), pass.weight_hh.1.tensor());
        let bias = pass.bias.as_ref().map(|both| [both[0].1.tensor(), both[1].1.tensor()]);
        let weights = RecurrentWeights {
            weight_ih: &weight_ih,
            weight_hh: &weight_hh,
            bias: bias.as_ref().map(|[ih, hh]| [ih, hh]),
        };
        let hidden = state(0)?;
        let (output, last) = match self.kind {
            Kind::Lstm => {
                let (output, (hidden, cell)) = x.lstm((&hidden, &state(1)?), weights, reverse)?;
                return Ok((output, vec![hidden, cell]));
            }
            Kind::Gru => x.gru(&hidden, weights, reverse)?,
            Kind::Tanh => x.rnn_tanh(&hidden, weights, reverse)?,
            Kind::Relu => x.rnn_relu(&hidden, weights, reverse)?,
        };
        Ok((output, vec![last]))
    }
}

impl Module for Stack {
    fn visit(&self, visitor: &mut dyn Visitor) {
        for pass in &self.passes {
            for (name, parameter) in
                [&pass.weight_ih, &pass.weight_hh].into_iter().chain(pass.bias.iter().flatten())
            {
                visitor.parameter(name, parameter);
            }
        }
        visitor.training(&self.training);
    }
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(self.kind.name())
            .field("input_size", &self.input_size)
            .field("hidden_size", &self.hidden_size)
            .field("num_layers", &(self.passes.len() / self.directions))
            .field("bias", &self.passes.iter().all(|pass| pass.bias.is_some()))
            .field("batch_first", &self.batch_first)
            .field("dropout", &self.dropout)
            .field("bidirectional", &(self.directions == 2))
            .finish()
    }
}
