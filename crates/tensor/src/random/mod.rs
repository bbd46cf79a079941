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
//! [`with_generator`] they use another.
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
use std::ops::{Deref, DerefMut};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

pub use float::RandomFloat;
pub use generator::Generator;
pub use scope::with_generator;
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
/// Inside the closure of [`with_default`].
pub fn manual_seed(seed: u64) {
    expect_free(lock()).manual_seed(seed);
}

/// Calls `draw` with the default generator: that of [`with_generator`] inside of it, elsewhere the process-wide one,
/// which is locked meanwhile.
///
/// # Panics
///
/// When `draw` itself asks for the default generator in another way than through its argument. (What returns a `Result`
/// there, as [`Tensor::rand`](crate::Tensor::rand) does, returns an error.)
pub fn with_default<R>(draw: impl FnOnce(&mut Generator) -> R) -> R {
    expect_free(try_with_default(draw))
}

/// As [`with_default`], with an error where the generator is in use by a closure that this is called from.
pub(crate) fn try_with_default<R>(draw: impl FnOnce(&mut Generator) -> R) -> Result<R, String> {
    scope::with_current(|current| match current {
        Some(generator) => Ok(draw(generator)),
        None => Ok(draw(&mut *lock()?)),
    })?
}

/// The state of the process-wide generator, like `torch.get_rng_state`.
///
/// # Panics
///
/// Inside the closure of [`with_default`].
pub fn default_state() -> GeneratorState {
    expect_free(lock()).state()
}

/// Puts the process-wide generator into a saved state, like
/// `torch.set_rng_state`.
///
/// # Errors
///
/// Those of [`Generator::set_state`], and inside the closure of [`with_default`].
pub fn set_default_state(state: &GeneratorState) -> Result<(), String> {
    lock()?.set_state(state)
}

const IN_USE: &str =
    "the default generator is in use by the closure of with_default, which must draw through its argument";

fn expect_free<T>(result: Result<T, String>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

thread_local! {
    /// Whether this thread holds the process-wide generator: to wait for it would be for ever.
    static HELD: Cell<bool> = const { Cell::new(false) };
}

/// The process-wide generator, locked by this thread.
struct Held(MutexGuard<'static, Generator>);

/// A panic inside `with_default` leaves a generator somewhere in its stream,
/// but never a broken one: poison is no reason to stop.
fn lock() -> Result<Held, String> {
    if HELD.replace(true) {
        return Err(IN_USE.to_string());
    }
    Ok(Held(DEFAULT.lock().unwrap_or_else(PoisonError::into_inner)))
}

impl Drop for Held {
    fn drop(&mut self) {
        HELD.set(false);
    }
}

impl Deref for Held {
    type Target = Generator;
    fn deref(&self) -> &Generator {
        &self.0
    }
}

impl DerefMut for Held {
    fn deref_mut(&mut self) -> &mut Generator {
        &mut self.0
    }
}
