//! What is not chosen, or dropped, does not count, whatever it is.

use chainrule_tensor::random::{Generator, with_generator};
use chainrule_tensor::{DType, Tensor};

use crate::{gradients, numbers, tensor};

/// The rows that are looked at here.
pub(crate) const NAMES: &[&str] =
    &["where_", "masked_fill", "dropout", "softmax", "log_softmax", "logsumexp"];

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

#[test]
fn gradients_of_what_is_not_chosen() {
    for dtype in [DType::F32, DType::F64] {
        let leaf = || tensor(&[INF, NAN, -INF, 1.0], dtype).requires_grad_(true).expect("a leaf");
        let mask = Tensor::new([true, true, false, false]);
        let x = leaf();
        let y = x.masked_fill(&mask, 2.0).expect("a tensor");
        assert_eq!(numbers(&y), [2.0, 2.0, -INF, 1.0]);
        // The gradient that comes in may be infinite or no number where the element was replaced.
        let g = tensor(&[INF, NAN, 1.0, 1.0], dtype);
        let y = y.mul(&g).expect("a product");
        for create_graph in [false, true] {
            assert_eq!(numbers(&gradients(&y, &[&x], create_graph)[0]), [0.0, 0.0, 1.0, 1.0]);
        }
        let (a, b) = (leaf(), leaf());
        let y = Tensor::where_(&mask, &a, &b).and_then(|y| y.mul(&g)).expect("a product");
        let [of_a, of_b] = &gradients(&y, &[&a, &b], false)[..] else { panic!("two gradients") };
        assert_eq!((numbers(of_a)[2..].to_vec(), numbers(of_b)), (vec![0.0; 2], vec![0.0, 0.0, 1.0, 1.0]));
    }
}

/// PyTorch multiplies with 0, which makes a NaN of an infinity.
#[test]
fn what_is_dropped_is_zero() {
    for dtype in [DType::F32, DType::F64] {
        for p in [0.5, 1.0] {
            let values: Vec<f64> = [INF, -INF, 1.0, -2.0].repeat(100);
            let x = tensor(&values, dtype).requires_grad_(true).expect("a leaf");
            let y = with_generator(&mut Generator::new(0), || x.dropout(p, true)).expect("a dropout");
            let kept = numbers(&gradients(&y, &[&x], false)[0]);
            assert_eq!(kept, numbers(&gradients(&y, &[&x], true)[0]));
            assert!(kept.contains(&0.0) && (p == 1.0 || kept.contains(&2.0)));
            for ((y, x), k) in numbers(&y).into_iter().zip(values).zip(kept) {
                assert_eq!(y, if k == 0.0 { 0.0 } else { 2.0 * x }, "{x}");
            }
        }
    }
}

/// A row of −∞ alone has no softmax: NaN, as in PyTorch.
#[test]
fn rows_with_infinities() {
    for dtype in [DType::F32, DType::F64] {
        // 90 times the row, so that it goes through vectors as well as along them.
        let row = [-INF, 0.0, 3f64.ln(), -INF];
        let wide: Vec<f64> = row.iter().copied().chain([-INF; 70]).collect();
        for values in [row.to_vec(), wide] {
            let n = values.len();
            let x = tensor(&values.repeat(90), dtype).reshape([90, n as isize]).expect("a matrix");
            for turned in [false, true] {
                let x = if turned {
                    x.transpose(0, 1).expect("a matrix").contiguous().expect("a copy")
                } else {
                    x.clone()
                };
                let (x, dim) = (x.requires_grad_(true).expect("a leaf"), if turned { 0 } else { 1 });
                let y = x.softmax(dim).expect("a softmax");
                let z = x.log_softmax(dim).expect("a softmax").exp().expect("exponentials");
                let sum = x.logsumexp(dim, false).expect("sums");
                assert!(numbers(&sum).iter().all(|s| (s - 4f64.ln()).abs() < 1e-6));
                for y in [&y, &z] {
                    let first = y.select(1 - dim, 0).expect("a row");
                    let close = |got: Vec<f64>, want: &[f64]| {
                        assert!(got.iter().zip(want).all(|(g, w)| (g - w).abs() < 1e-6), "{got:?}");
                    };
                    close(numbers(&first), &[0.0, 0.25, 0.75, 0.0]);
                    for create_graph in [false, true] {
                        let g =
                            gradients(&first.square().expect("squares"), &[&x], create_graph).swap_remove(0);
                        // 2·p·(p − Σp²)
                        close(numbers(&g.select(1 - dim, 0).expect("a row")), &[0.0, -0.1875, 0.1875, 0.0]);
                        if create_graph {
                            let g = gradients(&g.square().expect("squares"), &[&x], false).swap_remove(0);
                            assert!(numbers(&g).iter().all(|g| g.is_finite()));
                        }
                    }
                }
            }
        }
        let x = tensor(&[-INF, -INF], dtype);
        assert!(numbers(&x.softmax(0).expect("a softmax")).iter().all(|y| y.is_nan()));
    }
}

/// All as large: each has half, however large; also where the logarithm of 2 vanishes beside them.
#[test]
fn large_numbers_that_are_equal() {
    for large in [1e8, f64::from(f32::MIN), f64::from(f32::MAX)] {
        for dtype in [DType::F32, DType::F64] {
            for (shape, dims) in [([2, 1], vec![0]), ([1, 2], vec![1]), ([1, 2], vec![0, 1])] {
                let x = tensor(&[large; 2], dtype)
                    .reshape(shape)
                    .and_then(|x| x.requires_grad_(true))
                    .expect("a leaf");
                let y = x.logsumexp(dims.as_slice(), false).expect("sums");
                for create_graph in [false, true] {
                    assert_eq!(numbers(&gradients(&y, &[&x], create_graph)[0]), [0.5; 2], "{large} {dtype}");
                }
            }
        }
    }
}
