//! Attention with several heads, embeddings and layer normalisation against numbers from PyTorch 2.15, and what they
//! refuse. (The golden cases have their options and gradients.)

#![allow(clippy::excessive_precision, reason = "numbers as PyTorch prints them")]

use chainrule_nn::{
    Embedding, Forward, LayerNorm, Module, MultiheadAttention, MultiheadAttentionOptions as Options,
};
use chainrule_tensor::random::{Generator, with_generator};
use chainrule_tensor::{DType, ErrorKind, Result, Tensor};

fn assert_close(got: &Tensor, want: &[f64]) {
    let got = got.to_dtype(DType::F64).unwrap().to_vec::<f64>().unwrap();
    assert_eq!(got.len(), want.len());
    for (got, want) in got.iter().zip(want) {
        assert!((got - want).abs() <= 1e-12 * want.abs().max(1.0), "{got} for {want}");
    }
}

/// 3 times of one sequence of 4 features.
fn input() -> Tensor {
    Tensor::from_vec((0..12).map(|i| f64::from(i) / 10.0).collect(), [3, 1, 4]).unwrap()
}

fn attention() -> MultiheadAttention {
    let make = || MultiheadAttention::builder(4, 2).dropout(0.5).dtype(DType::F64).build();
    with_generator(&mut Generator::new(0), make).unwrap()
}

#[test]
fn initial_values_are_drawn_in_pytorchs_order() -> Result<()> {
    let mut generator = Generator::new(0);
    let layer = with_generator(&mut generator, || {
        MultiheadAttention::builder(4, 2).kdim(3).add_bias_kv(true).build()
    })?;
    let names: Vec<String> = layer.named_parameters().into_iter().map(|(name, _)| name).collect();
    let want = [
        "q_proj_weight",
        "k_proj_weight",
        "v_proj_weight",
        "in_proj_bias",
        "bias_k",
        "bias_v",
        "out_proj.weight",
        "out_proj.bias",
    ];
    assert_eq!(names, want);
    let row = |name: &str, row: usize| -> Result<Vec<f32>> {
        let state = layer.state_dict()?;
        state.get(name).unwrap().reshape([-1, 4])?.select(0, row as isize)?.to_vec()
    };
    assert_eq!(
        row("q_proj_weight", 0)?,
        [0.31455525755882263, 0.7191370725631714, -0.17822816967964172, 0.6480569839477539]
    );
    assert_eq!(
        row("v_proj_weight", 3)?,
        [0.3918531537055969, 0.3482811152935028, -0.5129923224449158, 0.26163241267204285]
    );
    assert_eq!(
        row("bias_k", 0)?,
        [0.09599753469228745, 0.27138566970825195, -1.1093896627426147, 0.12949226796627045]
    );
    assert_eq!(
        row("bias_v", 0)?,
        [-0.5148510932922363, -0.25037920475006104, 0.1366838663816452, -0.4590499997138977]
    );
    assert_eq!(
        row("out_proj.weight", 0)?,
        [-0.003743410110473633, 0.26822179555892944, -0.4115225672721863, -0.3679695129394531]
    );
    assert_eq!(row("out_proj.bias", 0)?, [0.0; 4]);
    assert_eq!(with_generator(&mut generator, || Tensor::rand([1]))?.to_vec::<f32>()?, [0.03402292728424072]);

    let mut generator = Generator::new(0);
    let words = with_generator(&mut generator, || Embedding::builder(3, 2).padding_idx(-2).build())?;
    let want = [1.5409960746765137, -0.293428897857666, 0.0, 0.0, -1.0845223665237427, -1.3985954523086548];
    assert_eq!(words.weight.tensor().to_vec::<f32>()?, want);
    assert_eq!(
        with_generator(&mut generator, || Tensor::rand([1]))?.to_vec::<f32>()?,
        [0.022325754165649414]
    );
    Ok(())
}

#[test]
fn dropout_of_weights_is_pytorchs() -> Result<()> {
    let (layer, x) = (attention(), input());
    let with =
        |options: &Options| with_generator(&mut Generator::new(5), || layer.forward(&x, &x, &x, options));
    let (y, weights) = with(&Options { average_attn_weights: false, ..Options::default() })?;
    let want = [
        0.2173931794013906,
        0.02777649589818465,
        0.03370395832780122,
        -0.08711198825463705,
        0.11939893263579467,
        0.0317841111468449,
        0.019278544849529802,
        -0.04740325326234771,
        0.062023620159985644,
        0.017207373941423253,
        -0.03850916111268668,
        -0.005943544204171355,
    ];
    assert_close(&y, &want);
    let weights = weights.unwrap();
    assert_eq!(*weights.shape(), [1, 2, 3, 3]);
    let kept: Vec<bool> = weights.to_vec::<f64>()?.into_iter().map(|w| w != 0.0).collect();
    assert_eq!(kept, [0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1].map(|kept| kept == 1));
    let (without, none) = with(&Options { need_weights: false, ..Options::default() })?;
    assert!(none.is_none());
    assert_close(&without, &want);
    Ok(())
}

