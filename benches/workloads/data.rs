//! Numbers that follow from a name alone: a counter, mixed (splitmix64), from a start that is a hash of the name
//! (FNV-1a). So every program that can do 64-bit arithmetic has the same inputs and first weights.

use chainrule::{Parameter, Result, Tensor};

fn hash(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |h, byte| (h ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

fn bits(name: &str, count: usize) -> impl Iterator<Item = u64> {
    let start = hash(name);
    (1..=count as u64).map(move |i| {
        let mut z = start.wrapping_add(i.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    })
}

/// `f32` numbers of 24 bits between two bounds.
pub(crate) fn uniform<const N: usize>(name: &str, shape: [usize; N], low: f32, high: f32) -> Result<Tensor> {
    let number = |z: u64| low + ((z >> 40) as f32 * (1.0 / 16_777_216.0)) * (high - low);
    Tensor::from_vec(bits(name, shape.iter().product()).map(number).collect(), shape)
}

/// The same between -1 and 1.
pub(crate) fn numbers<const N: usize>(name: &str, shape: [usize; N]) -> Result<Tensor> {
    uniform(name, shape, -1.0, 1.0)
}

/// Integers below a bound.
pub(crate) fn integers<const N: usize>(name: &str, shape: [usize; N], bound: u64) -> Result<Tensor> {
    let values = bits(name, shape.iter().product()).map(|z| ((z >> 33) % bound) as i64).collect();
    Tensor::from_vec(values, shape)
}

/// A parameter within ±1/√`fan_in`.
pub(crate) fn parameter<const N: usize>(name: &str, shape: [usize; N], fan_in: usize) -> Result<Parameter> {
    let bound = (1.0 / (fan_in as f64).sqrt()) as f32;
    Parameter::new(uniform(name, shape, -bound, bound)?)
}
