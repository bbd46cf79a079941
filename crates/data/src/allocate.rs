//! Memory whose size the caller chooses.

use chainrule_tensor::{Error, ErrorKind, Result};

/// An empty vector with room for `len` elements.
#[track_caller]
pub(crate) fn try_vec<T>(operation: &str, len: usize) -> Result<Vec<T>> {
    let mut vec = Vec::new();
    match vec.try_reserve_exact(len) {
        Ok(()) => Ok(vec),
        Err(_) => Err(too_large(operation, len, size_of::<T>())),
    }
}

/// A vector of `len` times the same value.
#[track_caller]
pub(crate) fn try_filled<T: Clone>(operation: &str, len: usize, value: T) -> Result<Vec<T>> {
    let mut vec = try_vec(operation, len)?;
    vec.resize(len, value);
    Ok(vec)
}

/// The numbers `0..len`.
#[track_caller]
pub(crate) fn try_range(operation: &str, len: usize) -> Result<Vec<usize>> {
    let mut vec = try_vec(operation, len)?;
    vec.extend(0..len);
    Ok(vec)
}

/// The error of memory that there is not.
#[cold]
#[track_caller]
pub(crate) fn too_large(operation: &str, len: usize, bytes: usize) -> Error {
    let total = len as u128 * bytes as u128;
    Error::new(
        ErrorKind::Memory,
        operation,
        format!("there is no memory for {len} elements of {bytes} bytes: {total} bytes"),
    )
}
