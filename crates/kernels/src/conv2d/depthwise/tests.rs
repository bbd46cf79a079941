use crate::conv2d::Conv2dSizes;
use crate::conv2d::tests::{Case, square};
use crate::testing::on_thread_counts;

fn depthwise(batch: usize, channels: usize, size: usize, stride: usize) -> Conv2dSizes {
    Conv2dSizes { groups: channels, ..square(batch, [channels, channels], size, stride) }
}

#[test]
fn every_option_gives_the_definition() {
    for (kernel, padding) in
        [([1, 1], [0, 0]), ([3, 3], [1, 1]), ([5, 2], [0, 3]), ([3, 3], [4, 4]), ([7, 1], [9, 0])]
    {
        for stride in [[1, 1], [2, 2], [3, 1], [1, 4]] {
            for dilation in [[1, 1], [2, 3]] {
                for (channels, input) in [(4, [9, 5]), (17, [7, 7]), (35, [5, 19])] {
                    if cfg!(miri) && (stride != [2, 2] || channels > 17) {
                        continue;
                    }
                    let shape = depthwise(2, channels, 1, 1);
                    Case::new(Conv2dSizes { kernel, padding, stride, dilation, input, ..shape }).check();
                }
            }
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "large images")]
fn bands_and_threads_change_nothing() {
    for shape in [
        depthwise(2, 20, 140, 1),
        depthwise(1, 16, 141, 2),
        Conv2dSizes { padding: [0, 0], ..depthwise(9, 33, 30, 1) },
        Conv2dSizes { kernel: [5, 5], padding: [2, 2], ..depthwise(3, 16, 120, 1) },
    ] {
        let case = Case::new(shape);
        case.check();
        on_thread_counts(|| case.ours::<f32>());
    }
}

#[test]
fn an_infinity_shows_only_in_windows_that_meet_it() {
    let mut case = Case::new(depthwise(1, 4, 6, 1));
    case.input[0] = f64::INFINITY;
    let [output, _, _] = case.ours::<f64>();
    let spoiled: Vec<usize> = (0..output.len()).filter(|&i| !output[i].is_finite()).collect();
    assert_eq!(spoiled, [0, 1, 6, 7]);
}
