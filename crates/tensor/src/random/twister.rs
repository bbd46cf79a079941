//! The Mersenne twister MT19937 (Matsumoto and Nishimura, "Mersenne Twister", 1998).

/// Words of state; as many outputs are made at one go.
pub(super) const WORDS: usize = 624;

const SHIFT: usize = 397;

/// The state of a new twister (the authors' seeding of 2002).
pub(super) fn seeded(seed: u32) -> [u32; WORDS] {
    let mut words = [seed; WORDS];
    for i in 1..WORDS {
        let last = words[i - 1];
        words[i] = (last ^ (last >> 30)).wrapping_mul(1_812_433_253).wrapping_add(i as u32);
    }
    words
}

/// The next state: each word from itself, its right neighbour and the word `SHIFT` places on, going round; the new ones
/// where these are new already. In parts, so that places need no remainder.
pub(super) fn twist(words: &mut [u32; WORDS]) {
    const REST: usize = WORDS - SHIFT;
    for i in 0..REST {
        words[i] = mixed(words[i], words[i + 1], words[i + SHIFT]);
    }
    for i in REST..WORDS - 1 {
        words[i] = mixed(words[i], words[i + 1], words[i - REST]);
    }
    words[WORDS - 1] = mixed(words[WORDS - 1], words[0], words[SHIFT - 1]);
}

#[inline]
fn mixed(word: u32, right: u32, far: u32) -> u32 {
    let joined = word & 0x8000_0000 | right & 0x7fff_ffff;
    far ^ joined >> 1 ^ (0x9908_b0df & (joined & 1).wrapping_neg())
}

/// The output of a word of state.
#[inline]
pub(super) fn tempered(mut word: u32) -> u32 {
    word ^= word >> 11;
    word ^= word << 7 & 0x9d2c_5680;
    word ^= word << 15 & 0xefc6_0000;
    word ^ word >> 18
}
