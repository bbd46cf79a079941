//! Saving and going on.

use std::sync::Arc;

use chainrule_kernels::Buffer;
use chainrule_tensor::{DType, FloatElement, Parameter, Result, Shape, StateDict, Tensor, bail};
use serde::{Deserialize, Serialize};

use super::solver::{Difference, Solver};
use super::{AnySolver, Lbfgs, LbfgsOptions, NAME, with_solver};
use crate::state_dict::{ALGORITHM, unique_names};

/// Metadata key of everything but vectors.
const STATE: &str = "lbfgs";

#[derive(Serialize, Deserialize)]
struct Saved {
    options: LbfgsOptions,
    initial_lr: Option<f64>,
    parameters: Vec<SavedParameter>,
    n_iter: u64,
    func_evals: u64,
    #[serde(with = "crate::any_number")]
    t: f64,
    #[serde(with = "crate::any_number")]
    prev_loss: f64,
    #[serde(rename = "H_diag", with = "crate::any_number")]
    diagonal: f64,
    ro: Vec<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct SavedParameter {
    name: String,
    shape: Vec<usize>,
    dtype: DType,
}

impl Lbfgs {
    #[track_caller]
    fn describe(&self, operation: &str) -> Result<Vec<SavedParameter>> {
        let names = unique_names(operation, self.parameters.iter())?;
        let describe = |(parameter, name): (&Parameter, String)| SavedParameter {
            name,
            shape: parameter.shape().to_vec(),
            dtype: parameter.dtype(),
        };
        Ok(self.parameters.iter().zip(names).map(describe).collect())
    }

    /// Everything that a later run needs to go on as if there had been no break. Over all parameters, one after the
    /// other: the last direction (`d`), the gradient where it began (`prev_flat_grad`), and the differences of
    /// gradients and points (`old_dirs`, `old_stps`, `[differences, numbers]`); in the metadata (`lbfgs`, JSON) the
    /// options, the counts, and the names and shapes of the parameters.
    ///
    /// # Errors
    /// When two parameters have one name, an option is out of its range, or there is no memory.
    #[track_caller]
    pub fn state_dict(&self) -> Result<StateDict> {
        // JSON has no word for a NaN, and no state dict is written that could not be read.
        self.options.check(self.scheduled_lr)?;
        let parameters = self.describe("state_dict")?;
        let mut dict = StateDict::new();
        let saved = with_solver!(&self.solver, solver => {
            save(&mut dict, solver)?;
            Saved {
                options: self.options.clone(),
                initial_lr: self.initial_lr,
                parameters,
                n_iter: solver.n_iter,
                func_evals: solver.func_evals,
                t: solver.t,
                prev_loss: solver.loss,
                diagonal: solver.diagonal,
                ro: solver.history.iter().map(|difference| difference.rho).collect(),
            }
        });
        let json = match serde_json::to_string(&saved) {
            Ok(json) => json,
            Err(error) => bail!(Data, "state_dict", "the state cannot be written as JSON: {error}"),
        };
        dict.metadata_mut().insert(ALGORITHM.to_string(), NAME.to_string());
        dict.metadata_mut().insert(STATE.to_string(), json);
        Ok(dict)
    }

    /// Takes over a state dict. Parameters are found by name, so they may be in another order than they were; sums
    /// over them are then made in another order too, so results may differ in the last digits.
    ///
    /// # Errors
    /// When the state dict is of another optimizer or cannot be read, when the names, shapes or dtypes of the
    /// parameters differ, or when a vector is missing, left over or of another size; nothing changes then.
    #[track_caller]
    pub fn load_state_dict(&mut self, dict: &StateDict) -> Result<()> {
        const OPERATION: &str = "load_state_dict";
        match dict.metadata().get(ALGORITHM).map_or("", String::as_str) {
            NAME => {}
            "" => bail!(Data, OPERATION, "the state dict is not that of an optimizer"),
            name => bail!(Data, OPERATION, "the state dict is of {name}, the optimizer is {NAME}"),
        }
        let json = dict.metadata().get(STATE).map_or("", String::as_str);
        let saved: Saved = match serde_json::from_str(json) {
            Ok(saved) => saved,
            Err(error) => bail!(Data, OPERATION, "the state cannot be read: {error}"),
        };
        // Such as a scheduler left it: else it could not have been saved.
        let scheduled_lr = Some(saved.options.lr);
        if let Err(error) = saved.options.check(scheduled_lr) {
            bail!(Data, OPERATION, "{}", error.message());
        }
        let order = order(&self.describe(OPERATION)?, &saved.parameters)?;
        self.solver = match &self.solver {
            AnySolver::F32(_) => AnySolver::F32(load(dict, &saved, &order)?),
            AnySolver::F64(_) => AnySolver::F64(load(dict, &saved, &order)?),
        };
        self.options = saved.options;
        self.initial_lr = saved.initial_lr;
        self.scheduled_lr = scheduled_lr;
        Ok(())
    }
}

#[track_caller]
fn save<T: FloatElement>(dict: &mut StateDict, solver: &Solver<T>) -> Result<()> {
    let length = solver.grad.len();
    if solver.n_iter > 0 {
        dict.insert("d", copy([&*solver.direction], &[length])?)?;
        dict.insert("prev_flat_grad", copy([&*solver.grad], &[length])?)?;
        let shape = [solver.history.len(), length];
        dict.insert("old_dirs", copy(solver.history.iter().map(|d| &d.of_gradients), &shape)?)?;
        dict.insert("old_stps", copy(solver.history.iter().map(|d| &d.of_points), &shape)?)?;
    }
    Ok(())
}

/// Vectors as a tensor, whose last dimension is as long as they are.
#[track_caller]
fn copy<'a, T: FloatElement>(
    vectors: impl IntoIterator<Item = &'a Buffer<T>>,
    shape: &[usize],
) -> Result<Tensor> {
    let shape = Shape::from(shape);
    let mut values = shape.allocate::<T>("state_dict")?;
    let mut rest = &mut values[..];
    for vector in vectors {
        let (part, behind) = rest.split_at_mut(vector.len());
        part.copy_from_slice(vector);
        rest = behind;
    }
    Tensor::from_buffer(values, shape)
}

