//! Hooks: functions that see, and may replace, a gradient when it is complete.

use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Mutex, OnceLock, Weak};

use super::is_grad_enabled;
use crate::{Error, ErrorKind, Result, Tensor};

type Function = dyn Fn(&Tensor) -> Result<Option<Tensor>> + Send + Sync;
type List = Mutex<Vec<Hook>>;

#[derive(Clone)]
struct Hook {
    id: u64,
    function: Arc<Function>,
    /// Where it was registered.
    location: &'static Location<'static>,
}

/// The hooks of one tensor. Empty, as nearly always, it is one word.
#[derive(Default)]
pub(crate) struct Hooks(OnceLock<Arc<List>>);

impl Hooks {
    pub(crate) fn add(&self, function: Arc<Function>, location: &'static Location<'static>) -> HookHandle {
        let list = self.0.get_or_init(Arc::default);
        let mut hooks = list.lock().unwrap_or_else(|e| e.into_inner());
        let id = hooks.last().map_or(0, |last| last.id + 1);
        hooks.push(Hook { id, function, location });
        HookHandle { list: Arc::downgrade(list), id }
    }

    /// Whether no hook was ever registered.
    pub(super) fn are_none(&self) -> bool {
        self.0.get().is_none()
    }

    /// The gradient after every hook, in the order in which they were registered. `tensor` says in words whose
    /// gradient it is.
    pub(super) fn apply(&self, mut grad: Tensor, tensor: &dyn fmt::Display) -> Result<Tensor> {
        if let Some(list) = self.0.get() {
            // A copy of the list, so that a hook may register or remove hooks.
            let hooks = list.lock().unwrap_or_else(|e| e.into_inner()).clone();
            for hook in hooks {
                if let Some(replacement) = hook.call(&grad, tensor)? {
                    grad = replacement;
                }
            }
        }
        Ok(grad)
    }
}

impl Hook {
    fn call(&self, grad: &Tensor, tensor: &dyn fmt::Display) -> Result<Option<Tensor>> {
        let at = self.location;
        let result = (self.function)(grad).map_err(|error| {
            error.context(format!(
                "in the hook on {tensor}, registered at {}:{}:{}",
                at.file(),
                at.line(),
                at.column()
            ))
        })?;
        let Some(replacement) = &result else { return Ok(None) };
        let (kind, given, wanted) = if replacement.shape() != grad.shape() {
            (
                ErrorKind::Shape,
                format!("of shape {}", replacement.shape()),
                format!("of shape {}", grad.shape()),
            )
        } else if replacement.dtype() != grad.dtype() {
            (ErrorKind::DType, format!("of {}", replacement.dtype()), format!("of {}", grad.dtype()))
        } else {
            return Ok(result.map(untracked));
        };
        let message = format!("the hook on {tensor} gave a gradient {given} for one {wanted}");
        Err(Error::at(kind, "register_hook", message, at))
    }
}

/// A gradient for a pass that is not recorded has no graph, whatever it was taken from.
pub(super) fn untracked(grad: Tensor) -> Tensor {
    if grad.edge().is_none() || is_grad_enabled() { grad } else { grad.detach() }
}

/// Removes its hook when asked to; dropping it leaves the hook in place (as PyTorch's handle does).
pub struct HookHandle {
    list: Weak<List>,
    id: u64,
}

impl HookHandle {
    /// Takes the hook away.
    pub fn remove(self) {
        let Some(list) = self.list.upgrade() else { return };
        let mut hooks = list.lock().unwrap_or_else(|e| e.into_inner());
        let removed = hooks.iter().position(|hook| hook.id == self.id).map(|place| hooks.remove(place));
        // The function is dropped after the lock, since it may hold anything.
        drop(hooks);
        drop(removed);
    }
}
