//! Values are PyTorch's, in f64.

use super::*;
use chainrule_tensor::autograd::{GradOptions, grad};

fn close(got: &Tensor, want: &[f64]) {
    let got = got.to_vec::<f64>().unwrap();
    assert_eq!(got.len(), want.len());
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        let close = (g.is_nan() && w.is_nan()) || g == w || (g - w).abs() <= 1e-14;
        assert!(close, "at {i}: {g}, expected {w}");
    }
}

fn logits() -> Tensor {
    let x = vec![0.5, -1.0, 2.0, 1.0, 0.0, -2.0, 3.0, 3.0, 1.0];
    Tensor::from_vec(x, [3, 3]).unwrap().requires_grad_(true).unwrap()
}

fn weight() -> Option<Tensor> {
    Some(Tensor::from_vec(vec![0.5, 2.0, 1.5], [3]).unwrap())
}

/// Checks the loss and the gradient of the logits, fused and by the formula.
#[track_caller]
fn check(x: &Tensor, target: &Tensor, options: &CrossEntropyLoss, loss: &[f64], gradient: &[f64]) {
    let value = cross_entropy(x, target, options).unwrap();
    close(&value, loss);
    for create_graph in [false, true] {
        let options = GradOptions { retain_graph: true, create_graph, allow_unused: false };
        close(grad(&[&value.sum().unwrap()], &[x], &[None], options).unwrap()[0].as_ref().unwrap(), gradient);
    }
}

fn options() -> CrossEntropyLoss {
    CrossEntropyLoss::new()
}

#[test]
fn a_weighted_mean_divides_by_the_weights_of_the_targets() {
    check(
        &logits(),
        &Tensor::new([2, 0, 1]),
        &CrossEntropyLoss { weight: weight(), ..options() },
        &[0.5134301011822139],
        &[
            0.06573389705251376,
            0.014667214976507793,
            -0.08040111202902155,
            -0.03682693591271985,
            0.03243705754280239,
            0.004389878369917466,
            0.2341552654167406,
            -0.2658447345832594,
            0.03168946916651882,
        ],
    );
}

#[test]
fn ignored_rows_count_for_nothing() {
    let target = Tensor::new([2, -100, 1]);
    let gradient = [
        0.08764519607001835,
        0.019556286635343725,
        -0.10720148270536206,
        0.0,
        0.0,
        0.0,
        0.2341552654167406,
        -0.2658447345832594,
        0.03168946916651882,
    ];
    check(&logits(), &target, &options(), &[0.49996748616833525], &gradient);
    let none = CrossEntropyLoss { reduction: Reduction::None, ..options() };
    let twice = gradient.map(|g| 2.0 * g);
    check(&logits(), &target, &none, &[0.24131129665715703, 0.0, 0.7586236756795135], &twice);
}

#[test]
fn an_ignored_class_still_takes_part_in_the_softmax() {
    check(
        &logits(),
        &Tensor::new([2, 0, 1]),
        &CrossEntropyLoss { ignore_index: 2, ..options() },
        &[0.5538179462238499],
        &[
            0.0,
            0.0,
            0.0,
            -0.1473077436508794,
            0.12974823017120957,
            0.017559513479669865,
            0.2341552654167406,
            -0.2658447345832594,
            0.03168946916651882,
        ],
    );
}

#[test]
fn label_smoothing_spreads_by_the_class_weights_and_divides_by_those_of_the_targets() {
    let target = Tensor::new([2, -100, 1]);
    check(
        &logits(),
        &target,
        &CrossEntropyLoss { label_smoothing: 0.1, ..options() },
        &[0.6083008195016686],
        &[
            0.07097852940335168,
            0.0028896199686770582,
            -0.07386814937202874,
            0.0,
            0.0,
            0.0,
            0.21748859875007392,
            -0.2325114012499261,
            0.015022802499852151,
        ],
    );
    check(
        &logits(),
        &target,
        &CrossEntropyLoss { label_smoothing: 0.1, weight: weight(), ..options() },
        &[0.6141764370538597],
        &[
            0.0695278328593489,
            -0.002471337994803887,
            -0.06705649486454503,
            0.0,
            0.0,
            0.0,
            0.25392391226992295,
            -0.27464751630150575,
            0.020723604031582698,
        ],
    );
}

