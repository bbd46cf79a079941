//! A tensor for which there is no memory is an error, not the end of the process.

use chainrule_tensor::{DType, ErrorKind, PadMode, Result, Tensor};

/// 2^45 elements: fewer than an address counts, more than any machine has.
const HUGE: usize = 1 << 45;

/// The call is refused by the operation, naming the shape and the bytes.
#[track_caller]
fn refused(operation: &str, words: &[&str], result: Result<Tensor>) {
    let error = result.err().unwrap_or_else(|| panic!("{operation} made a tensor of that size"));
    assert_eq!((error.operation(), error.kind()), (operation, ErrorKind::Memory), "{error}");
    words.iter().for_each(|w| assert!(error.message().contains(w), "{error} does not mention {w}"));
    assert_eq!(error.location().unwrap().file(), file!(), "{error}");
}

#[test]
fn new_tensors() {
    let shape = "[35184372088832]";
    refused("zeros", &[shape, "140737488355328 bytes"], Tensor::zeros([HUGE]));
    refused("ones", &[shape, "140737488355328 bytes"], Tensor::ones([HUGE]));
    refused("full", &[shape, "281474976710656 bytes"], Tensor::full([HUGE], 1.5, DType::F64));
    refused("full", &[shape, "35184372088832 bytes", "bool"], Tensor::full_of([HUGE], true));
    refused("build", &[shape, "140737488355328 bytes"], Tensor::build([HUGE], |_: &mut [f32]| ()));
    refused("arange", &[shape, "281474976710656 bytes"], Tensor::arange(HUGE));
    refused("eye", &["[35184372088832, 35184372088832]"], Tensor::eye(HUGE));
    refused("randn", &[shape, "140737488355328 bytes"], Tensor::randn([HUGE]));
    refused("randint", &[shape, "281474976710656 bytes"], Tensor::randint(0, 9, [HUGE]));
    refused("randperm", &[shape, "281474976710656 bytes"], Tensor::randperm(HUGE));
    refused("bernoulli", &[shape, "35184372088832 bytes"], Tensor::bernoulli([HUGE], 0.5));
}

#[test]
fn sizes_beyond_the_address_space() {
    // 2^60 elements of 4 bytes still have an address; 2^62 of them and 2^80 do not.
    for (shape, bytes) in [
        ([1usize << 40, 1 << 20], "4611686018427387904 bytes"),
        ([1 << 40, 1 << 22], "18446744073709551616 bytes"),
        ([1 << 40, 1 << 40], "4835703278458516698824704 bytes"),
    ] {
        refused("zeros", &[&format!("{shape:?}"), bytes], Tensor::zeros(shape));
    }
    refused("zeros", &["bytes"], Tensor::zeros([usize::MAX; 6]));
    assert_eq!(Tensor::zeros([1 << 20, 0]).unwrap().numel(), 0);
}

#[test]
fn results_of_operations() -> Result<()> {
    // An expanded tensor takes no memory; its copy would.
    let wide = Tensor::zeros([1])?.expand([HUGE as isize])?;
    let shape = "[35184372088832]";
    refused("contiguous", &[shape, "bytes"], wide.contiguous());
    refused("to_dtype", &[shape, "bytes"], wide.to_dtype(DType::F64));
    refused("masked_fill", &[shape, "bytes"], wide.masked_fill(&Tensor::new(true), 0.0));
    let (column, row) = (Tensor::zeros([1 << 23, 1])?, Tensor::zeros([1, 1 << 22])?);
    refused("matmul", &["[8388608, 4194304]", "140737488355328 bytes"], column.matmul(&row));
    refused(
        "pad",
        &["35184372088832", "bytes"],
        Tensor::zeros([1])?.pad([0, HUGE as isize - 1], PadMode::Constant(0.0)),
    );
    refused("exp", &[shape, "bytes"], wide.exp());
    refused("isnan", &[shape, "35184372088832 bytes"], wide.isnan());
    refused("add", &["[8388608, 4194304]", "bytes"], column.add(&row));
    refused("eq", &["[8388608, 4194304]", "bytes"], column.eq(&row));
    refused("one_hot", &["[1, 35184372088832]", "bytes"], Tensor::new([0]).one_hot(HUGE));
    Ok(())
}

#[test]
fn the_counters_do_not_count_what_was_refused() {
    let before = chainrule_tensor::memory::stats();
    assert!(Tensor::zeros([HUGE]).is_err());
    let after = chainrule_tensor::memory::stats();
    assert!(after.peak_bytes < 1 << 40 && after.in_use_bytes < 1 << 40, "{before:?}, then {after:?}");
}
