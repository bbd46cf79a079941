//! The state dict of an optimizer: state tensors under the name of their parameter, the rest as JSON in the
//! metadata.

mod load;
mod save;

use std::collections::HashSet;
use std::hash::Hash;

use chainrule_tensor::{DType, Parameter, Result, bail};
use serde::{Deserialize, Serialize};

use crate::Optimizer;
use crate::algorithm::Algorithm;
use crate::optimizer::name_at;

/// Metadata key of the algorithm's name.
pub(crate) const ALGORITHM: &str = "optimizer";
/// Metadata key of the groups.
const GROUPS: &str = "param_groups";

#[derive(Serialize, Deserialize)]
struct SavedGroup<A> {
    name: Option<String>,
    options: A,
    initial_lr: Option<f64>,
    parameters: Vec<SavedParameter>,
}

#[derive(Serialize, Deserialize)]
struct SavedParameter {
    name: String,
    shape: Vec<usize>,
    dtype: DType,
    steps: u64,
    /// The names of its state tensors.
    state: Vec<String>,
    /// State tensors that the options ask for since the last step: the next one makes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pending: Vec<String>,
}

/// The name of a state tensor in the dict. The state's own name has no dot, so no two are the same.
fn key(parameter: &str, state: &str) -> String {
    format!("{parameter}.{state}")
}

impl<A: Algorithm> Optimizer<A> {
    /// The name of each parameter, group by group: that of its model, else by its place.
    ///
    /// # Errors
    /// When two are the same.
    #[track_caller]
    fn names(&self, operation: &str) -> Result<Vec<Vec<String>>> {
        let mut names = unique_names(operation, self.slots().map(|slot| &slot.parameter))?.into_iter();
        Ok(self.groups.iter().map(|group| names.by_ref().take(group.slots.len()).collect()).collect())
    }
}

/// The names of parameters, by which their state is kept.
///
/// # Errors
/// When two are the same.
#[track_caller]
pub(crate) fn unique_names<'a>(
    operation: &str,
    parameters: impl Iterator<Item = &'a Parameter>,
) -> Result<Vec<String>> {
    let names: Vec<String> = parameters.enumerate().map(|(place, p)| name_at(place, p)).collect();
    if let Some(name) = repeated(&names) {
        bail!(
            Value,
            operation,
            "two parameters are called {name}, and state is kept by name: ask the whole model for its parameters \
             (`parameters()`) first, which gives each its path, or name them with `set_name`"
        );
    }
    Ok(names)
}

/// The first that is there a second time.
fn repeated<T: Eq + Hash>(items: impl IntoIterator<Item = T>) -> Option<T> {
    let mut seen = HashSet::new();
    items.into_iter().find_map(|item| seen.replace(item))
}
