//! Times every row of the operation table that names sizes: forward, and forward with backward.
//!
//! `cargo bench -p chainrule-benches -- softmax` runs the rows whose name contains "softmax";
//! `CHAINRULE_NUM_THREADS` sets the number of threads.

use chainrule::table::rows;
use chainrule::{Result, Tensor};
use criterion::{Criterion, criterion_group, criterion_main};

fn inputs(shapes: &[&[usize]], tracked: bool) -> Vec<Tensor> {
    let input = |shape: &&[usize]| -> Result<Tensor> { Tensor::rand(*shape)?.requires_grad_(tracked) };
    shapes.iter().map(input).collect::<Result<_>>().expect("inputs of a bench")
}

fn operations(criterion: &mut Criterion) {
    for row in rows() {
        for (shapes, call) in row.bench {
            let plain = inputs(shapes, false);
            criterion.bench_function(&format!("{} {shapes:?}", row.name), |b| b.iter(|| call(&plain)));
            if !row.differentiable {
                continue;
            }
            let tracked = inputs(shapes, true);
            let outputs = call(&tracked).expect("a bench call");
            let Some(output) = outputs.iter().position(Tensor::requires_grad) else { continue };
            let ones = Tensor::ones_like(&outputs[output]).expect("a gradient");
            criterion.bench_function(&format!("{} {shapes:?} forward and backward", row.name), |b| {
                b.iter(|| {
                    tracked.iter().for_each(Tensor::zero_grad);
                    call(&tracked)?[output].backward_with(&ones)
                });
            });
        }
    }
}

criterion_group!(benches, operations);
criterion_main!(benches);
