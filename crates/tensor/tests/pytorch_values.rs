//! Results of operations with many options, compared with PyTorch 2.15's (in `float64`).
//!
//! A result is told by its shape, Σ k·y_k and Σ k²·y_k over its elements in row-major order, k = 1, 2, …: wrong
//! values and right values in wrong places both change these.

use chainrule_tensor::{
    AvgPool2dOptions, Conv1dOptions, Conv2dOptions, ConvTranspose2dOptions, DType, MaxPool2dOptions, PadMode,
    Result, Shape, Tensor,
};

/// (i · factor mod modulus) − shift, as `f64`.
fn numbers(shape: impl Into<Shape>, factor: usize, modulus: usize, shift: f64) -> Tensor {
    let shape = shape.into();
    let values = (0..shape.numel()).map(|i| (i * factor % modulus) as f64 - shift).collect();
    Tensor::from_vec(values, shape).unwrap()
}

#[track_caller]
fn check(got: Result<Tensor>, shape: &[usize], first: f64, second: f64) {
    let got = got.unwrap();
    assert_eq!(&got.shape()[..], shape);
    let values = got.to_dtype(DType::F64).unwrap().to_vec::<f64>().unwrap();
    let moment = |power: i32| values.iter().zip(1..).map(|(y, k)| f64::from(k).powi(power) * y).sum::<f64>();
    for (got, want) in [(moment(1), first), (moment(2), second)] {
        assert!((got - want).abs() <= 1e-10 * want.abs().max(1000.0), "{got} instead of {want}");
    }
}

fn images() -> Tensor {
    numbers([1, 2, 5, 6], 7919, 23, 11.0)
}

fn weight() -> Tensor {
    numbers([4, 2, 3, 2], 31, 11, 5.0)
}

fn bias() -> Tensor {
    Tensor::from_vec(vec![1.0, -2.0, 3.0, 0.5], [4]).unwrap()
}

/// `[2, 4, 4]` numbers.
fn cube() -> Tensor {
    numbers([2, 4, 4], 37, 19, 0.0)
}

fn part(x: &Tensor, dim: isize, range: std::ops::Range<isize>) -> Tensor {
    x.slice(dim, range).unwrap()
}

#[test]
fn max_pooling() {
    let max = |options, [values, indices]: [(&[usize], f64, f64); 2]| {
        let (y, at) = images().max_pool2d_with_indices(options).unwrap();
        check(Ok(y), values.0, values.1, values.2);
        check(Ok(at), indices.0, indices.1, indices.2);
    };
    let new = |kernel: [usize; 2]| MaxPool2dOptions::new(kernel);
    max(new([2, 2]), [(&[1, 2, 2, 3], 575.0, 4803.0), (&[1, 2, 2, 3], 1028.0, 9380.0)]);
    max(
        MaxPool2dOptions { stride: Some([2, 2]), padding: [1, 1], ..new([2, 3]) },
        [(&[1, 2, 3, 3], 1436.0, 18396.0), (&[1, 2, 3, 3], 2411.0, 31709.0)],
    );
    max(
        MaxPool2dOptions { stride: Some([2, 3]), ceil_mode: true, ..new([3, 2]) },
        [(&[1, 2, 2, 2], 343.0, 1895.0), (&[1, 2, 2, 2], 515.0, 3211.0)],
    );
    max(
        MaxPool2dOptions { stride: Some([3, 3]), padding: [1, 1], ceil_mode: true, ..new([2, 2]) },
        [(&[1, 2, 2, 3], 101.0, 945.0), (&[1, 2, 2, 3], 796.0, 7232.0)],
    );
    max(
        MaxPool2dOptions { stride: Some([1, 1]), padding: [1, 0], dilation: [3, 2], ..new([2, 2]) },
        [(&[1, 2, 4, 4], 3253.0, 67649.0), (&[1, 2, 4, 4], 7918.0, 173586.0)],
    );
}

