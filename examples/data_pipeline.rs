//! From files to batches: a split that keeps the shares of the classes, augmentation, a loader with workers, and going on
//! in the middle of an epoch.
//!
//!     cargo run --release --example data_pipeline

#[macro_use]
#[path = "support/print.rs"]
mod print; // a `println!` that may be piped into `head`

use chainrule::data::transforms::{Compose, Normalize, RandomCrop, RandomErasing, RandomHorizontalFlip};
use chainrule::prelude::*;

fn main() -> Result<()> {
    manual_seed(0);
    let images =
        FashionMnist::load(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/fashion-mnist-sample"), true)?;
    let [train, valid] = stratified_split(&images, images.labels(), [0.9, 0.1])?;
    println!("{} images to train on, {} to validate on", train.len(), valid.len());

    // Validation images are normalised alone.
    let normalize = Normalize::new([0.2860], [0.3530]);
    let augment = Compose::new()
        .then(RandomCrop::new(28).padding(2))
        .then(RandomHorizontalFlip::new())
        .then(normalize.clone())
        .then(RandomErasing::new().p(0.2));
    let (train, valid) = (train.transform(augment), valid.transform(normalize));

    let loader = DataLoader::new(&train).batch_size(64).shuffle(true).drop_last(true).num_workers(2);
    let mut mean = RunningMean::new();
    for batch in &DataLoader::new(&valid).batch_size(256) {
        let (x, _) = batch?;
        mean.update(x.mean()?.item()?, x.size(0)?);
    }
    println!("the validation images have a mean of {:.3} after normalising", mean.mean());

    // An epoch that is broken off after ten batches, and its rest from the state that was saved then.
    let mut epoch = loader.iter();
    for batch in epoch.by_ref().take(10) {
        batch?;
    }
    let saved = epoch.state();
    let first_of = |(x, y): (Tensor, Tensor)| -> Result<_> { Ok((x.to_vec::<f32>()?, y.to_vec::<i64>()?)) };
    let next = epoch.next().map(|batch| first_of(batch?)).transpose()?;
    drop(epoch); // ends the workers
    let mut rest = loader.resume(&saved)?;
    println!("{} of {} batches are left", rest.len(), loader.len());
    let resumed = rest.next().map(|batch| first_of(batch?)).transpose()?;
    assert!(resumed == next, "the same images, changed in the same way");
    println!("the batch after the break is the same to the last bit");
    Ok(())
}
