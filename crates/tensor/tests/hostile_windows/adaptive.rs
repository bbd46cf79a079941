//! Averages to a size that is given.

use crate::{SIZES, Want, check, check_gradients, compared, numbers, tensor};

#[test]
fn averages_to_every_size() {
    for height in SIZES {
        for width in SIZES {
            for input in [[3, 5], [4, 1]] {
                to([height, width], input);
            }
        }
    }
}

fn to(size: [usize; 2], input: [usize; 2]) {
    let what = || format!("{input:?} to {size:?}");
    let x = numbers(2 * input[0] * input[1], 1);
    let leaf = tensor(&x, &[2, input[0], input[1]]).unwrap();
    let elements = size.iter().fold(2, |product: u128, &n| product.saturating_mul(n.max(1) as u128));
    let want = Want::of_size(elements);
    let Some(output) = compared(&want, "adaptive_avg_pool2d", || leaf.adaptive_avg_pool2d(size)) else {
        return;
    };
    assert_eq!(*output.shape(), [2, size[0], size[1]], "{}", what());
    // From ⌊i · n / m⌋ to ⌈(i + 1) · n / m⌉.
    let window = |d: usize, i: usize| i * input[d] / size[d]..((i + 1) * input[d]).div_ceil(size[d]);
    let grad = numbers(2 * size[0] * size[1], 2);
    let (mut want, mut grad_x) = (vec![0.0; grad.len()], vec![0.0; x.len()]);
    for (o, want) in want.iter_mut().enumerate() {
        let (plane, row, column) = (o / size[1] / size[0], o / size[1] % size[0], o % size[1]);
        let (rows, columns) = (window(0, row), window(1, column));
        let count = (rows.len() * columns.len()) as f64;
        for y in rows {
            for x_ in columns.clone() {
                let place = (plane * input[0] + y) * input[1] + x_;
                *want += x[place] / count;
                grad_x[place] += grad[o] / count;
            }
        }
    }
    check(&output.to_vec::<f64>().unwrap(), &want, &what);
    check_gradients(&output, &grad, &[(&leaf, &grad_x)], &what);
}
