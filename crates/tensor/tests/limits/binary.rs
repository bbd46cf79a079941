//! Functions of two numbers.

use chainrule_tensor::{DType, Result, Tensor};

use crate::{fault, gradients, numbers, tensor};

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;
/// Close to the largest `f32`; in `f64` a number as any other.
const HUGE: f64 = 3e38;

/// An operation at some points: a, b, the value, and its derivatives with respect to a and b.
pub(crate) struct Binary {
    pub(crate) name: &'static str,
    call: fn(&Tensor, &Tensor) -> Result<Tensor>,
    points: &'static [[f64; 5]],
}

pub(crate) const BINARY: &[Binary] = &[
    Binary {
        name: "add",
        call: |a, b| a.add(b),
        points: &[[INF, 1.0, INF, 1.0, 1.0], [INF, -INF, NAN, 1.0, 1.0], [HUGE, -HUGE, 0.0, 1.0, 1.0]],
    },
    Binary {
        name: "sub",
        call: |a, b| a.sub(b),
        points: &[[INF, 1.0, INF, 1.0, -1.0], [INF, INF, NAN, 1.0, -1.0], [-0.0, HUGE, -HUGE, 1.0, -1.0]],
    },
    Binary {
        name: "mul",
        call: |a, b| a.mul(b),
        points: &[
            [0.0, 5.0, 0.0, 5.0, 0.0],
            [0.0, INF, NAN, INF, 0.0],
            [-INF, 2.0, -INF, 2.0, -INF],
            [1e30, 1e-30, 1.0, 1e-30, 1e30],
        ],
    },
    Binary {
        name: "div",
        call: |a, b| a.div(b),
        points: &[
            [1.0, 0.0, INF, INF, -INF],
            [0.0, 0.0, NAN, INF, NAN],
            [3.0, INF, 0.0, 0.0, 0.0],
            [INF, 2.0, INF, 0.5, -INF],
            [1e30, 1e30, 1.0, 1e-30, -1e-30],
            [1e-30, 1e-30, 1.0, 1e30, -1e30],
            [0.0, 1e-30, 0.0, 1e30, 0.0],
        ],
    },
    Binary {
        name: "maximum",
        call: |a, b| a.maximum(b),
        points: &[
            [INF, INF, INF, 0.5, 0.5],
            [-INF, -INF, -INF, 0.5, 0.5],
            [-INF, INF, INF, 0.0, 1.0],
            [HUGE, INF, INF, 0.0, 1.0],
            [0.0, -0.0, 0.0, 0.5, 0.5],
        ],
    },
    Binary {
        name: "minimum",
        call: |a, b| a.minimum(b),
        points: &[
            [INF, INF, INF, 0.5, 0.5],
            [-INF, INF, -INF, 1.0, 0.0],
            [-HUGE, -INF, -INF, 0.0, 1.0],
            [0.0, -0.0, 0.0, 0.5, 0.5],
        ],
    },
    Binary {
        name: "atan2",
        call: |a, b| a.atan2(b),
        points: &[
            [0.0, 0.0, 0.0, 0.0, 0.0],
            [1e30, 1e30, std::f64::consts::FRAC_PI_4, 0.5e-30, -0.5e-30],
            [1e-30, -1e-30, 3.0 * std::f64::consts::FRAC_PI_4, -0.5e30, -0.5e30],
            [HUGE, 0.0, std::f64::consts::FRAC_PI_2, 0.0, -1.0 / HUGE],
            [0.0, 1e-37, 0.0, 1e37, 0.0],
            [1e-37, 0.0, std::f64::consts::FRAC_PI_2, 0.0, -1e37],
            [INF, 1.0, std::f64::consts::FRAC_PI_2, 0.0, 0.0],
            [1.0, INF, 0.0, 0.0, 0.0],
            [1.0, -INF, std::f64::consts::PI, 0.0, 0.0],
            [-INF, INF, -std::f64::consts::FRAC_PI_4, 0.0, 0.0],
            [NAN, 1.0, NAN, NAN, NAN],
        ],
    },
    Binary {
        name: "pow",
        call: |a, b| a.pow(b),
        points: &[
            // Where a base below 1 has an infinite power, nothing depends on it.
            [0.5, INF, 0.0, 0.0, 0.0],
            [2.0, -INF, 0.0, 0.0, 0.0],
            [2.0, INF, INF, INF, INF],
            [INF, -1.0, 0.0, 0.0, 0.0],
            [INF, -0.5, 0.0, 0.0, 0.0],
            [INF, 0.5, INF, 0.0, INF],
            [INF, -INF, 0.0, 0.0, 0.0],
            [0.0, 0.0, 1.0, 0.0, 0.0],
            [0.0, 0.5, 0.0, INF, 0.0],
            [0.0, 1.0, 0.0, 1.0, 0.0],
            [0.0, 3.0, 0.0, 0.0, 0.0],
            [0.0, INF, 0.0, 0.0, 0.0],
            [0.0, -1.0, INF, -INF, -INF],
            [1e-40, 0.0, 1.0, 0.0, -92.1034037197618],
            [1e30, 0.0, 1.0, 0.0, 69.0775527898214],
            [1.0, 0.0, 1.0, 0.0, 0.0],
            [NAN, 0.0, 1.0, 0.0, NAN],
        ],
    },
    Binary {
        name: "remainder",
        call: |a, b| a.remainder(b),
        points: &[
            [5.0, INF, 5.0, 1.0, 0.0],
            [HUGE, HUGE, 0.0, 1.0, -1.0],
            [1e-30, 1.0, 1e-30, 1.0, 0.0],
            [0.0, 3.0, 0.0, 1.0, 0.0],
        ],
    },
];

