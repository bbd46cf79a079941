//! [`with_generator`] and [`with_seed`]: another default generator for a while.

use std::cell::RefCell;

use super::Generator;

/// What draws from the default generator on a thread are taken from.
#[derive(Default)]
enum Current {
    /// The process-wide generator.
    #[default]
    Process,
    /// A generator of this seed, which nothing was drawn from yet.
    Seed(u64),
    Own(Box<Generator>),
}

thread_local! {
    static CURRENT: RefCell<Current> = const { RefCell::new(Current::Process) };
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
    let _scope = Scope { generator: Some(generator), outer };
    draw()
}

/// As [`with_generator`], with a new generator of this seed. It is made when something is drawn, so that where nothing
/// is, this costs next to nothing.
///
/// ```
/// # use chainrule_tensor::{Tensor, Result};
/// # use chainrule_tensor::random::{manual_seed, with_seed};
/// # fn main() -> Result<()> {
/// let x = with_seed(7, || Tensor::rand([2]))?;
/// manual_seed(7);
/// assert_eq!(x.to_vec::<f32>()?, Tensor::rand([2])?.to_vec::<f32>()?);
/// # Ok(())
/// # }
/// ```
pub fn with_seed<R>(seed: u64, draw: impl FnOnce() -> R) -> R {
    let outer = CURRENT.replace(Current::Seed(seed));
    let _scope = Scope { generator: None, outer };
    draw()
}

/// Puts things back, after a panic too.
struct Scope<'a> {
    generator: Option<&'a mut Generator>,
    outer: Current,
}

impl Drop for Scope<'_> {
    fn drop(&mut self) {
        let used = CURRENT.replace(std::mem::take(&mut self.outer));
        if let (Some(generator), Current::Own(used)) = (self.generator.as_deref_mut(), used) {
            *generator = *used;
        }
    }
}

/// Calls `draw` with the generator of the innermost scope of this thread.
pub(super) fn with_current<R>(draw: impl FnOnce(Option<&mut Generator>) -> R) -> R {
    CURRENT.with_borrow_mut(|current| {
        if let Current::Seed(seed) = *current {
            *current = Current::Own(Box::new(Generator::new(seed)));
        }
        match current {
            Current::Own(generator) => draw(Some(generator)),
            Current::Process | Current::Seed(_) => draw(None),
        }
    })
}
