//! Initialisers against numbers from PyTorch 2.15, and what they refuse.

use chainrule_nn::init::*;
use chainrule_tensor::random::{Generator, with_generator};
use chainrule_tensor::{DType, ErrorKind, Parameter, Result, Tensor};

fn parameter(shape: &[usize], dtype: DType) -> Parameter {
    Parameter::new(Tensor::full(shape, 7.0, dtype).unwrap()).unwrap()
}

/// What an initialiser makes of a parameter, with a new generator.
fn filled(parameter: &Parameter, fill: impl FnOnce(&Parameter) -> Result<()>) -> Vec<f64> {
    with_generator(&mut Generator::new(0), || fill(parameter)).unwrap();
    parameter.tensor().detach().to_dtype(DType::F64).unwrap().to_vec().unwrap()
}

#[track_caller]
fn assert_close(values: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(values.len(), expected.len());
    for (&value, &expected) in values.iter().zip(expected) {
        assert!((value - expected).abs() <= tolerance * expected.abs(), "{value:?} for {expected:?}");
    }
}

#[test]
fn orthogonal_matrices_of_up_to_sixteen_rows_are_pytorchs_bit_for_bit() {
    let want = [
        0.8862802982330322,
        -0.029169868677854538,
        0.2586618959903717,
        0.32692456245422363,
        -0.6629021763801575,
        -0.44125574827194214,
        0.23197877407073975,
        0.6034563183784485,
        -0.7625250816345215,
        -0.23197685182094574,
        -0.44221067428588867,
        -0.3961603343486786,
    ];
    assert_eq!(filled(&parameter(&[4, 3], DType::F32), |p| orthogonal_(p, 1.0)), want);
}

/// Limits of which most deviations away, or on a grid of numbers with few between them, end too, and with the right
/// mean.
#[test]
fn truncation_ends_far_from_the_mean() {
    // The mean of exp(-x²/2) between the limits, by Simpson's rule over a range that holds all but 1e-30 of it.
    let mean_between = |low: f64, high: f64| {
        let (near, n) = (low.max(-high).max(0.0), 200_000);
        let width = (high - low).min(if near > 0.0 { 70.0 / near } else { 40.0 });
        let (start, sign) = if high < 0.0 { (-high, -1.0) } else { (low, 1.0) };
        let (mut weight, mut moment) = (0.0, 0.0);
        for i in 0..=n {
            let distance = width * f64::from(i) / f64::from(n);
            let factor = if i == 0 || i == n { 1.0 } else { [2.0, 4.0][(i % 2) as usize] };
            let density = factor * (-0.5 * distance * distance - start.max(0.0) * distance).exp();
            weight += density;
            moment += density * distance;
        }
        sign * (start + moment / weight)
    };
    for (a, b) in [(10.0, 1e6), (10.0, 20.0), (-20.0, -10.0), (-1e6, -15.0), (40.0, 41.0), (1000.0, 1e4), (3.0, 1e5)] {
        for (mean, std) in [(0.0, 1.0), (5.0, 0.5)] {
            let options = TruncNormal { mean, std, a: mean + std * a, b: mean + std * b };
            let n = 20_000;
            let values = filled(&parameter(&[n], DType::F64), |p| trunc_normal_(p, options));
            assert!(values.iter().all(|&x| options.a <= x && x <= options.b), "{options:?}");
            let got = (values.iter().sum::<f64>() / n as f64 - mean) / std;
            let want = mean_between(a, b);
            // The distance from the limit is about exponential, so its deviation is about its mean.
            let near = if a > 0.0 { a } else { b };
            let deviation = (want - near).abs() / (n as f64).sqrt();
            assert!((got - want).abs() < 5.0 * deviation, "{options:?}: {got} for {want}");
            filled(&parameter(&[n], DType::F32), |p| trunc_normal_(p, options));
        }
    }
    for options in [
        TruncNormal { mean: 0.0, std: 1e-300, a: 1.0, b: 2.0 },
        TruncNormal { mean: -1e308, std: 1e-300, a: 1e308, b: 1.1e308 },
        TruncNormal { mean: 0.0, std: f64::MIN_POSITIVE, a: -2.0, b: -1.0 },
    ] {
        let nearer = if options.a > options.mean { options.a } else { options.b };
        assert_eq!(filled(&parameter(&[4], DType::F64), |p| trunc_normal_(p, options)), [nearer; 4]);
    }
    // Of the f32 from 16777217 to 16777218.9 there is one, seventeen deviations away.
    let grid = TruncNormal { mean: 16777200.0, std: 1.0, a: 16777217.0, b: 16777218.9 };
    let values = filled(&parameter(&[4], DType::F32), |p| trunc_normal_(p, grid));
    assert!(values.iter().all(|&x| x == 16777216.0 || x == 16777218.0), "{values:?}");
}

