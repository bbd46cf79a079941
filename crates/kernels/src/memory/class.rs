//! Size classes: four to each power of two, from 64 bytes up, so at most a fifth of a block is slack.

/// There are so many that are ever kept; larger blocks come from the system and go back to it.
pub(super) const CLASSES: usize = 4 * 40;

/// No block is larger: half of what the language allows, so that a size rounded up to its class is in bounds.
pub(super) const MAX_BYTES: usize = isize::MAX as usize / 2;

/// The smallest class whose blocks have at least `bytes` bytes.
#[inline]
pub(super) const fn class_of(bytes: usize) -> usize {
    // In units of 16 bytes, a class is (4 + quarter) << power.
    let units = if bytes <= 64 { 4 } else { bytes.div_ceil(16) };
    let power = (usize::BITS - 1 - units.leading_zeros()) as usize - 2;
    let quarters = units.div_ceil(1 << power);
    4 * power + quarters - 4
}

/// The size of the data of a class's blocks.
#[inline]
pub(super) const fn bytes_of(class: usize) -> usize {
    ((4 + class % 4) << (class / 4)) * 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_hold_what_they_promise() {
        for bytes in (0..5000).chain([1 << 20, (1 << 20) + 1, 123_456_789, 1 << 40]) {
            let class = class_of(bytes);
            assert!(bytes_of(class) >= bytes);
            assert!(class == 0 || bytes_of(class - 1) < bytes.max(65), "{bytes} fits a smaller class");
            assert!(bytes < 256 || bytes_of(class) as f64 <= 1.26 * bytes as f64);
        }
    }
}
