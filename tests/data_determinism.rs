//! The same seed gives the same bits, whatever number of workers makes the batches and whatever number of threads
//! computes: batches with augmentation, and a whole training run on them. One test in a process of its own, since the
//! number of threads and the random numbers are the process's.

use chainrule::data::transforms::{
    ColorJitter, Compose, Interpolation, Normalize, RandomApply, RandomCrop, RandomErasing,
    RandomHorizontalFlip, RandomResizedCrop, RandomRotation,
};
use chainrule::data::{MapDataset, stratified_split};
use chainrule::prelude::*;

const WORKERS: [usize; 3] = [0, 1, 4];
const THREADS: [usize; 3] = [1, 2, 4];

type Images = MapDataset<Subset<FashionMnist>, (Tensor, Tensor)>;

fn augmented(images: &Subset<FashionMnist>) -> Images {
    images.transform(
        Compose::new()
            .then(RandomCrop::new(28).padding(2))
            .then(RandomApply::new(RandomResizedCrop::new(28).scale(0.6, 1.0)).p(0.3))
            .then(RandomHorizontalFlip::new())
            .then(RandomRotation::new(10.0).interpolation(Interpolation::Bilinear))
            .then(ColorJitter::new().brightness(0.2).contrast(0.2))
            .then(RandomErasing::new().p(0.25))
            .then(Normalize::new([0.286], [0.353])),
    )
}

fn images() -> Result<Subset<FashionMnist>> {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/fashion-mnist-sample");
    let whole = FashionMnist::load(sample, false)?;
    let [some, _] = stratified_split(&whole, whole.labels(), [200, whole.len() - 200])?;
    Ok(some)
}

fn bits(tensor: &Tensor) -> Result<Vec<u32>> {
    Ok(tensor.to_vec::<f32>()?.into_iter().map(f32::to_bits).collect())
}

/// Two epochs of batches: pixels and labels.
fn batches(workers: usize) -> Result<Vec<(Vec<u32>, Vec<i64>)>> {
    manual_seed(7);
    let dataset = augmented(&images()?);
    let loader = DataLoader::new(&dataset).batch_size(24).shuffle(true).num_workers(workers);
    let pair = |batch: Result<(Tensor, Tensor)>| batch.and_then(|(x, y)| Ok((bits(&x)?, y.to_vec::<i64>()?)));
    loader.iter().chain(&loader).map(pair).collect()
}

/// Losses and final weights of a small network.
fn training(workers: usize) -> Result<Vec<u32>> {
    manual_seed(7);
    let dataset = augmented(&images()?);
    let loader = DataLoader::new(&dataset).batch_size(32).shuffle(true).drop_last(true).num_workers(workers);
    let model = sequential![
        Conv2d::builder(1, 8, 3).padding(1).build()?,
        BatchNorm2d::new(8)?,
        ReLU::new(),
        MaxPool2d::new(2)?,
        Dropout::new(0.2)?,
        Flatten::new(),
        Linear::new(8 * 14 * 14, 10)?,
    ];
    let loss_func = CrossEntropyLoss::new();
    let mut optimizer = Adam::new(model.parameters(), AdamOptions { lr: 1e-3, ..Default::default() })?;
    let mut seen = Vec::new();
    for _ in 0..2 {
        for batch in &loader {
            let (x, y) = batch?;
            optimizer.zero_grad();
            let loss = loss_func.forward(&model.forward(&x)?, &y)?;
            loss.backward()?;
            optimizer.step()?;
            seen.extend(bits(&loss.detach())?);
        }
    }
    assert_eq!(seen.len(), 12);
    for parameter in model.parameters() {
        seen.extend(bits(&parameter.tensor().detach())?);
    }
    Ok(seen)
}

#[test]
fn batches_and_training_are_the_same_bits() -> Result<()> {
    set_num_threads(1);
    let (first_batches, first_run) = (batches(0)?, training(0)?);
    assert_eq!(first_batches.len(), 18);
    assert_ne!(first_batches[0], first_batches[9], "the epochs are augmented in different ways");
    for threads in THREADS {
        for workers in WORKERS {
            set_num_threads(threads);
            let what = format!("{threads} threads, {workers} workers");
            assert!(batches(workers)? == first_batches, "batches with {what}");
            assert!(training(workers)? == first_run, "a run with {what}");
        }
    }
    Ok(())
}
