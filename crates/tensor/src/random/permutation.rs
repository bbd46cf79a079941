//! Random permutations.

use super::Generator;

/// From this length on, the remainder of 32 random bits would be too uneven.
const LONG: u64 = u32::MAX as u64 / 20;

impl Generator {
    /// A random order of `0..n`, as `torch.randperm(n)` draws it.
    pub fn permutation(&mut self, n: usize) -> Vec<i64> {
        let mut values = vec![0; n];
        self.permute(&mut values);
        values
    }

    /// Writes a random order of `0..values.len()`, as [`permutation`](Generator::permutation) draws it, into memory of
    /// the caller's.
    pub fn permute(&mut self, values: &mut [i64]) {
        if (values.len() as u64) < LONG { self.shuffle(values) } else { self.shuffle_long(values) }
    }

    /// Fisher and Yates from the front: place `i` takes one of the values left.
    fn shuffle(&mut self, values: &mut [i64]) {
        let n = values.len();
        values.iter_mut().zip(0..).for_each(|(value, i)| *value = i);
        for i in 0..n.saturating_sub(1) {
            let other = i + self.random() as usize % (n - i);
            values.swap(i, other);
        }
    }

    /// Fisher and Yates inside out: value `i` goes to a place already there,
    /// whose value moves to the end. One 64-bit draw for each value.
    fn shuffle_long(&mut self, values: &mut [i64]) {
        for i in 0..values.len() {
            let place = (self.random64() % (i as u64 + 1)) as usize;
            values[i] = i as i64;
            values.swap(i, place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Too long to be made here, so its method is applied to a short one; the
    /// numbers follow from PyTorch's first ten 64-bit draws.
    #[test]
    fn method_for_long_permutations() {
        let mut values = [0; 10];
        Generator::new(0).shuffle_long(&mut values);
        assert_eq!(values, [8, 2, 6, 3, 5, 1, 0, 9, 7, 4]);
    }
}
