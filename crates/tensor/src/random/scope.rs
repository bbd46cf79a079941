//! [`with_generator`]: another default generator for a while.

use std::cell::RefCell;

use super::Generator;

thread_local! {
    static CURRENT: RefCell<Option<Generator>> = const { RefCell::new(None) };
}

/// Calls `draw`; whatever draws from the default generator on this thread meanwhile draws from this one instead:
/// tensors, initial weights, dropout, shuffles. Where PyTorch takes an argument `generator`, this is the counterpart.
///
/// ```
/// # use chainrule_tensor::{Tensor, Result};
/// # use chainrule_tensor::random::{Generator, manual_seed, with_generator};
/// # fn main() -> Result<()> {
/// let mut generator = Generator::new(0);
/// let x = with_generator(&mut generator, || Tensor::rand([1]))?;
/// let y = with_generator(&mut generator, || Tensor::rand([1]))?;
/// manual_seed(0);
/// let both = Tensor::rand([2])?;
/// assert_eq!(both.to_vec::<f32>()?, [x.to_vec::<f32>()?, y.to_vec::<f32>()?].concat());
/// # Ok(())
/// # }
/// ```
///
/// It may be nested; the inner generator counts. [`manual_seed`](super::manual_seed) and the state functions of this
/// module are about the process-wide generator everywhere. Other threads do not notice, so several threads that each
/// have a generator of their own are repeatable.
pub fn with_generator<R>(generator: &mut Generator, draw: impl FnOnce() -> R) -> R {
    let outer = CURRENT.replace(Some(generator.clone()));
    let _scope = Scope { generator, outer };
    draw()
}

/// Puts things back, after a panic too.
struct Scope<'a> {
    generator: &'a mut Generator,
    outer: Option<Generator>,
}

impl Drop for Scope<'_> {
    fn drop(&mut self) {
        if let Some(used) = CURRENT.replace(self.outer.take()) {
            *self.generator = used;
        }
    }
}

/// Calls `draw` with the generator of the innermost scope of this thread.
pub(super) fn with_current<R>(draw: impl FnOnce(Option<&mut Generator>) -> R) -> R {
    CURRENT.with_borrow_mut(|current| draw(current.as_mut()))
}