#[test]
fn max_pooling_takes_the_first_of_equals_and_passes_nan_on() {
    let x = Tensor::new([[[1.0, 1.0], [1.0, 1.0]]]).requires_grad_(true).unwrap();
    x.max_pool2d(MaxPool2dOptions::new(2)).unwrap().sum().unwrap().backward().unwrap();
    assert_eq!(x.grad().unwrap().to_vec::<f32>().unwrap(), [1.0, 0.0, 0.0, 0.0]);
    let x = Tensor::new([[[f64::NAN, 1.0, 2.0, 3.0]]]);
    let y = x.max_pool2d(MaxPool2dOptions::new([1, 2])).unwrap().to_vec::<f32>().unwrap();
    assert!(y[0].is_nan() && y[1] == 3.0);
}

#[test]
fn average_pooling() {
    let average = |options, shape: &[usize], a, b| check(images().avg_pool2d(options), shape, a, b);
    let new = |kernel: [usize; 2]| AvgPool2dOptions::new(kernel);
    average(new([2, 2]), &[1, 2, 2, 3], -37.5, -433.5);
    let options = AvgPool2dOptions { stride: Some([2, 2]), padding: [1, 1], ..new([2, 3]) };
    average(options, &[1, 2, 3, 3], 45.5, 786.8333333333333);
    let options = AvgPool2dOptions { stride: Some([2, 3]), ceil_mode: true, ..new([3, 2]) };
    average(options, &[1, 2, 2, 2], 23.0, 113.33333333333331);
    let options = AvgPool2dOptions { stride: Some([2, 2]), padding: [1, 1], ceil_mode: true, ..new([3, 3]) };
    average(options, &[1, 2, 3, 4], 37.111111111111114, 1155.7777777777776);
    average(AvgPool2dOptions { count_include_pad: false, ..options }, &[1, 2, 3, 4], 82.5, 2530.5);
    let options = AvgPool2dOptions { stride: Some([3, 3]), padding: [1, 1], ceil_mode: true, ..new([2, 2]) };
    let options = AvgPool2dOptions { divisor_override: Some(3), ..options };
    average(options, &[1, 2, 2, 3], -87.33333333333334, -726.0);
    check(images().adaptive_avg_pool2d([3, 4]), &[1, 2, 3, 4], 154.75, 3868.75);
}

#[test]
fn convolutions() {
    let (x, w, b) = (images(), weight(), bias());
    let options = Conv2dOptions { stride: [2, 1], padding: [1, 2], dilation: [1, 2], groups: 1 };
    check(x.conv2d(&w, Some(&b), options), &[1, 4, 3, 8], -3532.0, -594012.0);
    let options = Conv2dOptions { stride: [2, 2], padding: [1, 1], groups: 2, ..Default::default() };
    check(x.conv2d(&part(&w, 1, 0..1), Some(&b), options), &[1, 4, 3, 4], 1008.0, -53186.0);

    let corner = part(&part(&x, 2, 0..2), 3, 0..2);
    let w_transposed = w.reshape([2, 4, 3, 2]).unwrap();
    let options = ConvTranspose2dOptions {
        stride: [2, 3],
        padding: [1, 0],
        output_padding: [1, 2],
        ..Default::default()
    };
    check(corner.conv_transpose2d(&w_transposed, Some(&b), options), &[1, 4, 4, 7], 14057.0, 966463.0);
    let twice = b.repeat([2]).unwrap();
    let options =
        ConvTranspose2dOptions { dilation: [2, 2], output_padding: [1, 0], groups: 2, ..Default::default() };
    check(corner.conv_transpose2d(&w_transposed, Some(&twice), options), &[1, 8, 7, 4], 18455.0, 3007155.0);

    let sequence = x.reshape([2, 30]).unwrap();
    let w = part(&w.reshape([4, 2, 6]).unwrap(), 2, 0..3);
    let options = Conv1dOptions { stride: 2, padding: 1, dilation: 2, groups: 1 };
    check(sequence.conv1d(&w, Some(&b), options), &[4, 14], -3434.5, -189623.5);
}

