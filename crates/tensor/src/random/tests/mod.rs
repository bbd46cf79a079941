//! The streams against values printed by PyTorch 2.15 on a CPU.

mod distributions;
mod scope;
mod state;

use super::{Generator, with_default};

fn uniform<const N: usize>(seed: u64, from: f64, to: f64) -> [f32; N] {
    let mut out = [0.0; N];
    Generator::new(seed).uniform(&mut out, from, to).unwrap();
    out
}

fn normal<const N: usize>(generator: &mut Generator) -> [f32; N] {
    let mut out = [0.0; N];
    generator.normal(&mut out, 0.0, 1.0).unwrap();
    out
}

fn integers<const N: usize>(seed: u64, low: i64, high: i64) -> [i64; N] {
    let mut out = [0; N];
    Generator::new(seed).random_from_to(&mut out, low, high).unwrap();
    out
}

/// The `f64` forms rest on the platform's functions, good to the last places.
fn assert_close(got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len());
    for (got, want) in got.iter().zip(want) {
        assert!((got - want).abs() <= 1e-14 * want.abs(), "{got} is not {want}");
    }
}

#[test]
fn uniform_f32() {
    assert_eq!(uniform(0, 0.0, 1.0), [0.4962566, 0.7682218, 0.08847743, 0.13203049]);
    assert_eq!(uniform(3, -0.3, 1.7), [-0.29147297, -0.08886129, 0.27168494, -0.24609035]);
}

#[test]
fn uniform_f64() {
    let mut out = [0.0; 4];
    Generator::new(0).uniform(&mut out, 0.0, 1.0).unwrap();
    assert_eq!(out, [0.9700530018065531, 0.707819864399788, 0.45938294312745087, 0.9207476841219603]);
    Generator::new(3).uniform(&mut out, -0.3, 1.7).unwrap();
    assert_eq!(out, [-0.23178360869895903, 0.2734804534426139, 1.2458298886571686, 0.04985405856258934]);
}

#[test]
fn uniform_never_gives_the_upper_bound() {
    // Between neighbouring floats half of the values round up to the bound.
    let below_two = 2.0_f32.next_down();
    assert_eq!(uniform(0, f64::from(below_two), 2.0), [below_two; 100]);
    assert_eq!(uniform(0, 1.5, 1.5), [1.5; 3]);
}

#[test]
fn seeds_that_agree_in_32_bits_agree() {
    assert_eq!(uniform((1 << 32) + 5, 0.0, 1.0), [0.8302519, 0.12611091]);
    assert_eq!(uniform(5, 0.0, 1.0), [0.8302519, 0.12611091]);
    assert_eq!(Generator::new((1 << 32) + 5).initial_seed(), (1 << 32) + 5);
}

#[test]
fn stream_crosses_its_blocks() {
    let mut generator = Generator::new(9);
    generator.uniform(&mut [0_f32; 700], 0.0, 1.0).unwrap();
    let mut out = [0_f32; 2];
    generator.uniform(&mut out, 0.0, 1.0).unwrap();
    assert_eq!(out, [0.3945582, 0.3885178]);
}

#[test]
fn normal_block_f32() {
    let want = [
        -1.1258398,
        -1.1523602,
        -0.25057858,
        -0.4338788,
        0.84871036,
        0.69200915,
        -0.31601277,
        -2.1152194,
        0.32227492,
        -1.2633348,
        0.3499832,
        0.30813393,
        0.11984151,
        1.2376579,
        1.1167772,
        -0.24727815,
    ];
    assert_eq!(normal(&mut Generator::new(0)), want);
}

/// Enough values to show a change in any digit of the polynomials.
#[test]
fn normal_f32_bit_for_bit() {
    let mut out = vec![0_f32; 65536];
    Generator::new(7).normal(&mut out, 0.0, 1.0).unwrap();
    let sum: u64 = out.iter().map(|value| u64::from(value.to_bits())).sum();
    assert_eq!(sum, 139633258506505);
}

#[test]
fn normal_with_an_incomplete_block() {
    let mut out = [0_f32; 19];
    Generator::new(1).normal(&mut out, 1.5, 0.02).unwrap();
    let want = [
        1.469488, 1.4849954, 1.4869204, 1.5039816, 1.5173138, 1.504888, 1.4867418, 1.5161462, 1.5087829,
        1.523424, 1.5353485, 1.4710709, 1.5012231, 1.4876451, 1.4840386, 1.4973675, 1.4840312, 1.5067146,
        1.5055066,
    ];
    assert_eq!(out, want);

    let mut out = [0_f64; 19];
    Generator::new(1).normal(&mut out, 1.5, 0.02).unwrap();
    let want = [
        1.4937742089161994,
        1.4857393944631978,
        1.4854186369420925,
        1.531394369298719,
        1.5174689116988536,
        1.4259067239958514,
        1.463716920188256,
        1.4631485744123118,
        1.5018825573181938,
        1.5102388631025798,
        1.5119243918353062,
        1.496872712066414,
        1.4579798918758156,
        1.531594822382938,
        1.5216671460172766,
        1.517793490316575,
        1.4614283329198385,
        1.4945798409346962,
        1.4972815893188163,
    ];
    assert_close(&out, &want);
}

