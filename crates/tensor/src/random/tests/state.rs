//! The stored form of a state, which is PyTorch's.

use super::Generator;
use crate::random::GeneratorState;
use crate::{StateDict, Tensor};

/// A generator of seed 5 after `torch.rand(3); torch.randn(1)`.
fn used() -> Generator {
    let mut generator = Generator::new(5);
    generator.uniform(&mut [0_f32; 3], 0.0, 1.0).unwrap();
    generator.normal(&mut [0_f32], 0.0, 1.0).unwrap();
    generator
}

#[test]
fn packed_as_pytorch_does() {
    // torch.get_rng_state().view(torch.int64): its ends, and its sum.
    let packed = used().state().to_tensor().unwrap().to_vec::<i64>().unwrap();
    assert_eq!(packed[..5], [5, 4294967914, 7, 4081643083, 713234725]);
    assert_eq!(packed[627..], [0, -4617555323265695556, 0, 1, 0]);
    assert_eq!(packed.iter().fold(0, |sum: i64, x| sum.wrapping_add(*x)), -4617553933358454284);
}

#[test]
fn goes_through_a_file_at_any_place() {
    for draws in [0, 1, 5, 623, 624, 625] {
        let mut generator = used();
        if draws == 0 {
            generator.manual_seed(9);
        }
        for _ in 0..draws {
            generator.random();
        }
        let mut state = StateDict::new();
        state.insert("rng", generator.state().to_tensor().unwrap()).unwrap();
        let state = StateDict::from_bytes(&state.to_bytes().unwrap()).unwrap();
        let mut restored = Generator::new(0);
        restored.set_state(&GeneratorState::from_tensor(state.get("rng").unwrap()).unwrap()).unwrap();
        assert_eq!(restored.state(), generator.state());
        let [mut a, mut b] = [[0_f64; 3]; 2];
        generator.normal(&mut a, 0.0, 1.0).unwrap();
        restored.normal(&mut b, 0.0, 1.0).unwrap();
        assert_eq!((a, restored.random()), (b, generator.random()));
    }
}

#[test]
fn what_is_no_state_is_refused() {
    let good = used().state().to_tensor().unwrap().to_vec::<i64>().unwrap();
    let with = |index: usize, value: i64| {
        let mut packed = good.clone();
        packed[index] = value;
        Tensor::from_vec(packed, [632]).unwrap()
    };
    let bad = [
        (Tensor::new(1), "632"),
        (Tensor::zeros([632]).unwrap(), "float32"),
        (with(1, 1 << 32 | 700), "700"),
        (with(1, 618), "place"),
        (with(2, 625), "625"),
        (with(2, -1), "place"),
        (with(100, 1 << 32), "4294967296"),
        (with(628, f64::NAN.to_bits() as i64), "NaN"),
    ];
    for (tensor, word) in bad {
        let message = GeneratorState::from_tensor(&tensor).unwrap_err().to_string();
        assert!(message.contains(word), "{message}");
    }
    let mut state = used().state();
    state.words.pop();
    assert!(state.to_tensor().is_err());
}
