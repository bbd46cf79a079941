//! How often a training step asks the system for memory once it has found its stride: not at all for tensors and
//! graphs, and a small number of times for all else. One test in a process of its own, since the counters are the
//! process's.

use chainrule::memory::{CountingAllocator, stats};
use chainrule::prelude::*;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const STEPS: u64 = 50;

/// A long short-term memory, written with tensor operations.
#[derive(Module)]
struct Lstm {
    input: Linear,
    state: Linear,
    head: Linear,
}

impl Forward for Lstm {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let width = self.head.weight.shape()[1];
        let (mut hidden, mut cell) =
            (Tensor::zeros([x.size(1)?, width])?, Tensor::zeros([x.size(1)?, width])?);
        for input in self.input.forward(x)?.unbind(0)? {
            let gates = input.add(&self.state.forward(&hidden)?)?.chunk(4, 1)?;
            cell = gates[1].sigmoid()?.mul(&cell)?.add(&gates[0].sigmoid()?.mul(&gates[2].tanh()?)?)?;
            hidden = gates[3].sigmoid()?.mul(&cell.tanh()?)?;
        }
        self.head.forward(&hidden)
    }
}

/// The number of calls for memory in a step, on average, after the first few.
fn calls<A: Algorithm>(
    model: &(impl Module + Forward),
    mut optimizer: Optimizer<A>,
    x: &Tensor,
    y: &Tensor,
) -> Result<f64> {
    let mut step = || {
        optimizer.zero_grad();
        let loss = CrossEntropyLoss::new().forward(&model.forward(x)?, y)?;
        loss.backward()?;
        optimizer.step().map(drop)
    };
    (0..5).try_for_each(|_| step())?;
    let (before, blocks) = (CountingAllocator::calls(), stats());
    (0..STEPS).try_for_each(|_| step())?;
    let calls = CountingAllocator::calls() - before;
    assert_eq!(stats().system_allocations, blocks.system_allocations, "blocks asked of the system");
    assert_eq!(stats().in_use_bytes, blocks.in_use_bytes, "bytes in use");
    Ok(calls as f64 / STEPS as f64)
}

#[test]
fn a_training_step_asks_the_system_for_next_to_nothing() -> Result<()> {
    // Which thread keeps which small block is not the same from step to step; on one thread it is.
    set_num_threads(1);
    manual_seed(0);
    let linear = Linear::new(10, 2)?;
    let sgd = Sgd::new(linear.parameters(), SgdOptions { lr: 0.01, ..Default::default() })?;
    let of_linear = calls(&linear, sgd, &Tensor::randn([10, 10])?, &Tensor::randint(0, 2, [10])?)?;

    let cnn = Sequential::new()
        .push(Conv2d::builder(1, 16, 3).padding(1).build()?)
        .push(ReLU::new())
        .push(MaxPool2d::new(2)?)
        .push(Conv2d::builder(16, 32, 3).padding(1).build()?)
        .push(ReLU::new())
        .push(MaxPool2d::new(2)?)
        .push(Flatten::new())
        .push(Linear::new(32 * 7 * 7, 10)?);
    let adam = Adam::new(cnn.parameters(), AdamOptions::default())?;
    let of_cnn = calls(&cnn, adam, &Tensor::randn([8, 1, 28, 28])?, &Tensor::randint(0, 10, [8])?)?;

    let lstm = Lstm { input: Linear::new(8, 64)?, state: Linear::new(16, 64)?, head: Linear::new(16, 10)? };
    let adam = Adam::new(lstm.parameters(), AdamOptions::default())?;
    let of_lstm = calls(&lstm, adam, &Tensor::randn([12, 4, 8])?, &Tensor::randint(0, 10, [4])?)?;

    println!("calls for memory in a step: linear {of_linear}, cnn {of_cnn}, lstm {of_lstm}");
    // Of the twelve times of the recurrent network each has some twenty operations, forward and back.
    assert!(of_linear <= 32.0, "linear: {of_linear}");
    assert!(of_cnn <= 128.0, "cnn: {of_cnn}");
    assert!(of_lstm <= 512.0, "lstm: {of_lstm}");
    Ok(())
}
