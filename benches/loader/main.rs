//! What an epoch of batches costs: 60,000 images of 28 × 28 `f32` in memory, shuffled, in batches of 64. PyTorch's side
//! is `pytorch.py` beside this file, and `compare.py` runs both in turn.
//!
//! `cargo bench -p chainrule-benches --bench loader -- [--threads N] [--workers N] [--epochs N]`
//!
//! Prints one JSON line: the time of each epoch in milliseconds, and a digest of the first, by which one sees that both
//! sides hand out the same batches.

use std::time::Instant;

use chainrule::prelude::*;

const IMAGES: usize = 60_000;
const PIXELS: usize = 28 * 28;
const BATCH: usize = 64;

fn main() -> Result<()> {
    let (mut threads, mut workers, mut epochs) = (None, 0, 5);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|n| n.parse::<usize>().ok());
        match (argument.as_str(), argument.starts_with("--")) {
            ("--threads", _) => threads = number(),
            ("--workers", _) => workers = number().unwrap_or(workers),
            ("--epochs", _) => epochs = number().unwrap_or(epochs),
            // What `cargo bench` passes to every bench, and a filter of names.
            ("--bench", _) | (_, false) => {}
            (other, _) => panic!("unknown argument {other}"),
        }
    }
    if let Some(threads) = threads {
        set_num_threads(threads);
    }
    // A multiplicative hash of the place, so that PyTorch's side can have the same pixels.
    let pixel = |i: usize| ((i as u32).wrapping_mul(2_654_435_761) >> 8) as f32 / 16_777_216.0;
    let images = Tensor::from_vec((0..IMAGES * PIXELS).map(pixel).collect(), [IMAGES, 1, 28, 28])?;
    let dataset = TensorDataset::new((images, Tensor::arange(IMAGES)?))?;

    manual_seed(0);
    let loader = DataLoader::new(&dataset).batch_size(BATCH).shuffle(true).num_workers(workers);
    let digest = digest(&loader)?;
    let mut times = Vec::new();
    for _ in 0..epochs {
        let start = Instant::now();
        let mut batches = 0;
        for batch in &loader {
            std::hint::black_box(batch?);
            batches += 1;
        }
        assert_eq!(batches, IMAGES.div_ceil(BATCH));
        times.push(format!("{:.3}", start.elapsed().as_secs_f64() * 1e3));
    }
    println!(
        "{{\"engine\": \"chainrule\", \"threads\": {}, \"workers\": {workers}, \"epochs_ms\": [{}], \"digest\": {digest:?}}}",
        chainrule::num_threads(),
        times.join(", ")
    );
    Ok(())
}

/// The labels weighted by their places in the epoch, and the sum of the middle pixels of the samples in even places.
fn digest(loader: &DataLoader<TensorDataset<(Tensor, Tensor)>>) -> Result<[f64; 2]> {
    let (mut place, mut labels, mut pixels) = (0usize, 0.0, 0.0);
    for batch in loader {
        let (x, y) = batch?;
        let x = x.to_vec::<f32>()?;
        for (i, label) in y.to_vec::<i64>()?.into_iter().enumerate() {
            labels += (label as usize * (place % 1009)) as f64;
            pixels += if place.is_multiple_of(2) { f64::from(x[i * PIXELS + PIXELS / 2]) } else { 0.0 };
            place += 1;
        }
    }
    Ok([labels, pixels])
}
