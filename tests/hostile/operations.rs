//! The rows of the operation table with other inputs, and the methods of tensors with options of their own.

use chainrule::table::{Row, rows};
use chainrule::{
    AvgPool2dOptions, Conv1dOptions, Conv2dOptions, ConvTranspose2dOptions, DType, MaxPool2dOptions, PadMode,
    RecurrentWeights, ScaledDotProductAttentionOptions, Tensor,
};

use crate::case::{Call, call};
use crate::draw::Draw;

/// Each row of the table, losses too: a sample whose tensors have other contents, layouts, dtypes and shapes.
pub(crate) fn table() -> Vec<Call> {
    rows().into_iter().map(|row| call(row.name, move |draw| altered(row, draw))).collect()
}

fn altered(row: &Row, draw: &mut Draw) -> chainrule::Result<Vec<Tensor>> {
    let mut samples = (row.samples)();
    let sample = samples.swap_remove(draw.pick(&(0..samples.len()).collect::<Vec<_>>()));
    let change = draw.pick(&["contents", "contents", "contents", "one shape", "shapes", "dtypes", "huge"]);
    // A huge view is summed for ever, so it goes to what takes memory for a result.
    let memory_first = ["add", "mul", "exp", "relu", "cat", "stack", "eq", "where_", "clamp", "neg", "flip"];
    let one = draw.pick(&(0..sample.inputs.len().max(1)).collect::<Vec<_>>());
    let inputs = sample.inputs.iter().enumerate().map(|(i, input)| {
        let (shape, dtype) = (&input.shape()[..], input.dtype());
        match change {
            "huge" if i == one && memory_first.contains(&row.name) => draw.huge_view(),
            "one shape" if i == one => {
                let other = draw.shape();
                draw.tensor_like(&other, dtype)
            }
            "shapes" => {
                let other = draw.shape();
                draw.tensor_like(&other, dtype)
            }
            "dtypes" => draw.tensor_of(shape),
            // Indices and classes are integers that have a meaning.
            _ if !dtype.is_float() && draw.flag() => input.clone(),
            _ => draw.tensor_like(shape, dtype),
        }
    });
    let inputs: Vec<Tensor> = inputs.collect();
    (sample.call)(&inputs)
}

type Method = fn(&mut Draw) -> chainrule::Result<Vec<Tensor>>;

fn one(tensor: Tensor) -> Vec<Tensor> {
    vec![tensor]
}

/// A tensor, or sometimes a view that is larger than memory.
fn view(d: &mut Draw) -> Tensor {
    match d.pick(&[false, false, false, true]) {
        false => d.tensor(),
        true => d.huge_view(),
    }
}

