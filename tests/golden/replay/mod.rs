//! How the cases of each family are replayed.

mod errors;
mod init;
mod modules;
mod ops;
mod optim;
mod rng;
mod runs;
mod schedulers;
mod utils;

pub use optim::Group;

use crate::check::Accuracy;
use crate::directory::Case;
use crate::stop::Outcome;

/// A family of cases.
pub struct Replay {
    /// Its name, which is that of its file.
    pub name: &'static str,
    /// Whether its cases draw from the default generator.
    pub draws: bool,
    /// What a case is about.
    pub subject: fn(&Case<'_>) -> String,
    /// Runs a case.
    pub case: fn(&Case<'_>) -> Outcome<Accuracy>,
}

/// The families, in the order in which they run.
pub const FAMILIES: &[Replay] = &[
    ops::REPLAY,
    errors::REPLAY,
    modules::REPLAY,
    optim::REPLAY,
    schedulers::REPLAY,
    init::REPLAY,
    utils::REPLAY,
    rng::REPLAY,
    runs::REPLAY,
];