#[test]
fn values_and_derivatives_are_the_limits() {
    let mut faults = Vec::new();
    for Binary { name, call, points } in BINARY {
        for dtype in [DType::F32, DType::F64] {
            // In vectors and in what is left behind them.
            let many: Vec<[f64; 5]> = points.iter().cycle().take(points.len() * 20 + 3).copied().collect();
            let column = |k: usize| many.iter().map(|point| point[k]).collect::<Vec<f64>>();
            let leaf = |k: usize| tensor(&column(k), dtype).requires_grad_(true).expect("a leaf");
            let (a, b) = (leaf(0), leaf(1));
            let y = call(&a, &b).expect("values");
            let mut check = |what: &str, got: &Tensor, k: usize| {
                for (got, point) in numbers(got).into_iter().zip(&many) {
                    if let Some(fault) = fault(got, point[k], dtype) {
                        faults.push(format!(
                            "{name} of {dtype} {:e} and {:e}: the {what} is {fault}",
                            point[0], point[1]
                        ));
                    }
                }
            };
            check("value", &y, 2);
            for create_graph in [false, true] {
                let slopes = gradients(&y, &[&a, &b], create_graph);
                check("derivative by the first", &slopes[0], 3);
                check("derivative by the second", &slopes[1], 4);
            }
        }
    }
    faults.sort();
    faults.dedup();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// The second derivatives ∂²/∂a², ∂²/∂a∂b and ∂²/∂b² at a point.
#[track_caller]
fn second(call: fn(&Tensor, &Tensor) -> Result<Tensor>, at: [f64; 2], want: [f64; 3]) {
    for dtype in [DType::F32, DType::F64] {
        let leaf = |v: f64| tensor(&[v], dtype).requires_grad_(true).expect("a leaf");
        let (a, b) = (leaf(at[0]), leaf(at[1]));
        let y = call(&a, &b).expect("values");
        let slopes = gradients(&y, &[&a, &b], true);
        let [aa, ab] = &gradients(&slopes[0], &[&a, &b], false)[..] else { panic!("two gradients") };
        let [ba, bb] = &gradients(&slopes[1], &[&a, &b], false)[..] else { panic!("two gradients") };
        for (what, got, want) in
            [("aa", aa, want[0]), ("ab", ab, want[1]), ("ba", ba, want[1]), ("bb", bb, want[2])]
        {
            let fault = fault(numbers(got)[0], want, dtype);
            assert!(fault.is_none(), "{dtype} {at:?}, {what}: {}", fault.unwrap_or_default());
        }
    }
}

#[test]
fn second_derivatives_of_powers() {
    let pow = |a: &Tensor, b: &Tensor| a.pow(b);
    // aᵇ at b = 0: ∂²/∂a∂b is 1/a, ∂²/∂b² is (ln a)².
    second(pow, [2.0, 0.0], [0.0, 0.5, 2f64.ln().powi(2)]);
    second(pow, [2.0, 3.0], [12.0, 4.0 + 12.0 * 2f64.ln(), 8.0 * 2f64.ln().powi(2)]);
    second(pow, [0.0, 2.0], [2.0, 0.0, 0.0]);
}

#[test]
fn second_derivatives_of_angles() {
    let atan2 = |a: &Tensor, b: &Tensor| a.atan2(b);
    // Of ∂/∂a = b/(a² + b²): −2ab/(a² + b²)² and (a² − b²)/(a² + b²)².
    second(atan2, [1.0, 2.0], [-0.16, -0.12, 0.16]);
    second(atan2, [1e-12, 2e-12], [-1.6e23, -1.2e23, 1.6e23]);
    second(atan2, [0.0, 0.0], [0.0; 3]);
    second(atan2, [INF, 1.0], [0.0; 3]);
}

/// xʸ for numbers y, where |x| is below 1 and above.
#[test]
fn infinite_powers() {
    for dtype in [DType::F32, DType::F64] {
        for (power, want) in [(INF, [0.0, INF]), (-INF, [-INF, 0.0])] {
            let x = tensor(&[0.5, 2.0], dtype).requires_grad_(true).expect("a leaf");
            let y = x.pow(power).expect("powers");
            for create_graph in [false, true] {
                assert_eq!(numbers(&gradients(&y, &[&x], create_graph)[0]), want, "{power} {dtype}");
            }
        }
    }
}
