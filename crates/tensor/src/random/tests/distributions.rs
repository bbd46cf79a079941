//! Distributions whose parameters are tensors or that are drawn rarely, against values printed by PyTorch 2.15.

use super::{Generator, assert_close};
use crate::random::with_generator;
use crate::{DType, ErrorKind, Tensor};

/// What a new generator gives.
fn drawn(draw: impl FnOnce() -> crate::Result<Tensor>) -> Vec<f64> {
    let tensor = with_generator(&mut Generator::new(0), draw).unwrap();
    tensor.to_dtype(DType::F64).unwrap().to_vec().unwrap()
}

fn tensor(values: &[f64], dtype: DType) -> Tensor {
    Tensor::from_slice(values, [values.len()]).unwrap().to_dtype(dtype).unwrap()
}

#[test]
fn one_value_for_each_uniform() {
    let double = DType::F64;
    let cauchy = drawn(|| Tensor::cauchy([3], 0.5, 2.0, double));
    assert_close(&cauchy, &[21.695458653364593, 2.0295345192117997, 0.24340131583365188]);
    let single = drawn(|| Tensor::cauchy([3], 0.5, 2.0, DType::F32));
    assert_eq!(single, [21.695459365844727, 2.0295345783233643, 0.24340131878852844]);
    let log_normal = drawn(|| Tensor::log_normal([3], 0.5, 0.25, double));
    assert_close(&log_normal, &[2.4235878553037287, 1.5321052554493706, 0.9562868625441218]);
    assert_eq!(drawn(|| Tensor::geometric([6], 0.2, DType::F32)), [1.0, 2.0, 4.0, 1.0, 2.0, 2.0]);
}

#[test]
fn counts() {
    for dtype in [DType::F32, DType::F64] {
        let rates = tensor(&[0.0, 0.5, 3.0, 9.9, 10.0, 250.0, 1e5], dtype);
        assert_eq!(drawn(|| rates.poisson()), [0.0, 2.0, 4.0, 10.0, 13.0, 258.0, 100021.0]);
        let trials = tensor(&[10.0, 0.0, 7.0, 40.0, 1000.0, 30.0], dtype);
        let p = tensor(&[0.3, 0.5, 1.0, 0.9, 0.4, 0.5], dtype);
        assert_eq!(drawn(|| trials.binomial(&p)), [6.0, 0.0, 7.0, 36.0, 393.0, 15.0]);
    }
}

#[test]
fn gamma_and_dirichlet() {
    let shapes = [0.1, 0.9, 1.0, 7.0, 300.0];
    let gamma = drawn(|| tensor(&shapes, DType::F64).gamma());
    let want =
        [3.129235610920794e-16, 0.1811425294260596, 1.053204118254408, 9.072979572589512, 289.456585275297];
    // The smallest is a power with an exponent of 10, which multiplies the last place of its base.
    assert!((gamma[0] - want[0]).abs() < 1e-13 * want[0]);
    assert_close(&gamma[1..], &want[1..]);
    // In single precision the concentration itself is rounded.
    let gamma = drawn(|| tensor(&shapes, DType::F32).gamma());
    assert_eq!(
        gamma,
        [3.1292356392933324e-16, 0.18114250898361206, 1.05320405960083, 9.072978973388672, 289.4565734863281]
    );
    let rows = Tensor::from_vec(vec![0.5, 1.0, 2.0, 10.0, 0.2, 3.0], [2, 3]).unwrap();
    let want = [
        0.0003942486938404249,
        0.05942697684226839,
        0.9401787744638913,
        0.7213500972934815,
        0.007028682314698281,
        0.27162122039182013,
    ];
    assert_close(&drawn(|| rows.dirichlet()), &want);
}

#[test]
fn rows_of_categories() {
    let weights = Tensor::new([[1.0, 2.0, 3.0], [3.0, 0.0, 1.0]]);
    assert_eq!(drawn(|| weights.multinomial(2, false)), [2.0, 1.0, 0.0, 2.0]);
    assert_eq!(drawn(|| weights.multinomial(4, true)), [2.0, 2.0, 1.0, 2.0, 0.0, 2.0, 0.0, 0.0]);
}

