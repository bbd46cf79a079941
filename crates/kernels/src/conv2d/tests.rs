use super::*;
use crate::parallel::set_num_threads;

/// Numbers in [-1, 1].
pub(super) fn noise(len: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..len).map(|_| next() as i64 as f64 / i64::MAX as f64).collect()
}

pub(super) struct Case {
    pub(super) shape: Conv2dShape,
    pub(super) input: Vec<f64>,
    pub(super) weight: Vec<f64>,
    pub(super) bias: Vec<f64>,
    pub(super) grad_output: Vec<f64>,
}

/// With as many outputs as there are windows that fit.
pub(super) fn fitted(sizes: Conv2dSizes) -> Conv2dShape {
    let output = [0, 1].map(|dim| {
        let span = sizes.dilation[dim] * (sizes.kernel[dim] - 1) + 1;
        let padded = sizes.input[dim] + 2 * sizes.padding[dim];
        if padded < span { 0 } else { (padded - span) / sizes.stride[dim] + 1 }
    });
    Conv2dShape::new(Conv2dSizes { output, ..sizes }).expect("sizes that make sense")
}

impl Case {
    pub(super) fn new(sizes: Conv2dSizes) -> Self {
        let shape = fitted(sizes);
        let plane = shape.input_plane();
        Case {
            shape,
            input: noise(shape.batch * shape.in_channels * plane, 1),
            weight: noise(shape.out_channels * shape.group_in() * shape.kernel_len(), 2),
            bias: noise(shape.out_channels, 3),
            grad_output: noise(shape.batch * shape.out_channels * shape.output_plane(), 4),
        }
    }

