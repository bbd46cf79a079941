//! [`GeneratorState`]: a generator's place in its stream, and the form in which it is stored.

use serde::{Deserialize, Serialize};

use super::twister::WORDS;
use crate::{DType, Result, Tensor, bail};

/// Everything a [`Generator`](super::Generator) needs to go on exactly where it was saved.
///
/// It is stored with a model as a tensor, in a [`StateDict`](crate::StateDict), or by itself with serde.
///
/// ```
/// # use chainrule_tensor::{StateDict, Tensor, Result};
/// # use chainrule_tensor::random::{self, GeneratorState};
/// # fn main() -> Result<()> {
/// let mut state = StateDict::new();
/// state.insert("rng", random::default_state().to_tensor()?)?;
/// let file = state.to_bytes()?;
/// let numbers = Tensor::randn([3])?;
///
/// let state = StateDict::from_bytes(&file)?;
/// let rng = GeneratorState::from_tensor(state.get("rng").unwrap())?;
/// random::set_default_state(&rng).unwrap();
/// assert_eq!(Tensor::randn([3])?.to_vec::<f32>()?, numbers.to_vec::<f32>()?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GeneratorState {
    /// The seed last given; kept for [`Generator::initial_seed`](super::Generator::initial_seed) only.
    pub seed: u64,
    /// The 624 words of the twister.
    pub words: Vec<u32>,
    /// How many of the words have been handed out, 0 to 624; 0 right after seeding, when the words are still to be
    /// twisted.
    pub index: usize,
    /// The second value of the last Box-Muller pair, if not yet handed out.
    pub next_normal: Option<f64>,
}

/// PyTorch's structure as 64-bit words: the seed, two 32-bit halves (how many outputs are left and one, and whether
/// there is a seed), the index, the state, two unused words around the remembered normal, whether there is one, and a
/// word for single precision, which is not used on CPUs.
const LEN: usize = 3 + WORDS + 5;
const HALVES: usize = 1;
const INDEX: usize = 2;
const STATE: usize = 3;
const NORMAL: usize = STATE + WORDS + 1;
const HAS_NORMAL: usize = STATE + WORDS + 3;

impl GeneratorState {
    /// The state as a tensor of 632 `i64`: the bytes that `torch.get_rng_state()` gives, eight in each number. So a
    /// stream can be handed over: in Python `torch.set_rng_state(tensor.view(torch.uint8))`.
    ///
    /// # Errors
    /// When the state is impossible (see [`Generator::set_state`](super::Generator::set_state)).
    #[track_caller]
    pub fn to_tensor(&self) -> Result<Tensor> {
        if let Err(fault) = self.check() {
            bail!(Value, "GeneratorState::to_tensor", "{fault}");
        }
        let left = if self.index == 0 { 1 } else { WORDS + 1 - self.index };
        let mut packed = vec![0_u64; LEN];
        packed[0] = self.seed;
        packed[HALVES] = 1 << 32 | left as u64;
        packed[INDEX] = self.index as u64;
        for (packed, &word) in packed[STATE..].iter_mut().zip(&self.words) {
            *packed = u64::from(word);
        }
        packed[NORMAL] = self.next_normal.unwrap_or(0.0).to_bits();
        packed[HAS_NORMAL] = u64::from(self.next_normal.is_some());
        Tensor::from_vec(packed.into_iter().map(|word| word as i64).collect(), [LEN])
    }

    /// The state that [`to_tensor`](GeneratorState::to_tensor) packed, or PyTorch: in Python
    /// `torch.get_rng_state().view(torch.int64)`.
    ///
    /// # Errors
    /// When the tensor is not of 632 `i64`, or they are no state of a generator.
    #[track_caller]
    pub fn from_tensor(tensor: &Tensor) -> Result<GeneratorState> {
        const NAME: &str = "GeneratorState::from_tensor";
        if tensor.dtype() != DType::I64 || **tensor.shape() != [LEN] {
            bail!(
                Data,
                NAME,
                "a state is {LEN} numbers of int64, not a tensor of shape {} of {}",
                tensor.shape(),
                tensor.dtype()
            );
        }
        let packed: Vec<u64> = tensor.to_vec::<i64>()?.into_iter().map(|word| word as u64).collect();
        let (left, index) = (packed[HALVES] & u64::from(u32::MAX), packed[INDEX]);
        let fresh = (left, index) == (1, 0);
        if packed[HALVES] >> 32 != 1
            || !(fresh || (index <= WORDS as u64 && left + index == WORDS as u64 + 1))
        {
            bail!(Data, NAME, "{left} outputs left at place {index} is no place in a stream");
        }
        if let Some(word) = packed[STATE..STATE + WORDS].iter().find(|&&word| word > u64::from(u32::MAX)) {
            bail!(Data, NAME, "a word of the state is {word}, which has more than 32 bits");
        }
        let normal = f64::from_bits(packed[NORMAL]);
        let state = GeneratorState {
            seed: packed[0],
            words: packed[STATE..STATE + WORDS].iter().map(|&word| word as u32).collect(),
            index: index as usize,
            next_normal: (packed[HAS_NORMAL] & u64::from(u32::MAX) != 0).then_some(normal),
        };
        match state.check() {
            Ok(_) => Ok(state),
            Err(fault) => bail!(Data, NAME, "{fault}"),
        }
    }

    /// The words, where the state is one that a generator can be in.
    pub(super) fn check(&self) -> Result<[u32; WORDS], String> {
        let Ok(words) = self.words.as_slice().try_into() else {
            return Err(format!("a generator's state has {WORDS} words, not {}", self.words.len()));
        };
        if self.index > WORDS {
            return Err(format!("the index must be at most {WORDS}, not {}", self.index));
        }
        match self.next_normal.filter(|normal| !normal.is_finite()) {
            Some(normal) => Err(format!("the remembered normal must be finite, not {normal}")),
            None => Ok(words),
        }
    }
}
