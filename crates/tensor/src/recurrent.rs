//! What the recurrent operations have in common: their operands, and where gradients go.

use chainrule_kernels::gemm::GemmNumber;
use chainrule_kernels::recurrent::{Gradients, Sizes, Weights};

use crate::autograd::Context;
use crate::{Buffer, FloatElement, Result, Shape, Tensor, bail};

/// The weights of one layer in one direction, whose states have H numbers, for an operation with G gates: 4 of an LSTM,
/// 3 of a GRU, 1 of a simple layer.
#[derive(Clone, Copy, Debug)]
pub struct RecurrentWeights<'a> {
    /// Of the I inputs, `[G·H, I]`.
    pub weight_ih: &'a Tensor,
    /// Of the state before, `[G·H, H]`.
    pub weight_hh: &'a Tensor,
    /// `bias_ih` and `bias_hh`, `[G·H]` each.
    pub bias: Option<[&'a Tensor; 2]>,
}

/// The operands of a recurrent operation, which fit each other.
pub(crate) struct Operands<'a> {
    pub(crate) sizes: Sizes,
    /// In the order in which they are recorded: x, the first states, the weights, the biases.
    pub(crate) inputs: Vec<&'a Tensor>,
    /// The same, contiguous and outside any graph.
    pub(crate) values: Vec<Tensor>,
}

impl<'a> Operands<'a> {
    #[track_caller]
    pub(crate) fn new(
        operation: &str,
        gates: usize,
        x: &'a Tensor,
        states: &[&'a Tensor],
        weights: RecurrentWeights<'a>,
        reverse: bool,
    ) -> Result<Operands<'a>> {
        let RecurrentWeights { weight_ih, weight_hh, bias } = weights;
        let &[times, batch, inputs] = &**x.shape() else {
            bail!(Shape, operation, "expects an input [T, B, I], not shape {}", x.shape());
        };
        let hidden = weight_hh.shape().last().copied().unwrap_or(0);
        let wide = gates * hidden;
        if times == 0 || hidden == 0 {
            bail!(
                Shape,
                operation,
                "needs at least one time and one hidden unit: the input has shape {}, weight_hh {}",
                x.shape(),
                weight_hh.shape()
            );
        }
        let of_weights = [
            ("weight_hh", Some(weight_hh), Shape::from([wide, hidden])),
            ("weight_ih", Some(weight_ih), Shape::from([wide, inputs])),
            ("bias_ih", bias.map(|both| both[0]), Shape::from([wide])),
            ("bias_hh", bias.map(|both| both[1]), Shape::from([wide])),
        ];
        let of_states =
            states.iter().map(|&state| ("first state", Some(state), Shape::from([batch, hidden])));
        for (name, tensor, shape) in of_weights.into_iter().chain(of_states) {
            if let Some(tensor) = tensor.filter(|tensor| *tensor.shape() != shape) {
                bail!(
                    Shape,
                    operation,
                    "a {name} of shape {} does not fit an input of shape {} and {hidden} hidden units: it must be {shape}",
                    tensor.shape(),
                    x.shape()
                );
            }
        }
        let inputs_of_operation: Vec<&Tensor> = [x]
            .into_iter()
            .chain(states.iter().copied())
            .chain([weight_ih, weight_hh])
            .chain(bias.into_iter().flatten())
            .collect();
        if !x.dtype().is_float() {
            bail!(DType, operation, "not defined for {}: convert it with to_dtype first", x.dtype());
        }
        if let Some(other) = inputs_of_operation.iter().find(|t| t.dtype() != x.dtype()) {
            bail!(
                DType,
                operation,
                "the input holds {}, another operand {}: convert one with to_dtype",
                x.dtype(),
                other.dtype()
            );
        }
        let values = contiguous(&inputs_of_operation)?;
        Ok(Operands {
            sizes: Sizes { times, batch, inputs, hidden, reverse },
            inputs: inputs_of_operation,
            values,
        })
    }

    /// `[T + count, B, width]`
    pub(crate) fn shape(&self, count: usize, width: usize) -> Shape {
        Shape::from([self.sizes.times + count, self.sizes.batch, width])
    }

