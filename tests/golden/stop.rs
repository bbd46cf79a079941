//! Why a case did not run to its end.

use chainrule::Error;

/// What stopped a case.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The library does not have what the case asks for.
    NotBuilt(String),
    /// The call cannot be written down with the library's types.
    Inexpressible(String),
    /// The library refused the call.
    Refused(Error),
    /// A result is not what it should be.
    Mismatch(String),
}

/// What a step of a case gives, unless it stops there.
pub(crate) type Outcome<T> = Result<T, Stop>;

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Refused(error)
    }
}

/// Stops a case with a result that is not what it should be.
pub(crate) fn mismatch<T>(what: impl Into<String>) -> Outcome<T> {
    Err(Stop::Mismatch(what.into()))
}

/// Stops a case that needs what the library does not have.
pub(crate) fn not_built<T>(what: impl Into<String>) -> Outcome<T> {
    Err(Stop::NotBuilt(what.into()))
}
