use super::*;
use crate::memory::OutOfMemory;
use crate::testing::{assert_close, numbers, on_thread_counts};

fn shape(input: [usize; 2], kernel: [usize; 2], stride: [usize; 2], padding: [usize; 2]) -> Pool2dSizes {
    let output = [0, 1].map(|d| (input[d] + 2 * padding[d] - kernel[d]) / stride[d] + 1);
    Pool2dSizes { batch_channels: 1, input, kernel, stride, padding, dilation: [1, 1], output }
}

/// With `ceil_mode`: one window more where the last one starts inside the plane or the left padding.
fn ceil(mut shape: Pool2dSizes) -> Pool2dSizes {
    for d in 0..2 {
        let reach = (shape.kernel[d] - 1) * shape.dilation[d] + 1;
        let span = shape.input[d] + 2 * shape.padding[d] - reach;
        let windows = span.div_ceil(shape.stride[d]) + 1;
        let dropped = (windows - 1) * shape.stride[d] >= shape.input[d] + shape.padding[d];
        shape.output[d] = windows - usize::from(dropped);
    }
    shape
}

/// The checked shape.
fn made(sizes: Pool2dSizes) -> Pool2dShape {
    Pool2dShape::new(sizes).expect("sizes that make sense")
}

fn shapes() -> Vec<Pool2dSizes> {
    let base = [
        shape([28, 28], [2, 2], [2, 2], [0, 0]),
        shape([7, 9], [2, 2], [2, 2], [0, 0]),
        shape([40, 37], [3, 3], [2, 2], [1, 1]),
        shape([9, 40], [3, 2], [1, 1], [1, 0]),
        shape([11, 23], [2, 5], [5, 4], [1, 2]),
        shape([6, 50], [4, 3], [3, 3], [2, 1]),
        shape([3, 1], [1, 1], [1, 1], [0, 0]),
    ];
    base.iter()
        .flat_map(|&s| [s, ceil(s)])
        .map(|s| Pool2dSizes { batch_channels: if cfg!(miri) { 3 } else { 61 }, ..s })
        .collect()
}

/// The elements of the window of one output that are inside the plane, in order.
fn window(s: &Pool2dShape, row: usize, column: usize) -> Vec<usize> {
    let mut places = Vec::new();
    for i in 0..s.kernel[0] {
        for j in 0..s.kernel[1] {
            let y = (row * s.stride[0] + i * s.dilation[0]) as i64 - s.padding[0] as i64;
            let x = (column * s.stride[1] + j * s.dilation[1]) as i64 - s.padding[1] as i64;
            if (0..s.input[0] as i64).contains(&y) && (0..s.input[1] as i64).contains(&x) {
                places.push(y as usize * s.input[1] + x as usize);
            }
        }
    }
    places
}

#[test]
fn maxima_and_their_gradients_are_the_definitions() {
    let dilated = Pool2dSizes {
        batch_channels: 3,
        dilation: [2, 3],
        output: [17, 15],
        ..shape([19, 21], [2, 3], [1, 1], [0, 0])
    };
    for s in shapes().into_iter().chain([dilated, ceil(Pool2dSizes { stride: [3, 4], ..dilated })]) {
        let s = made(s);
        // Few different values make ties; some are NaN, some −∞.
        let x: Vec<f32> = numbers(1, s.inputs())
            .iter()
            .map(|&v| match v {
                v if v > 1.98 => f32::NAN,
                v if v < -1.0 => f32::NEG_INFINITY,
                v => (v * 4.0).round() as f32,
            })
            .collect();
        let g: Vec<f32> = numbers(2, s.outputs()).iter().map(|&v| v as f32).collect();
        let (out, indices, back) = on_thread_counts(|| {
            let (mut out, mut indices) = (vec![9.0; s.outputs()], vec![9; s.outputs()]);
            max_forward(&s, &x, &mut out, &mut indices).unwrap();
            let mut back = vec![9.0; s.inputs()];
            max_backward(&s, &g, &indices, &mut back);
            (out.into_iter().map(f32::to_bits).collect::<Vec<_>>(), indices, back)
        });
        let mut want_back = vec![0.0; s.inputs()];
        for i in 0..s.outputs() {
            let (plane, at) = (i / s.output_plane(), i % s.output_plane());
            let x = &x[plane * s.input_plane()..][..s.input_plane()];
            let places = window(&s, at / s.output[1], at % s.output[1]);
            let mut best = places[0];
            for &place in &places {
                if x[place] > x[best] || x[place].is_nan() {
                    best = place;
                }
            }
            assert_eq!(indices[i], best as i64, "{s:?} output {at}");
            assert_eq!(out[i], x[best].to_bits());
            want_back[plane * s.input_plane() + best] += g[i];
        }
        assert_eq!(back, want_back);
    }
}

