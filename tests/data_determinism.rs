//! The same seed gives the same bits, whatever number of workers makes the batches and whatever number of threads
//! computes: batches with augmentation, a whole training run on them, and numbers that a dataset draws while the training
//! draws others. One test at a time, in a process of their own, since the number of threads and the random numbers are the
//! process's.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chainrule::data::transforms::{
    ColorJitter, Compose, Image, Interpolation, Normalize, RandomApply, RandomCrop, RandomErasing,
    RandomHorizontalFlip, RandomResizedCrop, RandomRotation, SampleRandom, Transform,
};
use chainrule::data::{MapDataset, stratified_split};
use chainrule::prelude::*;
use chainrule::random::default_state;

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

fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn batches_and_training_are_the_same_bits() -> Result<()> {
    let _alone = alone();
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

type Pair = (Tensor, Tensor);
type Drawing = std::sync::Arc<dyn Dataset<Batch = Pair>>;

const SAMPLES: usize = 70;

/// Draws what it gives, by the batch.
#[derive(Clone)]
struct Noise;

impl Dataset for Noise {
    type Batch = Pair;

    fn len(&self) -> usize {
        SAMPLES
    }

    fn get_batch(&self, indices: &[usize]) -> Result<Pair> {
        // So that later batches may be ready sooner.
        std::thread::sleep(std::time::Duration::from_micros(if indices[0].is_multiple_of(2) {
            500
        } else {
            0
        }));
        Ok((Tensor::randn([indices.len(), 1, 4, 4])?, Tensor::randint(0, 3, [indices.len()])?))
    }
}

/// Adds to the pixels what it draws from the default generator.
struct Jitter;

impl Transform for Jitter {
    fn write(&self, image: Image<'_>, out: &mut [f32], _: &mut SampleRandom) {
        let noise = Tensor::rand([out.len()]).unwrap().to_vec::<f32>().unwrap();
        out.iter_mut().zip(image.pixels()).zip(noise).for_each(|((to, x), noise)| *to = x + noise);
    }
}

fn add_noise((x, y): Pair) -> Result<Pair> {
    Ok((x.add(&Tensor::randn(x.shape())?)?, y))
}

/// The ways to draw in a dataset, one within the other too.
fn drawing() -> Result<Vec<(&'static str, Drawing)>> {
    let zeros = TensorDataset::new((
        Tensor::zeros([SAMPLES, 1, 4, 4])?,
        Tensor::zeros([SAMPLES])?.to_dtype(DType::I64)?,
    ))?;
    let mapped = zeros.map(add_noise);
    let (front, back): (Vec<usize>, Vec<usize>) = ((0..30).collect(), (30..SAMPLES).collect());
    let both = ConcatDataset::new([Subset::new(&mapped, front)?, Subset::new(&mapped, back)?])?;
    let samples = zeros.map_samples(|(x, y), random| {
        let own = f64::from(random.random() % 7);
        Ok((x.add(&Tensor::randn(x.shape())?)? + own, y))
    });
    Ok(vec![
        ("a dataset of one's own", std::sync::Arc::new(Noise) as Drawing),
        ("map", std::sync::Arc::new(mapped.clone())),
        ("map over map", std::sync::Arc::new(mapped.map(add_noise).map(add_noise))),
        ("map over a sum of parts of a map", std::sync::Arc::new(both.map(add_noise))),
        ("map_samples", std::sync::Arc::new(samples)),
        ("a transform", std::sync::Arc::new(zeros.transform(Compose::new().then(Jitter).then(Jitter)))),
        ("a transform over noise", std::sync::Arc::new(Noise.transform(Jitter).map(add_noise))),
    ])
}

fn loader(dataset: &Drawing, workers: usize) -> DataLoader<Drawing> {
    DataLoader::new(dataset).batch_size(16).shuffle(true).num_workers(workers)
}

/// Pixels and labels of two epochs, and a network's losses, which has dropout and is trained on them meanwhile.
fn noisy_training(dataset: &Drawing, workers: usize) -> Result<(Vec<Vec<u32>>, Vec<u32>)> {
    manual_seed(3);
    let model = sequential![Flatten::new(), Linear::new(16, 32)?, Dropout::new(0.5)?, Linear::new(32, 3)?];
    let loss_func = CrossEntropyLoss::new();
    let mut optimizer = Sgd::new(model.parameters(), SgdOptions { lr: 0.1, ..Default::default() })?;
    let loader = loader(dataset, workers);
    let (mut pixels, mut losses) = (Vec::new(), Vec::new());
    for batch in loader.iter().chain(&loader) {
        let (x, y) = batch?;
        optimizer.zero_grad();
        let loss = loss_func.forward(&model.forward(&x)?, &y)?;
        loss.backward()?;
        optimizer.step()?;
        pixels.push(bits(&x)?);
        losses.extend(bits(&loss.detach())?);
    }
    Ok((pixels, losses))
}

#[test]
fn what_a_dataset_draws_does_not_depend_on_the_workers() -> Result<()> {
    let _alone = alone();
    set_num_threads(2);
    for (what, dataset) in drawing()? {
        let first = noisy_training(&dataset, 0)?;
        assert_eq!(first.0.len(), 10);
        let mut different = first.0.clone();
        different.sort();
        different.dedup();
        assert_eq!(different.len(), 10, "{what}: each batch of each epoch has numbers of its own");
        for workers in [0, 1, 2, 4] {
            for run in 0..3 {
                assert!(noisy_training(&dataset, workers)? == first, "{what}, {workers} workers, run {run}");
            }
        }
    }
    Ok(())
}

/// Neither do the batches depend on what is drawn beside them, nor that on the batches.
#[test]
fn a_dataset_and_its_caller_do_not_share_numbers() -> Result<()> {
    let _alone = alone();
    for (what, dataset) in drawing()? {
        let run = |workers, draws: bool| -> Result<_> {
            manual_seed(5);
            let mut pixels = Vec::new();
            for batch in &loader(&dataset, workers) {
                pixels.push(bits(&batch?.0)?);
                if draws {
                    Tensor::randn([100])?;
                }
            }
            Ok((pixels, default_state()))
        };
        let (quiet, state) = run(0, false)?;
        // The base seed and the shuffle's: four words.
        manual_seed(5);
        chainrule::random::with_default(|g| (g.random_i64(), g.random_i64()));
        assert_eq!(state, default_state(), "{what}");
        for workers in [0, 1, 2, 4] {
            assert!(run(workers, true)?.0 == quiet, "{what}, {workers} workers");
            assert!(run(workers, false)? == (quiet.clone(), state.clone()), "{what}, {workers} workers");
        }
    }
    Ok(())
}

#[test]
fn an_epoch_that_is_resumed_draws_the_same() -> Result<()> {
    let _alone = alone();
    let batch_sampler = || BatchSampler::new(SequentialSampler, 9, false);
    for (what, dataset) in drawing()? {
        for by_sampler in [false, true] {
            let loader = |workers| -> Result<_> {
                Ok(match by_sampler {
                    true => DataLoader::new(&dataset).batch_sampler(batch_sampler()?).num_workers(workers),
                    false => loader(&dataset, workers),
                })
            };
            manual_seed(6);
            let whole: Vec<_> = loader(0)?.iter().map(|batch| bits(&batch?.0)).collect::<Result<_>>()?;
            for workers in [0, 1, 3] {
                manual_seed(6);
                let mut epoch = loader(workers)?.iter();
                let mut got: Vec<_> =
                    epoch.by_ref().take(2).map(|batch| bits(&batch?.0)).collect::<Result<_>>()?;
                let state = epoch.state();
                drop(epoch);
                manual_seed(99);
                for batch in loader(3 - workers)?.resume(&state)? {
                    got.push(bits(&batch?.0)?);
                }
                assert!(got == whole, "{what}, {workers} workers, resumed with {}", 3 - workers);
            }
        }
    }
    Ok(())
}
