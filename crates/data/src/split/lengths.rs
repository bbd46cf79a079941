//! [`SplitLength`]: how large a part of a dataset is.

use chainrule_tensor::{Result, bail};

/// The size of a part of a dataset: a number of samples (`usize`) or a fraction of all (`f64`).
pub trait SplitLength: Copy + Send + Sync + sealed::Sealed {
    /// The numbers of samples of the parts of a dataset of `samples`.
    ///
    /// Fractions follow PyTorch's rule: each part has its fraction of the samples, rounded down, and what is left
    /// over is given out one by one from the first part on.
    ///
    /// # Errors
    /// When numbers of samples do not add up to `samples`, or fractions do not to 1 (to within 1e-9 below, and to
    /// within rounding above), or one is not between 0 and 1.
    #[doc(hidden)]
    fn counts<const N: usize>(operation: &str, lengths: [Self; N], samples: usize) -> Result<[usize; N]>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for usize {}
    impl Sealed for f64 {}
}

impl SplitLength for usize {
    #[track_caller]
    fn counts<const N: usize>(operation: &str, lengths: [usize; N], samples: usize) -> Result<[usize; N]> {
        let sum = lengths.iter().try_fold(0usize, |sum, &n| sum.checked_add(n));
        if sum != Some(samples) {
            bail!(
                Value,
                operation,
                "the lengths {lengths:?} do not add up to the {samples} samples of the dataset"
            );
        }
        Ok(lengths)
    }
}

impl SplitLength for f64 {
    #[track_caller]
    fn counts<const N: usize>(operation: &str, fractions: [f64; N], samples: usize) -> Result<[usize; N]> {
        if let Some(i) = fractions.iter().position(|fraction| !(0.0..=1.0).contains(fraction)) {
            bail!(Value, operation, "fraction {i} is {}, which is not between 0 and 1", fractions[i]);
        }
        let sum = sum(&fractions);
        // What Python's `math.isclose(sum, 1) and sum <= 1` asks for, where each fraction may be rounded.
        if !(1.0 - 1e-9..=1.0 + N as f64 * f64::EPSILON).contains(&sum) {
            bail!(Value, operation, "the fractions {fractions:?} add up to {sum}, not to 1");
        }
        let mut left = samples;
        let mut counts = fractions.map(|fraction| {
            let count = ((samples as f64 * fraction).floor() as usize).min(left);
            left -= count;
            count
        });
        // One by one from the first part on, round and round.
        for (i, count) in counts.iter_mut().enumerate() {
            *count += left / N + usize::from(i < left % N);
        }
        Ok(counts)
    }
}

/// The sum with what rounding takes from it at each step (Neumaier, 1974), as Python's `sum` has it: twenty times 0.05
/// is 1.
fn sum(numbers: &[f64]) -> f64 {
    let (mut sum, mut lost) = (0.0f64, 0.0);
    for &x in numbers {
        let next = sum + x;
        lost += if sum.abs() >= x.abs() { (sum - next) + x } else { (x - next) + sum };
        sum = next;
    }
    sum + lost
}
