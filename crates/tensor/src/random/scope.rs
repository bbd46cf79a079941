//! [`with_generator`]: another default generator for a while.

use std::cell::RefCell;

use super::Generator;

thread_local! {
    static CURRENT: RefCell<Current> = const { RefCell::new(Current::ProcessWide) };
}

/// The default generator of a thread.
enum Current {
    ProcessWide,
    /// That of the innermost scope.
    Own(Box<Generator>),
    /// That of the innermost scope, while a closure draws from it.
    InUse,
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
    let outer = CURRENT.replace(Current::Own(Box::new(generator.clone())));
    let _scope = Scope { generator, outer };
    draw()
}

/// Puts things back, after a panic too.
struct Scope<'a> {
    generator: &'a mut Generator,
    outer: Current,
}

impl Drop for Scope<'_> {
    fn drop(&mut self) {
        let outer = std::mem::replace(&mut self.outer, Current::ProcessWide);
        if let Current::Own(used) = CURRENT.replace(outer) {
            *self.generator = *used;
        }
    }
}

/// Calls `draw` with the generator of the innermost scope of this thread; an error where a closure that this is called
/// from draws from it.
pub(super) fn with_current<R>(draw: impl FnOnce(Option<&mut Generator>) -> R) -> Result<R, String> {
    match CURRENT.replace(Current::InUse) {
        Current::InUse => Err(super::IN_USE.to_string()),
        Current::ProcessWide => {
            CURRENT.set(Current::ProcessWide);
            Ok(draw(None))
        }
        Current::Own(generator) => {
            let mut drawing = Drawing(Some(generator));
            Ok(draw(drawing.0.as_deref_mut()))
        }
    }
}

/// A generator that a closure draws from, given back afterwards, after a panic too.
struct Drawing(Option<Box<Generator>>);

impl Drop for Drawing {
    fn drop(&mut self) {
        if let Some(generator) = self.0.take() {
            CURRENT.set(Current::Own(generator));
        }
    }
}
