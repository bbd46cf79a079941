//! [`PerGroup`]: one value for all parameter groups, or one for each.

use chainrule_tensor::{Result, bail};
use serde::{Deserialize, Serialize};

use crate::check;

/// One value for all parameter groups, or one for each in their order. Numbers are made from a number, an array or
/// a vector: `0.1.into()`, `[0.1, 0.01].into()`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PerGroup<T = f64> {
    /// The same for all.
    All(T),
    /// One for each.
    Each(Vec<T>),
}

impl<T> PerGroup<T> {
    /// The value of a group.
    #[track_caller]
    pub(crate) fn of(&self, scheduler: &str, name: &str, group: usize) -> Result<&T> {
        match self {
            PerGroup::All(value) => Ok(value),
            PerGroup::Each(values) => match values.get(group) {
                Some(value) => Ok(value),
                None => bail!(
                    Value,
                    scheduler,
                    "{name} has {} values, but there is a parameter group {group}",
                    values.len()
                ),
            },
        }
    }

    /// Checks that there is one for each of the optimizer's groups.
    #[track_caller]
    pub(crate) fn fits(&self, scheduler: &str, name: &str, groups: usize) -> Result<()> {
        match self {
            PerGroup::Each(values) if values.len() != groups => {
                bail!(Value, scheduler, "{name} has {} values for {groups} parameter groups", values.len())
            }
            _ => Ok(()),
        }
    }

    /// All values.
    fn values(&self) -> &[T] {
        match self {
            PerGroup::All(value) => std::slice::from_ref(value),
            PerGroup::Each(values) => values,
        }
    }
}

impl PerGroup {
    /// Refuses numbers that are negative or not finite.
    #[track_caller]
    pub(super) fn non_negative(&self, scheduler: &str, name: &str) -> Result<()> {
        for &value in self.values() {
            check::non_negative(scheduler, name, value)?;
        }
        Ok(())
    }
}

impl From<f64> for PerGroup {
    fn from(value: f64) -> Self {
        PerGroup::All(value)
    }
}

impl From<Vec<f64>> for PerGroup {
    fn from(values: Vec<f64>) -> Self {
        PerGroup::Each(values)
    }
}

impl<const N: usize> From<[f64; N]> for PerGroup {
    fn from(values: [f64; N]) -> Self {
        PerGroup::Each(values.to_vec())
    }
}
