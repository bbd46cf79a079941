//! Losses of rows: rows longer than the sums that run side by side, against the definitions in plain `f64`; ties, whose
//! gradients are PyTorch's; and one tensor in the place of two.

use chainrule_loss::*;
use chainrule_tensor::autograd::{GradOptions, grad, gradcheck, gradgradcheck};
use chainrule_tensor::{DType, Result, Tensor};

const ROWS: usize = 5;

/// low + (high − low)·(½ + ½·sin(1.7·i + seed)) as rows.
fn between(low: f64, high: f64, seed: f64, width: usize) -> Vec<Vec<f64>> {
    let at = |i: usize| low + (high - low) * (0.5 + 0.5 * (1.7 * i as f64 + seed).sin());
    (0..ROWS).map(|row| (0..width).map(|i| at(row * width + i)).collect()).collect()
}

fn tensor(rows: &[Vec<f64>]) -> Tensor {
    let width = rows[0].len();
    let x = Tensor::from_vec(rows.concat(), [rows.len(), width]).expect("rows of one length");
    x.requires_grad_(true).expect("floats")
}

/// The losses in both dtypes; of one width the gradients too, against central differences.
#[track_caller]
fn check(inputs: &[Tensor], call: impl Fn(&[Tensor]) -> Result<Tensor>, want: &[f64]) {
    for (dtype, tolerance) in [(DType::F64, 1e-13), (DType::F32, 1e-6)] {
        let inputs: Vec<Tensor> = inputs.iter().map(|x| x.detach().to_dtype(dtype).unwrap()).collect();
        let got = call(&inputs).unwrap().to_dtype(DType::F64).unwrap().to_vec::<f64>().unwrap();
        let close = |(g, w): (&f64, &f64)| (g - w).abs() <= tolerance * (1.0 + w.abs());
        assert!(got.len() == want.len() && got.iter().zip(want).all(close), "{dtype}: {got:?} {want:?}");
    }
    if inputs[0].shape()[1] == 33 {
        differentiates(call, inputs);
    }
}

#[track_caller]
fn differentiates(call: impl Fn(&[Tensor]) -> Result<Tensor>, inputs: &[Tensor]) {
    let call = |x: &[Tensor]| Ok(vec![call(x)?]);
    gradcheck(call, inputs).unwrap();
    gradgradcheck(call, inputs).unwrap();
}

/// Around the number of sums that run side by side.
const WIDTHS: [usize; 4] = [31, 32, 33, 70];

#[test]
fn multi_margin() {
    for width in WIDTHS {
        let x = between(-2.0, 2.0, 1.0, width);
        let weight: Vec<f64> = (0..width).map(|i| 0.5 + i as f64 / width as f64).collect();
        let classes = [0, width - 1, width / 2, 30, 1];
        for p in [1, 2] {
            let loss = |row: usize| {
                let (x, own) = (&x[row], classes[row]);
                let excess = (0..width).filter(|&i| i != own).map(|i| (0.7 - x[own] + x[i]).max(0.0).powi(p));
                weight[own] * excess.sum::<f64>() / width as f64
            };
            let y = Tensor::from_vec(classes.map(|class| class as i64).to_vec(), [ROWS]).unwrap();
            let call = |x: &[Tensor]| {
                let weight = Tensor::from_slice(&weight, [width])?.to_dtype(x[0].dtype())?;
                let (p, weight, reduction) = (p as u32, Some(weight), Reduction::None);
                multi_margin_loss(&x[0], &y, &MultiMarginLoss { p, margin: 0.7, weight, reduction })
            };
            check(&[tensor(&x)], call, &(0..ROWS).map(loss).collect::<Vec<_>>());
        }
    }
}

#[test]
fn cosine_embedding() {
    for width in WIDTHS {
        let (a, b) = (between(-2.0, 2.0, 1.0, width), between(-1.0, 3.0, 2.0, width));
        let labels = [1.0, -1.0, -1.0, 1.0, 0.0];
        let loss = |row: usize| {
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let (a, b) = (&a[row], &b[row]);
            let cosine = dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
            match labels[row] {
                1.0 => 1.0 - cosine,
                -1.0 => (cosine + 0.8).max(0.0),
                _ => 0.0,
            }
        };
        let call = |x: &[Tensor]| {
            let y = Tensor::from_slice(&labels, [ROWS])?.to_dtype(x[0].dtype())?;
            let options = CosineEmbeddingLoss { margin: -0.8, reduction: Reduction::None };
            cosine_embedding_loss(&x[0], &x[1], &y, &options)
        };
        check(&[tensor(&a), tensor(&b)], call, &(0..ROWS).map(loss).collect::<Vec<_>>());
    }
}

#[test]
fn triplet_margin() {
    for (width, swap) in WIDTHS.into_iter().flat_map(|width| [(width, false), (width, true)]) {
        let rows =
            [between(-2.0, 2.0, 1.0, width), between(-1.0, 3.0, 2.0, width), between(-2.0, 1.0, 3.0, width)];
        let loss = |row: usize| {
            let distance = |i: usize, j: usize| {
                let (a, b) = (&rows[i][row], &rows[j][row]);
                a.iter().zip(b).map(|(a, b)| (a - b + 0.01).powi(2)).sum::<f64>().sqrt()
            };
            let far = if swap { distance(0, 2).min(distance(1, 2)) } else { distance(0, 2) };
            (distance(0, 1) - far + 2.0).max(0.0)
        };
        let call = |x: &[Tensor]| {
            let (margin, eps, reduction) = (2.0, 0.01, Reduction::None);
            let options = TripletMarginLoss { margin, eps, swap, reduction, ..Default::default() };
            triplet_margin_loss(&x[0], &x[1], &x[2], &options)
        };
        let inputs = rows.each_ref().map(|rows| tensor(rows));
        check(&inputs, call, &(0..ROWS).map(loss).collect::<Vec<_>>());
    }
}

