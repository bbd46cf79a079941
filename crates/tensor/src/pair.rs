//! [`IntoPair`]: one number for both directions of an image, or one for each.

/// A size for height and width: `3` means `[3, 3]`.
pub trait IntoPair {
    /// The sizes as (vertical, horizontal).
    fn into_pair(self) -> [usize; 2];
}

impl IntoPair for usize {
    fn into_pair(self) -> [usize; 2] {
        [self; 2]
    }
}

impl IntoPair for [usize; 2] {
    fn into_pair(self) -> [usize; 2] {
        self
    }
}

impl IntoPair for (usize, usize) {
    fn into_pair(self) -> [usize; 2] {
        self.into()
    }
}
