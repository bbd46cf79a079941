//! A training step of a convolutional network takes no memory of the system and copies no weights. One test in
//! a process of its own, since the counters are the process's.

#[allow(unreachable_pub, reason = "a part of an example")]
#[path = "../examples/fashion_mnist/model.rs"]
mod model;

use chainrule::memory::stats;
use chainrule::prelude::*;
use model::Cnn;

#[test]
fn steps_take_no_memory_and_copy_no_weights() -> Result<()> {
    manual_seed(0);
    let model = Cnn::new()?;
    let dataset = TensorDataset::new((Tensor::rand([48, 1, 28, 28])?, Tensor::randint(0, 10, [48])?))?;
    let loader = DataLoader::new(&dataset).batch_size(16).shuffle(true);
    let loss_func = CrossEntropyLoss::new();
    let mut optimizer = Adam::new(model.parameters(), AdamOptions { lr: 5e-4, ..Default::default() })?;
    let mut epoch = || {
        let mut loss_of_epoch = RunningMean::new();
        for batch in &loader {
            let (batch_x, batch_y) = batch?;
            optimizer.zero_grad();
            let out = model.forward(&batch_x)?;
            let loss = loss_func.forward(&out, &batch_y)?;
            loss_of_epoch.update(loss.item()?, batch_x.size(0)?);
            correct(&out, &batch_y)?;
            loss.backward()?;
            // The loss and its graph are alive here, as they are in every ordinary loop.
            optimizer.step()?;
        }
        Ok(loss_of_epoch.mean())
    };

    // On one thread every step takes the same blocks, so that two epochs are all the warming up there is.
    set_num_threads(1);
    let first = epoch()?;
    epoch()?;
    let (before, copies) = (stats(), chainrule::copies_on_write());
    for _ in 0..4 {
        epoch()?;
    }
    let after = stats();
    assert_eq!(after.system_allocations, before.system_allocations, "blocks asked of the system");
    assert_eq!(after.in_use_bytes, before.in_use_bytes, "bytes in use");

    // Each thread has small blocks of its own, and which thread takes which task differs from step to step: now
    // and then one takes a block that it never had, but ever more rarely.
    set_num_threads(2);
    let mut last = f64::NAN;
    let mut epochs_with_new_blocks = 0;
    for _ in 0..40 {
        let before = stats();
        last = epoch()?;
        epochs_with_new_blocks += usize::from(stats().system_allocations > before.system_allocations);
    }
    assert!(epochs_with_new_blocks < 20, "{epochs_with_new_blocks} of 40 epochs asked the system for blocks");
    assert_eq!(stats().in_use_bytes, before.in_use_bytes, "bytes in use");
    assert_eq!(chainrule::copies_on_write(), copies, "copies on write");
    assert!(last < first, "the loss went from {first} to {last}");
    Ok::<(), Error>(())
}
