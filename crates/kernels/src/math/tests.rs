//! Every function against the standard library in `f64`, in units in the last place.

use super::*;
use crate::Float;
use crate::simd::{self, Kernel};

/// The distance of `got` from the true value, in units in the last place of an `f32` there.
fn ulps(got: f32, want: f64) -> f64 {
    let nearest = want as f32;
    if got.is_nan() || nearest.is_nan() {
        return if got.is_nan() == nearest.is_nan() { 0.0 } else { f64::INFINITY };
    }
    if got == nearest {
        // Within half a unit, unless the value is out of range.
        return if nearest.is_infinite() || want == 0.0 {
            0.0
        } else {
            (f64::from(got) - want).abs() / unit(want)
        };
    }
    if got.is_infinite() || nearest.is_infinite() {
        return f64::INFINITY;
    }
    (f64::from(got) - want).abs() / unit(want)
}

fn unit(value: f64) -> f64 {
    let exponent = (value.abs().to_bits() >> 52) as i32 - 1023;
    2f64.powi(exponent.max(-126) - 23)
}

/// One function with its reference and the error allowed, where what rounding alone costs is half a unit. It is the
/// greatest over all numbers, rounded up.
type Case = (&'static str, fn(f32) -> f32, fn(f64) -> f64, f64);

const CASES: [Case; 12] = [
    ("exp", exp, f64::exp, 1.01),
    ("exp_m1", exp_m1, f64::exp_m1, 1.46),
    ("tanh", tanh, f64::tanh, 1.34),
    ("ln", ln, f64::ln, 0.84),
    ("ln_1p", ln_1p, f64::ln_1p, 0.84),
    ("log2", log2, f64::log2, 0.501),
    ("log10", log10, f64::log10, 0.501),
    ("sin", sin, f64::sin, 0.501),
    ("cos", cos, f64::cos, 0.501),
    ("tan", tan, f64::tan, 0.501),
    ("erf", erf_f32, erf, 1.11),
    // Where the exponential overflows, which is where sigmoid is no normal number any more, it is 0, like PyTorch's.
    ("sigmoid", Float::sigmoid, |x| if x < -88.722_835 { 0.0 } else { 1.0 / (1.0 + (-x).exp()) }, 2.49),
];

/// What a distribution function of the normal distribution may be off by, the greatest over all numbers again; one unit
/// in the last place of ½ is 6·10⁻⁸. Gelu is a number times that.
const TAILS: [Tail; 2] = [
    ("normal_tail", normal_tail_f32, 6.4e-8),
    ("normal_tail_and_power", |x| normal_tail_and_power_f32(x).0, 7.8e-8),
];
type Tail = (&'static str, fn(f32) -> f32, f64);

/// The greatest of the errors over every so many of all numbers, and where it is.
fn worst(every: usize, error: impl Fn(f32) -> f64) -> (f64, f32) {
    let mut most = (0.0, 0.0);
    for x in (0..=u32::MAX).step_by(every).map(f32::from_bits) {
        let error = error(x);
        if error > most.0 {
            most = (error, x);
        }
    }
    most
}

fn check(every: usize) {
    // Each function on a thread of its own: all numbers that there are take long.
    std::thread::scope(|scope| {
        for (name, f, reference, allowed) in CASES {
            scope.spawn(move || {
                let (error, x) = worst(every, |x| ulps(f(x), reference(f64::from(x))));
                println!("{name}: {error:.4} units in the last place at {x:e}");
                assert!(error <= allowed, "{name}: {error} units in the last place at {x:e}");
            });
        }
        for (name, f, allowed) in TAILS {
            scope.spawn(move || {
                let (error, x) = worst(every, |x| match f(x).is_nan() == x.is_nan() {
                    true => (f64::from(f(x)) - normal_tail(f64::from(x))).abs(),
                    false => f64::INFINITY,
                });
                println!("{name}: {error:.1e} at {x:e}");
                assert!(error <= allowed, "{name}: {error:e} at {x:e}");
            });
        }
    });
}

#[test]
fn each_function_is_as_right_as_it_says_on_a_sample_of_all_numbers() {
    check(if cfg!(miri) { 99_999_989 } else { 9973 });
}

/// Takes some fifty minutes of processor time, which threads share:
/// `RUSTFLAGS="-C target-cpu=native" cargo test --release -p chainrule-kernels --lib all_numbers -- --ignored --nocapture`.
/// (Without the flags fused multiply-adds are calls.)
#[test]
#[ignore = "takes long: every f32 there is; the test above takes a sample of them"]
fn each_function_is_as_right_as_it_says_on_all_numbers() {
    check(1);
}

/// One function over a slice, as kernels have it.
struct Over<'a, F>(&'a [f32], &'a mut [f32], F);

impl<F: Fn(f32) -> f32> Kernel for Over<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (out, &x) in self.1.iter_mut().zip(self.0) {
            *out = (self.2)(x);
        }
    }
}