#[test]
fn the_order_of_memory() {
    let transposed = Tensor::zeros([2, 3]).unwrap().t().unwrap();
    let want = [
        1.5409960746765137,
        0.5684312582015991,
        -0.293428897857666,
        -1.0845223665237427,
        -2.1787893772125244,
        -1.3985954523086548,
    ];
    assert_eq!(drawn(|| transposed.randn_like()), want);
    let transposed = Tensor::ones([2, 6]).unwrap().t().unwrap();
    let want = [0.0, 2.0, 0.0, 2.0, 2.0, 0.0, 0.0, 2.0, 0.0, 2.0, 0.0, 2.0];
    assert_eq!(drawn(|| transposed.dropout(0.5, true)), want);
    let gradient = drawn(|| {
        let leaf = Tensor::ones([2, 6])?.requires_grad_(true)?;
        leaf.t()?.dropout(0.5, true)?.sum()?.backward()?;
        leaf.grad().ok_or_else(|| crate::Error::new(crate::ErrorKind::Graph, "test", "no gradient"))?.t()
    });
    assert_eq!(gradient, want);
}

#[test]
fn dtypes_that_do_not_fit_are_refused() {
    let integers = Tensor::new([1, 2]);
    let single = Tensor::new([0.5, 0.5]);
    for result in [
        integers.rand_like(),
        integers.randn_like(),
        integers.poisson(),
        integers.bernoulli_each(),
        integers.multinomial(1, true),
        single.normal_each(&integers),
        single.binomial(&tensor(&[0.5, 0.5], DType::F64)),
        Tensor::cauchy([2], 0.0, 1.0, DType::I64),
        single.randint_like(0, (1 << 24) + 2),
        Tensor::new([true]).randint_like(0, 3),
        Tensor::new(1.0).dirichlet(),
        Tensor::zeros([1, 1, 1]).unwrap().multinomial(1, true),
    ] {
        assert!(result.unwrap_err().to_string().contains(file!()));
    }
}

#[test]
fn categories_without_weight_are_never_drawn_and_weights_may_be_large() {
    let mut generator = Generator::new(0);
    for weights in [vec![0.0f32, 1.0, 0.0, 0.0], vec![0.0, 3e38, 3e38, 3e38, 0.0], vec![0.0, f32::MAX, 0.0]] {
        let drawn = generator.multinomial(&weights, 3000, true).unwrap();
        let mut counts = vec![0usize; weights.len()];
        drawn.iter().for_each(|&i| counts[i as usize] += 1);
        assert!(counts.iter().zip(&weights).all(|(&n, &w)| w > 0.0 || n == 0), "{weights:?}: {counts:?}");
        if weights.len() == 5 {
            // 1000 each, with a deviation of 26.
            assert!(counts[1..4].iter().all(|n| n.abs_diff(1000) < 130), "{counts:?}");
        }
    }
    let mut out = [0.0; 2];
    generator.dirichlet(&mut out, &[f64::MAX, f64::MAX], 2).unwrap();
    assert_eq!(out, [0.5, 0.5]);
}

#[test]
fn what_does_not_fit_in_memory_is_refused_and_nothing_is_drawn() {
    let mut generator = Generator::new(0);
    let before = generator.state();
    assert!(generator.multinomial(&[1.0, 2.0], 1 << 45, true).unwrap_err().contains("memory"));
    assert!(generator.multinomial_rows(&mut [0], &[1.0f32], [1 << 63, 2, 1 << 63], true).is_err());
    assert_eq!(generator.state(), before);
    let weights = Tensor::new([1.0, 2.0]);
    let huge = Tensor::new(0.5).expand([1isize << 42]).unwrap();
    for (result, name) in [
        (weights.multinomial(1 << 45, true), "multinomial"),
        (huge.multinomial(2, true), "contiguous"),
        (Tensor::randperm(1 << 45), "randperm"),
        (Tensor::randint(0, 5, [1 << 45]), "randint"),
        (huge.bernoulli_each(), "bernoulli"),
        (huge.poisson(), "contiguous"),
        (huge.gamma(), "contiguous"),
        (huge.dirichlet(), "contiguous"),
        (huge.binomial(&huge), "contiguous"),
        (huge.normal_each(&huge), "lt"),
        (huge.rand_like(), "rand_like"),
        (huge.randint_like(0, 2), "randint_like"),
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Memory, "{name}: {error}");
    }
}
