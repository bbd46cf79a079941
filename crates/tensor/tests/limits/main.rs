//! Element-wise operations where numbers end: at infinities, the largest numbers, zeros and the least numbers. Values,
//! derivatives and second derivatives are the mathematical limits, for both float dtypes and each instruction set.
//!
//! Expected numbers are computed in `f64` from definitions that stand here.

mod binary;
mod functions;
mod masks;
mod unary;

use std::collections::BTreeSet;
use std::process::Command;

use chainrule_tensor::autograd::{GradOptions, grad};
use chainrule_tensor::{DType, Tensor, table};

/// Rows of the table that are no functions of single numbers, or have no derivative anywhere.
const OTHERS: &[&str] = &[
    "to_dtype",
    "isfinite",
    "isnan",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "logical_and",
    "logical_or",
    "logical_not",
    "all",
    "any",
    "one_hot",
    "argmax",
    "argmin",
    "sum",
    "mean",
    "prod",
    "var",
    "std",
    "norm",
    "cumsum",
    "max",
    "min",
    "amax",
    "amin",
    "cat",
    "contiguous",
    "diagonal",
    "expand",
    "flatten",
    "flip",
    "movedim",
    "narrow",
    "pad",
    "permute",
    "repeat",
    "reshape",
    "roll",
    "select",
    "slice",
    "split",
    "squeeze",
    "stack",
    "tril",
    "unbind",
    "unsqueeze",
    "gather",
    "embedding",
    "index_add",
    "index_select",
    "scatter_add",
    "take_along_dim",
    "linear",
    "matmul",
    "conv1d",
    "conv2d",
    "conv2d_input",
    "conv2d_weight",
    "conv_transpose2d",
    "avg_pool2d",
    "adaptive_avg_pool2d",
    "max_pool2d",
    "batch_norm",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "scaled_dot_product_attention",
    "lstm",
    "gru",
    "rnn_tanh",
    "rnn_relu",
];

/// Each operation has its limits here, or is named as one that has none.
#[test]
fn every_row_is_accounted_for() {
    let rows: BTreeSet<&str> = table::operations().iter().map(|row| row.name).collect();
    let here: BTreeSet<&str> =
        unary::UNARY.iter().map(|row| row.name).chain(binary::BINARY.iter().map(|row| row.name)).collect();
    let others: BTreeSet<&str> = OTHERS.iter().copied().chain(masks::NAMES.iter().copied()).collect();
    let missing: Vec<&&str> =
        rows.iter().filter(|name| !here.contains(*name) && !others.contains(*name)).collect();
    assert!(missing.is_empty(), "neither limits nor an entry among the others: {missing:?}");
    let unknown: Vec<&&str> = here.union(&others).filter(|name| !rows.contains(*name)).collect();
    assert!(unknown.is_empty(), "no rows of the table: {unknown:?}");
    let twice: Vec<&&str> = here.intersection(&others).collect();
    assert!(twice.is_empty(), "in both lists: {twice:?}");
}

/// The same tests under each instruction set that this architecture has a name for.
#[test]
fn every_instruction_set_gives_the_limits() {
    if std::env::var_os("CHAINRULE_SIMD").is_some() {
        return;
    }
    let levels: &[&str] = match std::env::consts::ARCH {
        "x86_64" => &["baseline", "avx2", "avx512"],
        _ => &["baseline"],
    };
    for level in levels {
        let program = std::env::current_exe().expect("the path of this test");
        let output = Command::new(program).env("CHAINRULE_SIMD", level).output().expect("a process");
        assert!(output.status.success(), "{level}:\n{}", String::from_utf8_lossy(&output.stdout));
    }
}

/// A tensor of a dtype.
pub(crate) fn tensor(values: &[f64], dtype: DType) -> Tensor {
    Tensor::from_slice(values, [values.len()]).and_then(|x| x.to_dtype(dtype)).expect("a vector")
}

/// The numbers of a tensor.
pub(crate) fn numbers(x: &Tensor) -> Vec<f64> {
    x.detach().to_dtype(DType::F64).and_then(|x| x.to_vec::<f64>()).expect("numbers")
}

/// The gradients of Σ y, with or without a graph of their own.
pub(crate) fn gradients(y: &Tensor, of: &[&Tensor], create_graph: bool) -> Vec<Tensor> {
    let options = GradOptions { create_graph, retain_graph: true, allow_unused: true };
    let sum = y.sum().expect("a sum");
    let grads = grad(&[&sum], of, &[], options).expect("gradients");
    let zeros = |x: &Tensor| Tensor::zeros_like(x).expect("zeros");
    grads.into_iter().zip(of).map(|(g, x)| g.unwrap_or_else(|| zeros(x))).collect()
}

/// What is wrong with a number of a dtype, if anything.
pub(crate) fn fault(got: f64, want: f64, dtype: DType) -> Option<String> {
    // What is too large for the dtype is infinite in it.
    let want = if dtype == DType::F32 { f64::from(want as f32) } else { want };
    let (relative, absolute) = if dtype == DType::F32 { (2e-5, 1e-6) } else { (1e-11, 1e-12) };
    let near = (got - want).abs() <= relative * want.abs() + absolute;
    (!(got == want || near || (got.is_nan() && want.is_nan()))).then(|| format!("{got} instead of {want}"))
}
