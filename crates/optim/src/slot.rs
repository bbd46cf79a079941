//! [`Slot`]: a parameter with the state that an optimizer keeps for it.

use chainrule_kernels::gemm::GemmNumber;
use chainrule_kernels::{Buffer, Element};
use chainrule_tensor::{DType, FloatElement, Parameter, Result, Shape, Tensor, bail};

use crate::algorithm::{Algorithm, Memory, Scratch, StateTensor, Update};
use crate::rows::{self, Incoming, Step};
use crate::workspace::{Numbers, Workspace};

/// A parameter, how often it was updated, and its state.
#[derive(Clone)]
pub(crate) struct Slot {
    pub(crate) parameter: Parameter,
    pub(crate) shape: Shape,
    pub(crate) numel: usize,
    /// How often the parameter was updated.
    pub(crate) steps: u64,
    /// Whether a state tensor was made for the update that comes.
    pub(crate) fresh: bool,
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
        Slot { numel: shape.numel(), parameter, shape, steps: 0, fresh: false, state }
    }

    /// Sees to it that an update can no longer fail: makes the values the parameter's own, and the state tensors that
    /// are wanted and missing, which it returns. As far as values go, nothing changes.
    #[track_caller]
    pub(crate) fn prepare(&self, algorithm: &str, wanted: &[StateTensor]) -> Result<State> {
        match &self.state {
            State::F32(list) => Ok(State::F32(self.missing(algorithm, list, wanted)?)),
            State::F64(list) => Ok(State::F64(self.missing(algorithm, list, wanted)?)),
        }
    }

    #[track_caller]
    fn missing<T: FloatElement>(
        &self,
        algorithm: &str,
        state: &[Stored<T>],
        wanted: &[StateTensor],
    ) -> Result<Vec<Stored<T>>> {
        let mut missing = Vec::new();
        for tensor in wanted.iter().filter(|tensor| (tensor.applies)(&self.shape)) {
            let shape = (tensor.shape)(&self.shape);
            match state.iter().find(|s| s.name == tensor.name) {
                Some(stored) if stored.shape == shape => {}
                Some(stored) => {
                    bail!(
                        Shape,
                        algorithm,
                        "its {} has shape {} instead of {shape}",
                        tensor.name,
                        stored.shape
                    );
                }
                None => {
                    let mut values = shape.allocate::<T>(algorithm)?;
                    values.fill(T::of(tensor.initial));
                    missing.push(Stored { name: tensor.name.to_string(), shape, values });
                }
            }
        }
        self.parameter.update(|_: &mut [T]| ())?;
        Ok(missing)
    }

    /// Takes over the state tensors that were missing.
    pub(crate) fn install(&mut self, missing: State) {
        self.fresh = match (&mut self.state, missing) {
            (State::F32(list), State::F32(missing)) => add(list, missing),
            (State::F64(list), State::F64(missing)) => add(list, missing),
            _ => false,
        };
    }

    /// Updates the parameter, which was prepared, by a gradient of its shape and dtype.
    ///
    /// # Errors
    /// When another thread has taken the values since, and there is no memory for a copy.
    pub(crate) fn update<A: Algorithm>(
        &mut self,
        gradient: &mut Incoming,
        options: &A,
        wanted: &[StateTensor],
        workspace: &mut Workspace,
    ) -> Result<()> {
        let Slot { parameter, shape, steps, fresh, state, .. } = self;
        // A count from elsewhere may be anything; the limit for many steps is right for more than can be counted.
        let (step, fresh) = (steps.saturating_add(1), *fresh);
        let Workspace { f32, f64, sums } = workspace;
        match gradient {
            Incoming::Whole(gradient) => {
                let scratch = options.scratch(shape);
                let of = Of { parameter, gradient, shape, step, fresh };
                match state {
                    State::F32(list) => update(options, wanted, of, list, memory(f32, sums, scratch))?,
                    State::F64(list) => update(options, wanted, of, list, memory(f64, sums, scratch))?,
                }
            }
            Incoming::Rows(gradient, memory) => match (memory, state) {
                (State::F32(memory), State::F32(list)) => {
                    let count = sort(list, wanted, shape);
                    rows::update(options, parameter, gradient, memory, &mut list[..count], Step { step, fresh })?;
                }
                (State::F64(memory), State::F64(list)) => {
                    let count = sort(list, wanted, shape);
                    rows::update(options, parameter, gradient, memory, &mut list[..count], Step { step, fresh })?;
                }
                _ => unreachable!("the memory is of the state's dtype"),
            },
        }
        *steps = step;
        Ok(())
    }
}

fn memory<'a, T: Element>(
    values: &'a mut Numbers<T>,
    sums: &'a mut Numbers<f64>,
    scratch: Scratch,
) -> Memory<'a, T> {
    Memory { values: values.first(scratch.values), sums: sums.first(scratch.sums) }
}

/// Says whether any were added.
fn add<T: Element>(list: &mut Vec<Stored<T>>, mut missing: Vec<Stored<T>>) -> bool {
    let any = !missing.is_empty();
    list.append(&mut missing);
    any
}

/// What an update is of.
struct Of<'a> {
    parameter: &'a Parameter,
    gradient: &'a Tensor,
    shape: &'a Shape,
    step: u64,
    fresh: bool,
}

fn update<A: Algorithm, T: FloatElement + GemmNumber>(
    options: &A,
    wanted: &[StateTensor],
    Of { parameter, gradient, shape, step, fresh }: Of<'_>,
    state: &mut [Stored<T>],
    scratch: Memory<'_, T>,
) -> Result<()> {
    let grad = gradient.as_slice::<T>()?;
    let count = sort(state, wanted, shape);
    let change = |value: &mut [T]| {
        let state = &mut state[..count];
        options.update(Update { value, grad, state, shape, step, fresh, scratch });
    };
    parameter.update(change)
}

/// Brings the state tensors that are wanted to the front, in order; gives their number.
fn sort<T: FloatElement>(state: &mut [Stored<T>], wanted: &[StateTensor], shape: &Shape) -> usize {
    let mut count = 0;
    for tensor in wanted.iter().filter(|tensor| (tensor.applies)(shape)) {
        let place = count;
        count += 1;
        if let Some(ahead) = state[place..].iter().position(|s| s.name == tensor.name) {
            state[place..=place + ahead].rotate_right(1);
        }
    }
    count
}