#[test]
fn second_normal_of_a_pair_is_remembered_past_other_draws() {
    let mut generator = Generator::new(2);
    assert_eq!(normal(&mut generator), [0.39229682, -0.22356401, -0.31950027]);
    assert_eq!(normal::<17>(&mut generator)[..3], [-0.32978094, 0.6736502, -1.1233027]);
    let mut out = [0_f64; 2];
    generator.normal(&mut out, 0.0, 1.0).unwrap();
    assert_close(&out, &[-1.2050371108761633, -0.3444370604224599]);
}

#[test]
fn integers_of_every_width() {
    assert_eq!(integers(0, -5, 5), [-1, 4, -2, -5, -2, 4, 2, -2]);
    assert_eq!(integers(0, 0, (1 << 28) - 1), [209652404, 130329144, 118924928]);
    assert_eq!(integers(0, 0, 1 << 28), [130329135, 136432832, 195187451]);
    assert_eq!(integers(0, i64::MIN, i64::MAX), [900450186894289455, 3969543146641149120]);
}

#[test]
fn sampler_seeds() {
    let mut generator = Generator::new(6);
    assert_eq!([generator.random_i64(), generator.random_i64()], [7246990587097631433, 6123946491034445780]);
}

#[test]
fn permutation() {
    let mut generator = Generator::new(0);
    assert_eq!(generator.permutation(10), [4, 1, 7, 5, 3, 9, 0, 8, 6, 2]);
    let mut out = [0_f32];
    generator.uniform(&mut out, 0.0, 1.0).unwrap();
    assert_eq!(out, [0.6323063]);

    let before = generator.state();
    assert_eq!((generator.permutation(0), generator.permutation(1)), (vec![], vec![0]));
    assert_eq!(generator.state(), before);
}

#[test]
fn bernoulli() {
    let mut out = [0_i64; 16];
    Generator::new(0).bernoulli(&mut out, 0.3).unwrap();
    assert_eq!(out, [0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0]);
    Generator::new(0).bernoulli_each(&mut out, &[0.3_f32; 16]).unwrap();
    assert_eq!(out, [0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0]);
    Generator::new(0).bernoulli_each(&mut out, &[0.3_f64; 16]).unwrap();
    assert_eq!(out, [0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0]);

    let mut out = [true; 50];
    Generator::new(0).bernoulli(&mut out, 0.0).unwrap();
    assert_eq!(out, [false; 50]);
    Generator::new(0).bernoulli(&mut out, 1.0).unwrap();
    assert_eq!(out, [true; 50]);
}

#[test]
fn exponential() {
    let mut out = [0_f64; 3];
    Generator::new(0).exponential(&mut out, 1.5).unwrap();
    assert_close(&out, &[2.338884124471761, 0.8202565094531178, 0.41002939592934096]);
}

#[test]
fn multinomial() {
    let weights = [0.1_f32, 0.2, 0.3, 0.4];
    assert_eq!(Generator::new(0).multinomial(&weights, 8, true).unwrap(), [3, 3, 2, 3, 3, 3, 1, 2]);
    assert_eq!(Generator::new(0).multinomial(&weights, 3, false).unwrap(), [2, 1, 3]);
    assert_eq!(Generator::new(4).multinomial(&weights, 1, true).unwrap(), [2]);
    assert_eq!(Generator::new(4).multinomial(&[0.0_f64, 2.0, 0.0], 1, false).unwrap(), [1]);
}

#[test]
fn saved_state_continues_exactly() {
    for draws in [0, 1, 623, 624, 625, 2000] {
        let mut generator = Generator::new(11);
        generator.normal(&mut [0_f32], 0.0, 1.0).unwrap();
        for _ in 0..draws {
            generator.random();
        }
        let state = generator.state();
        let mut other = Generator::new(12);
        other.set_state(&state).unwrap();
        assert_eq!(other.state(), state);
        assert_eq!(normal::<3>(&mut other), normal::<3>(&mut generator));
        for _ in 0..1500 {
            assert_eq!(other.random(), generator.random());
        }
    }
}

