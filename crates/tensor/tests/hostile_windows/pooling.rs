//! Maximum and average pooling.

use chainrule_tensor::{AvgPool2dOptions, MaxPool2dOptions, Tensor};

use crate::{Picks, SIZES, Want, check, check_gradients, compared, numbers, tensor};

/// One direction: for each window the places that it sees, and its size within the padded image. `None` where the options
/// are to be refused. As PyTorch's `pooling_output_shape`.
fn direction(
    n: usize,
    k: usize,
    s: usize,
    p: usize,
    d: usize,
    ceil: bool,
) -> Option<Vec<(Vec<usize>, u128)>> {
    let padding_allowed = p <= k / 2;
    let (n, k, s, p, d) = (n as i128, k as i128, s as i128, p as i128, d as i128);
    if k == 0 || s == 0 || d == 0 || !padding_allowed || n + 2 * p > isize::MAX as i128 {
        return None;
    }
    let rest = n + 2 * p - (d.checked_mul(k - 1)?) - 1 + if ceil { s - 1 } else { 0 };
    let mut outputs = rest.div_euclid(s) + 1;
    if ceil && (outputs - 1) * s >= n + p {
        outputs -= 1;
    }
    if outputs <= 0 {
        return None;
    }
    let window = |start: i128| {
        let seen = (0..n).filter(|i| (i - start) >= 0 && (i - start) % d == 0 && (i - start) / d < k);
        let within = (start + k).min(n + p) - start;
        (seen.map(|i| i as usize).collect::<Vec<_>>(), within as u128)
    };
    let windows: Vec<_> = (0..outputs).map(|o| window(o * s - p)).collect();
    // A window that sees nothing has no maximum.
    windows.iter().all(|(seen, _)| !seen.is_empty()).then_some(windows)
}

/// Options for one direction that all calls have in common.
#[derive(Clone, Copy, Debug)]
struct Options {
    input: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
    ceil_mode: bool,
}

/// For each output the places of its window, row by row, and the number of elements within the padded image.
type Windows = Vec<(Vec<usize>, f64)>;

impl Options {
    fn windows(&self, dilation: [usize; 2]) -> Option<([usize; 2], Windows)> {
        let [rows, columns] = [0, 1].map(|d| {
            let Options { input, kernel, stride, padding, ceil_mode, .. } = *self;
            direction(input[d], kernel[d], stride[d], padding[d], dilation[d], ceil_mode)
        });
        let (rows, columns) = (rows?, columns?);
        let windows = rows.iter().flat_map(|(ys, height)| {
            columns.iter().map(move |(xs, width)| {
                let places = ys.iter().flat_map(|y| xs.iter().map(move |x| y * self.input[1] + x));
                (places.collect(), *height as f64 * *width as f64)
            })
        });
        Some(([rows.len(), columns.len()], windows.collect()))
    }

    fn leaf(&self) -> (Vec<f64>, Tensor) {
        let values = numbers(self.input[0] * self.input[1], 1);
        let leaf = tensor(&values, &[1, self.input[0], self.input[1]]).unwrap();
        (values, leaf)
    }

    fn max(self) {
        let Options { kernel, stride, padding, dilation, ceil_mode, .. } = self;
        let options =
            MaxPool2dOptions { kernel_size: kernel, stride: Some(stride), padding, dilation, ceil_mode };
        let (x, leaf) = self.leaf();
        let what = || format!("{self:?}");
        let Some((size, windows)) = self.windows(dilation) else {
            compared(&Want::Error, "max_pool2d", || leaf.max_pool2d(options));
            return;
        };
        let (output, indices) = leaf.max_pool2d_with_indices(options).unwrap();
        assert_eq!(*output.shape(), [1, size[0], size[1]], "{}", what());
        let best =
            |places: &Vec<usize>| *places.iter().reduce(|a, b| if x[*b] > x[*a] { b } else { a }).unwrap();
        let places: Vec<usize> = windows.iter().map(|(places, _)| best(places)).collect();
        let got: Vec<usize> = indices.to_vec::<i64>().unwrap().iter().map(|&i| i as usize).collect();
        assert_eq!(got, places, "{}", what());
        let want: Vec<f64> = places.iter().map(|&place| x[place]).collect();
        check(&output.to_vec::<f64>().unwrap(), &want, &what);
        let grad = numbers(want.len(), 2);
        let mut grad_x = vec![0.0; x.len()];
        places.iter().zip(&grad).for_each(|(&place, g)| grad_x[place] += g);
        check_gradients(&output, &grad, &[(&leaf, &grad_x)], &what);
    }

    fn average(self, count_include_pad: bool, divisor_override: Option<usize>) {
        let Options { kernel, stride, padding, ceil_mode, .. } = self;
        let options = AvgPool2dOptions {
            kernel_size: kernel,
            stride: Some(stride),
            padding,
            ceil_mode,
            count_include_pad,
            divisor_override,
        };
        let (x, leaf) = self.leaf();
        let what = || format!("{self:?} {count_include_pad} {divisor_override:?}");
        let windows = self.windows([1, 1]).filter(|_| divisor_override != Some(0));
        let Some((size, windows)) = windows else {
            compared(&Want::Error, "avg_pool2d", || leaf.avg_pool2d(options));
            return;
        };
        let output = leaf.avg_pool2d(options).unwrap();
        assert_eq!(*output.shape(), [1, size[0], size[1]], "{}", what());
        let grad = numbers(windows.len(), 2);
        let (mut want, mut grad_x) = (vec![0.0; windows.len()], vec![0.0; x.len()]);
        for (o, (places, within)) in windows.iter().enumerate() {
            let counted = if count_include_pad { *within } else { places.len() as f64 };
            let divisor = divisor_override.map_or(counted, |n| n as f64);
            for &place in places {
                want[o] += x[place] / divisor;
                grad_x[place] += grad[o] / divisor;
            }
        }
        check(&output.to_vec::<f64>().unwrap(), &want, &what);
        check_gradients(&output, &grad, &[(&leaf, &grad_x)], &what);
    }
}

#[test]
fn pooling_with_every_option_in_one_direction() {
    for kernel in SIZES {
        for stride in SIZES {
            for padding in [0, 1, 2, kernel / 2, kernel / 2 + 1, usize::MAX / 2, usize::MAX] {
                for ceil_mode in [false, true] {
                    let options = |dilation| Options {
                        input: [1, 6],
                        kernel: [1, kernel],
                        stride: [1, stride],
                        padding: [0, padding],
                        dilation: [1, dilation],
                        ceil_mode,
                    };
                    options(1).average(kernel % 2 == 0, None);
                    SIZES.into_iter().for_each(|dilation| options(dilation).max());
                }
            }
        }
    }
}

#[test]
fn pooling_with_any_options() {
    let mut picks = Picks(4);
    for _ in 0..3000 {
        let kernel = picks.pair();
        let padding = kernel.map(|k| picks.of(&[0, 0, 1, k / 2]));
        let options = Options {
            input: [1 + picks.below(5), 1 + picks.below(5)],
            kernel,
            stride: picks.pair(),
            padding,
            dilation: picks.pair(),
            ceil_mode: picks.below(2) == 0,
        };
        options.max();
        let divisor = if picks.below(3) == 0 { Some(picks.size()) } else { None };
        options.average(picks.below(2) == 0, divisor);
    }
}