/// The methods that have options: a name and a call that draws them.
const METHODS: &[(&str, Method)] = &[
    // Shapes: views, and copies of any size.
    ("reshape", |d| view(d).reshape(d.sizes()).map(one)),
    ("reshape to signed sizes", |d| view(d).reshape(d.indices()).map(one)),
    ("expand", |d| view(d).expand(d.sizes()).map(one)),
    ("expand to signed sizes", |d| view(d).expand(d.indices()).map(one)),
    ("permute", |d| view(d).permute(d.indices()).map(one)),
    ("transpose", |d| view(d).transpose(d.index(), d.index()).map(one)),
    ("t", |d| view(d).t().map(one)),
    ("movedim", |d| view(d).movedim(d.indices(), d.indices()).map(one)),
    ("unsqueeze", |d| view(d).unsqueeze(d.index()).map(one)),
    ("squeeze", |d| view(d).squeeze().map(one)),
    ("squeeze_dim", |d| view(d).squeeze_dim(d.indices()).map(one)),
    ("flatten", |d| view(d).flatten(d.index(), d.index()).map(one)),
    ("select", |d| view(d).select(d.index(), d.index()).map(one)),
    ("narrow", |d| view(d).narrow(d.index(), d.index(), d.size()).map(one)),
    ("slice", |d| view(d).slice(d.index(), d.index()..d.index()).map(one)),
    ("slice to an end", |d| view(d).slice(d.index(), d.index()..=d.index()).map(one)),
    ("diagonal", |d| view(d).diagonal(d.index(), d.index(), d.index()).map(one)),
    ("split", |d| view(d).split(d.size(), d.index())),
    ("split_with_sizes", |d| view(d).split_with_sizes(&d.sizes(), d.index())),
    ("chunk", |d| view(d).chunk(d.size(), d.index())),
    ("unbind", |d| view(d).unbind(d.index())),
    ("flip", |d| view(d).flip(d.indices()).map(one)),
    ("roll", |d| view(d).roll(d.indices(), d.indices()).map(one)),
    ("repeat", |d| view(d).repeat(d.sizes()).map(one)),
    ("tril", |d| view(d).tril(d.index()).map(one)),
    ("triu", |d| view(d).triu(d.index()).map(one)),
    ("contiguous", |d| view(d).contiguous().map(one)),
    ("pad", |d| {
        let mode = d.pick(&["constant", "reflect", "replicate", "circular"]);
        let mode = match mode {
            "reflect" => PadMode::Reflect,
            "replicate" => PadMode::Replicate,
            "circular" => PadMode::Circular,
            _ => PadMode::Constant(d.number()),
        };
        view(d).pad(d.indices(), mode).map(one)
    }),
    ("cat", |d| {
        let tensors: Vec<Tensor> = (0..d.small()).map(|_| view(d)).collect();
        Tensor::cat(&tensors, d.index()).map(one)
    }),
    ("stack", |d| {
        let tensors: Vec<Tensor> = (0..d.small()).map(|_| view(d)).collect();
        Tensor::stack(&tensors, d.index()).map(one)
    }),
    ("stack of one many times", |d| {
        let tensor = d.tensor();
        Tensor::stack(&vec![&tensor; d.small() * 100], d.index()).map(one)
    }),
    ("to_dtype", |d| view(d).to_dtype(d.dtype()).map(one)),
    ("to_vec", |d| {
        let tensor = view(d);
        _ = tensor.to_vec::<f32>();
        _ = tensor.as_slice::<i64>();
        _ = tensor.item();
        _ = tensor.size(d.index());
        tensor.into_vec::<f64>().map(|_| Vec::new())
    }),
    // Reductions.
    ("sum_dim", |d| d.tensor().sum_dim(d.indices(), d.flag()).map(one)),
    ("mean_dim", |d| d.tensor().mean_dim(d.indices(), d.flag()).map(one)),
    ("prod_dim", |d| d.tensor().prod_dim(d.index(), d.flag()).map(one)),
    ("var_dim", |d| d.tensor().var_dim(d.indices(), d.number(), d.flag()).map(one)),
    ("std_dim", |d| d.tensor().std_dim(d.indices(), d.number(), d.flag()).map(one)),
    ("norm", |d| d.tensor().norm(d.number()).map(one)),
    ("norm_dim", |d| d.tensor().norm_dim(d.number(), d.indices(), d.flag()).map(one)),
    ("logsumexp", |d| d.tensor().logsumexp(d.indices(), d.flag()).map(one)),
    ("amax", |d| d.tensor().amax(d.indices(), d.flag()).map(one)),
    ("amin", |d| d.tensor().amin(d.indices(), d.flag()).map(one)),
    ("max_dim", |d| d.tensor().max_dim(d.index(), d.flag()).map(|(v, i)| vec![v, i])),
    ("min_dim", |d| d.tensor().min_dim(d.index(), d.flag()).map(|(v, i)| vec![v, i])),
    ("argmax_dim", |d| d.tensor().argmax_dim(d.index(), d.flag()).map(one)),
    ("argmin_dim", |d| d.tensor().argmin_dim(d.index(), d.flag()).map(one)),
    ("all_dim", |d| d.tensor().all_dim(d.indices(), d.flag()).map(one)),
    ("any_dim", |d| d.tensor().any_dim(d.indices(), d.flag()).map(one)),
    ("cumsum", |d| d.tensor().cumsum(d.index()).map(one)),
    ("softmax", |d| d.tensor().softmax(d.index()).map(one)),
    ("log_softmax", |d| d.tensor().log_softmax(d.index()).map(one)),
    ("whole reductions", |d| {
        let x = d.tensor();
        let all = [x.sum(), x.mean(), x.prod(), x.var(), x.std(), x.max(), x.min(), x.argmax(), x.argmin()];
        Ok(all.into_iter().flatten().chain([x.all(), x.any()].into_iter().flatten()).collect())
    }),
    // Arithmetic with numbers, and functions with options.
    ("pow of a number", |d| d.tensor().pow(d.number()).map(one)),
    ("pow of an integer", |d| d.tensor().pow(d.index() as i64).map(one)),
    ("remainder of an integer", |d| d.tensor().remainder(d.index() as i64).map(one)),
    ("arithmetic with an integer", |d| {
        let (x, n) = (d.tensor(), d.index() as i64);
        let all = [x.add(n), x.sub(n), x.mul(n), x.div(n), x.maximum(n), x.minimum(n), x.atan2(n)];
        Ok(all.into_iter().flatten().collect())
    }),
    ("arithmetic with a number", |d| {
        let (x, n) = (d.tensor(), d.number());
        let all = [x.add(n), x.sub(n), x.mul(n), x.div(n), x.maximum(n), x.remainder(n), x.eq(n), x.lt(n)];
        Ok(all.into_iter().flatten().collect())
    }),
    ("arithmetic with a huge view", |d| {
        let (x, y) = (d.tensor(), d.huge_view());
        let all = [x.add(&y), y.sub(&x), x.eq(&y), y.logical_and(&y), y.maximum(&x), y.sqrt()];
        Ok(all.into_iter().flatten().collect())
    }),
    ("clamp", |d| {
        let (min, max) = (d.maybe(Draw::number), d.maybe(Draw::number));
        d.tensor().clamp(min, max).map(one)
    }),
    ("elu", |d| d.tensor().elu(d.number()).map(one)),
    ("leaky_relu", |d| d.tensor().leaky_relu(d.number()).map(one)),
    ("softplus", |d| d.tensor().softplus(d.number(), d.number()).map(one)),
    ("masked_fill", |d| {
        let x = d.tensor();
        let mask = d.tensor_like(x.shape(), DType::Bool);
        x.masked_fill(&mask, d.number()).map(one)
    }),
    ("dropout", |d| d.tensor().dropout(d.number(), true).map(one)),
    // Products.
    ("matmul", |d| {
        let (n, k, m) = (d.small(), d.small(), d.small());
        let (a, b) = (d.tensor_of(&[n, k]), d.tensor_of(&[k, m]));
        a.matmul(&b).map(one)
    }),
    ("matmul of any", |d| d.tensor().matmul(&d.tensor()).map(one)),
    ("linear", |d| {
        let (n, k, m) = (d.small(), d.small(), d.small());
        let (x, weight, bias) = (d.floats(&[n, k]), d.floats(&[m, k]), d.floats(&[m]));
        x.linear(&weight, Some(&bias)).map(one)
    }),
    // Indices.
    ("gather", |d| {
        let (x, shape) = (d.tensor(), d.shape());
        let index = d.index_tensor(&shape, x.numel());
        x.gather(d.index(), &index).map(one)
    }),
    ("take_along_dim", |d| {
        let x = d.tensor();
        let index = d.index_tensor(x.shape(), 2);
        x.take_along_dim(&index, d.index()).map(one)
    }),
    ("index_select", |d| {
        let (x, n) = (view(d), d.small());
        let index = d.index_tensor(&[n], 3);
        x.index_select(d.index(), &index).map(one)
    }),
    ("index_add", |d| {
        let (x, n) = (d.tensor(), d.small());
        let index = d.index_tensor(&[n], 3);
        x.index_add(d.index(), &index, &d.tensor()).map(one)
    }),
    ("scatter_add", |d| {
        let (x, shape) = (d.tensor(), d.shape());
        let index = d.index_tensor(&shape, 3);
        let source = d.tensor_of(&shape);
        x.scatter_add(d.index(), &index, &source).map(one)
    }),
    ("one_hot", |d| {
        let shape = d.shape();
        d.index_tensor(&shape, 3).one_hot(d.size()).map(one)
    }),
    ("embedding", |d| {
        let shape = d.shape();
        let (index, weight) = (d.index_tensor(&shape, 3), d.tensor());
        index.embedding(&weight, d.maybe(Draw::index)).map(one)
    }),
    // Normalisation.
    ("layer_norm", |d| {
        let x = d.tensor();
        let kept = d.small().min(x.rank());
        let normalized = x.shape()[x.rank() - kept..].to_vec();
        let weight = d.maybe(|d| d.floats(&normalized));
        x.layer_norm(&normalized, weight.as_ref(), None, d.number()).map(one)
    }),
    ("batch_norm", |d| {
        let x = d.tensor();
        let channels = x.shape().get(1).copied().unwrap_or(1);
        let (mean, var) = (d.floats(&[channels]), d.floats(&[channels]));
        let weight = d.maybe(|d| d.floats(&[channels]));
        let running = d.flag().then_some((&mean, &var));
        x.batch_norm(running, weight.as_ref(), None, d.number())
            .map(|out| vec![out.output, out.mean, out.var])
    }),
    ("group_norm", |d| d.tensor().group_norm(d.size(), None, None, d.number()).map(one)),
    ("instance_norm", |d| d.tensor().instance_norm(None, None, d.number()).map(one)),
    // Windows.
    ("conv1d", |d| {
        let (batch, groups, channels, length) = (d.small(), d.small(), d.small(), d.small());
        let x = d.floats(&[batch, groups * channels, length]);
        let kernel = d.small();
        let weight = d.floats(&[groups * 2, channels, kernel]);
        let groups = d.pick(&[groups, groups, groups, 0, usize::MAX]);
        let options = Conv1dOptions { stride: d.size(), padding: d.size(), dilation: d.size(), groups };
        x.conv1d(&weight, None, options).map(one)
    }),
    ("conv2d", |d| {
        let (groups, channels, height, width) = (d.small(), d.small(), d.small(), d.small());
        let x = d.floats(&[2, groups * channels, height, width]);
        let (kernel_height, kernel_width) = (d.small().min(5), d.small().min(5));
        let weight = d.floats(&[groups * 2, channels, kernel_height, kernel_width]);
        let bias = d.maybe(|d| d.floats(&[groups * 2]));
        let options = Conv2dOptions { stride: d.pair(), padding: d.pair(), dilation: d.pair(), groups };
        x.conv2d(&weight, bias.as_ref(), options).map(one)
    }),
    ("conv2d, many channels", |d| {
        let channels = d.pick(&[16, 12, 32, 64]);
        let (height, width) = (d.small(), d.small());
        let x = d.floats(&[2, channels, height, width]);
        let kernel = d.pick(&[3, 1, 2]);
        let groups = d.pick(&[1, channels, 2]);
        let weight = d.floats(&[channels, channels / groups, kernel, kernel]);
        let options = Conv2dOptions { stride: d.pair(), padding: d.pair(), dilation: d.pair(), groups };
        x.conv2d(&weight, None, options).map(one)
    }),
    ("conv_transpose2d", |d| {
        let (groups, channels, height, width) = (d.small(), d.small(), d.small(), d.small());
        let x = d.floats(&[2, groups * channels, height, width]);
        let (kernel_height, kernel_width) = (d.small().min(5), d.small().min(5));
        let weight = d.floats(&[groups * channels, 2, kernel_height, kernel_width]);
        let (stride, dilation) = (d.pair(), d.pair());
        let (padding, output_padding) = (d.pair(), d.pair());
        let options = ConvTranspose2dOptions { stride, padding, output_padding, dilation, groups };
        x.conv_transpose2d(&weight, None, options).map(one)
    }),
    ("max_pool2d", |d| {
        let options = MaxPool2dOptions {
            kernel_size: d.pair(),
            stride: d.maybe(Draw::pair),
            padding: d.pair(),
            dilation: d.pair(),
            ceil_mode: d.flag(),
        };
        let (height, width) = (d.small(), d.small());
        d.floats(&[2, 3, height, width]).max_pool2d_with_indices(options).map(|(v, i)| vec![v, i])
    }),
    ("avg_pool2d", |d| {
        let options = AvgPool2dOptions {
            kernel_size: d.pair(),
            stride: d.maybe(Draw::pair),
            padding: d.pair(),
            ceil_mode: d.flag(),
            count_include_pad: d.flag(),
            divisor_override: d.maybe(Draw::size),
        };
        let (height, width) = (d.small(), d.small());
        d.floats(&[2, 3, height, width]).avg_pool2d(options).map(one)
    }),
    ("adaptive_avg_pool2d", |d| {
        let (height, width) = (d.small(), d.small());
        d.floats(&[2, 3, height, width]).adaptive_avg_pool2d(d.pair()).map(one)
    }),
    // Attention and recurrent layers.
    ("scaled_dot_product_attention", |d| {
        let (batch, queries, keys, width) = (d.small(), d.small(), d.small(), d.small());
        let dtype = d.float_dtype();
        let q = d.tensor_like(&[batch, 2, queries, width], dtype);
        let k = d.tensor_like(&[batch, 2, keys, width], dtype);
        let v = d.tensor_like(&[batch, 2, keys, width], dtype);
        let mask = d.maybe(|d| d.tensor_of(&[queries, keys]));
        let options = ScaledDotProductAttentionOptions {
            attn_mask: mask,
            dropout_p: d.pick(&[0.0, 0.0, 0.5, 1.0, -1.0, f64::NAN]),
            is_causal: d.flag(),
            scale: d.maybe(Draw::number),
            enable_gqa: d.flag(),
        };
        q.scaled_dot_product_attention(&k, &v, options).map(one)
    }),
    ("lstm", |d| {
        let (times, batch, inputs, hidden) = (d.small(), d.small(), d.small(), d.small());
        let dtype = d.float_dtype();
        let x = d.tensor_like(&[times, batch, inputs], dtype);
        let (h, c) = (d.tensor_like(&[batch, hidden], dtype), d.tensor_like(&[batch, hidden], dtype));
        let weight_ih = d.tensor_like(&[4 * hidden, inputs], dtype);
        let weight_hh = d.tensor_like(&[4 * hidden, hidden], dtype);
        let weights = RecurrentWeights { weight_ih: &weight_ih, weight_hh: &weight_hh, bias: None };
        x.lstm((&h, &c), weights, d.flag()).map(|(y, (h, c))| vec![y, h, c])
    }),
    ("gru", |d| {
        let (times, batch, inputs, hidden) = (d.small(), d.small(), d.small(), d.small());
        let dtype = d.float_dtype();
        let (x, h) = (d.tensor_like(&[times, batch, inputs], dtype), d.tensor_like(&[batch, hidden], dtype));
        let weight_ih = d.tensor_like(&[3 * hidden, inputs], dtype);
        let weight_hh = d.tensor_like(&[3 * hidden, hidden], dtype);
        let weights = RecurrentWeights { weight_ih: &weight_ih, weight_hh: &weight_hh, bias: None };
        x.gru(&h, weights, d.flag()).map(|(y, h)| vec![y, h])
    }),
    ("rnn_relu", |d| {
        let (times, batch, width) = (d.small(), d.small(), d.small());
        let dtype = d.float_dtype();
        let (x, h) = (d.tensor_like(&[times, batch, width], dtype), d.tensor_like(&[batch, width], dtype));
        let weight = d.tensor_like(&[width, width], dtype);
        let bias = d.tensor_like(&[width], dtype);
        let weights = RecurrentWeights { weight_ih: &weight, weight_hh: &weight, bias: Some([&bias, &bias]) };
        x.rnn_relu(&h, weights, d.flag()).map(|(y, h)| vec![y, h])
    }),
    ("rnn_tanh", |d| {
        let (times, batch, inputs, hidden) = (d.small(), d.small(), d.small(), d.small());
        let dtype = d.float_dtype();
        let (x, h) = (d.tensor_like(&[times, batch, inputs], dtype), d.tensor_like(&[batch, hidden], dtype));
        let weight_ih = d.tensor_like(&[hidden, inputs], dtype);
        let weight_hh = d.tensor_like(&[hidden, hidden], dtype);
        let weights = RecurrentWeights { weight_ih: &weight_ih, weight_hh: &weight_hh, bias: None };
        x.rnn_tanh(&h, weights, d.flag()).map(|(y, h)| vec![y, h])
    }),
];

pub(crate) fn methods() -> Vec<Call> {
    METHODS.iter().map(|&(name, method)| call(name, method)).collect()
}