#[test]
fn padding() {
    let pad = |pad: [isize; 4], mode, shape: &[usize], a, b| {
        check(numbers([1, 1, 3, 4], 1, 12, 0.0).pad(pad, mode), shape, a, b);
    };
    pad([2, 1, 1, 2], PadMode::Reflect, &[1, 1, 6, 7], 4367.0, 115565.0);
    pad([2, -2, 0, 0], PadMode::Reflect, &[1, 1, 3, 4], 512.0, 4842.0);
    pad([2, 1, -1, 2], PadMode::Replicate, &[1, 1, 4, 7], 3726.0, 73062.0);
    pad([-2, 2, 0, 0], PadMode::Replicate, &[1, 1, 3, 4], 659.0, 6107.0);
    pad([3, 1, 1, 0], PadMode::Circular, &[1, 1, 4, 8], 3552.0, 84432.0);
    pad([-1, 2, 0, 0], PadMode::Circular, &[1, 1, 3, 5], 899.0, 10431.0);
    pad([2, -1, -1, 3], PadMode::Constant(7.0), &[1, 1, 5, 5], 2309.0, 39117.0);
}

#[test]
fn normalization() {
    let y = numbers([2, 3, 4], 37, 19, 0.0);
    let (b, z) = (bias(), cube());
    let (scale, shift) = (part(&b, 0, 0..3), part(&b, 0, 1..4));
    let batch = y.batch_norm(None, Some(&scale), Some(&shift), 0.1).unwrap();
    check(Ok(batch.output), &[2, 3, 4], 431.82967918438294, 10341.543013175175);
    let var = shift.abs().unwrap();
    let batch = y.batch_norm(Some((&shift, &var)), Some(&scale), Some(&shift), 0.1).unwrap();
    check(Ok(batch.output), &[2, 3, 4], 7474.422893496657, 149394.088723323);
    let rows = y.unbind(0).unwrap();
    let layer = y.layer_norm(&[3, 4], Some(&rows[0]), Some(&rows[1]), 0.1);
    check(layer, &[2, 3, 4], 2581.027047231904, 48544.084476971875);
    check(z.group_norm(2, Some(&b), Some(&b), 0.1), &[2, 4, 4], 428.54615735970845, 9646.01395352809);
    check(z.instance_norm(Some(&b), Some(&b), 0.1), &[2, 4, 4], 371.96161926093157, 8266.284281907465);
}

#[test]
fn shapes() {
    let z = cube();
    check(z.tril(1), &[2, 4, 4], 4553.0, 102649.0);
    check(z.triu(-1), &[2, 4, 4], 3959.0, 84317.0);
    check(z.diagonal(1, 2, 0), &[4, 1], 121.0, 361.0);
    check(z.roll([1, -2], [0, 2]), &[2, 4, 4], 5313.0, 108291.0);
    check(z.flip([0, 2]), &[2, 4, 4], 5310.0, 108078.0);
    check(z.movedim([0, 2], [1, 0]), &[4, 2, 4], 5169.0, 107985.0);
    check(Ok(z.unbind(1).unwrap().remove(2)), &[2, 4], 410.0, 2370.0);
    let y = numbers([2, 3, 4], 37, 19, 0.0);
    check(y.repeat([2, 1, 3, 2]), &[2, 2, 9, 8], 392748.0, 74156484.0);
}

#[test]
fn indexing() {
    let z = cube();
    let index = Tensor::from_vec(
        z.to_vec::<f64>().unwrap().iter().map(|&v| v as i64 % 4).collect::<Vec<_>>(),
        [2, 4, 4],
    )
    .unwrap();
    check(z.gather(1, &part(&index, 1, 0..2)), &[2, 2, 4], 1380.0, 14370.0);
    let some = part(&part(&index, 0, 0..1), 2, 0..3);
    check(z.scatter_add(2, &some, &z), &[2, 4, 4], 6131.0, 122987.0);
    check(z.index_select(1, &Tensor::new([3, 0, 3])), &[2, 3, 4], 1985.0, 30945.0);
    check(z.index_add(2, &Tensor::new([3, 0, 3, 3]), &z), &[2, 4, 4], 10512.0, 234436.0);
}