#[test]
fn orthogonal_in_double_precision_and_wide() {
    let want = [
        1.1230653217816204,
        -0.2138485793088438,
        -1.5878838274693603,
        0.4142680516288826,
        -0.7811963621381717,
        -1.5362002720488244,
        -0.08173552686285102,
        1.0115039651863247,
        -1.4276774631346743,
        0.4220171164459347,
        -1.212604723675923,
        -0.5596681148706218,
    ];
    assert_close(&filled(&parameter(&[3, 4], DType::F64), |p| orthogonal_(p, 2.0)), &want, 1e-13);
}

#[test]
fn orthogonal_of_any_size() {
    let values = filled(&parameter(&[40, 3], DType::F32), |p| orthogonal_(p, 1.0));
    let want = [-0.18117857, -0.20679264, -0.007641227, -0.06982304, 0.12809497, 0.05313622];
    assert!(values.iter().zip(want).all(|(got, want)| (got - want).abs() < 1e-7));
    for shape in [[1, 1], [1, 5], [5, 1], [17, 16], [33, 40], [130, 100]] {
        let values = filled(&parameter(&shape, DType::F32), |p| orthogonal_(p, 3.0));
        let matrix = Tensor::from_vec(values, shape).unwrap();
        let matrix = if shape[0] < shape[1] { matrix } else { matrix.t().unwrap() };
        let gram = matrix.matmul(&matrix.t().unwrap()).unwrap();
        let n = gram.size(0).unwrap();
        for (i, value) in gram.to_vec::<f64>().unwrap().into_iter().enumerate() {
            let want = if i % (n + 1) == 0 { 9.0 } else { 0.0 };
            assert!((value - want).abs() < 1e-5, "{shape:?}: {value} for {want}");
        }
    }
}

#[test]
fn values_within_limits() {
    let near = TruncNormal { a: -0.5, b: 0.5, ..TruncNormal::default() };
    let want =
        [0.1227012425661087, -0.293428897857666, 0.3731146454811096, -0.02087947353720665, -0.40334352850914];
    assert_close(&filled(&parameter(&[5], DType::F32), |p| trunc_normal_(p, near)), &want, 1e-6);
    // So far out that another method is used.
    let far = TruncNormal { a: 2.0, b: 2.5, ..TruncNormal::default() };
    let want = [2.2481284141540527, 2.384110927581787, 2.044238805770874];
    assert_close(&filled(&parameter(&[3], DType::F32), |p| trunc_normal_(p, far)), &want, 1e-6);
}

#[test]
fn sparse_columns() {
    let want = [
        0.0,
        -0.002934289164841175,
        0.0,
        0.005684312898665667,
        -0.010845223441720009,
        0.0,
        0.004033468663692474,
    ];
    let values = filled(&parameter(&[5, 2], DType::F32), |p| sparse_(p, 0.5, 0.01));
    assert_close(&values, &[&want[..], &[0.0; 3]].concat(), 1e-6);
}

#[test]
fn scaled_by_fans() {
    let options = Kaiming { a: 0.3, mode: FanMode::FanOut, ..Kaiming::default() };
    let want = [
        1.205154324281892,
        -0.22947956374144546,
        -1.703948135533375,
        0.44454843734322197,
        -0.8481635896160531,
        -1.093788154061336,
    ];
    assert_close(&filled(&parameter(&[3, 2], DType::F64), |p| kaiming_normal_(p, options)), &want, 1e-13);
}

#[test]
fn a_transposed_parameter_is_filled_in_the_order_of_its_memory() {
    let transposed = Parameter::new(Tensor::zeros([2, 3]).unwrap().t().unwrap()).unwrap();
    let want = [
        0.9746115207672119,
        0.3595075011253357,
        -0.18558073043823242,
        -0.6859121322631836,
        -1.3779873847961426,
        -0.8845493793487549,
    ];
    assert_close(&filled(&transposed, |p| xavier_normal_(p, 1.0)), &want, 1e-6);
}

