//! [`Slot`]: a parameter with the state that an optimizer keeps for it.

use chainrule_kernels::gemm::GemmNumber;
use chainrule_kernels::{Buffer, Element};
use chainrule_tensor::{DType, FloatElement, Parameter, Shape, Tensor};

use crate::algorithm::{Algorithm, StateTensor, Update};
use crate::rows::{self, Incoming, Step};

/// A parameter, how often it was updated, and its state.
#[derive(Clone)]
pub(crate) struct Slot {
    pub(crate) parameter: Parameter,
    pub(crate) shape: Shape,
    pub(crate) numel: usize,
    /// How often the parameter was updated.
    pub(crate) steps: u64,
    pub(crate) state: State,
}

/// State tensors in the dtype of their parameter. First those that the options ask for, in their order; behind
/// them those that earlier options asked for, which wait with their values.
#[derive(Clone)]
pub(crate) enum State {
    F32(Vec<Stored<f32>>),
    F64(Vec<Stored<f64>>),
}

/// A state tensor of a parameter. The optimizer is its only owner, so it is always written in place.
#[derive(Clone)]
pub(crate) struct Stored<T: Element> {
    pub(crate) name: String,
    pub(crate) shape: Shape,
    pub(crate) values: Buffer<T>,
}

/// Runs a body with `$list` standing for the list of state tensors, whatever its dtype.
macro_rules! with_state {
    ($state:expr, $list:ident => $body:expr) => {
        match $state {
            $crate::slot::State::F32($list) => $body,
            $crate::slot::State::F64($list) => $body,
        }
    };
}
pub(crate) use with_state;

impl Slot {
    pub(crate) fn new(parameter: Parameter) -> Slot {
        let shape = parameter.shape();
        let state = match parameter.dtype() {
            DType::F64 => State::F64(Vec::new()),
            _ => State::F32(Vec::new()),
        };
        Slot { numel: shape.numel(), parameter, shape, steps: 0, state }
    }

    /// Updates the parameter by a gradient of its dtype.
    pub(crate) fn update<A: Algorithm>(
        &mut self,
        gradient: &mut Incoming,
        options: &A,
        wanted: &[StateTensor],
    ) {
        let Slot { parameter, shape, steps, state, .. } = self;
        let step = *steps + 1;
        match (gradient, state) {
            (Incoming::Whole(gradient), state) => {
                with_state!(state, list => update(options, wanted, parameter, gradient, shape, step, list));
            }
            (Incoming::Rows(gradient, State::F32(memory)), State::F32(list)) => {
                let (_, fresh) = prepare(list, wanted, shape);
                rows::update(options, parameter, gradient, memory, list, Step { step, fresh });
            }
            (Incoming::Rows(gradient, State::F64(memory)), State::F64(list)) => {
                let (_, fresh) = prepare(list, wanted, shape);
                rows::update(options, parameter, gradient, memory, list, Step { step, fresh });
            }
            (Incoming::Rows(..), _) => unreachable!("the memory is of the state's dtype"),
        }
        *steps = step;
    }
}

fn update<A: Algorithm, T: FloatElement + GemmNumber>(
    options: &A,
    wanted: &[StateTensor],
    parameter: &Parameter,
    gradient: &Tensor,
    shape: &Shape,
    step: u64,
    state: &mut Vec<Stored<T>>,
) {
    let grad = gradient.as_slice::<T>().expect("a gradient that was checked");
    let (count, fresh) = prepare(state, wanted, shape);
    let change = |value: &mut [T]| {
        let state = &mut state[..count];
        options.update(Update { value, grad, state, shape, step, fresh });
    };
    parameter.update(change).expect("a parameter keeps its dtype");
}

/// Brings the state tensors that are wanted to the front, in order, and makes those that are missing; gives their
/// number, and says whether any was missing.
fn prepare<T: FloatElement>(
    state: &mut Vec<Stored<T>>,
    wanted: &[StateTensor],
    shape: &Shape,
) -> (usize, bool) {
    let (mut count, mut fresh) = (0, false);
    for tensor in wanted.iter().filter(|tensor| (tensor.applies)(shape)) {
        let place = count;
        count += 1;
        if state.get(place).is_some_and(|s| s.name == tensor.name) {
            continue;
        }
        let found = state.iter().position(|s| s.name == tensor.name);
        let stored = match found {
            Some(at) => state.remove(at),
            None => {
                fresh = true;
                let shape = (tensor.shape)(shape);
                let values = Buffer::filled(shape.numel(), T::of(tensor.initial));
                Stored { name: tensor.name.to_string(), shape, values }
            }
        };
        state.insert(place, stored);
    }
    (count, fresh)
}
