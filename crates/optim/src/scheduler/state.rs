//! The state of a scheduler as JSON, with its name in it.

use chainrule_tensor::{Result, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::LrScheduler;

#[derive(Serialize)]
struct Named<'a, T> {
    scheduler: &'a str,
    #[serde(flatten)]
    state: &'a T,
}

#[track_caller]
pub(super) fn write<T: Serialize>(name: &str, state: &T) -> Result<String> {
    match serde_json::to_string(&Named { scheduler: name, state }) {
        Ok(json) => Ok(json),
        Err(error) => bail!(Data, name, "the state cannot be written as JSON: {error}"),
    }
}

/// The state of the scheduler of that name; an error where it is another's.
#[track_caller]
pub(super) fn read<T: DeserializeOwned>(name: &str, json: &str) -> Result<T> {
    #[derive(Deserialize)]
    struct Name {
        scheduler: String,
    }
    match serde_json::from_str::<Name>(json) {
        Ok(Name { scheduler }) if scheduler == name => {}
        Ok(Name { scheduler }) => bail!(Data, name, "the state is of {scheduler}"),
        Err(error) => bail!(Data, name, "the state cannot be read: {error}"),
    }
    match serde_json::from_str(json) {
        Ok(state) => Ok(state),
        Err(error) => bail!(Data, name, "the state cannot be read: {error}"),
    }
}

/// The states of several schedulers.
#[track_caller]
pub(super) fn write_all(name: &str, schedulers: &[Box<dyn LrScheduler>]) -> Result<Vec<Value>> {
    let mut states = Vec::with_capacity(schedulers.len());
    for scheduler in schedulers {
        match serde_json::from_str(&scheduler.state_dict()?) {
            Ok(state) => states.push(state),
            Err(error) => bail!(Data, name, "the state of a scheduler is not JSON: {error}"),
        }
    }
    Ok(states)
}

/// Copies of schedulers, with these states.
#[track_caller]
pub(super) fn read_all(
    name: &str,
    schedulers: &[Box<dyn LrScheduler>],
    states: &[Value],
) -> Result<Vec<Box<dyn LrScheduler>>> {
    if states.len() != schedulers.len() {
        bail!(Data, name, "the state is of {} schedulers instead of {}", states.len(), schedulers.len());
    }
    let mut loaded = schedulers.to_vec();
    for (scheduler, state) in loaded.iter_mut().zip(states) {
        scheduler.load_state_dict(&state.to_string())?;
    }
    Ok(loaded)
}
