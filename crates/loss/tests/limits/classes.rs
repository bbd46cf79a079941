//! Losses of classes, some of which are impossible.

use super::*;

/// A row and its gradient, once as a row of a matrix and once as a column of `[1, C, 3]`.
#[track_caller]
fn both_ways(
    what: &str,
    x: &[f64],
    target: &dyn Fn(&[usize], usize, DType) -> Tensor,
    options: &dyn Fn(DType) -> CrossEntropyLoss,
    (loss, gradient): (f64, &[f64]),
) {
    let n = x.len();
    for dtype in FLOATS {
        let logits = leaf(&x.repeat(2), &[2, n], dtype);
        let losses = cross_entropy(&logits, &target(&[2, n], 1, dtype), &options(dtype));
        check(what, &logits, losses, &[loss; 2], &gradient.repeat(2));
        let thrice = |row: &[f64]| row.iter().flat_map(|&v| [v; 3]).collect::<Vec<f64>>();
        let logits = leaf(&thrice(x), &[1, n, 3], dtype);
        let losses = cross_entropy(&logits, &target(&[1, n, 3], 3, dtype), &options(dtype));
        check(what, &logits, losses, &[loss; 3], &thrice(gradient));
    }
}

/// Class indices in the shape of the logits without the classes.
fn index(class: i64) -> impl Fn(&[usize], usize, DType) -> Tensor {
    move |shape, _, _| {
        let rows: Vec<usize> = [&shape[..1], &shape[2..]].concat();
        Tensor::full(rows, class as f64, DType::I64).expect("indices")
    }
}

/// The same probabilities in each row.
fn probabilities(p: &[f64]) -> impl Fn(&[usize], usize, DType) -> Tensor {
    move |shape, times, dtype| {
        let values: Vec<f64> = match times {
            1 => p.repeat(shape[0]),
            _ => p.iter().flat_map(|&v| vec![v; times]).collect(),
        };
        leaf(&values, shape, dtype).detach()
    }
}

fn plain(_: DType) -> CrossEntropyLoss {
    CrossEntropyLoss { reduction: NONE, ..Default::default() }
}

/// Options with a smoothing and class weights.
fn with(label_smoothing: f64, weight: [f64; 3]) -> impl Fn(DType) -> CrossEntropyLoss {
    move |dtype| CrossEntropyLoss {
        label_smoothing,
        weight: Some(leaf(&weight, &[3], dtype).detach()),
        ..plain(dtype)
    }
}

const LOGITS: [f64; 3] = [-INF, 0.0, 1.0];

/// −ln of the probabilities of [`LOGITS`], and these.
fn entropies() -> ([f64; 3], [f64; 3]) {
    let log_sum = (1.0 + 1f64.exp()).ln();
    let nll = LOGITS.map(|x| log_sum - x);
    (nll, nll.map(|v| (-v).exp()))
}

#[test]
fn probabilities_and_logits_of_an_impossible_class() {
    let (nll, p) = entropies();
    let want = 0.25 * nll[1] + 0.75 * nll[2];
    assert!((want - 0.5632617).abs() < 1e-7);
    both_ways(
        "probabilities",
        &LOGITS,
        &probabilities(&[0.0, 0.25, 0.75]),
        &plain,
        (want, &[0.0, p[1] - 0.25, p[2] - 0.75]),
    );
    both_ways(
        "an impossible target",
        &LOGITS,
        &probabilities(&[0.5, 0.5, 0.0]),
        &plain,
        (INF, &[-0.5, p[1] - 0.5, p[2]]),
    );
    // Many classes, most of them impossible.
    let (mut x, mut q) = (vec![-INF; 200], vec![0.0; 200]);
    (x[7], x[150], q[7], q[150]) = (0.0, 1.0, 0.25, 0.75);
    let mut gradient = vec![0.0; 200];
    (gradient[7], gradient[150]) = (p[1] - 0.25, p[2] - 0.75);
    both_ways("many classes", &x, &probabilities(&q), &plain, (want, &gradient));
    // A class that counts for nothing.
    let weighted = with(0.0, [0.0, 2.0, 2.0]);
    let gradient = [0.0, p[1] - 0.5, p[2] - 0.5];
    both_ways(
        "weight 0",
        &LOGITS,
        &probabilities(&[0.5, 0.25, 0.25]),
        &weighted,
        (0.5 * (nll[1] + nll[2]), &gradient),
    );
}

#[test]
fn class_indices_and_logits_of_an_impossible_class() {
    let (nll, p) = entropies();
    both_ways("another class", &LOGITS, &index(2), &plain, (nll[2], &[0.0, p[1], p[2] - 1.0]));
    both_ways("the class itself", &LOGITS, &index(0), &plain, (INF, &[-1.0, p[1], p[2]]));
    both_ways("weight 0", &LOGITS, &index(0), &with(0.0, [0.0, 1.0, 1.0]), (0.0, &[0.0; 3]));
    // Smoothing gives the impossible class a share, unless it counts for nothing.
    let share = 0.1 / 3.0;
    both_ways(
        "smoothed",
        &LOGITS,
        &index(2),
        &with(0.1, [1.0; 3]),
        (INF, &[-share, p[1] - share, p[2] - 0.9 - share]),
    );
    let loss = 0.9 * nll[2] + share * (nll[1] + nll[2]);
    let all = 0.9 + 2.0 * share;
    let gradient = [0.0, p[1] * all - share, p[2] * all - 0.9 - share];
    both_ways("smoothed, weight 0", &LOGITS, &index(2), &with(0.1, [0.0, 1.0, 1.0]), (loss, &gradient));
    // All of the target is spread: its own logarithm counts only as that of any class.
    let loss = (nll[1] + nll[2]) / 3.0;
    let gradient = [0.0, p[1] * 2.0 / 3.0 - 1.0 / 3.0, p[2] * 2.0 / 3.0 - 1.0 / 3.0];
    both_ways("all spread", &LOGITS, &index(0), &with(1.0, [0.0, 1.0, 1.0]), (loss, &gradient));
}

