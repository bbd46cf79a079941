//! Random numbers: the streams of PyTorch's CPU generator.
//!
//! A [`Generator`] seeded like a `torch.Generator` and asked for the same
//! things in the same order gives the same values: integers, permutations,
//! choices and uniform values exactly, the `f64` normal values at worst to the
//! last places. All draws are sequential, hence independent of the thread count.
//!
//! Functions without an explicit generator use one for the whole process. It
//! starts from [`DEFAULT_SEED`], so a program that never calls [`manual_seed`]
//! is repeatable too, unless its threads draw in a varying order. Inside of
//! [`with_generator`] and [`with_seed`] they use another.
//!
//! ```
//! use chainrule_tensor::random::{default_state, manual_seed, set_default_state, with_default};
//!
//! let draw = || with_default(|generator| [generator.random() % 100, generator.random() % 100]);
//!
//! let start = default_state(); // of the default seed
//! let first = draw();
//! manual_seed(0);
//! assert_eq!(draw(), [44, 39]);
//! set_default_state(&start)?;
//! assert_eq!(draw(), first);
//! # Ok::<(), String>(())
//! ```

mod bernoulli;
mod binomial;
mod box_muller;
mod cauchy;
mod exponential;
mod factorial;
mod float;
mod gamma;
mod generator;
mod geometric;
mod integer;
mod log_normal;
mod multinomial;
mod normal;
mod permutation;
mod poisson;
mod scope;
mod state;
#[cfg(test)]
mod tests;
mod twister;
mod uniform;

use std::cell::Cell;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

pub use float::RandomFloat;
pub use generator::Generator;
pub use scope::{with_generator, with_seed};
pub use state::GeneratorState;

/// The seed of the process-wide generator until [`manual_seed`] is called.
///
/// It is that of a new `torch.Generator()`; PyTorch seeds its own process-wide
/// generator differently in each process.
pub const DEFAULT_SEED: u64 = 67_280_421_310_721;

static DEFAULT: LazyLock<Mutex<Generator>> = LazyLock::new(|| Mutex::new(Generator::new(DEFAULT_SEED)));

/// Seeds the process-wide generator, like `torch.manual_seed`.
///
/// # Panics
///
/// In a closure of [`with_default`] that has the process-wide generator.
pub fn manual_seed(seed: u64) {
    locked().0.manual_seed(seed);
}

/// Calls `draw` with the default generator: that of [`with_generator`] inside of it, elsewhere the process-wide one,
/// which is locked meanwhile.
///
/// # Panics
///
/// In a closure of itself, unless a [`with_generator`] lies between them: the outer closure has the generator.
/// ([`try_with_default`] gives an error, and so do all operations that draw.)
pub fn with_default<R>(draw: impl FnOnce(&mut Generator) -> R) -> R {
    try_with_default(draw).unwrap_or_else(|fault| panic!("{fault}"))
}

/// As [`with_default`], for what may be called from anywhere.
///
/// ```
/// use chainrule_tensor::random::{try_with_default, with_default};
///
/// let inside = with_default(|_| try_with_default(|generator| generator.random()));
/// assert!(inside.unwrap_err().contains("with_default"));
/// assert!(try_with_default(|generator| generator.random()).is_ok());
/// ```
///
/// # Errors
///
/// In a closure of itself or of `with_default`, unless a [`with_generator`] lies between them: the outer closure has the
/// generator. Nothing is called then.
pub fn try_with_default<R>(draw: impl FnOnce(&mut Generator) -> R) -> Result<R, String> {
    let drawn = scope::with_current(|current| match current {
        Some(generator) => Ok(draw(generator)),
        None => lock().map(|mut generator| draw(&mut generator.0)),
    });
    drawn.and_then(|drawn| drawn).map_err(String::from)
}

/// The state of the process-wide generator, like `torch.get_rng_state`.
///
/// # Panics
///
/// In a closure of [`with_default`] that has the process-wide generator.
pub fn default_state() -> GeneratorState {
    locked().0.state()
}

/// Puts the process-wide generator into a saved state, like
/// `torch.set_rng_state`.
///
/// # Errors
///
/// Those of [`Generator::set_state`], and in a closure of [`with_default`] that has the process-wide generator.
pub fn set_default_state(state: &GeneratorState) -> Result<(), String> {
    lock()?.0.set_state(state)
}

/// What is said to a closure of `with_default` that draws in another way than from its argument.
const IN_USE: &str =
    "the default generator is in use by a closure of with_default, which draws from its argument alone";

thread_local! {
    /// Whether this thread has the process-wide generator.
    static HAS_LOCK: Cell<bool> = const { Cell::new(false) };
}

/// The process-wide generator, until dropped.
struct Locked(MutexGuard<'static, Generator>);

impl Drop for Locked {
    fn drop(&mut self) {
        HAS_LOCK.set(false);
    }
}

/// A panic inside `with_default` leaves a generator somewhere in its stream,
/// but never a broken one: poison is no reason to stop.
fn lock() -> Result<Locked, &'static str> {
    if HAS_LOCK.get() {
        return Err(IN_USE);
    }
    let generator = DEFAULT.lock().unwrap_or_else(PoisonError::into_inner);
    HAS_LOCK.set(true);
    Ok(Locked(generator))
}

fn locked() -> Locked {
    lock().unwrap_or_else(|fault| panic!("{fault}"))
}
