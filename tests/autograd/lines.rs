//! Errors name the caller's line: of the engine, of cells and modules, of layers.

use std::sync::Arc;

use chainrule::autograd::{GradOptions, grad, no_grad};
use chainrule::nn::Layer;
use chainrule::prelude::*;
use chainrule::{Error, TensorCell};

use super::leaf;

/// Whether all calls are refused, in their own lines.
macro_rules! refused_here {
    ($($call:expr),+ $(,)?) => {
        $({
            #[allow(unused_mut, reason = "few calls change something")]
            let mut call = || -> std::result::Result<(), Error> { $call.map(drop) };
            let error = call().expect_err(stringify!($call));
            let at = error.location().expect("a place");
            assert_eq!(at.file(), file!(), "{}: {error}", stringify!($call));
        })+
    };
}

#[test]
fn of_the_engine() -> Result<()> {
    let x = leaf(&[1.0, 2.0]);
    let constant = x.detach();
    let y = (&x * &x).sum()?;
    y.backward()?;
    let line = line!() + 1;
    let error = y.backward().unwrap_err();
    assert_eq!(
        (error.location().unwrap().file(), error.location().unwrap().line()),
        (file!(), line),
        "{error}"
    );
    let options = GradOptions::default();
    let keep = GradOptions { retain_graph: true, ..options };
    refused_here!(
        y.backward_with(&Tensor::ones_like(&y)?),
        options.backward(&y, None),
        keep.backward(&y, None),
        grad(&[&y], &[&x], &[], options),
        grad(&[&y], &[&constant], &[], options),
        grad(&[&y], &[&x], &[None, None], options),
        grad(&[&(&x * 2.0)], &[&x], &[], options),
        grad(&[&(&x * 2.0).sum()?], &[&leaf(&[1.0])], &[], options),
        (&x * 2.0).backward(),
        constant.backward(),
        constant.retain_grad(),
        constant.register_hook(|_| Ok(None)),
        (&x * 2.0).requires_grad_(false),
        Tensor::new([1]).requires_grad_(true),
        Parameter::new(Tensor::new([1])),
    );
    no_grad(|| refused_here!((&x * 2.0).sum()?.backward()));
    Ok(())
}

#[test]
fn of_cells() -> Result<()> {
    let p = Parameter::new(Tensor::new([1.0, 2.0]))?;
    let (cell, buffer) = (TensorCell::new(&p.tensor()), Buffer::new(&p.tensor()));
    let (wide, double) = (Tensor::new([1.0]), Tensor::new([1.0, 2.0]).to_dtype(DType::F64)?);
    refused_here!(
        p.set(&wide),
        p.set(&double),
        p.set_grad(Some(wide.clone())),
        p.set_grad(Some(double.clone())),
        p.update(|_: &mut [f64]| ()),
        cell.set(&wide),
        cell.set(&double),
        cell.update(|_: &mut [i64]| ()),
        buffer.set(&wide),
        buffer.update(|_: &mut [f64]| ()),
    );
    Ok(())
}

#[test]
fn of_modules_and_state_dicts() -> Result<()> {
    let model = sequential![Linear::new(2, 2)?, ReLU::new()];
    let state = model.state_dict()?;
    let mut other = StateDict::new();
    other.insert("0.weight", Tensor::new([1.0]))?;
    let path = std::env::temp_dir().join("chainrule-no-such-folder").join("file");
    refused_here!(
        model.load_state_dict(&other),
        model.load_state_dict_with(&other, LoadOptions { strict: false, ..Default::default() }),
        model.load_state_dict(&StateDict::new()),
        other.insert("0.weight", Tensor::new([1.0])),
        other.insert("__metadata__", Tensor::new([1.0])),
        other.extend("", &state),
        state.save(&path),
        StateDict::load(&path),
        StateDict::from_bytes(b"nothing"),
    );
    Ok(())
}

#[test]
fn of_layers() -> Result<()> {
    let bad = Tensor::new([1, 2]);
    let x = Tensor::ones([5])?;
    let deep = sequential![sequential![Linear::new(2, 2)?]];
    let boxed: Box<dyn Layer> = Box::new(Linear::new(2, 2)?);
    let shared: Arc<dyn Layer> = Arc::new(sequential![Flatten::new(), Linear::new(2, 2)?]);
    let attention = MultiheadAttention::new(4, 2)?;
    let gru = GRU::builder(2, 2).num_layers(2).build()?;
    refused_here!(
        AvgPool2d::new(2)?.forward(&x),
        AvgPool2d::new(0),
        BatchNorm2d::new(2)?.forward(&x),
        BatchNorm2d::builder(2).dtype(DType::I64).build(),
        BatchNorm2d::builder(2).eps(-1.0).build(),
        Conv2d::new(1, 1, 3)?.forward(&x),
        Conv2d::builder(1, 1, 3).dtype(DType::I64).build(),
        Conv2d::new(0, 1, 3),
        Dropout::new(2.0),
        Embedding::new(2, 2)?.forward(&x),
        Embedding::new(2, 2)?.forward(&Tensor::new([7])),
        Embedding::builder(2, 2).padding_idx(5).build(),
        Embedding::builder(2, 2).dtype(DType::I64).build(),
        Flatten::builder().start_dim(4).build()?.forward(&x),
        LayerNorm::new([3])?.forward(&x),
        LayerNorm::new([0; 0]),
        LayerNorm::builder([3]).dtype(DType::I64).build(),
        Linear::new(2, 2)?.forward(&x),
        Linear::builder(2, 2).dtype(DType::Bool).build(),
        LogSoftmax::new(3).forward(&x),
        MaxPool2d::new(2)?.forward(&x),
        MaxPool2d::new(0),
        Softmax::new(3).forward(&x),
        LSTM::new(2, 2)?.forward(&x, None),
        LSTM::new(0, 2),
        LSTM::builder(2, 2).dtype(DType::I64).build(),
        RNN::new(2, 2)?.forward(&x, None),
        RNN::builder(2, 2).dropout(2.0).build(),
        gru.forward(&Tensor::ones([3, 1, 2])?, Some(&x)),
        gru.forward(&Tensor::ones([3, 1, 2])?.to_dtype(DType::F64)?, None),
        attention.forward(&x, &x, &x, &Default::default()),
        MultiheadAttention::new(4, 3),
        MultiheadAttention::builder(4, 2).dtype(DType::I64).build(),
        deep.forward(&x),
        boxed.forward(&x),
        shared.forward(&x),
        deep.layers()[0].forward(&x),
    );
    let masked = MultiheadAttentionOptions { attn_mask: Some(bad.clone()), ..Default::default() };
    let words = Tensor::ones([3, 4])?;
    refused_here!(
        attention.forward(&words, &words, &words, &masked),
        attention.forward(&words.to_dtype(DType::F64)?, &words, &words, &Default::default()),
    );
    Ok(())
}
