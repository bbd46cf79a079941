//! Random permutations.

use super::Generator;

/// From this length on, the remainder of 32 random bits would be too uneven.
const LONG: u64 = u32::MAX as u64 / 20;

impl Generator {
    /// A random order of `0..n`, as `torch.randperm(n)` draws it.
    pub fn permutation(&mut self, n: usize) -> Vec<i64> {
        if (n as u64) < LONG { self.shuffled(n) } else { self.shuffled_long(n) }
    }

    /// Fisher and Yates from the front: place `i` takes one of the values left.
    fn shuffled(&mut self, n: usize) -> Vec<i64> {
        let mut values: Vec<i64> = (0..n as i64).collect();
        for i in 0..n.saturating_sub(1) {
            let other = i + self.random() as usize % (n - i);
            values.swap(i, other);
        }
        values
    }

    /// Fisher and Yates inside out: value `i` goes to a place already there,
    /// whose value moves to the end. One 64-bit draw for each value.
    fn shuffled_long(&mut self, n: usize) -> Vec<i64> {
        let mut values = Vec::with_capacity(n);
        for i in 0..n {
            let place = (self.random64() % (i as u64 + 1)) as usize;
            values.push(i as i64);
            values.swap(i, place);
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Too long to be made here, so its method is applied to a short one; the
    /// numbers follow from PyTorch's first ten 64-bit draws.
    #[test]
    fn method_for_long_permutations() {
        assert_eq!(Generator::new(0).shuffled_long(10), [8, 2, 6, 3, 5, 1, 0, 9, 7, 4]);
    }
}