    /// Memory for the states of all times, with the first one, which is this input, in its place.
    #[track_caller]
    pub(crate) fn states<T: FloatElement>(&self, operation: &str, input: usize) -> Result<Buffer<T>> {
        let mut states = self.shape(1, self.sizes.hidden).allocate::<T>(operation)?;
        let first = self.values[input].as_slice::<T>()?;
        states[self.sizes.first_state() * first.len()..][..first.len()].copy_from_slice(first);
        Ok(states)
    }

    /// The weights, which stand behind this many states.
    #[track_caller]
    pub(crate) fn weights<T: FloatElement>(&self, states: usize) -> Result<Weights<'_, T>> {
        weights(&self.values[1 + states..])
    }
}

/// Outside any graph.
#[track_caller]
pub(crate) fn contiguous(tensors: &[&Tensor]) -> Result<Vec<Tensor>> {
    tensors.iter().map(|t| t.detach().contiguous()).collect()
}

/// From `weight_ih`, `weight_hh` and perhaps both biases.
#[track_caller]
pub(crate) fn weights<T: FloatElement>(values: &[Tensor]) -> Result<Weights<'_, T>> {
    let bias = match values {
        [_, _, ih, hh] => Some([ih.as_slice()?, hh.as_slice()?]),
        _ => None,
    };
    Ok(Weights { ih: values[0].as_slice()?, hh: values[1].as_slice()?, bias })
}

/// The outputs `[T, B, H]` as a view of the states of all times.
pub(crate) fn outputs(states: &Tensor, sizes: &Sizes) -> Tensor {
    let shape = Shape::from([sizes.times, sizes.batch, sizes.hidden]);
    let strides = shape.contiguous_strides();
    states.view_as(shape, strides, sizes.first_output() * sizes.batch * sizes.hidden)
}

/// The last of the states of all times, `[B, H]`, as a view of them.
pub(crate) fn last(states: &Tensor, sizes: &Sizes) -> Tensor {
    let shape = Shape::from([sizes.batch, sizes.hidden]);
    let strides = shape.contiguous_strides();
    states.view_as(shape, strides, sizes.last_state() * sizes.batch * sizes.hidden)
}

/// Memory for the gradients of x, first state, weights and biases.
pub(crate) struct GradientMemory<T: FloatElement> {
    shapes: [Shape; 4],
    input: Option<Buffer<T>>,
    state: Buffer<T>,
    ih: Option<Buffer<T>>,
    hh: Option<Buffer<T>>,
    bias: Option<[Buffer<T>; 2]>,
}

impl<T: FloatElement + GemmNumber> GradientMemory<T> {
    /// For what is wanted of an operation with `states` states and `gates` gates.
    #[track_caller]
    pub(crate) fn new(
        operation: &str,
        ctx: &Context<'_>,
        sizes: &Sizes,
        [states, gates]: [usize; 2],
        bias: bool,
    ) -> Result<Self> {
        let &Sizes { times, batch, inputs, hidden, .. } = sizes;
        let shapes = [
            Shape::from([times, batch, inputs]),
            Shape::from([gates * hidden, inputs]),
            Shape::from([gates * hidden, hidden]),
            Shape::from([gates * hidden]),
        ];
        let wanted = |input: usize, shape: &Shape| match ctx.needs(input)? {
            true => shape.allocate::<T>(operation).map(Some),
            false => Ok(None),
        };
        let bias = bias && (ctx.needs(3 + states)? || ctx.needs(4 + states)?);
        let of_bias = || shapes[3].allocate::<T>(operation);
        Ok(GradientMemory {
            input: wanted(0, &shapes[0])?,
            state: Shape::from([batch, hidden]).allocate(operation)?,
            ih: wanted(1 + states, &shapes[1])?,
            hh: wanted(2 + states, &shapes[2])?,
            bias: if bias { Some([of_bias()?, of_bias()?]) } else { None },
            shapes,
        })
    }