/// Where the numbers of each parameter are in the saved vectors.
#[track_caller]
fn order(here: &[SavedParameter], saved: &[SavedParameter]) -> Result<Vec<std::ops::Range<usize>>> {
    if let Some(unexpected) = saved.iter().find(|s| !here.contains(s)) {
        bail!(
            Data,
            "load_state_dict",
            "the optimizer has no parameter {} of shape {} ({})",
            unexpected.name,
            Shape::from(&unexpected.shape[..]),
            unexpected.dtype
        );
    }
    // All shapes are those of parameters that there are.
    let numel = |parameter: &SavedParameter| parameter.shape.iter().product::<usize>();
    let mut ranges = Vec::with_capacity(here.len());
    for parameter in here {
        let Some(place) = saved.iter().position(|s| s == parameter) else {
            bail!(
                Data,
                "load_state_dict",
                "the state dict has no parameter {} of shape {} ({})",
                parameter.name,
                Shape::from(&parameter.shape[..]),
                parameter.dtype
            );
        };
        let start = saved[..place].iter().map(numel).sum();
        ranges.push(start..start + numel(parameter));
    }
    if saved.len() != here.len() {
        bail!(Data, "load_state_dict", "a parameter occurs twice in the state dict");
    }
    Ok(ranges)
}

#[track_caller]
fn load<T: FloatElement>(
    dict: &StateDict,
    saved: &Saved,
    order: &[std::ops::Range<usize>],
) -> Result<Solver<T>> {
    let mut solver = Solver {
        n_iter: saved.n_iter,
        func_evals: saved.func_evals,
        t: saved.t,
        loss: saved.prev_loss,
        diagonal: saved.diagonal,
        ..Solver::default()
    };
    let names: &[&str] =
        if saved.n_iter > 0 { &["d", "prev_flat_grad", "old_dirs", "old_stps"] } else { &[] };
    if let Some(unexpected) = dict.names().find(|name| !names.contains(name)) {
        bail!(Data, "load_state_dict", "unexpected tensor {unexpected}");
    }
    if saved.n_iter > 0 {
        let numbers: usize = order.iter().map(ExactSizeIterator::len).sum();
        let shape = [saved.ro.len(), numbers];
        solver.direction = Arc::new(Buffer::from_vec(read(dict, "d", &[numbers], order)?.concat()));
        solver.grad = Arc::new(Buffer::from_vec(read(dict, "prev_flat_grad", &[numbers], order)?.concat()));
        let of_gradients = read(dict, "old_dirs", &shape, order)?;
        let of_points = read(dict, "old_stps", &shape, order)?;
        for ((of_gradients, of_points), &rho) in of_gradients.into_iter().zip(of_points).zip(&saved.ro) {
            let (of_gradients, of_points) = (Buffer::from_vec(of_gradients), Buffer::from_vec(of_points));
            solver.history.push_back(Arc::new(Difference { of_gradients, of_points, rho }));
        }
    }
    Ok(solver)
}

/// The vectors in a tensor of a shape, each with its parts in the order of the parameters here.
#[track_caller]
fn read<T: FloatElement>(
    dict: &StateDict,
    name: &str,
    shape: &[usize],
    order: &[std::ops::Range<usize>],
) -> Result<Vec<Vec<T>>> {
    let Some(tensor) = dict.get(name) else {
        bail!(Data, "load_state_dict", "missing tensor {name}");
    };
    if tensor.shape()[..] != *shape || tensor.dtype() != T::DTYPE {
        bail!(
            Data,
            "load_state_dict",
            "{name} has shape {} ({}) instead of {} ({})",
            tensor.shape(),
            tensor.dtype(),
            Shape::from(shape),
            T::DTYPE
        );
    }
    let arrange = |vector: &[T]| order.iter().flat_map(|range| &vector[range.clone()]).copied().collect();
    Ok(tensor.to_vec::<T>()?.chunks(shape.last().map_or(1, |&n| n.max(1))).map(arrange).collect())
}
