//! Seeds of samples and of batches.

use chainrule_tensor::random::with_seed;

/// The seed of the random numbers of one sample in one epoch. `repeat` counts how often the epoch has visited the
/// sample before, so that one that is drawn twice is not changed in the same way twice.
///
/// The finaliser of splitmix64 (Steele, Lea and Flood, 2014) after each part: neighbours get unlike seeds, also in
/// the low 32 bits, which are all that a generator takes.
pub(crate) fn sample_seed(epoch_seed: u64, index: usize, repeat: u32) -> u64 {
    mix(mix(mix(epoch_seed).wrapping_add(index as u64)).wrapping_add(u64::from(repeat)))
}

/// The seeds of samples that are asked for outside of an epoch: those of an epoch of seed 0.
pub(crate) fn seeds_without_epoch(indices: &[usize]) -> Vec<u64> {
    indices.iter().map(|&index| sample_seed(0, index, 0)).collect()
}

/// The seed of what a dataset draws from the default generator while it makes a batch. `place` is that of the batch's
/// first sample in the order of the epoch.
pub(crate) fn batch_seed(epoch_seed: u64, place: usize) -> u64 {
    mix(mix(mix(epoch_seed ^ OF_BATCHES)).wrapping_add(place as u64))
}

/// Calls `change`, whose draws from the default generator are those of one sample, apart from the numbers of the
/// generator that the seed itself makes.
pub(crate) fn with_sample<R>(seed: u64, change: impl FnOnce() -> R) -> R {
    with_seed(mix(seed ^ OF_SAMPLES), change)
}

/// What keeps the streams apart; the digits of pi.
const OF_BATCHES: u64 = 0x243F_6A88_85A3_08D3;
const OF_SAMPLES: u64 = 0x1319_8A2E_0370_7344;

fn mix(z: u64) -> u64 {
    let z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn seeds_of_batches_are_apart_too() {
        let mut seen = HashSet::new();
        for epoch in 0..30 {
            for place in 0..100 {
                seen.insert(batch_seed(epoch, place) as u32);
                seen.insert(sample_seed(epoch, place, 0) as u32);
            }
        }
        assert_eq!(seen.len(), 6000);
    }

    #[test]
    fn seeds_of_neighbours_differ_in_the_bits_that_count() {
        let mut seen = HashSet::new();
        for epoch in 0..10 {
            for index in 0..30 {
                for repeat in 0..10 {
                    seen.insert(sample_seed(epoch, index, repeat) as u32);
                }
            }
        }
        assert_eq!(seen.len(), 3000);
    }
}
