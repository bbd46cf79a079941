//! Five tutorials on losses and optimizers, by the public interface: every number that they print, to the digits
//! that they print, and the training loops that they describe.

mod accuracy;
mod binary_cross_entropy;
mod cross_entropy;
mod simple_model;
mod training;

use std::sync::{Mutex, MutexGuard};

/// Seeds the random numbers of the process, for as long as the guard lives.
fn seeded(seed: u64) -> MutexGuard<'static, ()> {
    static RANDOM_NUMBERS: Mutex<()> = Mutex::new(());
    let guard = RANDOM_NUMBERS.lock().unwrap_or_else(|e| e.into_inner());
    chainrule::prelude::manual_seed(seed);
    guard
}
