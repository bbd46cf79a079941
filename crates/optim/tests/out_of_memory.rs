//! Without memory a step is an error and changes nothing. A test program of its own: a child of it runs in a limited
//! address space, fills that, and leaves room for a part of what each step needs.
#![cfg(target_os = "linux")]

use std::process::Command;

use chainrule_kernels::memory;
use chainrule_optim::*;
use chainrule_tensor::{DType, ErrorKind, Parameter, Result, Tensor};

/// Set in the child.
const CHILD: &str = "CHAINRULE_TEST_HAS_LITTLE_MEMORY";
/// Numbers of a parameter (of a matrix of 2048 · 2048), in `f32` 16 MiB.
const SIDE: usize = 2048;
const BYTES: usize = 4 * SIDE * SIDE;

#[test]
fn without_memory_nothing_changes() {
    if std::env::var_os(CHILD).is_some() {
        return;
    }
    let program = std::env::current_exe().unwrap();
    let output = Command::new("sh")
        .args(["-c", "ulimit -v 900000 && exec \"$0\" --exact child --nocapture --test-threads 1"])
        .arg(program)
        .env(CHILD, "yes")
        .env("CHAINRULE_NUM_THREADS", "2")
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.contains("all steps were refused and made"), "{said}");
}

/// Fills the memory with blocks but for so many bytes, and drops them all at the end.
fn little_memory<R>(bytes: usize, then: impl FnOnce() -> R) -> R {
    memory::trim();
    let mut blocks = Vec::with_capacity(4096);
    while let Ok(block) = Tensor::zeros([BYTES / 16]) {
        blocks.push(block);
    }
    // One more, which is less than a matrix, for what is small.
    blocks.truncate(blocks.len() - bytes.div_ceil(BYTES / 4) - 1);
    memory::trim();
    let result = then();
    drop(blocks);
    memory::trim();
    result
}

fn matrices(n: usize) -> Vec<Parameter> {
    let matrix = |i| {
        let p = Parameter::new(Tensor::full([SIDE, SIDE], 1.0, DType::F32).unwrap()).unwrap();
        p.set_name(&format!("layer{i}.weight"));
        p.set_grad(Some(Tensor::full([SIDE, SIDE], 0.5, DType::F32).unwrap())).unwrap();
        p
    };
    (0..n).map(matrix).collect()
}

/// Every 99,991st value.
fn some(tensor: &Tensor) -> Vec<f32> {
    tensor.as_slice::<f32>().unwrap().iter().copied().step_by(99_991).collect()
}

fn all_are(parameters: &[Parameter], value: f32) -> bool {
    parameters.iter().all(|p| some(&p.tensor()).iter().all(|x| (x - value).abs() < 1e-6))
}

fn refused<T>(result: Result<T>, word: &str) {
    let error = result.err().expect("no memory");
    assert_eq!(error.kind(), ErrorKind::Memory, "{error}");
    assert!(error.to_string().contains(word), "{error}");
    assert_eq!(error.location().unwrap().file(), file!());
}

/// A step is refused with room for so many matrices, and moves the values from 1 to `want` when there is room for all.
fn step<A: Algorithm>(options: A, room: usize, kept: bool, want: f32) {
    let parameters = matrices(3);
    let mut optimizer = Optimizer::new(parameters.clone(), options).unwrap();
    let kept: Vec<Tensor> = parameters.iter().filter(|_| kept).map(Parameter::tensor).collect();
    little_memory(room * BYTES, || {
        for _ in 0..2 {
            refused(optimizer.step(), "parameter layer");
            assert!(all_are(&parameters, 1.0), "{}", A::NAME);
            assert_eq!(optimizer.unused_parameters().len(), 3);
        }
    });
    assert!(optimizer.state_dict().unwrap().is_empty(), "{}: no state was made", A::NAME);
    optimizer.step().unwrap();
    assert!(all_are(&parameters, want), "{}", A::NAME);
    assert!(kept.iter().all(|value| some(value).iter().all(|&x| x == 1.0)));
}

#[test]
fn child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    // The threads take their memory before there is none.
    let warm = matrices(1);
    Sgd::new(warm, SgdOptions::default()).unwrap().step().unwrap();

    // Adam's first step is lr/√(1 − …) of the sign; two states each.
    step(AdamOptions { lr: 0.25, ..Default::default() }, 3, false, 0.75);
    step(SgdOptions { lr: 0.5, ..Default::default() }, 2, true, 0.75);
    step(SgdOptions { lr: 0.5, momentum: 0.9, dampening: 0.5, ..Default::default() }, 2, false, 0.75);
    // Sums of rows and columns, and one matrix for changes.
    step(AdafactorOptions { lr: 0.25, ..Default::default() }, 0, false, 0.75);

    let parameters = matrices(3);
    let kept: Vec<Tensor> = parameters.iter().filter_map(Parameter::grad).collect();
    let gradients = |want: f32| {
        parameters.iter().all(|p| some(&p.grad().unwrap()).iter().all(|x| (x - want).abs() < 1e-6))
    };
    little_memory(2 * BYTES, || {
        refused(clip_grad_norm_(&parameters, 1.0), "no memory");
        assert!(gradients(0.5));
        refused(clip_grad_value_(&parameters, 0.25), "no memory");
        assert!(gradients(0.5));
    });
    clip_grad_value_(&parameters, 0.25).unwrap();
    assert!(gradients(0.25) && kept.iter().all(|grad| some(grad).iter().all(|&g| g == 0.5)));
    drop(kept);

    let parameters = matrices(3);
    let mut averaged = AveragedModel::new(parameters.clone(), Averaging::Swa).unwrap();
    averaged.update_parameters().unwrap();
    let three = Tensor::full([SIDE, SIDE], 3.0, DType::F32).unwrap();
    parameters.iter().for_each(|p| p.set(&three).unwrap());
    let kept: Vec<Tensor> = averaged.averages().collect();
    let averages = |averaged: &AveragedModel, want: f32| {
        averaged.averages().all(|average| some(&average).iter().all(|&x| x == want))
    };
    let other = matrices(3);
    little_memory(2 * BYTES, || {
        refused(averaged.update_parameters(), "no memory");
        assert!(averages(&averaged, 1.0) && averaged.n_averaged() == 1);
        refused(averaged.copy_to(&other), "no memory");
        assert!(all_are(&other, 1.0));
        averaged.swap().unwrap();
        assert!(all_are(&parameters, 1.0) && averages(&averaged, 3.0));
        averaged.swap().unwrap();
    });
    averaged.update_parameters().unwrap();
    assert!(averages(&averaged, 2.0) && all_are(&parameters, 3.0));
    drop((kept, other));

    let parameters = matrices(1);
    let mut optimizer = Lbfgs::new(parameters.clone(), LbfgsOptions::default()).unwrap();
    let loss = Tensor::new([1.0f32]);
    little_memory(2 * BYTES, || {
        refused(optimizer.step(|| Ok(loss.clone())), "no memory");
        assert!(all_are(&parameters, 1.0) && optimizer.n_iter() == 0);
    });
    println!("all steps were refused and made");
}
