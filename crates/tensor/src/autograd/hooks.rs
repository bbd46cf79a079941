//! Hooks: functions that see, and may replace, a gradient when it is complete.

use std::sync::{Arc, Mutex, OnceLock, Weak};

use crate::Tensor;

type Hook = Box<dyn Fn(&Tensor) -> Option<Tensor> + Send + Sync>;
type List = Mutex<Vec<(u64, Arc<Hook>)>>;

/// The hooks of one tensor. Empty, as nearly always, it is one word.
#[derive(Default)]
pub(crate) struct Hooks(OnceLock<Arc<List>>);

impl Hooks {
    pub(crate) fn add(&self, hook: Hook) -> HookHandle {
        let list = self.0.get_or_init(Arc::default);
        let mut hooks = list.lock().unwrap_or_else(|e| e.into_inner());
        let id = hooks.last().map_or(0, |(last, _)| last + 1);
        hooks.push((id, Arc::new(hook)));
        HookHandle { list: Arc::downgrade(list), id }
    }

    /// The gradient after every hook, in the order in which they were registered.
    pub(crate) fn apply(&self, mut grad: Tensor) -> Tensor {
        if let Some(list) = self.0.get() {
            // A copy of the list, so that a hook may register or remove hooks.
            let hooks = list.lock().unwrap_or_else(|e| e.into_inner()).clone();
            for (_, hook) in hooks {
                if let Some(replacement) = hook(&grad) {
                    grad = replacement;
                }
            }
        }
        grad
    }
}

/// Removes its hook when asked to; dropping it leaves the hook in place (as PyTorch's handle does).
pub struct HookHandle {
    list: Weak<List>,
    id: u64,
}

impl HookHandle {
    /// Takes the hook away.
    pub fn remove(self) {
        if let Some(list) = self.list.upgrade() {
            list.lock().unwrap_or_else(|e| e.into_inner()).retain(|(id, _)| *id != self.id);
        }
    }
}