#[test]
fn maxima_of_nans_and_padding_follow_pytorch() -> Result<(), OutOfMemory> {
    let nan = f64::NAN;
    let x = [1.0, nan, 2.0, nan, nan, 0.0, 0.0, 3.0, -9.0, -9.0, -9.0, -9.0, 5.0, 5.0, 1.0, 5.0];
    let (mut out, mut indices) = ([0.0; 4], [9; 4]);
    max_forward(&made(shape([4, 4], [4, 4], [4, 4], [0, 0])), &x, &mut out[..1], &mut indices[..1])?;
    assert!(out[0].is_nan());
    assert_eq!(indices[0], 4);
    max_forward(&made(shape([4, 4], [2, 2], [2, 2], [0, 0])), &x, &mut out, &mut indices)?;
    assert_eq!((&out[2..], indices), (&[5.0, 5.0][..], [4, 3, 12, 15]));
    let (mut out, mut indices) = ([0.0; 9], [9; 9]);
    max_forward(
        &made(shape([3, 3], [3, 3], [1, 1], [1, 1])),
        &[f64::NEG_INFINITY; 9],
        &mut out,
        &mut indices,
    )?;
    assert_eq!((out, indices), ([f64::NEG_INFINITY; 9], [0, 0, 1, 0, 0, 1, 3, 3, 4]));
    Ok(())
}

#[test]
fn averages_and_their_gradients_are_the_definitions() {
    for s in shapes() {
        let s = made(s);
        let (x, g) = (numbers(3, s.inputs()), numbers(4, s.outputs()));
        for (count_include_pad, divisor) in [(true, None), (false, None), (true, Some(5))] {
            let (out, back) = on_thread_counts(|| {
                let (mut out, mut back) = (vec![9.0; s.outputs()], vec![9.0; s.inputs()]);
                avg_forward(&s, &x, count_include_pad, divisor, &mut out).unwrap();
                avg_backward(&s, &g, count_include_pad, divisor, &mut back).unwrap();
                (out, back)
            });
            let (mut want, mut want_back) = (vec![0.0; s.outputs()], vec![0.0; s.inputs()]);
            for i in 0..s.outputs() {
                let (plane, at) = (i / s.output_plane() * s.input_plane(), i % s.output_plane());
                let places = window(&s, at / s.output[1], at % s.output[1]);
                let padded = |d: usize, o: usize| {
                    let start = o * s.stride[d];
                    (start + s.kernel[d]).min(s.input[d] + 2 * s.padding[d]) - start
                };
                let inside = padded(0, at / s.output[1]) * padded(1, at % s.output[1]);
                let count = divisor.unwrap_or(if count_include_pad { inside } else { places.len() }) as f64;
                for place in places {
                    want[i] += x[plane + place] / count;
                    want_back[plane + place] += g[i] / count;
                }
            }
            assert_close(&out, &want, 1e-13);
            assert_close(&back, &want_back, 1e-13);
        }
    }
}

#[test]
fn averages_in_ceil_mode_give_the_numbers_of_pytorch() {
    let x: Vec<f64> = (1..26).map(f64::from).collect();
    let check = |s: Pool2dSizes, count_include_pad: bool, divisor: Option<usize>, want: &[f64]| {
        let s = made(s);
        let mut out = vec![0.0; s.outputs()];
        avg_forward(&s, &x, count_include_pad, divisor, &mut out).unwrap();
        assert_close(&out, want, 1e-15);
    };
    let halves = ceil(shape([5, 5], [2, 2], [2, 2], [0, 0]));
    check(halves, true, None, &[4.0, 6.0, 7.5, 14.0, 16.0, 17.5, 21.5, 23.5, 25.0]);
    let padded = ceil(shape([5, 5], [3, 3], [2, 2], [1, 1]));
    let ninths = [16.0, 33.0, 28.0, 69.0, 117.0, 87.0, 76.0, 123.0, 88.0].map(|v| v / 9.0);
    check(padded, true, None, &ninths);
    check(padded, false, None, &[4.0, 5.5, 7.0, 11.5, 13.0, 14.5, 19.0, 20.5, 22.0]);
    let uneven = ceil(shape([5, 5], [3, 2], [2, 3], [1, 1]));
    check(uneven, true, Some(5), &[1.4, 4.8, 6.6, 16.2, 7.4, 16.8]);
}

