//! The generator itself: MT19937 with the seeding, the word order and the
//! remembered normal of PyTorch's CPU generator.

use std::fmt;

use rand_mt::Mt;
use serde::{Deserialize, Serialize};

/// Outputs the Mersenne twister makes at one go; 624 successive outputs aligned
/// to such a block determine its whole state.
const BLOCK: usize = 624;

/// A stream of random numbers, equal to that of `torch.Generator("cpu")` for
/// the same seed and the same sequence of calls.
///
/// A clone is independent and continues from the same point.
#[derive(Clone)]
pub struct Generator {
    seed: u64,
    twister: Mt,
    block: [u32; BLOCK],
    index: usize,
    pub(super) next_normal: Option<f64>,
}

/// Everything a [`Generator`] needs to go on exactly where it was saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GeneratorState {
    /// The seed last given; kept for [`Generator::initial_seed`] only.
    pub seed: u64,
    /// The 624 outputs of the twister's current block.
    pub block: Vec<u32>,
    /// How many of `block` have been handed out, 0 to 624.
    pub index: usize,
    /// The second value of the last Box-Muller pair, if not yet handed out.
    pub next_normal: Option<f64>,
}

impl Generator {
    /// A generator seeded with `seed`, like
    /// `torch.Generator().manual_seed(seed)`.
    pub fn new(seed: u64) -> Self {
        // PyTorch keeps all 64 bits but seeds the twister with the low 32.
        let twister = Mt::new(seed as u32);
        let mut generator = Generator { seed, twister, block: [0; BLOCK], index: 0, next_normal: None };
        generator.refill();
        generator
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
        if self.index == BLOCK {
            self.refill();
        }
        let value = self.block[self.index];
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
            block: self.block.to_vec(),
            index: self.index,
            next_normal: self.next_normal,
        }
    }

    /// Goes back to a saved state.
    ///
    /// # Errors
    ///
    /// When the state cannot have come from [`state`](Generator::state): a
    /// block of other than 624 values, an index over 624, or a remembered
    /// normal that is not finite. The generator is then unchanged.
    pub fn set_state(&mut self, state: &GeneratorState) -> Result<(), String> {
        let block: [u32; BLOCK] = state.block.as_slice().try_into().map_err(|_| {
            format!("set_state: a generator's block holds {BLOCK} values, not {}", state.block.len())
        })?;
        if state.index > BLOCK {
            return Err(format!("set_state: the index must be at most {BLOCK}, not {}", state.index));
        }
        if let Some(normal) = state.next_normal.filter(|normal| !normal.is_finite()) {
            return Err(format!("set_state: the remembered normal must be finite, not {normal}"));
        }
        *self = Generator {
            seed: state.seed,
            twister: Mt::from(block),
            block,
            index: state.index,
            next_normal: state.next_normal,
        };
        Ok(())
    }

    fn refill(&mut self) {
        self.block.fill_with(|| self.twister.next_u32());
        self.index = 0;
    }
}

impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generator").field("seed", &self.seed).finish_non_exhaustive()
    }
}