#[test]
fn dice() {
    for (width, squared) in WIDTHS.into_iter().flat_map(|width| [(width, false), (width, true)]) {
        let (x, y) = (between(0.1, 0.9, 1.0, width), between(0.0, 1.0, 2.0, width));
        let loss = |row: usize| {
            let size = |v: &[f64]| v.iter().map(|v| if squared { v * v } else { *v }).sum::<f64>();
            let overlap: f64 = x[row].iter().zip(&y[row]).map(|(x, y)| x * y).sum();
            1.0 - (2.0 * overlap + 0.5) / (size(&x[row]) + size(&y[row]) + 0.5)
        };
        for batch in [false, true] {
            let call = |x: &[Tensor]| {
                // With `batch` the same rows, each made of two images' parts where the width is even.
                let images = if batch && width % 2 == 0 { 2 } else { 1 };
                let shaped = |x: &Tensor| x.reshape([ROWS, images, width / images])?.transpose(0, 1);
                let options = DiceLoss { smooth: 0.5, squared, batch, reduction: Reduction::None };
                let losses = dice_loss(&shaped(&x[0])?, &shaped(&x[1])?, &options)?;
                losses.reshape([losses.numel()])
            };
            check(&[tensor(&x), tensor(&y)], call, &(0..ROWS).map(loss).collect::<Vec<_>>());
        }
    }
}

/// PyTorch's gradients, fused and by the formula.
#[track_caller]
fn gradients<const N: usize>(
    vectors: [[f64; 2]; N],
    call: impl Fn(&[Tensor]) -> Result<Tensor>,
    want: [[f64; 2]; N],
) {
    for create_graph in [false, true] {
        let leaves = vectors.map(|vector| tensor(&[vector.to_vec()]));
        let options = GradOptions { create_graph, ..Default::default() };
        let grads = grad(&[&call(&leaves).unwrap()], &leaves.each_ref(), &[], options).unwrap();
        for (got, want) in grads.into_iter().zip(want) {
            assert_eq!(got.unwrap().to_vec::<f64>().unwrap(), want, "create_graph {create_graph}");
        }
    }
}

#[test]
fn ties_have_pytorchs_gradients() {
    let triplet = |swap| {
        move |x: &[Tensor]| {
            let options = TripletMarginLoss { eps: 0.0, swap, ..Default::default() };
            triplet_margin_loss(&x[0], &x[1], &x[2], &options)
        }
    };
    let zero = [0.0, 0.0];
    gradients([zero, [1.0, 0.0], [2.0, 0.0]], triplet(false), [zero; 3]);
    // The anchor is the positive: their distance has the gradient 0.
    gradients([zero, zero, [0.5, 0.0]], triplet(false), [[1.0, 0.0], zero, [-1.0, 0.0]]);
    // The negative is as far from both.
    gradients([zero, zero, [0.5, 0.0]], triplet(true), [[0.5, 0.0], [0.5, 0.0], [-1.0, 0.0]]);
    let cosine =
        |x: &[Tensor]| cosine_embedding_loss(&x[0], &x[1], &Tensor::new([-1]), &CosineEmbeddingLoss::new());
    gradients([[1.0, 0.0], [0.0, 1.0]], cosine, [zero; 2]);
}

/// Gradients to both places where a tensor stands add up once, also where they are differentiated again.
#[test]
fn one_tensor_may_stand_for_two() {
    let x = tensor(&between(0.1, 0.9, 1.0, 4));
    let dice = |x: &[Tensor]| {
        let x = x[0].unsqueeze(0)?;
        dice_loss(&x, &x, &DiceLoss { smooth: 0.5, ..Default::default() })
    };
    let cosine = |x: &[Tensor]| {
        let one = Tensor::new(1).expand([ROWS])?;
        cosine_embedding_loss(&x[0], &x[0].flip([1])?, &one, &CosineEmbeddingLoss::new())
    };
    let triplet = |x: &[Tensor]| {
        let far = x[0].mul(2.0)?;
        triplet_margin_loss(&far, &x[0], &x[0], &TripletMarginLoss { swap: true, ..Default::default() })
    };
    for call in [&dice as &dyn Fn(&[Tensor]) -> Result<Tensor>, &cosine, &triplet] {
        differentiates(call, std::slice::from_ref(&x));
        let [fused, formula] = [false, true].map(|create_graph| {
            let options = GradOptions { create_graph, ..Default::default() };
            let losses = call(std::slice::from_ref(&x)).unwrap();
            grad(&[&losses], &[&x], &[], options).unwrap().remove(0).unwrap().to_vec::<f64>().unwrap()
        });
        assert!(fused.iter().zip(&formula).all(|(a, b)| (a - b).abs() < 1e-14), "{fused:?} {formula:?}");
    }
}
