//! The generator itself: the Mersenne twister with the seeding, the word order and the remembered normal of PyTorch's
//! CPU generator.

use std::fmt;

use super::GeneratorState;
use super::twister::{WORDS, seeded, tempered, twist};

/// A stream of random numbers, equal to that of `torch.Generator("cpu")` for
/// the same seed and the same sequence of calls.
///
/// Its own methods fill slices. Inside of [`with_generator`](super::with_generator) everything else draws from it too:
/// tensors, initial weights, dropout, shuffles.
///
/// A clone is independent and continues from the same point.
#[derive(Clone)]
pub struct Generator {
    pub(super) seed: u64,
    pub(super) words: [u32; WORDS],
    /// How many words have been handed out; 0 of a state that is not twisted yet.
    pub(super) index: usize,
    pub(super) next_normal: Option<f64>,
}

impl Generator {
    /// A generator seeded with `seed`, like
    /// `torch.Generator().manual_seed(seed)`.
    pub fn new(seed: u64) -> Self {
        // PyTorch keeps all 64 bits but seeds the twister with the low 32.
        Generator { seed, words: seeded(seed as u32), index: 0, next_normal: None }
    }

    /// Starts over from `seed`, forgetting a remembered normal.
    ///
    /// Only the low 32 bits reach the twister, as in PyTorch: seeds that agree
    /// in them give the same stream.
    pub fn manual_seed(&mut self, seed: u64) {
        *self = Generator::new(seed);
    }

    /// The seed last given.
    pub fn initial_seed(&self) -> u64 {
        self.seed
    }

    /// The next 32 random bits.
    #[inline]
    pub fn random(&mut self) -> u32 {
        if self.index.is_multiple_of(WORDS) {
            twist(&mut self.words);
            self.index = 0;
        }
        let value = tempered(self.words[self.index]);
        self.index += 1;
        value
    }

    /// The next 64 random bits: two outputs, the first the high half.
    #[inline]
    pub fn random64(&mut self) -> u64 {
        let high = u64::from(self.random());
        high << 32 | u64::from(self.random())
    }

    /// A uniform integer in `[0, 2^63)`, as
    /// `torch.empty((), dtype=torch.int64).random_()` draws it; PyTorch's data
    /// loader seeds its samplers with such values.
    pub fn random_i64(&mut self) -> i64 {
        (self.random64() & i64::MAX as u64) as i64
    }

    /// The present state, to be given to [`set_state`](Generator::set_state).
    pub fn state(&self) -> GeneratorState {
        GeneratorState {
            seed: self.seed,
            words: self.words.to_vec(),
            index: self.index,
            next_normal: self.next_normal,
        }
    }

    /// Goes back to a saved state.
    ///
    /// # Errors
    ///
    /// When the state cannot have come from [`state`](Generator::state): other
    /// than 624 words, an index over 624, or a remembered normal that is not
    /// finite. The generator is then unchanged.
    pub fn set_state(&mut self, state: &GeneratorState) -> Result<(), String> {
        let words = state.check().map_err(|fault| format!("set_state: {fault}"))?;
        *self = Generator { seed: state.seed, words, index: state.index, next_normal: state.next_normal };
        Ok(())
    }
}

impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generator").field("seed", &self.seed).finish_non_exhaustive()
    }
}
