//! The state dict of an optimizer: state tensors under the name of their parameter, the rest as JSON in the
//! metadata.

mod load;
mod save;

use std::collections::HashSet;

use chainrule_tensor::DType;
use serde::{Deserialize, Serialize};

use crate::Optimizer;
use crate::algorithm::Algorithm;

/// Metadata key of the algorithm's name.
const ALGORITHM: &str = "optimizer";
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
}

/// The name of a state tensor in the dict. The state's own name has no dot, so no two are the same.
fn key(parameter: &str, state: &str) -> String {
    format!("{parameter}.{state}")
}

impl<A: Algorithm> Optimizer<A> {
    /// The name of each parameter, group by group: that of its model, else by its place. Each is used once.
    pub(crate) fn names(&self) -> Vec<Vec<String>> {
        let mut taken = HashSet::new();
        let mut place = 0;
        let mut name_of = |name: Option<&str>| {
            let wanted = name.map_or_else(|| format!("param.{place}"), str::to_string);
            place += 1;
            let again = (2..).map(|n| format!("{wanted}#{n}"));
            let mut names = std::iter::once(wanted.clone()).chain(again);
            names.find(|name| taken.insert(name.clone())).unwrap_or(wanted)
        };
        let names = |slots: &[crate::slot::Slot]| slots.iter().map(|s| name_of(s.parameter.name())).collect();
        self.groups.iter().map(|group| &group.slots[..]).map(names).collect()
    }
}
