//! Writing.

use chainrule_kernels::Buffer;
use chainrule_tensor::{FloatElement, InOperation, Result, StateDict, Tensor, bail};

use super::{ALGORITHM, GROUPS, SavedGroup, SavedParameter, key};
use crate::Optimizer;
use crate::algorithm::{Algorithm, StateTensor};
use crate::slot::{Stored, with_state};

impl<A: Algorithm> Optimizer<A> {
    /// Everything that a later run needs to go on as if there had been no break: a copy of the state tensors,
    /// called `<parameter>.<state>` (`layer.weight.exp_avg`), and in the metadata the algorithm (`optimizer`)
    /// and the groups with options and step counts (`param_groups`, JSON).
    ///
    /// Parameters go by the names that their model gave them ([`Parameter::name`](chainrule_tensor::Parameter::name));
    /// those without are called `param.0`, `param.1`, … by their place in the optimizer.
    ///
    /// # Errors
    /// When two parameters have one name, as those of two layers have that were each asked for their parameters
    /// and are not parts of a model that was: ask the model too, or name them with `set_name`. When an option
    /// is out of its range or cannot be written as JSON, or there is no memory.
    #[track_caller]
    pub fn state_dict(&self) -> Result<StateDict> {
        let mut dict = StateDict::new();
        let mut groups = Vec::new();
        for (group, names) in self.groups.iter().zip(self.names("state_dict")?) {
            // JSON has no word for a NaN, and no state dict is written that could not be read.
            group.check()?;
            let wanted = group.options.state();
            let mut parameters = Vec::new();
            for (slot, name) in group.slots.iter().zip(names) {
                let state = with_state!(&slot.state, list => save(&mut dict, &name, list)?);
                let made = |tensor: &StateTensor| slot.steps == 0 || state.iter().any(|s| s == tensor.name);
                let missing = wanted.iter().filter(|tensor| (tensor.applies)(&slot.shape) && !made(tensor));
                let pending = missing.map(|tensor| tensor.name.to_string()).collect();
                parameters.push(SavedParameter {
                    name,
                    shape: slot.shape.to_vec(),
                    dtype: slot.parameter.dtype(),
                    steps: slot.steps,
                    state,
                    pending,
                });
            }
            groups.push(SavedGroup {
                name: group.name.clone(),
                options: group.options.clone(),
                initial_lr: group.initial_lr,
                parameters,
            });
        }
        let groups = match serde_json::to_string(&groups) {
            Ok(groups) => groups,
            Err(error) => bail!(Data, "state_dict", "the groups cannot be written as JSON: {error}"),
        };
        dict.metadata_mut().insert(ALGORITHM.to_string(), A::NAME.to_string());
        dict.metadata_mut().insert(GROUPS.to_string(), groups);
        Ok(dict)
    }
}

/// Adds the state tensors of a parameter; gives their names.
#[track_caller]
fn save<T: FloatElement>(dict: &mut StateDict, parameter: &str, state: &[Stored<T>]) -> Result<Vec<String>> {
    for stored in state {
        let values = Buffer::try_copy_of(&stored.values).in_operation("state_dict")?;
        let tensor = Tensor::from_buffer(values, stored.shape.clone())?;
        dict.insert(key(parameter, &stored.name), tensor)?;
    }
    Ok(state.iter().map(|stored| stored.name.clone()).collect())
}
