//! The operations, one file each, and the list of them.

/// Declares the operations' modules and collects their rows.
macro_rules! operations {
    ($($group:ident: $($name:ident),+;)+) => {
        $(pub(crate) mod $group {
            $(pub(crate) mod $name;)+
            pub(super) const ROWS: &[&crate::table::Row] = &[$(&$name::ROW),+];
        })+
        pub(crate) static ROWS: std::sync::LazyLock<Vec<&'static crate::table::Row>> =
            std::sync::LazyLock::new(|| [$($group::ROWS),+].concat());
    };
}

operations! {
    unary: abs, ceil, clamp, cos, elu, erf, exp, expm1, floor, gelu, gelu_tanh, leaky_relu, log, log10, log1p, log2,
        neg, reciprocal, relu, round, rsqrt, sigmoid, sign, silu, sin, softplus, sqrt, square, tan, tanh, trunc;
    binary: add, atan2, div, maximum, minimum, mul, pow, remainder, sub;
    compare: eq, ge, gt, isfinite, isnan, le, logical_and, logical_not, logical_or, lt, masked_fill, ne, where_;
    reduce: all, amax, amin, any, argmax, argmin, cumsum, logsumexp, max, mean, min, norm, prod, std, sum, var;
    activation: log_softmax, softmax;
    shape: contiguous, reshape, permute, expand, squeeze, unsqueeze, flatten, movedim, narrow, slice, select, split,
        unbind, cat, stack, repeat, pad, flip, roll, tril, diagonal;
    linalg: matmul, linear;
    attention: scaled_dot_product_attention;
    cast: to_dtype;
    index: index_select, embedding, index_add, gather, scatter_add, take_along_dim, one_hot;
    conv: conv2d, conv2d_input, conv2d_weight, conv_transpose2d, conv1d;
    pool: max_pool2d, avg_pool2d, adaptive_avg_pool2d;
    norm: batch_norm, layer_norm, group_norm, instance_norm;
    recurrent: lstm, gru, rnn_tanh, rnn_relu;
    random: dropout;
}
