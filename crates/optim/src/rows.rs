//! Steps by the few rows of a parameter that have a gradient, all others being left alone.

use chainrule_kernels::{Element, index, norm::norm};
use chainrule_tensor::autograd::RowGradient;
use chainrule_tensor::{FloatElement, Parameter, Result, Shape, Tensor, dispatch_float};

use crate::algorithm::{Algorithm, Memory, Update};
use crate::slot::{Slot, State, Stored, with_state};

/// The gradient by which a parameter is updated, with all the memory that takes.
pub(crate) enum Incoming {
    /// A contiguous tensor of the parameter's shape and dtype.
    Whole(Tensor),
    /// Some rows, and memory for what these rows have of the value (first) and of the state.
    Rows(RowGradient, State),
}

impl Incoming {
    /// The gradient of a parameter, if it has one.
    #[track_caller]
    pub(crate) fn of<A: Algorithm>(slot: &Slot, options: &A) -> Result<Option<Incoming>> {
        if with_state!(&slot.state, list => skips_zeros(options, list))
            && let Some(rows) = slot.parameter.row_gradient()?
        {
            let count = 1 + options.state().len();
            let shape = rows.values().shape();
            let memory = with_state!(&slot.state, list => memory(A::NAME, shape, count, list)?);
            return Ok(Some(Incoming::Rows(rows, memory)));
        }
        let whole = slot.parameter.try_grad()?.map(|grad| grad.detach().contiguous()).transpose()?;
        Ok(whole.map(Incoming::Whole))
    }
}

/// [`Algorithm::skips_zeros`] for the dtype of a list of state tensors.
fn skips_zeros<A: Algorithm, T: FloatElement>(options: &A, _: &[Stored<T>]) -> bool {
    options.skips_zeros::<T>()
}

/// Memory for some tensors of a shape, in the dtype of a list of state tensors.
#[track_caller]
fn memory<T: FloatElement>(name: &str, shape: &Shape, count: usize, _: &[Stored<T>]) -> Result<State>
where
    State: From<Vec<Stored<T>>>,
{
    let mut tensors = Vec::with_capacity(count);
    for _ in 0..count {
        tensors.push(Stored { name: String::new(), shape: shape.clone(), values: shape.allocate(name)? });
    }
    Ok(tensors.into())
}

impl From<Vec<Stored<f32>>> for State {
    fn from(list: Vec<Stored<f32>>) -> State {
        State::F32(list)
    }
}

impl From<Vec<Stored<f64>>> for State {
    fn from(list: Vec<Stored<f64>>) -> State {
        State::F64(list)
    }
}

/// What a step has to know beside its gradient.
pub(crate) struct Step {
    pub(crate) step: u64,
    pub(crate) fresh: bool,
}

/// Updates rows: they are taken out, updated as if they were all that there is, and put back.
pub(crate) fn update<A: Algorithm, T: FloatElement + chainrule_kernels::gemm::GemmNumber>(
    options: &A,
    parameter: &Parameter,
    gradient: &RowGradient,
    memory: &mut [Stored<T>],
    state: &mut [Stored<T>],
    Step { step, fresh }: Step,
) -> Result<()> {
    let rows = gradient.rows().as_slice::<i64>()?;
    let grad = gradient.values().as_slice::<T>()?;
    let Some((value, parts)) = memory.split_first_mut() else { return Ok(()) };
    if grad.is_empty() {
        return Ok(());
    }
    let width = grad.len() / rows.len();
    let take = |whole: &[T], part: &mut [T]| {
        index::index_select(whole, [1, whole.len() / width, width], rows, part);
    };
    for (state, part) in state.iter().zip(parts.iter_mut()) {
        take(&state.values, &mut part.values);
    }
    let change = |values: &mut [T]| {
        take(values, &mut value.values);
        let shape = &value.shape;
        let scratch = Memory::default();
        options.update(Update { value: &mut value.values, grad, state: parts, shape, step, fresh, scratch });
        index::put_rows(values, width, rows, &value.values);
    };
    parameter.update(change)?;
    for (state, part) in state.iter_mut().zip(&*parts) {
        index::put_rows(&mut state.values, width, rows, &part.values);
    }
    Ok(())
}

/// The numbers in which a norm is added up before these sums are.
const BLOCK: usize = 32_768;

/// The norm of a gradient of `numel` numbers that is zero but for some rows: the same bits as that of the whole, since
/// zeros change no sum once whole blocks of them are left out.
#[track_caller]
pub(crate) fn norm_of_rows(gradient: &RowGradient, numel: usize, norm_type: f64) -> Result<f64> {
    let rows = gradient.rows().as_slice::<i64>()?;
    let count = gradient.values().numel();
    if count == 0 {
        return Ok(0.0);
    }
    let width = count / rows.len();
    let blocks = |row: i64| {
        let first = row as usize * width;
        first / BLOCK..=(first + width - 1) / BLOCK
    };
    let mut touched: Vec<usize> = rows.iter().flat_map(|&row| blocks(row)).collect();
    touched.dedup();
    // An extreme value or a sum of infinities is the same for one zero as for many.
    let all_zero = (0..numel.div_ceil(BLOCK)).find(|block| touched.binary_search(block).is_err());
    if let Some(block) = all_zero {
        let place = touched.partition_point(|&other| other < block);
        touched.insert(place, block);
    }
    let size = |block: usize| BLOCK.min(numel - block * BLOCK);
    let len = touched.iter().map(|&block| size(block)).sum::<usize>();
    dispatch_float!(gradient.values().dtype(), T => {
        let mut x = Shape::from([len]).allocate::<T>("clip_grad_norm_")?;
        x.fill(T::ZERO);
        let values = gradient.values().as_slice::<T>()?;
        for (&row, values) in rows.iter().zip(values.chunks_exact(width)) {
            // Blocks that a row reaches into are neighbours here too.
            let first = row as usize * width;
            let block = touched.partition_point(|&block| block < first / BLOCK);
            x[block * BLOCK + first % BLOCK..][..width].copy_from_slice(values);
        }
        Ok(norm(&x, norm_type))
    })
}
