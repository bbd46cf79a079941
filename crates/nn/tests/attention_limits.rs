//! Attention where a query sees no key: nothing is added up, and nothing is a NaN.

use chainrule_nn::{Module, MultiheadAttention, MultiheadAttentionOptions as Options};
use chainrule_tensor::autograd::{GradOptions, grad};
use chainrule_tensor::random::{Generator, with_generator};
use chainrule_tensor::{DType, Result, Tensor};

fn numbers(x: &Tensor) -> Vec<f64> {
    x.detach().to_dtype(DType::F64).and_then(|x| x.to_vec::<f64>()).expect("numbers")
}

#[track_caller]
fn close(what: &str, got: &[f64], want: &[f64], tolerance: f64) {
    let near = |(g, w): (&f64, &f64)| (g - w).abs() <= tolerance * w.abs().max(1.0);
    assert!(got.len() == want.len() && got.iter().zip(want).all(near), "{what}: {got:?} instead of {want:?}");
}

/// Attention of 4 features and 2 heads, whose output has a bias.
fn attention(dtype: DType) -> Result<MultiheadAttention> {
    let make = || MultiheadAttention::builder(4, 2).batch_first(true).dtype(dtype).build();
    let layer = with_generator(&mut Generator::new(0), make)?;
    let bias = layer.out_proj.bias.as_ref().expect("a bias");
    bias.set(&Tensor::new([0.5, -1.0, 2.0, 0.25]).to_dtype(dtype)?)?;
    Ok(layer)
}

/// Masks under which the second query of the first sequence sees no key.
fn masks(dtype: DType) -> Result<Vec<(&'static str, Options)>> {
    let rows = Tensor::new([[false, true, false], [true; 3], [false; 3]]);
    let add = Tensor::full([3, 3], 0.0, dtype)?.masked_fill(&rows, f64::NEG_INFINITY)?;
    let of_heads = |mask: &Tensor| {
        let other = mask.masked_fill(&Tensor::new(true), 0.0)?;
        Tensor::stack(&[mask, mask, &other, &other], 0)
    };
    let bools =
        Tensor::stack(&[&rows, &rows, &Tensor::new([[false; 3]; 3]), &Tensor::new([[false; 3]; 3])], 0)?;
    let padding = Tensor::new([[true, true, false], [false; 3]]);
    let padding_added = Tensor::full([2, 3], 0.0, dtype)?.masked_fill(&padding, f64::NEG_INFINITY)?;
    let options = |attn_mask: Option<Tensor>, key_padding_mask: Option<Tensor>| Options {
        attn_mask,
        key_padding_mask,
        ..Default::default()
    };
    Ok(vec![
        ("booleans", options(Some(rows.clone()), None)),
        ("numbers", options(Some(add.clone()), None)),
        ("booleans for heads", options(Some(bools), None)),
        ("numbers for heads", options(Some(of_heads(&add)?), None)),
        ("booleans and padding", options(Some(rows), Some(Tensor::new([[false, false, true]; 2])))),
        ("numbers and padding", options(Some(add), Some(padding_added))),
        ("causal and padding", Options { is_causal: true, ..options(None, Some(padding)) }),
    ])
}

#[test]
fn a_query_that_sees_no_key_gives_the_bias() -> Result<()> {
    for dtype in [DType::F32, DType::F64] {
        let tolerance = if dtype == DType::F32 { 1e-5 } else { 1e-12 };
        let layer = attention(dtype)?;
        let values = (0..24).map(|i| (1.3 * f64::from(i)).sin()).collect::<Vec<f64>>();
        for (what, options) in masks(dtype)? {
            let run = |need_weights, create_graph| -> Result<_> {
                let x = Tensor::from_slice(&values, [2, 3, 4])?.to_dtype(dtype)?.requires_grad_(true)?;
                let options = Options { need_weights, ..options.clone() };
                let (y, weights) = layer.forward(&x, &x, &x, &options)?;
                let parameters: Vec<Tensor> =
                    layer.named_parameters().into_iter().map(|(_, p)| p.tensor()).collect();
                let of: Vec<&Tensor> = [&x].into_iter().chain(&parameters).collect();
                let grads = grad(
                    &[&y.square()?.sum()?],
                    &of,
                    &[],
                    GradOptions { create_graph, ..Default::default() },
                )?;
                let grads: Vec<Tensor> = grads.into_iter().flatten().collect();
                let second = if create_graph {
                    let sum = grads.iter().map(|g| g.square()?.sum()).collect::<Result<Vec<_>>>()?;
                    let sum = Tensor::stack(&sum.iter().collect::<Vec<_>>(), 0)?.sum()?;
                    grad(&[&sum], &[&x], &[], GradOptions::default())?.swap_remove(0).map(|g| numbers(&g))
                } else {
                    None
                };
                let grads: Vec<f64> = grads.iter().flat_map(numbers).collect();
                Ok((numbers(&y), weights.map(|w| numbers(&w)), grads, second))
            };
            let (y, weights, grads, _) = run(true, false)?;
            close(what, &y[4..8], &[0.5, -1.0, 2.0, 0.25], tolerance);
            let weights = weights.expect("weights");
            close(what, &weights[3..6], &[0.0; 3], 0.0);
            let sums: Vec<f64> = weights.chunks(3).map(|row| row.iter().sum()).collect();
            assert!(sums.iter().all(|&s| s == 0.0 || (s - 1.0).abs() < 1e-6), "{what}: {sums:?}");
            // By the way without weights, and with a graph of the gradients.
            let (fused, none, of_fused, _) = run(false, false)?;
            assert!(none.is_none());
            close(what, &y, &fused, tolerance);
            close(what, &grads, &of_fused, tolerance * 10.0);
            for need_weights in [false, true] {
                let (_, _, recorded, second) = run(need_weights, true)?;
                close(what, &recorded, &of_fused, tolerance * 10.0);
                assert!(second.expect("second derivatives").iter().all(|v| v.is_finite()), "{what}");
            }
        }
    }
    Ok(())
}

/// No sequences, no queries, no keys.
#[test]
fn attention_of_nothing() -> Result<()> {
    let layer = attention(DType::F32)?;
    for [n, queries, keys] in [[0, 3, 3], [2, 0, 3], [2, 3, 0]] {
        for need_weights in [false, true] {
            for masked in [false, true] {
                let mask = if masked { Some(Tensor::full([queries, keys], 1.0, DType::Bool)?) } else { None };
                let options = Options { need_weights, attn_mask: mask, ..Default::default() };
                let x = |rows| Tensor::ones([n, rows, 4]).and_then(|x| x.requires_grad_(true));
                let (q, k) = (x(queries)?, x(keys)?);
                let (y, weights) = layer.forward(&q, &k, &k, &options)?;
                assert_eq!(y.shape().to_vec(), [n, queries, 4]);
                assert_eq!(weights.map(|w| w.shape().to_vec()), need_weights.then(|| vec![n, queries, keys]));
                assert!(numbers(&y).chunks(4).all(|row| masked || keys > 0 || row == [0.5, -1.0, 2.0, 0.25]));
                y.sum()?.backward()?;
                assert!(
                    numbers(&q.grad().expect("a gradient")).iter().all(|&g| g == 0.0 || !masked && keys > 0)
                );
                layer.zero_grad();
            }
        }
    }
    Ok(())
}