fn same_at_the_best_set(name: &str, f: impl Fn(f32) -> f32 + Copy) {
    let x: Vec<f32> =
        (0..=u32::MAX).step_by(if cfg!(miri) { 99_999_989 } else { 65_521 }).map(f32::from_bits).collect();
    let (mut best, mut baseline) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    simd::run(Over(&x, &mut best, f));
    Over(&x, &mut baseline, f).run();
    for ((&x, best), baseline) in x.iter().zip(&best).zip(&baseline) {
        let same = best.to_bits() == baseline.to_bits() || (best.is_nan() && baseline.is_nan());
        assert!(same, "{name} {x}: {best} at {:?}, {baseline} at the baseline", simd::level());
    }
}

/// The best instruction set of this processor against none; `CHAINRULE_SIMD` puts those between in its place.
#[test]
fn every_instruction_set_gives_the_same_bits() {
    same_at_the_best_set("exp", exp);
    same_at_the_best_set("exp_m1", exp_m1);
    same_at_the_best_set("tanh", tanh);
    same_at_the_best_set("ln", ln);
    same_at_the_best_set("ln_1p", ln_1p);
    same_at_the_best_set("log2", log2);
    same_at_the_best_set("log10", log10);
    same_at_the_best_set("sin", sin);
    same_at_the_best_set("cos", cos);
    same_at_the_best_set("tan", tan);
    same_at_the_best_set("erf", erf_f32);
    same_at_the_best_set("powf", |x| powf(x, 1.7));
    same_at_the_best_set("sigmoid", Float::sigmoid);
    same_at_the_best_set("normal_tail", normal_tail_f32);
    same_at_the_best_set("normal_tail_and_power", |x| normal_tail_and_power_f32(x).0);
}

#[test]
fn special_values() {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    for (name, f, reference, allowed) in CASES {
        for x in
            [0.0, -0.0, 1.0, -1.0, inf, -inf, nan, f32::MAX, f32::MIN_POSITIVE, 1e-45, -1e-45, 89.0, -104.0]
        {
            let (got, want) = (f(x), reference(f64::from(x)) as f32);
            let same = got == want && got.is_sign_negative() == want.is_sign_negative();
            assert!(
                same || ulps(got, reference(f64::from(x))) <= allowed,
                "{name} {x}: {got} instead of {want}"
            );
        }
    }
}

#[test]
fn powers_are_those_of_the_standard_library() {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    let numbers = [
        0.0,
        1.0,
        0.5,
        2.0,
        3.0,
        4.0,
        7.0,
        1.5,
        2.5,
        0.1,
        1e-3,
        1e10,
        1e-30,
        3e38,
        1e-45,
        16_777_215.0,
        16_777_217.0,
        1e20,
        0.99,
        1.000_001,
        inf,
        nan,
    ];
    for x in numbers.iter().flat_map(|&x| [x, -x]) {
        for y in numbers.iter().flat_map(|&y| [y, -y]) {
            let (got, want) = (powf(x, y), f64::from(x).powf(f64::from(y)));
            let error = ulps(got, want);
            assert!(error <= 0.502, "{x} to the power of {y}: {got} instead of {want}, {error} units off");
            assert!(got.is_nan() || got.is_sign_negative() == want.is_sign_negative(), "{x}, {y}: the sign");
        }
    }
}