#[test]
fn views_share_memory() {
    let x = cube();
    let (first, rest) = (x.split(1, 0).unwrap(), x.unbind(2).unwrap());
    for (name, view) in [
        ("squeeze", x.unsqueeze(0).unwrap().squeeze().unwrap()),
        ("flatten", x.flatten(0, 1).unwrap()),
        ("narrow", x.narrow(1, 1, 2).unwrap()),
        ("slice", part(&x, 2, 1..3)),
        ("select", x.select(1, -1).unwrap()),
        ("movedim", x.movedim(0, 2).unwrap()),
        ("diagonal", x.diagonal(0, 1, 2).unwrap()),
        ("split", first[1].clone()),
        ("unbind", rest[3].clone()),
    ] {
        assert!(view.shares_memory_with(&x), "{name}");
    }
}

#[test]
fn concatenation_promotes_and_passes_over_empty_vectors() {
    let nothing = Tensor::from_vec(Vec::<f64>::new(), [0]).unwrap();
    let y = Tensor::cat(&[nothing, Tensor::new([[1, 2]])], 1).unwrap();
    assert_eq!((y.dtype(), y.to_vec::<f64>().unwrap()), (DType::F64, vec![1.0, 2.0]));
}

/// What PyTorch computes of nothing: results of the right shape, and zeros as gradients of the parameters.
#[test]
fn empty_batches() {
    let leaf = |x: Tensor| x.requires_grad_(true).unwrap();
    let parameters = [weight(), bias(), numbers([3, 2], 1, 7, 0.0), numbers([3], 1, 7, 0.0)].map(leaf);
    let [kernel, shift, matrix, offset] = &parameters;
    let nothing = |shape: [usize; 4]| leaf(Tensor::full(shape, 0.0, DType::F64).unwrap());
    let x = nothing([0, 2, 5, 6]);
    let y = x.conv2d(kernel, Some(shift), Conv2dOptions::default()).unwrap();
    assert_eq!(y.shape(), &[0, 4, 3, 5]);
    let y = y.max_pool2d(MaxPool2dOptions::new(2)).unwrap();
    let y = y.avg_pool2d(AvgPool2dOptions::new(1)).unwrap();
    let y = y.batch_norm(None, Some(shift), None, 1e-5).unwrap().output;
    assert_eq!(y.shape(), &[0, 4, 1, 2]);
    let y = y.linear(matrix, Some(offset)).unwrap();
    assert_eq!(y.shape(), &[0, 4, 1, 3]);
    let y = y.dropout(0.5, true).unwrap().pad([1, 1], PadMode::default()).unwrap();
    let y = y.flip(0).unwrap().roll(1, 0).unwrap().index_select(1, &Tensor::new([3, 0])).unwrap();
    assert_eq!(y.shape(), &[0, 2, 1, 5]);
    y.sum().unwrap().backward().unwrap();
    assert_eq!(x.grad().unwrap().shape(), x.shape());
    for parameter in &parameters {
        assert!(parameter.grad().unwrap().to_vec::<f64>().unwrap().iter().all(|&g| g == 0.0));
    }
    // A product over no inputs is the bias.
    let y =
        nothing([1, 1, 2, 0]).linear(&Tensor::full([3, 0], 0.0, DType::F64).unwrap(), Some(offset)).unwrap();
    assert_eq!(y.to_vec::<f64>().unwrap(), [0.0, 1.0, 2.0, 0.0, 1.0, 2.0]);
}

/// There is no element to choose (PyTorch gives −∞ and an index outside the image).
#[test]
fn a_window_beside_the_image_is_refused() {
    let options = MaxPool2dOptions {
        stride: Some([1, 1]),
        padding: [1, 1],
        dilation: [3, 3],
        ..MaxPool2dOptions::new(2)
    };
    let error = numbers([1, 2, 2], 1, 4, 0.0).max_pool2d(options).unwrap_err().to_string();
    assert!(error.contains("beside an image of size [2, 2]"), "{error}");
}