#[test]
fn probabilities_are_averaged_over_the_rows_whatever_the_weights() {
    let p = vec![0.2, 0.3, 0.5, 1.0, 0.0, 0.0, 0.6, 0.3, 0.3];
    let p = Tensor::from_vec(p, [3, 3]).unwrap().requires_grad_(true).unwrap();
    let options = CrossEntropyLoss { weight: weight(), label_smoothing: 0.1, ..options() };
    check(
        &logits(),
        &p,
        &options,
        &[1.5600735991715105],
        &[
            0.048486449120473146,
            -0.18346991625966486,
            0.1349834671391917,
            -0.018397455864230878,
            0.02823542284435928,
            -0.009837966980128385,
            0.11492401080238128,
            0.008257344135714615,
            -0.12318135493809587,
        ],
    );
    cross_entropy(&logits(), &p, &options).unwrap().backward().unwrap();
    close(
        &p.grad().unwrap(),
        &[
            0.2611966944985736,
            1.9447867779942942,
            0.10859008349572066,
            0.05235183251522795,
            0.8094073300609118,
            1.5070554975456838,
            0.11379355135192702,
            0.4551742054077081,
            1.241380654055781,
        ],
    );
}

#[test]
fn positions_have_a_class_each() {
    let x = (0..12).map(|i| (0.37 * f64::from(i)).sin()).collect();
    check(
        &Tensor::from_vec(x, [1, 3, 2, 2]).unwrap().requires_grad_(true).unwrap(),
        &Tensor::new([[[0, 2], [1, -100]]]),
        &CrossEntropyLoss { weight: weight(), ..options() },
        &[1.2462496956835216],
        &[
            -0.0995160042358436,
            0.11032403682585662,
            0.20575942443562192,
            0.0,
            0.06898792453730415,
            0.2009551192460037,
            -0.2674779162488822,
            0.0,
            0.030528079698539462,
            -0.31127915607186035,
            0.061718491813260216,
            0.0,
        ],
    );
}

#[test]
fn the_mean_of_nothing_is_nan_with_a_gradient_of_zero() {
    let target = Tensor::new([-100, -100, -100]);
    for label_smoothing in [0.0, 0.1] {
        let mean = CrossEntropyLoss { label_smoothing, ..options() };
        check(&logits(), &target, &mean, &[f64::NAN], &[0.0; 9]);
        let sum = CrossEntropyLoss { reduction: Reduction::Sum, ..mean.clone() };
        check(&logits(), &target, &sum, &[0.0], &[0.0; 9]);
        let zero = CrossEntropyLoss { reduction: Reduction::MeanOrZero, ..mean.clone() };
        check(&logits(), &target, &zero, &[0.0], &[0.0; 9]);
    }
    let empty = Tensor::zeros([0, 3]).unwrap();
    let target = Tensor::full([0], 0.0, DType::I64).unwrap();
    assert!(cross_entropy(&empty, &target, &options()).unwrap().item().unwrap().is_nan());
    assert!(cross_entropy(&empty, &empty, &options()).unwrap().item().unwrap().is_nan());
}

#[test]
fn weights_that_sum_to_zero_give_nan() {
    let weight = Some(Tensor::from_vec(vec![0.0; 3], [3]).unwrap());
    let options = CrossEntropyLoss { weight, ..options() };
    check(&logits(), &Tensor::new([0, 1, 2]), &options, &[f64::NAN], &[f64::NAN; 9]);
}

#[test]
fn second_derivatives_are_those_of_pytorch() {
    let x = logits();
    let options = CrossEntropyLoss { label_smoothing: 0.1, weight: weight(), ..options() };
    let loss = cross_entropy(&x, &Tensor::new([2, -100, 1]), &options).unwrap();
    let create = GradOptions { create_graph: true, ..Default::default() };
    let g = grad(&[&loss], &[&x], &[None], create).unwrap()[0].clone().unwrap();
    let v = Tensor::from_vec((0..9).map(f64::from).collect(), [3, 3]).unwrap();
    let along = g.mul(&v).unwrap().sum().unwrap();
    close(
        grad(&[&along], &[&x], &[None], GradOptions::default()).unwrap()[0].as_ref().unwrap(),
        &[
            -0.11962925795731591,
            -0.01011661443363856,
            0.12974587239095445,
            0.0,
            0.0,
            0.0,
            -0.15393575718385116,
            0.10475005984797642,
            0.04918569733587507,
        ],
    );
}
