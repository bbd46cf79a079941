//! [`SampleRandom`]: the random numbers of one sample.

use chainrule_tensor::random::Generator;

/// The random numbers of one sample: a [`Generator`] that is made when the first number is asked for, so that
/// transforms that are not random cost nothing.
pub struct SampleRandom {
    seed: u64,
    generator: Option<Generator>,
}

impl SampleRandom {
    /// The numbers that follow from a seed.
    pub fn new(seed: u64) -> Self {
        SampleRandom { seed, generator: None }
    }

    /// The generator.
    pub fn generator(&mut self) -> &mut Generator {
        self.generator.get_or_insert_with(|| Generator::new(self.seed))
    }

    /// A number in `[low, high)`, or `low` where they are equal.
    ///
    /// # Panics
    /// When `low` is above `high`, or one of them, or their difference, is not finite.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        let mut number = [0.0];
        self.generator().uniform(&mut number, low, high).expect("finite bounds in order");
        number[0]
    }

    /// An integer below `bound`, which is neither 0 nor above `i64::MAX`.
    ///
    /// # Panics
    /// When `bound` is.
    pub fn below(&mut self, bound: usize) -> usize {
        let mut number = [0];
        self.generator()
            .random_from_to(&mut number, 0, i64::try_from(bound).unwrap_or(0))
            .expect("a bound above 0");
        number[0] as usize
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.uniform(0.0, 1.0) < p
    }
}
