//! How the cases of each family are replayed.

mod errors;
mod init;
mod lbfgs;
mod modules;
mod ops;
mod optim;
mod rng;
mod runs;
mod schedulers;
mod utils;

pub(crate) use optim::Group;

use crate::check::Accuracy;
use crate::directory::Case;
use crate::stop::Outcome;

/// A family of cases.
pub(crate) struct Replay {
    /// Its name, which is that of its file.
    pub(crate) name: &'static str,
    /// Whether its cases draw from the default generator.
    pub(crate) draws: bool,
    /// What a case is about.
    pub(crate) subject: fn(&Case<'_>) -> String,
    /// Runs a case.
    pub(crate) case: fn(&Case<'_>) -> Outcome<Accuracy>,
}

/// The families, in the order in which they run.
pub(crate) const FAMILIES: &[Replay] = &[
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