#[test]
fn nothing_to_fill() {
    for shape in [&[0, 3][..], &[3, 0], &[2, 0, 3]] {
        let empty = parameter(shape, DType::F32);
        kaiming_uniform_(&empty, Kaiming::default()).unwrap();
        kaiming_normal_(&empty, Kaiming::default()).unwrap();
        orthogonal_(&empty, 1.0).unwrap();
        trunc_normal_(&empty, TruncNormal::default()).unwrap();
        normal_(&empty, 0.0, 1.0).unwrap();
        constant_(&empty, 1.0).unwrap();
    }
    eye_(&parameter(&[0, 3], DType::F32)).unwrap();
    eye_(&parameter(&[3, 0], DType::F32)).unwrap();
    sparse_(&parameter(&[0, 3], DType::F32), 0.5, 1.0).unwrap();
    sparse_(&parameter(&[3, 0], DType::F32), 0.5, 1.0).unwrap();
    dirac_(&parameter(&[2, 2, 0], DType::F32), 1).unwrap();
    dirac_(&parameter(&[2, 0, 3], DType::F32), 1).unwrap();
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    type Fill = fn(&Parameter) -> Result<()>;
    let cases: [(&[usize], Fill, ErrorKind); 18] = [
        (&[3], |p| xavier_uniform_(p, 1.0), ErrorKind::Shape),
        (&[3], |p| xavier_normal_(p, 1.0), ErrorKind::Shape),
        (&[2, 3], |p| xavier_uniform_(p, -1.0), ErrorKind::Value),
        (&[3], |p| kaiming_uniform_(p, Kaiming::default()), ErrorKind::Shape),
        (&[], |p| kaiming_normal_(p, Kaiming::default()), ErrorKind::Shape),
        (&[3], |p| orthogonal_(p, 1.0), ErrorKind::Shape),
        (&[3], |p| eye_(p), ErrorKind::Shape),
        (&[3, 3, 3], |p| eye_(p), ErrorKind::Shape),
        (&[3, 3], |p| dirac_(p, 1), ErrorKind::Shape),
        (&[1; 6], |p| dirac_(p, 1), ErrorKind::Shape),
        (&[3, 3, 3], |p| dirac_(p, 2), ErrorKind::Value),
        (&[3, 3, 3], |p| dirac_(p, 0), ErrorKind::Value),
        (&[3], |p| sparse_(p, 0.5, 0.01), ErrorKind::Shape),
        (&[3, 3], |p| sparse_(p, 1.5, 0.01), ErrorKind::Value),
        (&[3, 3], |p| sparse_(p, 0.5, -1.0), ErrorKind::Value),
        (&[3], |p| normal_(p, 0.0, -1.0), ErrorKind::Value),
        (&[3], |p| uniform_(p, 1.0, 0.0), ErrorKind::Value),
        (&[3], |p| trunc_normal_(p, TruncNormal { std: 0.0, ..TruncNormal::default() }), ErrorKind::Value),
    ];
    for (i, (shape, fill, kind)) in cases.into_iter().enumerate() {
        let parameter = parameter(shape, DType::F32);
        let mut generator = Generator::new(0);
        let error = with_generator(&mut generator, || fill(&parameter)).unwrap_err();
        assert_eq!(error.kind(), kind, "case {i}: {error}");
        assert!(error.to_string().contains(file!()), "{error}");
        assert!(parameter.tensor().to_vec::<f32>().unwrap().iter().all(|&v| v == 7.0), "case {i}");
        assert_eq!(generator.state(), Generator::new(0).state(), "case {i}");
    }
}

#[test]
fn names_of_options() {
    assert_eq!("conv_transpose2d".parse::<Nonlinearity>().unwrap(), Nonlinearity::Linear);
    assert!("gelu".parse::<Nonlinearity>().unwrap_err().to_string().contains("gelu"));
    assert_eq!("fan_out".parse::<FanMode>().unwrap(), FanMode::FanOut);
    assert!("fan".parse::<FanMode>().is_err());
}

/// Limits ten and more standard deviations away, where a rejection by uniform numbers would hardly end. The mean of a
/// normal number beyond l is l + 1/l − 2/l³ + 10/l⁵ − …, its deviation about 1/l.
#[test]
fn the_tail_of_a_normal_distribution_is_drawn() {
    for (side, l, beyond) in [(1.0, 10.0, 1000.0), (-1.0, 10.0, 1000.0), (1.0, 40.0, 1e6), (1.0, 10.0, 1e30)]
    {
        let parameter = parameter(&[20_000], DType::F64);
        let (near, far) = (side * l, side * beyond);
        let options = TruncNormal { a: near.min(far), b: near.max(far), ..Default::default() };
        let values = filled(&parameter, |p| trunc_normal_(p, options));
        assert!(values.iter().all(|x| (options.a..=options.b).contains(x)));
        let mean = values.iter().map(|x| x.abs() - l).sum::<f64>() / values.len() as f64;
        let wanted = 1.0 / l - 2.0 / l.powi(3) + 10.0 / l.powi(5);
        // Five standard errors.
        assert!((mean - wanted).abs() < 5.0 / l / 20_000f64.sqrt(), "{mean} instead of {wanted} beyond {l}");
    }
    // So far out that the square of a number is infinite.
    let parameter = parameter(&[4], DType::F64);
    let options = TruncNormal { a: 1e200, b: 1e300, ..Default::default() };
    assert!(
        filled(&parameter, |p| trunc_normal_(p, options)).iter().all(|x| (1e200..=1.0001e200).contains(x))
    );
}
