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

/// The next state: each word from itself, its right neighbour and the word `SHIFT` places on, the new one where that
/// is new already.
pub(super) fn twist(words: &mut [u32; WORDS]) {
    for i in 0..WORDS {
        let joined = words[i] & 0x8000_0000 | words[(i + 1) % WORDS] & 0x7fff_ffff;
        let matrix = if joined & 1 == 1 { 0x9908_b0df } else { 0 };
        words[i] = words[(i + SHIFT) % WORDS] ^ joined >> 1 ^ matrix;
    }
}

/// The output of a word of state.
#[inline]
pub(super) fn tempered(mut word: u32) -> u32 {
    word ^= word >> 11;
    word ^= word << 7 & 0x9d2c_5680;
    word ^= word << 15 & 0xefc6_0000;
    word ^ word >> 18
}
