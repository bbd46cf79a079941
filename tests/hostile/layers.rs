//! Layers: made with any sizes and options, then given an input that may fit.

use chainrule::nn::*;
use chainrule::train::BestWeights;
use chainrule::{Parameter, Result, Tensor};

use crate::case::{Call, Results, call};
use crate::draw::Draw;

impl Results for Parameter {
    fn look_at(&self) -> Result<()> {
        self.tensor().look_at()
    }
}

/// What a program does with a layer: names, modes, state, a step back and forth.
fn used(layer: &impl Layer, x: &Tensor) -> Result<Vec<Tensor>> {
    let trained = layer.forward(x)?;
    layer.eval();
    let judged = layer.forward(x)?;
    let state = layer.state_dict()?;
    layer.load_state_dict(&state)?;
    Ok(vec![trained, judged])
}

/// An input whose last size is mostly the layer's.
fn input(d: &mut Draw, rank: usize, features: usize) -> Tensor {
    let mut shape: Vec<usize> = (0..rank).map(|_| d.small().min(5)).collect();
    let features = if features < 100 { features } else { 3 };
    shape[rank - 1] = d.pick(&[features, features, features, 0, 1, 17]);
    d.floats(&shape)
}

fn images(d: &mut Draw, channels: usize) -> Tensor {
    let channels = if channels < 100 { channels } else { 3 };
    let (height, width) = (d.small(), d.small());
    d.floats(&[2, channels, height, width])
}

pub(crate) fn calls() -> Vec<Call> {
    vec![
        call("Linear", |d| {
            let features = d.size();
            let layer = Linear::builder(features, d.size()).bias(d.flag()).dtype(d.dtype()).build()?;
            used(&layer, &input(d, 2, features))
        }),
        call("Conv2d", |d| {
            let channels = d.size();
            let builder = Conv2d::builder(channels, d.size(), d.pair());
            let builder = builder.stride(d.pair()).padding(d.pair()).dilation(d.pair()).groups(d.size());
            used(&builder.build()?, &images(d, channels))
        }),
        call("MaxPool2d", |d| {
            let builder = MaxPool2d::builder(d.pair()).stride(d.pair()).padding(d.pair()).dilation(d.pair());
            used(&builder.ceil_mode(d.flag()).build()?, &images(d, 3))
        }),
        call("AvgPool2d", |d| {
            let builder = AvgPool2d::builder(d.pair()).stride(d.pair()).padding(d.pair());
            used(&builder.divisor_override(d.size()).build()?, &images(d, 3))
        }),
        call("BatchNorm2d", |d| {
            let channels = d.size();
            let builder = BatchNorm2d::builder(channels).eps(d.number()).momentum(d.maybe(Draw::number));
            used(&builder.affine(d.flag()).track_running_stats(d.flag()).build()?, &images(d, channels))
        }),
        call("LayerNorm", |d| {
            let shape = d.sizes();
            let features = shape.last().copied().unwrap_or(1);
            let layer = LayerNorm::builder(shape).eps(d.number()).elementwise_affine(d.flag()).build()?;
            used(&layer, &input(d, 3, features))
        }),
        call("Embedding", |d| {
            let rows = d.size();
            let builder = Embedding::builder(rows, d.size());
            let layer = match d.maybe(Draw::index) {
                Some(index) => builder.padding_idx(index).build()?,
                None => builder.build()?,
            };
            let shape = d.shape();
            used(&layer, &d.index_tensor(&shape, rows))
        }),
        call("Dropout", |d| used(&Dropout::new(d.number())?, &d.tensor())),
        call("Softmax", |d| used(&Softmax::new(d.index()), &d.tensor())),
        call("LogSoftmax", |d| used(&LogSoftmax::new(d.index()), &d.tensor())),
        call("LeakyReLU", |d| used(&LeakyReLU::builder().negative_slope(d.number()).build()?, &d.tensor())),
        call("Flatten", |d| {
            let layer = Flatten::builder().start_dim(d.index()).end_dim(d.index()).build()?;
            used(&layer, &d.tensor())
        }),
        call("activations", |d| {
            let approximate = d.pick(&[Approximate::None, Approximate::Tanh]);
            let gelu = GELU::builder().approximate(approximate).build()?;
            let layer = sequential![ReLU::new(), Tanh::new(), Sigmoid::new(), gelu, Identity::new()];
            used(&layer, &d.tensor())
        }),
        call("RNN", |d| {
            let inputs = d.size();
            let builder = RNN::builder(inputs, d.size()).num_layers(d.size()).dropout(d.number());
            let nonlinearity = d.pick(&[RNNNonlinearity::Tanh, RNNNonlinearity::ReLU]);
            let layer = builder.nonlinearity(nonlinearity).build()?;
            let (y, h) = layer.forward(&input(d, 3, inputs), None)?;
            Ok(vec![y, h])
        }),
        call("LSTM", |d| {
            let inputs = d.size();
            let builder = LSTM::builder(inputs, d.size()).num_layers(d.size()).dropout(d.number());
            let layer = builder.batch_first(d.flag()).bidirectional(d.flag()).build()?;
            let (y, (h, c)) = layer.forward(&input(d, 3, inputs), None)?;
            Ok(vec![y, h, c])
        }),
        call("GRU", |d| {
            let inputs = d.size();
            let layer =
                GRU::builder(inputs, d.size()).num_layers(d.size()).bidirectional(d.flag()).build()?;
            let state = d.maybe(Draw::tensor);
            let (y, h) = layer.forward(&input(d, 3, inputs), state.as_ref())?;
            Ok(vec![y, h])
        }),
        call("MultiheadAttention", |d| {
            let width = d.size();
            let builder = MultiheadAttention::builder(width, d.size()).dropout(d.number());
            let builder = builder.add_bias_kv(d.flag()).add_zero_attn(d.flag()).batch_first(d.flag());
            let builder = match d.maybe(Draw::size) {
                Some(width) => builder.kdim(width).vdim(width),
                None => builder,
            };
            let layer = builder.build()?;
            let (q, k) = (input(d, 3, width), input(d, 3, width));
            let options = MultiheadAttentionOptions {
                attn_mask: d.maybe(Draw::tensor),
                key_padding_mask: d.maybe(Draw::tensor),
                need_weights: d.flag(),
                is_causal: d.flag(),
                ..Default::default()
            };
            let (y, weights) = layer.forward(&q, &k, &k, &options)?;
            Ok(vec![y].into_iter().chain(weights).collect::<Vec<_>>())
        }),
        call("update_bn", |d| {
            let model = BatchNorm2d::new(3)?;
            let batches: Vec<Tensor> = (0..d.small()).map(|_| images(d, 3)).collect();
            update_bn(&model, &batches, |x| model.forward(x))
        }),
        call("BestWeights", |d| {
            let model = Linear::new(2, 2)?;
            let mut best = if d.flag() { BestWeights::highest() } else { BestWeights::lowest() };
            _ = best.restore(&model).map_err(|e| e.to_string());
            for value in d.numbers() {
                best.update(&model, value)?;
            }
            best.restore(&model)?;
            best.restore(&Linear::new(3, 2)?)
        }),
        call("Sequential", |d| {
            let width = d.small();
            let model = sequential![
                Linear::new(width, 4)?,
                LayerNorm::new(4)?,
                Dropout::new(0.5)?,
                Linear::new(4, d.small())?
            ];
            let other = sequential![Linear::new(d.small(), 4)?, LayerNorm::new(d.small())?];
            _ = other.load_state_dict(&model.state_dict()?).map_err(|e| e.to_string());
            used(&model, &input(d, 2, width))
        }),
    ]
}
