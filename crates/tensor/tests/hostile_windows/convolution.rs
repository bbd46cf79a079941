//! Convolutions and transposed convolutions.

use chainrule_tensor::{Conv1dOptions, Conv2dOptions, ConvTranspose2dOptions, Tensor};

use crate::{Picks, SIZES, Want, check, check_gradients, compared, numbers, tensor};

/// Where (output, tap, input) meet along one direction.
type Meetings = Vec<(usize, usize, usize)>;

/// One direction of a convolution: options that make sense or do not, and in the first case how many outputs there are
/// and what they meet. `span` is counted from the first to the last element of a window.
fn direction(n: usize, k: usize, s: usize, p: usize, d: usize) -> Option<(u128, Meetings)> {
    let (n, s, p, d) = (n as u128, s as u128, p as u128, d as u128);
    if s == 0 || d == 0 || n + 2 * p > isize::MAX as u128 {
        return None;
    }
    let rest = (n + 2 * p).checked_sub(d * (k as u128 - 1) + 1)?;
    let outputs = rest / s + 1;
    let mut met = Vec::new();
    for tap in 0..k {
        for i in 0..n {
            let Some(ahead) = (i + p).checked_sub(tap as u128 * d) else { continue };
            if ahead % s == 0 && ahead / s < outputs {
                met.push(((ahead / s) as usize, tap, i as usize));
            }
        }
    }
    Some((outputs, met))
}

/// Sizes of the operands.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    batch: usize,
    channels: [usize; 2],
    groups: usize,
    large: [usize; 2],
    kernel: [usize; 2],
    small: [usize; 2],
}

/// Output, and the gradients of input and weight, or for a transposed convolution those of the way back: calls
/// `product(large, weight, small)` with the places of every product.
fn products(sizes: &Sizes, met: [&Meetings; 2], mut product: impl FnMut(usize, usize, usize)) {
    let Sizes { batch, channels: [channels, out_channels], groups, large, kernel, small } = *sizes;
    let (group_in, group_out) = (channels / groups, out_channels / groups);
    for n in 0..batch {
        for o in 0..out_channels {
            for c in 0..group_in {
                for &(y, i, v) in met[0] {
                    for &(x, j, u) in met[1] {
                        let channel = o / group_out * group_in + c;
                        product(
                            ((n * channels + channel) * large[0] + v) * large[1] + u,
                            ((o * group_in + c) * kernel[0] + i) * kernel[1] + j,
                            ((n * out_channels + o) * small[0] + y) * small[1] + x,
                        );
                    }
                }
            }
        }
    }
}

fn conv2d(sizes: Sizes, options: Conv2dOptions) {
    let Conv2dOptions { stride, padding, dilation, groups } = options;
    let what = || format!("{sizes:?} {options:?}");
    let (input, kernel) = (sizes.large, sizes.kernel);
    let [rows, columns] = [0, 1].map(|d| direction(input[d], kernel[d], stride[d], padding[d], dilation[d]));
    let [channels, out_channels] = sizes.channels;
    let x_shape = [sizes.batch, channels, input[0], input[1]];
    let w_shape = [out_channels, channels / groups, kernel[0], kernel[1]];
    let (x, w) = (numbers(x_shape.iter().product(), 1), numbers(w_shape.iter().product(), 2));
    let bias = numbers(out_channels, 3);
    let (x_leaf, w_leaf) = (tensor(&x, &x_shape).unwrap(), tensor(&w, &w_shape).unwrap());
    let b_leaf = tensor(&bias, &[out_channels]).unwrap();
    let call = || x_leaf.conv2d(&w_leaf, Some(&b_leaf), options);
    let (Some((height, rows)), Some((width, columns))) = (rows, columns) else {
        assert!(compared(&Want::Error, "conv2d", call).is_none());
        return;
    };
    let elements = (height * width).saturating_mul((sizes.batch * out_channels) as u128);
    let Some(output) = compared(&Want::of_size(elements), "conv2d", call) else { return };
    let small = [height as usize, width as usize];
    assert_eq!(*output.shape(), [sizes.batch, out_channels, small[0], small[1]], "{}", what());
    let plane = small[0] * small[1];
    let mut want: Vec<f64> = (0..elements as usize).map(|i| bias[i / plane % out_channels]).collect();
    let grad = numbers(want.len(), 4);
    let (mut grad_x, mut grad_w) = (vec![0.0; x.len()], vec![0.0; w.len()]);
    products(&Sizes { small, ..sizes }, [&rows, &columns], |i, k, o| {
        want[o] += x[i] * w[k];
        grad_x[i] += grad[o] * w[k];
        grad_w[k] += grad[o] * x[i];
    });
    check(&output.to_vec::<f64>().unwrap(), &want, &what);
    check_gradients(&output, &grad, &[(&x_leaf, &grad_x), (&w_leaf, &grad_w)], &what);
}

