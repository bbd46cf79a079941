//! [`OutOfMemory`]: memory that there is not, as an error.

use std::error::Error;
use std::fmt;

/// The system has no memory of the size asked for, also not after all that was [kept](super::trim) went back to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory {
    /// The size asked for in bytes; `usize::MAX` stands for all that is larger too.
    pub bytes: usize,
}

impl OutOfMemory {
    /// The error of a request for so many elements.
    #[cold]
    pub fn of<T>(len: usize) -> Self {
        OutOfMemory { bytes: len.saturating_mul(size_of::<T>()) }
    }
}

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bytes {
            usize::MAX => f.write_str("there is no memory for what is beyond all addresses"),
            bytes => write!(f, "there is no memory for {bytes} bytes"),
        }
    }
}

impl Error for OutOfMemory {}

/// An empty `Vec` with room for `len` elements, for lists whose length a caller decides.
///
/// # Errors
/// Where the system has no memory of that size.
pub fn try_vec<T>(len: usize) -> Result<Vec<T>, OutOfMemory> {
    let mut values = Vec::new();
    if values.try_reserve_exact(len).is_err() {
        super::trim();
        values.try_reserve_exact(len).map_err(|_| OutOfMemory::of::<T>(len))?;
    }
    Ok(values)
}

/// A `Vec` of what an iterator gives, which is `len` values.
pub(crate) fn try_collect<T>(values: impl Iterator<Item = T>, len: usize) -> Result<Vec<T>, OutOfMemory> {
    let mut vec = try_vec(len)?;
    vec.extend(values);
    Ok(vec)
}

/// The sum of some products of sizes: what scratch of several parts takes together.
///
/// # Errors
/// Where that is beyond all addresses.
pub(crate) fn total(products: &[(usize, usize)]) -> Result<usize, OutOfMemory> {
    let sum = products.iter().try_fold(0usize, |sum, &(a, b)| sum.checked_add(a.checked_mul(b)?));
    sum.ok_or(OutOfMemory { bytes: usize::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "it ends the program where memory is refused")]
    fn lists_that_do_not_fit_are_refused() {
        assert_eq!(try_vec::<u64>(1 << 50).unwrap_err().bytes, 1 << 53);
        assert_eq!(try_vec::<u64>(usize::MAX).unwrap_err().bytes, usize::MAX);
        assert!(try_vec::<u64>(100).unwrap().capacity() >= 100);
    }
}
