//! Errors of this crate, and the lines that they name.

use std::path::Path;

use chainrule_tensor::{Error, Result};

/// A result whose error names the caller's line where it would name one of this crate: one from a closure, or from
/// behind a `dyn`, where the caller's is lost.
#[track_caller]
pub(crate) fn at_caller<T>(result: Result<T>) -> Result<T> {
    match result {
        Err(error) if is_ours(&error) => Err(error.at_caller()),
        other => other,
    }
}

/// Whether an error names a place in the source of this crate.
pub(crate) fn is_ours(error: &Error) -> bool {
    // `…/src/location.rs`
    let source = Path::new(file!()).parent();
    error.location().zip(source).is_some_and(|(place, source)| Path::new(place.file()).starts_with(source))
}