/// Windows of which only the elements inside the plane can be looked at: those that PyTorch allows have padding up to half
/// of the window.
#[test]
fn windows_far_beyond_the_plane_see_all_that_is_inside() -> Result<(), OutOfMemory> {
    let x = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0, 3.0, 5.0, 8.0];
    for half in [1 << 20, 1 << 33, 1 << 61] {
        let kernel = [2 * half, 2 * half];
        let s = shape([3, 4], kernel, [1, 1], [half, half]);
        assert_eq!(s.output, [4, 5]);
        let s = made(s);
        let (mut out, mut indices) = ([0.0; 20], [0; 20]);
        max_forward(&s, &x, &mut out, &mut indices)?;
        // The first window ends before the plane's last row and column, the others do not begin before it ends.
        assert_eq!((out[0], indices[0], out[6], indices[6]), (9.0, 5, 9.0, 5));
        assert_eq!((out[19], indices[19]), (9.0, 5));
        avg_forward(&s, &x, false, None, &mut out)?;
        assert_close(&out, &[x.iter().sum::<f64>() / 12.0; 20], 1e-14);
        avg_forward(&s, &x, true, Some(2), &mut out)?;
        assert_close(&out, &[x.iter().sum::<f64>() / 2.0; 20], 1e-14);
        let mut back = [0.0; 12];
        avg_backward(&s, &[1.0; 20], true, Some(2), &mut back)?;
        assert_eq!(back, [10.0; 12]);
        // Two windows, each of which sees all of the plane, with different elements.
        let ceil = Pool2dSizes { stride: [half, half], output: [2, 2], ..*s };
        let s = made(ceil);
        max_forward(&s, &x, &mut out[..4], &mut indices[..4])?;
        assert_eq!((&out[..4], &indices[..4]), (&[9.0; 4][..], &[5; 4][..]));
        avg_forward(&s, &x, false, None, &mut out[..4])?;
        assert_close(&out[..4], &[x.iter().sum::<f64>() / 12.0; 4], 1e-14);
        avg_backward(&s, &[1.0; 4], true, Some(4), &mut back)?;
        assert_eq!(back, [1.0; 12]);
    }
    Ok(())
}

#[test]
fn sizes_that_do_not_fit_are_no_shape() {
    let sizes = shape([5, 5], [2, 2], [2, 2], [1, 1]);
    for n in [1 << 62, usize::MAX / 3, 1 << 63, usize::MAX] {
        let large = Pool2dSizes { kernel: [n, n], ..sizes };
        assert!(Pool2dShape::new(Pool2dSizes { output: [1, 1], ..large }).is_some());
        for sizes in [
            Pool2dSizes { padding: [n, 1], ..sizes },
            Pool2dSizes { padding: [n, 1], kernel: [usize::MAX, 2], ..sizes },
            Pool2dSizes { stride: [n, 1], ..sizes },
            Pool2dSizes { output: [1, n], ..sizes },
            Pool2dSizes { input: [n, n], ..sizes },
            Pool2dSizes { batch_channels: n, ..sizes },
        ] {
            assert_eq!(Pool2dShape::new(sizes), None, "{sizes:?}");
        }
    }
    for sizes in [
        Pool2dSizes { kernel: [0, 2], ..sizes },
        Pool2dSizes { stride: [2, 0], ..sizes },
        Pool2dSizes { dilation: [0, 1], ..sizes },
        Pool2dSizes { padding: [2, 1], ..sizes },
        Pool2dSizes { input: [0, 5], ..sizes },
    ] {
        assert_eq!(Pool2dShape::new(sizes), None, "{sizes:?}");
    }
}

#[test]
fn adaptive_averages_and_their_gradients_are_the_definitions() {
    for (input, output) in
        [([5, 7], [3, 4]), ([3, 2], [7, 5]), ([1, 9], [1, 4]), ([6, 6], [6, 5]), ([2, 3], [0, 2])]
    {
        let shape = AdaptiveShape::new(6, input, output).unwrap();
        let (planes, outputs) = (input[0] * input[1], output[0] * output[1]);
        let (x, g) = (numbers(3, 6 * planes), numbers(4, 6 * outputs));
        let (out, back) = on_thread_counts(|| {
            let (mut out, mut back) = (vec![9.0; 6 * outputs], vec![9.0; 6 * planes]);
            adaptive_avg_forward(&shape, &x, &mut out);
            adaptive_avg_backward(&shape, &g, &mut back);
            (out, back)
        });
        let (mut want, mut want_back) = (vec![0.0; 6 * outputs], vec![0.0; 6 * planes]);
        for (i, want) in want.iter_mut().enumerate() {
            let at = [i % outputs / output[1], i % output[1]];
            let inside = |d: usize, place: usize| {
                let (n, m) = (input[d] as f64, output[d] as f64);
                let (start, end) = (at[d] as f64 * n / m, (at[d] + 1) as f64 * n / m);
                (place + 1) as f64 > start + 1e-9 && (place as f64) < end - 1e-9
            };
            let places = (0..planes).filter(|p| inside(0, p / input[1]) && inside(1, p % input[1]));
            let places: Vec<usize> = places.map(|p| i / outputs * planes + p).collect();
            for &place in &places {
                *want += x[place] / places.len() as f64;
                want_back[place] += g[i] / places.len() as f64;
            }
        }
        assert_close(&out, &want, 1e-13);
        assert_close(&back, &want_back, 1e-13);
    }
    for size in [1 << 62, usize::MAX] {
        assert_eq!(AdaptiveShape::new(1, [3, 3], [size, 1]), None);
        assert_eq!(AdaptiveShape::new(size, [3, 3], [1, 1]), None);
    }
    assert_eq!(AdaptiveShape::new(1, [3, 0], [1, 1]), None);
}
