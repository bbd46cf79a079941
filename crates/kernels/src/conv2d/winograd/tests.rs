use super::super::tests::{Case, fitted, square};
use super::super::{Conv2dNumber, Conv2dSizes};
use super::*;
use crate::parallel::set_num_threads;

/// Output, gradient of the input, gradient of the weight, by this algorithm whatever the sizes are.
fn winograd<T: Conv2dNumber>(case: &Case) -> [Vec<T>; 3] {
    let as_t = |x: &[f64]| x.iter().map(|&x| T::of(x)).collect::<Vec<T>>();
    let (input, weight, bias) = (as_t(&case.input), as_t(&case.weight), as_t(&case.bias));
    let grad = as_t(&case.grad_output);
    let mut output = vec![T::NAN; grad.len()];
    let mut grad_input = vec![T::NAN; input.len()];
    let mut grad_weight = vec![T::NAN; weight.len()];
    forward(&case.shape, &input, &weight, Some(&bias), &mut output).unwrap();
    backward_input(&case.shape, &grad, &weight, &mut grad_input).unwrap();
    backward_weight(&case.shape, &input, &grad, &mut grad_weight).unwrap();
    [output, grad_input, grad_weight]
}

/// Compares with the definition, in `f64`, where rounding errors leave no room for mistakes, and `f32`.
fn check(shape: Conv2dSizes) {
    let case = Case::new(shape);
    let (want, double, single) = (case.plain(), winograd::<f64>(&case), winograd::<f32>(&case));
    for direction in 0..3 {
        let what = ["output", "grad_input", "grad_weight"][direction];
        for (i, want) in want[direction].iter().enumerate() {
            let (d, s) = (double[direction][i], f64::from(single[direction][i]));
            assert!((d - want).abs() <= 1e-12 * want.abs().max(1.0), "{what} {i}: {d}, {want}; {shape:?}");
            assert!((s - want).abs() <= 2e-4 * want.abs().max(1.0), "f32 {what} {i}: {s}, {want}; {shape:?}");
        }
    }
}

#[test]
fn every_size_gives_the_definition() {
    let mut cases = 0;
    for height in 1..=13 {
        for width in [1, 2, 3, 4, 5, 6, 7, 8, 9, 14, 15, 16, 17, 18, 31] {
            for padding in [[0, 0], [1, 1], [2, 2], [1, 0], [0, 2]] {
                let channels =
                    [[1, 1], [3, 5], [8, 16], [17, 7], [16, 33], [2, 4], [35, 3], [20, 18]][cases % 8];
                let batch = 1 + cases % 3;
                cases += 1;
                if cfg!(miri) && cases % 397 > 0 {
                    continue;
                }
                let shape = Conv2dSizes { input: [height, width], padding, ..square(batch, channels, 1, 1) };
                if !fitted(shape).output.contains(&0) {
                    check(shape);
                }
            }
        }
    }
    assert!(cases > 900);
}

#[test]
#[cfg_attr(miri, ignore = "large images")]
fn images_wider_than_a_strip_and_batches_of_many_blocks() {
    check(Conv2dSizes { input: [6, 150], ..square(1, [3, 18], 1, 1) });
    check(Conv2dSizes { input: [150, 6], ..square(1, [18, 3], 1, 1) });
    check(square(37, [5, 6], 9, 1));
    check(square(1, [130, 70], 9, 1));
}

#[test]
#[cfg_attr(miri, ignore = "large images")]
fn threads_change_no_bit() {
    for shape in [
        square(5, [16, 32], 14, 1),
        square(1, [20, 40], 61, 1),
        Conv2dSizes { padding: [0, 2], ..square(3, [33, 17], 30, 1) },
    ] {
        assert!(suits(&fitted(shape)));
        let case = Case::new(shape);
        let results = [1, 2, 3, 4, 8].map(|threads| {
            set_num_threads(threads);
            case.ours::<f32>()
        });
        assert!(results.iter().all(|result| *result == results[0]), "{shape:?}");
        // That is what was computed.
        assert!(results[0] == winograd::<f32>(&case), "{shape:?}");
    }
}

/// The points are chosen for this, and the length of sums. For images of 56 × 56 normal numbers errors were up to 5.4e-6
/// standard deviations of the results, with a mean of 4.8e-7 (by the plain sums 5.8e-6 and 3.0e-7); sums over all
/// channels in one go had 9.6e-6 and 6.0e-7.
#[test]
#[cfg_attr(miri, ignore = "large images")]
fn rounding_errors_are_small() {
    let mut case = Case::new(square(2, [64, 64], 20, 1));
    for x in [&mut case.input, &mut case.weight, &mut case.grad_output] {
        // Sums of twelve uniform numbers are close to normal ones.
        let sums: Vec<f64> =
            (0..x.len()).map(|i| (0..12).map(|j| x[(i + j * 7919) % x.len()]).sum::<f64>() / 2.0).collect();
        x.copy_from_slice(&sums.iter().map(|&x| f64::from(x as f32)).collect::<Vec<f64>>());
    }
    case.bias.fill(0.0);
    let (want, got) = (case.plain(), winograd::<f32>(&case));
    let means = [5.5e-7, 5.5e-7, 8e-7];
    for ((got, want), allowed) in got.iter().zip(&want).zip(means) {
        let deviation = (want.iter().map(|x| x * x).sum::<f64>() / want.len() as f64).sqrt();
        let errors = got.iter().zip(want).map(|(got, want)| (f64::from(*got) - want).abs() / deviation);
        let mean = errors.clone().sum::<f64>() / want.len() as f64;
        let most = errors.fold(0.0, f64::max);
        assert!(most < 8e-6 && mean < allowed, "{most:e}, mean {mean:e}");
    }
}

#[test]
fn other_convolutions_are_left_alone() {
    let suitable = square(64, [64, 64], 28, 1);
    assert!(suits(&fitted(suitable)));
    for other in [
        Conv2dSizes { kernel: [3, 1], ..suitable },
        Conv2dSizes { kernel: [5, 5], padding: [2, 2], ..suitable },
        Conv2dSizes { stride: [1, 2], ..suitable },
        Conv2dSizes { dilation: [2, 1], ..suitable },
        Conv2dSizes { groups: 2, ..suitable },
        Conv2dSizes { padding: [3, 1], ..suitable },
        Conv2dSizes { in_channels: 1, ..suitable },
        Conv2dSizes { out_channels: 2, ..suitable },
    ] {
        assert!(!suits(&fitted(other)), "{other:?}");
    }
}