#[test]
fn manual_seed_forgets_the_remembered_normal() {
    let mut generator = Generator::new(3);
    generator.normal(&mut [0_f64], 0.0, 1.0).unwrap();
    assert!(generator.state().next_normal.is_some());
    generator.manual_seed(2);
    assert_eq!(normal(&mut generator), [0.39229682, -0.22356401, -0.31950027]);
}

#[test]
fn impossible_states_are_refused() {
    let good = Generator::new(0).state();
    let mut generator = Generator::new(1);
    let before = generator.state();

    let mut short = good.clone();
    short.words.pop();
    let mut late = good.clone();
    late.index = 625;
    let mut infinite = good.clone();
    infinite.next_normal = Some(f64::INFINITY);
    for (state, word) in [(short, "623"), (late, "625"), (infinite, "inf")] {
        let message = generator.set_state(&state).unwrap_err();
        assert!(message.starts_with("set_state: ") && message.contains(word), "{message}");
    }
    assert_eq!(generator.state(), before);
}

#[test]
fn bad_arguments_are_refused_and_draw_nothing() {
    let mut generator = Generator::new(1);
    let before = generator.state();
    let mut reals = [0_f32; 20];
    let mut whole = [0_i64; 20];
    let g = &mut generator;
    let refused = [
        (g.uniform(&mut reals, 1.0, 0.5), "uniform: "),
        (g.uniform(&mut reals, f64::NAN, 0.5), "uniform: "),
        (g.uniform(&mut reals, 0.0, 1e39), "uniform: "),
        (g.uniform(&mut reals, -3e38, 3e38), "uniform: "),
        (g.normal(&mut reals, 0.0, -1.0), "normal: "),
        (g.normal(&mut reals, 0.0, f64::NAN), "normal: "),
        (g.random_from_to(&mut whole, 3, 3), "randint: "),
        (g.bernoulli(&mut whole, 1.1), "bernoulli: "),
        (g.bernoulli(&mut whole, f64::NAN), "bernoulli: "),
        (g.bernoulli_each(&mut whole, &[-0.1_f32; 20]), "bernoulli: "),
        (g.bernoulli_each(&mut whole, &[0.1_f32; 19]), "bernoulli: "),
        (g.exponential(&mut reals, 0.0), "exponential: "),
        (g.cauchy(&mut reals, 0.0, 0.0), "cauchy: "),
        (g.log_normal(&mut reals, 0.0, 0.0), "log_normal: "),
        (g.geometric(&mut reals, 0.0), "geometric: "),
        (g.geometric(&mut reals, 1.0), "geometric: "),
        (g.normal_one_by_one(&mut reals, 0.0, -1.0), "normal: "),
        (g.poisson(&mut reals, &[-1.0; 20]), "poisson: "),
        (g.poisson(&mut reals, &[f32::NAN; 20]), "poisson: "),
        (g.poisson(&mut reals, &[1.0; 19]), "poisson: "),
        (g.binomial(&mut reals, &[-1.0; 20], &[0.5; 20]), "binomial: "),
        (g.binomial(&mut reals, &[1.0; 20], &[1.5; 20]), "binomial: "),
        (g.binomial(&mut reals, &[1.0; 19], &[0.5; 20]), "binomial: "),
        (g.gamma(&mut reals, &[0.0; 20]), "gamma: "),
        (g.gamma(&mut reals, &[f32::INFINITY; 20]), "gamma: "),
        (g.gamma(&mut reals, &[1.0; 19]), "gamma: "),
        (g.dirichlet(&mut reals, &[0.0; 20], 2), "dirichlet: "),
        (g.multinomial_rows(&mut whole, &[1.0_f32; 3], [2, 2, 1], true), "multinomial: "),
        (g.multinomial_rows(&mut whole, &[0.0_f32; 0], [0, 0, 1], true), "multinomial: "),
        (g.multinomial(&[0.5_f32, -0.5], 1, true).map(drop), "multinomial: "),
        (g.multinomial(&[0.5_f64, f64::INFINITY], 1, true).map(drop), "multinomial: "),
        (g.multinomial(&[0.0_f64, 0.0], 1, true).map(drop), "multinomial: "),
        (g.multinomial(&[0.5_f64, 0.0], 2, false).map(drop), "multinomial: "),
        (g.multinomial(&[0.5_f64], 0, true).map(drop), "multinomial: "),
    ];
    for (i, (result, name)) in refused.into_iter().enumerate() {
        let message = result.expect_err(&format!("call {i} was accepted"));
        assert!(message.starts_with(name), "{message}");
    }
    assert_eq!(generator.state(), before);
}

#[test]
fn default_generator_outlives_a_panic() {
    let panicked = std::thread::spawn(|| with_default(|_| panic!("inside the lock"))).join();
    assert!(panicked.is_err());
    with_default(|_| ());
}