/// Every way that a kernel may take: general, depthwise, products of matrices, one channel.
const CHANNELS: [([usize; 2], usize); 5] = [([2, 3], 1), ([4, 4], 4), ([4, 2], 2), ([3, 4], 1), ([1, 1], 1)];

#[test]
fn conv2d_with_every_option_in_one_direction() {
    for stride in SIZES {
        for padding in SIZES {
            for dilation in SIZES {
                let (channels, groups) = CHANNELS[(stride ^ padding ^ dilation) % CHANNELS.len()];
                for (n, k) in [(4, 1), (5, 3)] {
                    let sizes =
                        Sizes { batch: 2, channels, groups, large: [1, n], kernel: [1, k], small: [0, 0] };
                    let options = Conv2dOptions {
                        stride: [1, stride],
                        padding: [0, padding],
                        dilation: [1, dilation],
                        groups,
                    };
                    conv2d(sizes, options);
                }
            }
        }
    }
}

#[test]
fn conv2d_with_any_options() {
    let mut picks = Picks(1);
    for _ in 0..3000 {
        let (channels, groups) = picks.of(&CHANNELS);
        let size = |picks: &mut Picks, most| [1 + picks.below(most), 1 + picks.below(most)];
        let (large, kernel) = (size(&mut picks, 8), size(&mut picks, 3));
        let sizes = Sizes { batch: 1 + picks.below(2), channels, groups, large, kernel, small: [0, 0] };
        let (stride, padding, dilation) = (picks.pair(), picks.pair(), picks.pair());
        conv2d(sizes, Conv2dOptions { stride, padding, dilation, groups });
    }
}

#[test]
fn conv1d_is_the_same() {
    let mut picks = Picks(2);
    for _ in 0..500 {
        let (n, k) = (1 + picks.below(6), 1 + picks.below(3));
        let [stride, padding] = picks.pair();
        let dilation = picks.size();
        let what = || format!("{n} {k} stride {stride} padding {padding} dilation {dilation}");
        let (x, w) = (numbers(n, 1), numbers(k, 2));
        let (x_leaf, w_leaf) = (tensor(&x, &[1, n]).unwrap(), tensor(&w, &[1, 1, k]).unwrap());
        let options = Conv1dOptions { stride, padding, dilation, groups: 1 };
        let call = || x_leaf.conv1d(&w_leaf, None, options);
        let Some((length, met)) = direction(n, k, stride, padding, dilation) else {
            assert!(compared(&Want::Error, "conv1d", call).is_none());
            continue;
        };
        let Some(output) = compared(&Want::of_size(length), "conv1d", call) else { continue };
        let mut want = vec![0.0; length as usize];
        met.iter().for_each(|&(o, tap, i)| want[o] += x[i] * w[tap]);
        assert_eq!(*output.shape(), [1, length as usize], "{}", what());
        check(&output.to_vec::<f64>().unwrap(), &want, &what);
    }
}

#[test]
fn a_transposed_convolution_with_any_options() {
    let mut picks = Picks(3);
    for round in 0..4000 {
        let (channels, groups) = picks.of(&CHANNELS);
        let small = [1 + picks.below(4), 1 + picks.below(4)];
        let kernel = [1 + picks.below(3), 1 + picks.below(3)];
        let (stride, padding, dilation) = (picks.pair(), picks.pair(), picks.pair());
        // Most of what is drawn is larger than stride and dilation, and refused for that.
        let output_padding = [0, 1].map(|d| match round % 3 {
            0 => picks.size(),
            1 => stride[d].max(dilation[d]).saturating_sub(1),
            _ => 0,
        });
        let options = ConvTranspose2dOptions { stride, padding, output_padding, dilation, groups };
        transposed(channels, small, kernel, options);
    }
}

