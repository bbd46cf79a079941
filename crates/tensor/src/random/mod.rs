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
pub fn manual_seed(seed: u64) {
    lock().manual_seed(seed);
}

/// Calls `draw` with the default generator: that of [`with_generator`] inside of it, elsewhere the process-wide one,
/// which is locked meanwhile.
///
/// # Panics
///
/// When `draw` itself draws from the default generator in another way than through its argument.
pub fn with_default<R>(draw: impl FnOnce(&mut Generator) -> R) -> R {
    scope::with_current(|current| match current {
        Some(generator) => draw(generator),
        None => draw(&mut lock()),
    })
}

/// The state of the process-wide generator, like `torch.get_rng_state`.
pub fn default_state() -> GeneratorState {
    lock().state()
}

/// Puts the process-wide generator into a saved state, like
/// `torch.set_rng_state`.
///
/// # Errors
///
/// Those of [`Generator::set_state`].
pub fn set_default_state(state: &GeneratorState) -> Result<(), String> {
    lock().set_state(state)
}

/// A panic inside `with_default` leaves a generator somewhere in its stream,
/// but never a broken one: poison is no reason to stop.
fn lock() -> MutexGuard<'static, Generator> {
    DEFAULT.lock().unwrap_or_else(PoisonError::into_inner)
}