    /// As what kernels write to.
    pub(crate) fn gradients(&mut self) -> Gradients<'_, T> {
        Gradients {
            input: self.input.as_deref_mut(),
            state: &mut self.state,
            ih: self.ih.as_deref_mut(),
            hh: self.hh.as_deref_mut(),
            bias: self.bias.as_mut().map(|[ih, hh]| [&mut ih[..], &mut hh[..]]),
        }
    }

    /// The gradients in the order of the inputs; `more` are those of states behind the first.
    pub(crate) fn into_tensors(
        self,
        more: impl IntoIterator<Item = Tensor>,
        bias: bool,
    ) -> Vec<Option<Tensor>> {
        let state = Shape::from([self.shapes[0][1], self.shapes[2][1]]);
        let [of_x, of_ih, of_hh, of_bias] = self.shapes;
        let tensor = |buffer: Option<Buffer<T>>, shape: &Shape| {
            buffer.map(|buffer| Tensor::from_parts(buffer, shape.clone()))
        };
        let mut grads = vec![tensor(self.input, &of_x), tensor(Some(self.state), &state)];
        grads.extend(more.into_iter().map(Some));
        grads.extend([tensor(self.ih, &of_ih), tensor(self.hh, &of_hh)]);
        if bias {
            let (ih, hh) = self.bias.map(|[ih, hh]| (ih, hh)).unzip();
            grads.extend([tensor(ih, &of_bias), tensor(hh, &of_bias)]);
        }
        grads
    }
}

/// A gradient that may be missing, as a kernel reads it.
#[track_caller]
pub(crate) fn incoming(ctx: &Context<'_>, output: usize) -> Result<Option<Tensor>> {
    ctx.grad_of(output)?.map(|grad| grad.detach().contiguous()).transpose()
}

/// The numbers of a gradient that may be missing.
#[track_caller]
pub(crate) fn slice<T: FloatElement>(grad: &Option<Tensor>) -> Result<Option<&[T]>> {
    grad.as_ref().map(Tensor::as_slice).transpose()
}

/// What there is for each time, in the order in which times are gone through.
#[track_caller]
pub(crate) fn in_order(x: &Tensor, reverse: bool) -> Result<Vec<Tensor>> {
    let mut times = x.unbind(0)?;
    if reverse {
        times.reverse();
    }
    Ok(times)
}

/// The gradient of an output, or zeros like another tensor.
#[track_caller]
pub(crate) fn grad_or_zeros(ctx: &Context<'_>, output: usize, like: &Tensor) -> Result<Tensor> {
    match ctx.grad_of(output)? {
        Some(grad) => Ok(grad.clone()),
        None => Tensor::zeros_like(&like.detach()),
    }
}

/// The gradients of what is multiplied, in tensor operations and in the order in which times are gone through: for each
/// time, those of the sums from the inputs and from the state, and the state before.
pub(crate) struct OfSums {
    pub(crate) of_inputs: Vec<Tensor>,
    pub(crate) of_states: Vec<Tensor>,
    pub(crate) before: Vec<Tensor>,
}

impl OfSums {
    /// The gradients in the order of the inputs, those of the first states being given.
    #[track_caller]
    pub(crate) fn gradients(
        mut self,
        x: &Tensor,
        states: Vec<Tensor>,
        weight_ih: &Tensor,
        reverse: bool,
        bias: bool,
    ) -> Result<Vec<Option<Tensor>>> {
        for list in [&mut self.of_inputs, &mut self.of_states, &mut self.before] {
            if reverse {
                list.reverse();
            }
        }
        let rows = |list: &[Tensor]| {
            let all = Tensor::stack(list, 0)?;
            let (rows, width) = (all.shape()[0] * all.shape()[1], all.shape()[2]);
            all.reshape([rows, width])
        };
        let (of_inputs, of_states) = (rows(&self.of_inputs)?, rows(&self.of_states)?);
        let inputs = x.reshape([of_inputs.shape()[0], x.shape()[2]])?;
        let mut grads = vec![Some(of_inputs.matmul(weight_ih)?.reshape(x.shape())?)];
        grads.extend(states.into_iter().map(Some));
        grads.push(Some(of_inputs.t()?.matmul(&inputs)?));
        grads.push(Some(of_states.t()?.matmul(&rows(&self.before)?)?));
        if bias {
            grads.push(Some(of_inputs.sum_dim(0, false)?));
            grads.push(Some(of_states.sum_dim(0, false)?));
        }
        Ok(grads)
    }
}

/// y·(1 − y), the derivative of sigmoid by its value.
#[track_caller]
pub(crate) fn of_sigmoid(y: &Tensor) -> Result<Tensor> {
    y.sub(&y.square()?)
}

/// 1 − y², the derivative of tanh by its value.
#[track_caller]
pub(crate) fn of_tanh(y: &Tensor) -> Result<Tensor> {
    y.square()?.neg()?.add(1.0)
}