/// The gradient with respect to probabilities is −w·(1 − ε)·ln p.
#[test]
fn gradients_of_probabilities() {
    let (nll, _) = entropies();
    for dtype in FLOATS {
        for (smoothing, want) in [(0.0, [0.0, 2.0 * nll[1], nll[2]]), (1.0, [0.0; 3])] {
            let (x, q) = (leaf(&LOGITS, &[1, 3], dtype), leaf(&[0.0, 0.25, 0.75], &[1, 3], dtype));
            let losses = cross_entropy(&x, &q, &with(smoothing, [0.0, 2.0, 1.0])(dtype)).expect("losses");
            for create_graph in [false, true] {
                let found = gradients(&losses, &[&x, &q], create_graph);
                agree("target", &numbers(&found[1]), &want, dtype);
            }
        }
    }
}

#[test]
fn logarithms_of_an_impossible_class() {
    for dtype in FLOATS {
        let x = leaf(&[-INF, -1.0, -0.5, -2.0, -INF, -0.5], &[2, 3], dtype);
        let weight = Some(leaf(&[0.0, 2.0, 1.0], &[3], dtype).detach());
        let options = NLLLoss { weight, reduction: NONE, ..Default::default() };
        let losses = nll_loss(&x, &Tensor::new([0, 1]), &options);
        check("nll_loss", &x, losses, &[0.0, INF], &[0.0, 0.0, 0.0, 0.0, -2.0, 0.0]);
        let losses = nll_loss(&x, &Tensor::new([0, 2]), &NLLLoss { reduction: Reduction::Mean, ..options });
        check("nll_loss, mean", &x, losses, &[0.5], &[0.0, 0.0, 0.0, 0.0, 0.0, -1.0]);
    }
}

#[test]
fn focal_loss_of_an_impossible_class() {
    for dtype in FLOATS {
        let x = leaf(&[-INF, 0.0, 0.0].repeat(2), &[2, 3], dtype);
        let losses =
            focal_loss(&x, &Tensor::new([0, 1]), &FocalLoss { reduction: NONE, ..Default::default() });
        // With p = ½ the derivative by ln p is 2·(1 − p)·p·ln p − (1 − p)².
        let slope = 0.5 * 0.5f64.ln() - 0.25;
        check(
            "focal_loss",
            &x,
            losses,
            &[INF, 0.25 * 2f64.ln()],
            &[-1.0, 0.5, 0.5, 0.0, 0.5 * slope, -0.5 * slope],
        );
    }
}

#[test]
fn focal_loss_of_a_certain_class() {
    for dtype in FLOATS {
        for gamma in [0.0, 0.5, 1.0, 2.0] {
            let x = leaf(&[0.0, -INF, -INF], &[1, 3], dtype);
            let options = FocalLoss { gamma, reduction: NONE, ..Default::default() };
            check("focal_loss", &x, focal_loss(&x, &Tensor::new([0]), &options), &[0.0], &[0.0; 3]);
        }
    }
}

#[test]
fn margins_of_an_impossible_class() {
    for dtype in FLOATS {
        for p in [1, 2] {
            let x = leaf(&[-INF, 0.5, 1.0], &[1, 3], dtype);
            let losses = multi_margin_loss(
                &x,
                &Tensor::new([1]),
                &MultiMarginLoss { p, reduction: NONE, ..Default::default() },
            );
            let (loss, slope) = if p == 1 { (0.5, 1.0 / 3.0) } else { (0.75, 1.0) };
            check("multi_margin_loss", &x, losses, &[loss], &[0.0, -slope, slope]);
        }
        let x = leaf(&[-INF, 0.5, 1.0], &[1, 3], dtype);
        let losses =
            multilabel_margin_loss(&x, &Tensor::new([[1, -1, 0]]), &MultiLabelMarginLoss { reduction: NONE });
        check("multilabel_margin_loss", &x, losses, &[0.5], &[0.0, -1.0 / 3.0, 1.0 / 3.0]);
    }
}

/// Logits that are all as large, as a mask may make them: in `f32` the logarithm of a sum vanishes beside them.
#[test]
fn large_logits_that_are_equal() {
    let third = 1.0 / 3.0;
    for large in [1e8, f64::from(f32::MIN), f64::from(f32::MAX)] {
        let gradient = [third, third - 1.0, third];
        both_ways("indices", &[large; 3], &index(1), &plain, (3f64.ln(), &gradient));
        let gradient = [third - 0.5, third - 0.5, third];
        both_ways(
            "probabilities",
            &[large; 3],
            &probabilities(&[0.5, 0.5, 0.0]),
            &plain,
            (3f64.ln(), &gradient),
        );
    }
}