fn transposed(channels: [usize; 2], small: [usize; 2], kernel: [usize; 2], options: ConvTranspose2dOptions) {
    let ConvTranspose2dOptions { stride, padding, output_padding, dilation, groups } = options;
    let what = || format!("{channels:?} {small:?} {kernel:?} {options:?}");
    // The output has `channels[0]`, the input `channels[1]`: those of the convolution that this is the way back of.
    let y_shape = [1, channels[1], small[0], small[1]];
    let w_shape = [channels[1], channels[0] / groups, kernel[0], kernel[1]];
    let (y, w) = (numbers(y_shape.iter().product(), 1), numbers(w_shape.iter().product(), 2));
    let (y_leaf, w_leaf) = (tensor(&y, &y_shape).unwrap(), tensor(&w, &w_shape).unwrap());
    let call = || y_leaf.conv_transpose2d(&w_leaf, None, options);
    let full = [0, 1].map(|d| {
        let spread = (small[d] as u128 - 1) * stride[d] as u128;
        let span = (kernel[d] as u128 - 1) * dilation[d] as u128;
        spread.saturating_add(span).saturating_add(output_padding[d] as u128 + 1)
    });
    let mut large = [0; 2];
    for d in 0..2 {
        let left = full[d].saturating_sub(2 * padding[d] as u128);
        let refused = stride[d] == 0
            || dilation[d] == 0
            || output_padding[d] >= stride[d].max(dilation[d])
            || left == 0
            || full[d] > isize::MAX as u128;
        if refused {
            assert!(compared(&Want::Error, "conv_transpose2d", call).is_none());
            return;
        }
        large[d] = left;
    }
    let want = Want::of_size((large[0] * large[1]).saturating_mul(channels[0] as u128));
    let Some(output) = compared(&want, "conv_transpose2d", call) else { return };
    let large = large.map(|n| n as usize);
    assert_eq!(*output.shape(), [1, channels[0], large[0], large[1]], "{}", what());
    let met = [0, 1].map(|d| {
        let mut met = Vec::new();
        for i in 0..small[d] {
            for tap in 0..kernel[d] {
                let place = i as i128 * stride[d] as i128 + tap as i128 * dilation[d] as i128;
                if let Ok(place) = usize::try_from(place - padding[d] as i128)
                    && place < large[d]
                {
                    met.push((i, tap, place));
                }
            }
        }
        met
    });
    let mut values = vec![0.0; channels[0] * large[0] * large[1]];
    let grad = numbers(values.len(), 4);
    let (mut grad_y, mut grad_w) = (vec![0.0; y.len()], vec![0.0; w.len()]);
    let sizes = Sizes { batch: 1, channels, groups, large, kernel, small };
    products(&sizes, [&met[0], &met[1]], |o, k, i| {
        values[o] += y[i] * w[k];
        grad_y[i] += grad[o] * w[k];
        grad_w[k] += grad[o] * y[i];
    });
    check(&output.to_vec::<f64>().unwrap(), &values, &what);
    check_gradients(&output, &grad, &[(&y_leaf, &grad_y), (&w_leaf, &grad_w)], &what);
}

/// Work and memory follow what there is to compute, not the options: each of these would take minutes, or the memory of
/// the machine.
#[test]
fn large_options_cost_nothing() {
    let ones = |shape: &[usize]| Tensor::ones(shape).unwrap().requires_grad_(true).unwrap();
    for (channels, groups) in [(2, 1), (4, 4)] {
        let image = ones(&[1, channels, 8, 8]);
        for (size, stride, padding, dilation) in [
            (3, 3000, 1, 1),
            (3, 1_000_000, 1, 1),
            (3, 1_000_000, 500_000, 1),
            (3, 100_000, 100_000, 100_000),
            (2, 1 << 60, 1 << 60, 1 << 60),
        ] {
            let weight = ones(&[channels, channels / groups, size, size]);
            let options =
                Conv2dOptions { stride: [stride; 2], padding: [padding; 2], dilation: [dilation; 2], groups };
            let output = image.conv2d(&weight, None, options).unwrap();
            output.sum().unwrap().backward().unwrap();
        }
    }
    // One tap of nine meets the image; the others see padding.
    let image = ones(&[1, 1, 40, 40]);
    let weight = ones(&[1, 1, 3, 3]);
    let far = Conv2dOptions { padding: [1 << 20; 2], dilation: [1 << 20; 2], ..Default::default() };
    let output = image.conv2d(&weight, None, far).unwrap();
    assert_eq!(output.to_vec::<f32>().unwrap(), [1.0; 1600]);
    output.sum().unwrap().backward().unwrap();
    let grad = weight.grad().unwrap().to_vec::<f32>().unwrap();
    assert_eq!(grad, [0.0, 0.0, 0.0, 0.0, 1600.0, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn images_with_their_channels_last_are_told_so() {
    let (image, weight) = (Tensor::ones([2, 8, 8, 3]).unwrap(), Tensor::ones([4, 3, 3, 3]).unwrap());
    let error = image.conv2d(&weight, None, Conv2dOptions::default()).unwrap_err();
    assert!(error.message().ends_with("; channels come before the sizes, not after them"), "{error}");
    let error = image.conv2d(&weight, None, Conv2dOptions { groups: 8, ..Default::default() }).unwrap_err();
    assert!(!error.message().contains("before the sizes"), "{error}");
}