    /// Calls `term(input index, weight index, output index)` for every product in the definition.
    fn products(&self, mut term: impl FnMut(usize, usize, usize)) {
        let s = &self.shape;
        let ([oh, ow], [h, w], [kh, kw]) = (s.output, s.input, s.kernel);
        let place = |dim: usize, out: usize, tap: usize| {
            (out * s.stride[dim] + tap * s.dilation[dim])
                .checked_sub(s.padding[dim])
                .filter(|&i| i < s.input[dim])
        };
        for n in 0..s.batch {
            for o in 0..s.out_channels {
                for y in 0..oh {
                    for x in 0..ow {
                        for c in 0..s.group_in() {
                            for i in 0..kh {
                                for j in 0..kw {
                                    let (Some(v), Some(u)) = (place(0, y, i), place(1, x, j)) else {
                                        continue;
                                    };
                                    let channel = o / s.group_out() * s.group_in() + c;
                                    let input = ((n * s.in_channels + channel) * h + v) * w + u;
                                    let weight = ((o * s.group_in() + c) * kh + i) * kw + j;
                                    term(input, weight, ((n * s.out_channels + o) * oh + y) * ow + x);
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// The definition: output, gradient of the input, gradient of the weight.
    pub(super) fn plain(&self) -> [Vec<f64>; 3] {
        let bias = |i: usize| self.bias[i / self.shape.output_plane() % self.shape.out_channels];
        let mut output: Vec<f64> = (0..self.grad_output.len()).map(bias).collect();
        let mut grad_input = vec![0.0; self.input.len()];
        let mut grad_weight = vec![0.0; self.weight.len()];
        self.products(|i, w, o| {
            output[o] += self.input[i] * self.weight[w];
            grad_input[i] += self.grad_output[o] * self.weight[w];
            grad_weight[w] += self.grad_output[o] * self.input[i];
        });
        [output, grad_input, grad_weight]
    }

    pub(super) fn ours<T: Conv2dNumber>(&self) -> [Vec<T>; 3] {
        let as_t = |x: &[f64]| x.iter().map(|&x| T::of(x)).collect::<Vec<T>>();
        let (input, weight, bias) = (as_t(&self.input), as_t(&self.weight), as_t(&self.bias));
        let grad = as_t(&self.grad_output);
        let mut output = vec![T::NAN; grad.len()];
        let mut grad_input = vec![T::NAN; input.len()];
        let mut grad_weight = vec![T::NAN; weight.len()];
        forward(&self.shape, &input, &weight, Some(&bias), &mut output).unwrap();
        backward_input(&self.shape, &grad, &weight, &mut grad_input).unwrap();
        backward_weight(&self.shape, &input, &grad, &mut grad_weight).unwrap();
        [output, grad_input, grad_weight]
    }

    /// The most products that an element of each result sums over.
    fn terms(&self) -> [usize; 3] {
        let s = &self.shape;
        [s.group_in() * s.kernel_len(), s.group_out() * s.kernel_len(), s.batch * s.output_plane()]
    }

    pub(super) fn check(&self) {
        let (want, double, single) = (self.plain(), self.ours::<f64>(), self.ours::<f32>());
        for direction in 0..3 {
            let terms = (self.terms()[direction] + 2) as f64;
            let what = ["output", "grad_input", "grad_weight"][direction];
            assert_eq!(double[direction].len(), want[direction].len());
            for (i, want) in want[direction].iter().enumerate() {
                let (d, s) = (double[direction][i], f64::from(single[direction][i]));
                assert!(
                    (d - want).abs() <= 1e-12 * want.abs().max(1.0),
                    "{what} {i}: {d}, {want}; {:?}",
                    self.shape
                );
                let bound = f64::from(f32::EPSILON) * terms;
                assert!((s - want).abs() <= bound, "f32 {what} {i}: {s}, {want}; {:?}", self.shape);
            }
        }
    }
}

#[test]
fn every_option_gives_the_definition() {
    let mut cases = 0;
    for kernel in [[1, 1], [2, 3], [3, 3], [5, 5]] {
        for stride in [[1, 1], [2, 2], [3, 3], [2, 1], [1, 3]] {
            for padding in [[0, 0], [1, 1], [2, 2], [0, 2]] {
                for dilation in [[1, 1], [2, 2], [1, 2]] {
                    for (in_channels, out_channels, groups) in [
                        (1, 1, 1),
                        (2, 5, 1),
                        (3, 9, 1),
                        (5, 1, 1),
                        (4, 6, 2),
                        (3, 3, 3),
                        (2, 8, 2),
                        (4, 18, 2),
                    ] {
                        let input = [[7, 9], [11, 6], [9, 21]][cases % 3];
                        let batch = 1 + cases % 3;
                        cases += 1;
                        if cfg!(miri) && cases % 397 > 0 {
                            continue;
                        }
                        let shape = Conv2dSizes {
                            batch,
                            in_channels,
                            out_channels,
                            groups,
                            input,
                            kernel,
                            stride,
                            padding,
                            dilation,
                            output: [0, 0],
                        };
                        Case::new(shape).check();
                    }
                }
            }
        }
    }
}

pub(super) fn square(batch: usize, channels: [usize; 2], size: usize, stride: usize) -> Conv2dSizes {
    Conv2dSizes {
        batch,
        in_channels: channels[0],
        out_channels: channels[1],
        groups: 1,
        input: [size, size],
        kernel: [3, 3],
        stride: [stride, stride],
        padding: [1, 1],
        dilation: [1, 1],
        output: [0, 0],
    }
}

#[test]
#[cfg_attr(miri, ignore = "large images")]
fn threads_change_no_bit_and_bands_are_right() {
    for shape in [
        square(13, [3, 16], 28, 1),
        square(1, [9, 10], 61, 1),
        square(2, [20, 5], 150, 1),
        square(1, [20, 7], 131, 2),
        Conv2dSizes { kernel: [1, 1], padding: [0, 0], ..square(3, [30, 20], 40, 1) },
        Conv2dSizes { kernel: [1, 1], padding: [0, 0], ..square(9, [40, 50], 24, 1) },
        Conv2dSizes { kernel: [1, 1], padding: [0, 0], groups: 2, ..square(10, [60, 90], 20, 1) },
        Conv2dSizes { kernel: [1, 1], padding: [0, 0], ..square(5, [40, 48], 3, 1) },
        Conv2dSizes { kernel: [1, 1], padding: [0, 0], groups: 3, ..square(4, [36, 45], 2, 1) },
        Conv2dSizes { groups: 24, ..square(2, [24, 24], 50, 1) },
    ] {
        let case = Case::new(shape);
        case.check();
        let results = [1, 2, 3].map(|threads| {
            set_num_threads(threads);
            case.ours::<f32>()
        });
        assert!(results[0] == results[1] && results[0] == results[2], "{shape:?}");
    }
}

#[test]
fn empty_sizes_are_fine() {
    for shape in [
        square(0, [2, 3], 5, 1),
        square(2, [0, 3], 5, 1),
        square(2, [2, 0], 5, 1),
        Conv2dSizes { kernel: [9, 9], ..square(2, [2, 3], 5, 1) },
        Conv2dSizes { kernel: [9, 9], groups: 4, ..square(2, [4, 4], 5, 1) },
        Conv2dSizes { kernel: [9, 9], groups: 4, ..square(2, [4, 4], 5, 2) },
        Conv2dSizes { kernel: [1, 1], padding: [0, 0], ..square(0, [2, 3], 5, 1) },
        Conv2dSizes { kernel: [1, 1], padding: [0, 0], ..square(2, [2, 3], 0, 1) },
    ] {
        let case = Case::new(shape);
        assert_eq!(case.ours::<f64>(), case.plain(), "{shape:?}");
    }
}

/// Where the numbers that count are finite, what is computed besides and thrown away must not show.
#[test]
fn one_channel_does_not_see_another() {
    let shape = Conv2dSizes { groups: 2, ..square(2, [4, 4], 10, 1) };
    let mut case = Case::new(shape);
    case.input[100..200].fill(f64::INFINITY);
    let [_, _, grad_weight] = case.ours::<f64>();
    let spoiled: Vec<bool> =
        grad_weight.chunks(9).map(|kernel| kernel.iter().any(|x| !x.is_finite())).collect();
    assert_eq!(spoiled, [false, true, false, true, false, false, false, false]);
}

/// Options so large that nearly all that windows see is padding, each with the others: the definition, by the look-up of
/// what meets the image.
#[test]
fn options_beyond_the_image_give_the_definition() {
    let mut sparse = 0;
    for (kernel, dilation) in [([1, 1], [1, 1]), ([2, 3], [1, 90]), ([3, 2], [70, 1]), ([3, 3], [64, 65])] {
        for stride in [[1, 1], [3, 50], [200, 7], [1, 1000]] {
            for padding in [[64, 65], [70, 90], [0, 150], [200, 3]] {
                for (channels, groups) in [([2, 3], 1), ([4, 4], 2), ([5, 5], 5)] {
                    if cfg!(miri) && groups != 2 {
                        continue;
                    }
                    let sizes =
                        Conv2dSizes { kernel, dilation, padding, groups, ..square(2, channels, 1, 1) };
                    let case = Case::new(Conv2dSizes { stride, input: [7, 6], ..sizes });
                    sparse += usize::from(!case.shape.is_dense());
                    if !case.grad_output.is_empty() {
                        case.check();
                    }
                }
            }
        }
    }
    assert!(sparse > 30);
}

#[test]
fn sizes_that_do_not_fit_are_no_shape() {
    let huge = [1 << 31, 1 << 33, 1 << 62, usize::MAX / 3, usize::MAX / 2, 1 << 63, usize::MAX];
    let sizes = Conv2dSizes { output: [5, 5], ..square(1, [2, 2], 5, 1) };
    assert!(Conv2dShape::new(sizes).is_some());
    let one_output = Conv2dSizes { output: [1, 1], ..sizes };
    for n in huge {
        let refused = [
            Conv2dSizes { dilation: [1, n], ..sizes },
            Conv2dSizes { stride: [n, 1], ..sizes },
            Conv2dSizes { kernel: [n, 3], ..sizes },
            Conv2dSizes { output: [1, n], ..sizes },
            Conv2dSizes { batch: n, input: [n, n], ..sizes },
            Conv2dSizes { groups: n, ..sizes },
            Conv2dSizes { in_channels: n, out_channels: n, kernel: [n, 1], ..sizes },
        ];
        for sizes in refused {
            assert_eq!(Conv2dShape::new(sizes), None, "{sizes:?}");
        }
        let padded = Conv2dShape::new(Conv2dSizes { padding: [n, n], ..sizes });
        assert_eq!(padded.is_some(), n < 1 << 62, "padding {n}");
        // One window needs no stride, whatever it is.
        let one = Conv2dShape::new(Conv2dSizes { stride: [n, n], ..one_output }).expect("one window");
        assert_eq!(one.stride, [7, 7]);
    }
    for sizes in [
        Conv2dSizes { groups: 0, ..sizes },
        Conv2dSizes { stride: [0, 1], ..sizes },
        Conv2dSizes { dilation: [1, 0], ..sizes },
        Conv2dSizes { kernel: [3, 0], ..sizes },
        Conv2dSizes { output: [6, 5], ..sizes },
    ] {
        assert_eq!(Conv2dShape::new(sizes), None, "{sizes:?}");
    }
}

/// A shape and slices that do not belong together: no kernel touches memory.
#[test]
fn wrong_lengths_are_refused() {
    let shape = fitted(square(1, [4, 4], 5, 1));
    let (plane, weight) = (vec![0f32; 100], vec![0f32; 144]);
    for (input, kernel, output) in [(99, 144, 100), (100, 143, 100), (100, 144, 99)] {
        let call = |direction: usize| {
            let (x, w, y) = (&plane[..input], &weight[..kernel], &plane[..output]);
            match direction {
                0 => forward(&shape, x, w, None, &mut vec![0.0; output]),
                1 => backward_input(&shape, y, w, &mut vec![0.0; input]),
                _ => backward_weight(&shape, x, y, &mut vec![0.0; kernel]),
            }
        };
        for direction in 0..3 {
            assert!(std::panic::catch_unwind(|| call(direction)).is_err());
        }
    }
}
