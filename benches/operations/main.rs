//! Times every row of the operation table that names sizes: forward, and forward with backward.
//!
//! `cargo bench -p chainrule-benches -- 'machine|softmax'` runs the rows whose name contains "softmax", and what the
//! machine can do at all beside them; `CHAINRULE_NUM_THREADS` sets the number of threads.
//!
//! Throughput is bytes a second: of what an operation has to read and write, its inputs and outputs (and, with
//! backward, their gradients). For products it is floating-point operations a second, which criterion calls elements.

mod machine;

use chainrule::table::rows;
use chainrule::{Result, Tensor};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn inputs(shapes: &[&[usize]], tracked: bool) -> Vec<Tensor> {
    let input = |shape: &&[usize]| -> Result<Tensor> { Tensor::rand(*shape)?.requires_grad_(tracked) };
    shapes.iter().map(input).collect::<Result<_>>().expect("inputs of a bench")
}

fn bytes(tensors: &[Tensor]) -> u64 {
    tensors.iter().map(|x| (x.numel() * x.dtype().size()) as u64).sum()
}

/// What a call moves or computes: see the head of this file.
fn work(name: &str, inputs: &[Tensor], outputs: &[Tensor], both_ways: bool) -> Throughput {
    let terms: usize = match name {
        "matmul" | "linear" => inputs[0].shape().last().copied().unwrap_or(1),
        "conv2d" => inputs[1].shape()[1..].iter().product(),
        _ => return Throughput::Bytes((bytes(inputs) + bytes(outputs)) * if both_ways { 2 } else { 1 }),
    };
    let products = if both_ways { 3 } else { 1 };
    Throughput::Elements(2 * products * (outputs[0].numel() * terms) as u64)
}

fn operations(criterion: &mut Criterion) {
    for row in rows() {
        for (shapes, call) in row.bench {
            let plain = inputs(shapes, false);
            let outputs = call(&plain).expect("a bench call");
            let mut group = criterion.benchmark_group(format!("{} {shapes:?}", row.name));
            group.throughput(work(row.name, &plain, &outputs, false));
            group.bench_function("forward", |b| b.iter(|| call(&plain)));
            if !row.differentiable {
                continue;
            }
            let tracked = inputs(shapes, true);
            let outputs = call(&tracked).expect("a bench call");
            let Some(output) = outputs.iter().position(Tensor::requires_grad) else { continue };
            let ones = Tensor::ones_like(&outputs[output]).expect("a gradient");
            group.throughput(work(row.name, &tracked, &outputs, true));
            group.bench_function("forward and backward", |b| {
                b.iter(|| {
                    tracked.iter().for_each(Tensor::zero_grad);
                    call(&tracked)?[output].backward_with(&ones)
                });
            });
        }
    }
}

criterion_group!(benches, machine::rates, operations);
criterion_main!(benches);
