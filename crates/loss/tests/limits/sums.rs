//! Sums of losses that single numbers of the dtype cannot hold.

use super::*;

/// Near the largest `f32`.
const HUGE: f64 = 3e38;

/// A first error of `d` among `n`, as operands of both signs.
fn pair(d: f64, n: usize) -> [Tensor; 2] {
    let column = |v: f64| {
        let mut values = vec![0.0; n];
        values[0] = v;
        leaf(&values, &[n], DType::F32)
    };
    [column(d / 2.0), column(-d / 2.0)]
}

#[track_caller]
fn mean(
    what: &str,
    d: f64,
    n: usize,
    call: impl Fn(&Tensor, &Tensor) -> Result<Tensor>,
    want: f64,
    slope: f64,
) {
    let [x, y] = pair(d, n);
    let mut gradient = vec![0.0; n];
    gradient[0] = slope;
    check(what, &x, call(&x, &y), &[want], &gradient);
    let loss = call(&x, &y).expect("a loss");
    let of_target = numbers(&gradients(&loss, &[&y], false)[0]);
    agree(what, &of_target[..1], &[-slope], DType::F32);
}

#[test]
fn means_of_elements() {
    // 10⁴⁰ / 100 and 2·10²⁰ / 100.
    mean("mse_loss", 1e20, 100, |x, y| mse_loss(x, y, &MSELoss::new()), 1e38, 2e18);
    // The value does not fit, the gradient does.
    mean("mse_loss", 2.0 * HUGE, 8, |x, y| mse_loss(x, y, &MSELoss::new()), INF, HUGE / 2.0);
    mean("l1_loss", 2.0 * HUGE, 4, |x, y| l1_loss(x, y, &L1Loss::new()), HUGE / 2.0, 0.25);
    mean(
        "smooth_l1_loss",
        2.0 * HUGE,
        4,
        |x, y| smooth_l1_loss(x, y, &SmoothL1Loss::new()),
        HUGE / 2.0,
        0.25,
    );
    mean("huber_loss", 2.0 * HUGE, 4, |x, y| huber_loss(x, y, &HuberLoss::new()), HUGE / 2.0, 0.25);
    let huber = |x: &Tensor, y: &Tensor| huber_loss(x, y, &HuberLoss { delta: 1e25, ..Default::default() });
    mean("huber_loss", 1e20, 100, huber, 0.5e38, 1e18);
    let hinge = |x: &Tensor, y: &Tensor| {
        let labels = Tensor::ones_like(&y.detach())?;
        hinge_loss(&x.sub(y)?, &labels, &HingeLoss { squared: true, ..Default::default() })
    };
    let [x, y] = pair(-1e20, 100);
    assert!((hinge(&x, &y).and_then(|loss| loss.item()).expect("a loss") / 1e38 - 1.0).abs() < 1e-6);
    let weight = Some(Tensor::new([0.5f32]));
    mean(
        "weighted",
        1e20,
        100,
        |x, y| huber_loss(x, y, &HuberLoss { delta: 1e25, weight: weight.clone(), ..Default::default() }),
        0.25e38,
        0.5e18,
    );
}

/// An infinity that is none of the arithmetic's stays one, and a NaN a NaN.
#[test]
fn infinities_stay() {
    for (d, want) in [(INF, INF), (f64::NAN, f64::NAN)] {
        let (x, y) = (leaf(&[d, 1.0], &[2], DType::F32), leaf(&[0.0, 0.0], &[2], DType::F32));
        let loss = mse_loss(&x, &y, &MSELoss::new());
        check("mse_loss", &x, loss, &[want], &[want, 1.0]);
    }
}

#[test]
fn means_of_rows() {
    for dtype in FLOATS {
        let x = leaf(&[HUGE, -HUGE, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], &[4, 2], dtype);
        let loss = cross_entropy(&x, &Tensor::new([1, 0, 0, 0]), &CrossEntropyLoss::new());
        check(
            "cross_entropy",
            &x,
            loss,
            &[HUGE / 2.0 + 0.75 * 2f64.ln()],
            &[0.25, -0.25, -0.125, 0.125, -0.125, 0.125, -0.125, 0.125],
        );
        let q = leaf(&[0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0], &[4, 2], dtype).detach();
        let loss = cross_entropy(&x, &q, &CrossEntropyLoss::new());
        check(
            "cross_entropy",
            &x,
            loss,
            &[HUGE / 2.0 + 0.75 * 2f64.ln()],
            &[0.25, -0.25, -0.125, 0.125, -0.125, 0.125, -0.125, 0.125],
        );
    }
}