#[test]
fn both_ways_and_all_forms_of_a_mask_agree() -> Result<()> {
    let (layer, x) = (attention(), input());
    layer.eval();
    let run = |x: &Tensor, options: Options| -> Result<Vec<f64>> {
        let (with, _) = layer.forward(x, x, x, &Options { need_weights: true, ..options.clone() })?;
        let (without, _) = layer.forward(x, x, x, &Options { need_weights: false, ..options })?;
        assert_close(&without, &with.to_vec::<f64>()?);
        with.to_vec()
    };
    let hidden = Tensor::new([[false, true, true], [false, false, true], [false, false, false]]);
    let causal = run(&x, Options { is_causal: true, ..Options::default() })?;
    let masked = run(&x, Options { attn_mask: Some(hidden.clone()), ..Options::default() })?;
    let heads = Tensor::stack(&[&hidden, &hidden], 0)?;
    let of_heads = run(&x, Options { attn_mask: Some(heads), ..Options::default() })?;
    let scores = Tensor::full([3, 3], 0.0, DType::F64)?.masked_fill(&hidden, f64::NEG_INFINITY)?;
    let added = run(&x, Options { attn_mask: Some(scores), ..Options::default() })?;
    assert!(causal == masked && causal == of_heads && causal == added);
    assert_ne!(causal, run(&x, Options::default())?);

    // Without its last key a sequence is one that has no such key.
    let padding = Tensor::new([[false, false, true]]);
    let padded = run(&x, Options { key_padding_mask: Some(padding.clone()), ..Options::default() })?;
    let short = x.narrow(0, 0, 2)?;
    assert_close(&layer.forward(&x, &short, &short, &Options::default())?.0, &padded);
    let both = Options { key_padding_mask: Some(padding), attn_mask: Some(hidden), ..Options::default() };
    assert_eq!(run(&x, both)?[..8], causal[..8]);

    // Of one sequence without a batch.
    let alone = x.squeeze_dim(1)?;
    assert_eq!(run(&alone, Options { is_causal: true, ..Options::default() })?, causal);
    Ok(())
}

#[test]
fn what_is_refused() -> Result<()> {
    #[track_caller]
    fn refused<T>(result: Result<T>, words: &[&str]) {
        let error = result.err().expect("an error");
        assert!(words.iter().all(|word| error.to_string().contains(word)), "{error}");
        assert_eq!(error.location().unwrap().file(), file!(), "{error}");
    }
    refused(MultiheadAttention::new(4, 3), &["MultiheadAttention", "4", "3 heads"]);
    refused(MultiheadAttention::new(0, 1), &["embed_dim"]);
    refused(MultiheadAttention::builder(4, 2).dropout(1.5).build(), &["1.5"]);
    refused(MultiheadAttention::builder(4, 2).dtype(DType::I64).build(), &["int64"]);
    let (layer, x) = (attention(), input());
    let call = |q: &Tensor, k: &Tensor, v: &Tensor, options: Options| layer.forward(q, k, v, &options);
    refused(call(&x.squeeze_dim(1)?, &x, &x, Options::default()), &["[3, 4]", "[3, 1, 4]"]);
    refused(call(&x, &x.narrow(2, 0, 3)?, &x, Options::default()), &["keys have 4 features", "[3, 1, 3]"]);
    refused(call(&x, &x, &x.narrow(0, 0, 2)?, Options::default()), &["[2, 1, 4]", "do not belong together"]);
    let mask = |mask: Tensor| Options { attn_mask: Some(mask), ..Options::default() };
    refused(
        call(&x, &x, &x, mask(Tensor::full([2, 3], 0.0, DType::F64)?)),
        &["attn_mask", "[2, 3]", "[2, 3, 3]"],
    );
    refused(call(&x, &x, &x, mask(Tensor::full([3, 3], 0.0, DType::I64)?)), &["attn_mask", "int64"]);
    let padding = Options { key_padding_mask: Some(Tensor::new([false; 3])), ..Options::default() };
    refused(call(&x, &x, &x, padding), &["key_padding_mask", "[3]", "[1, 3]"]);
    let twice = Options { is_causal: true, ..mask(Tensor::full([3, 3], 0.0, DType::F64)?) };
    refused(call(&x, &x, &x, twice), &["is_causal"]);
    refused(Embedding::builder(3, 2).padding_idx(3).build(), &["padding_idx 3", "3 rows"]);
    refused(Embedding::new(3, 2)?.forward(&Tensor::new([3])), &["embedding", "index 3"]);
    refused(LayerNorm::new([0usize; 0]), &["normalized_shape"]);
    refused(LayerNorm::new([4])?.forward(&Tensor::zeros([2, 3])?), &["[2, 3]", "[4]"]);
    assert_eq!(LayerNorm::new([0usize; 0]).unwrap_err().kind(), ErrorKind::Shape);
    Ok(())
}
