//! Loaders: counts, options, workers, failures, resuming.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chainrule_data::{
    BatchSampler, DataLoader, DataLoaderState, Dataset, RandomSampler, Sampler, SequentialSampler,
    TensorDataset, WeightedRandomSampler, collate,
};
use chainrule_tensor::random::Generator;
use chainrule_tensor::{Error, ErrorKind, Result, Tensor};

const WORKERS: [usize; 3] = [0, 1, 4];

fn numbers(n: usize) -> TensorDataset<Tensor> {
    TensorDataset::new(Tensor::arange(n).unwrap()).unwrap()
}

fn values(batch: Result<Tensor>) -> Vec<i64> {
    batch.unwrap().to_vec().unwrap()
}

/// Gives its indices as the batch and misbehaves on request; counts the batches that it made.
struct Naughty {
    len: usize,
    fails_at: usize,
    panics_at: usize,
    takes: Duration,
    made: AtomicUsize,
}

impl Naughty {
    fn new(len: usize) -> Naughty {
        Naughty {
            len,
            fails_at: usize::MAX,
            panics_at: usize::MAX,
            takes: Duration::ZERO,
            made: AtomicUsize::new(0),
        }
    }
}

impl Dataset for Naughty {
    type Batch = (Vec<usize>, Vec<u64>);

    fn len(&self) -> usize {
        self.len
    }

    fn get_batch(&self, indices: &[usize]) -> Result<Self::Batch> {
        self.get_batch_seeded(indices, &[])
    }

    fn get_batch_seeded(&self, indices: &[usize], seeds: &[u64]) -> Result<Self::Batch> {
        // Later batches are sooner ready, so that an order by time would show.
        std::thread::sleep(self.takes + Duration::from_micros((self.len - indices[0]) as u64));
        self.made.fetch_add(1, Ordering::SeqCst);
        if indices.contains(&self.panics_at) {
            panic!("dropped sample {}", self.panics_at);
        }
        if indices.contains(&self.fails_at) {
            return Err(Error::new(ErrorKind::Io, "read", "no such file"));
        }
        Ok((indices.to_vec(), seeds.to_vec()))
    }
}

#[test]
fn numbers_of_batches() {
    for (samples, size, drop_last, want) in [
        (10, 3, false, vec![3, 3, 3, 1]),
        (10, 3, true, vec![3, 3, 3]),
        (9, 3, false, vec![3, 3, 3]),
        (9, 3, true, vec![3, 3, 3]),
        (2, 3, true, vec![]),
        (2, usize::MAX, false, vec![2]),
        (0, 3, false, vec![]),
    ] {
        for workers in WORKERS {
            for shuffle in [false, true] {
                let dataset = numbers(samples);
                let loader = DataLoader::new(&dataset).batch_size(size).drop_last(drop_last);
                let loader = loader.shuffle(shuffle).num_workers(workers);
                assert_eq!(loader.len(), want.len());
                let mut batches = loader.iter();
                assert_eq!(batches.len(), want.len());
                let sizes: Vec<usize> = batches.by_ref().map(|batch| values(batch).len()).collect();
                assert_eq!(sizes, want, "{samples} samples in batches of {size}, {workers} workers");
                assert_eq!(batches.len(), 0);
                assert!(batches.next().is_none());
            }
        }
    }
}

#[test]
fn batches_do_not_depend_on_the_workers() {
    let epochs = |workers| {
        let dataset = Arc::new(Naughty::new(203));
        let loader = DataLoader::new(&dataset).batch_size(5).shuffle(true).generator(Generator::new(3));
        let loader = loader.num_workers(workers);
        let epoch = || loader.iter().map(Result::unwrap).collect::<Vec<_>>();
        [epoch(), epoch()]
    };
    let want = epochs(0);
    assert_ne!(want[0], want[1]);
    let mut samples: Vec<usize> = want[0].iter().flat_map(|(samples, _)| samples.clone()).collect();
    samples.sort();
    assert_eq!(samples, (0..203).collect::<Vec<_>>());
    for workers in [1, 2, 4, 100] {
        assert_eq!(epochs(workers), want, "{workers} workers");
    }
}

/// The seed of each sample of an epoch, by index.
fn seeds(loader: &DataLoader<Arc<Naughty>>) -> Vec<(usize, u64)> {
    let mut all = Vec::new();
    for batch in loader {
        let (indices, seeds) = batch.unwrap();
        assert_eq!(indices.len(), seeds.len());
        all.extend(indices.into_iter().zip(seeds));
    }
    all.sort();
    all
}

#[test]
fn seeds_are_those_of_sample_and_epoch() {
    let dataset = Arc::new(Naughty::new(60));
    let loader = |size| DataLoader::new(&dataset).batch_size(size).generator(Generator::new(3));
    let first = loader(7);
    let want = seeds(&first);
    let different: HashSet<u64> = want.iter().map(|&(_, seed)| seed).collect();
    assert_eq!(different.len(), 60);
    assert!(seeds(&first).iter().all(|(_, seed)| !different.contains(seed)), "the next epoch has others");
    // Neither the size of the batches nor the order nor the workers matter.
    assert_eq!(seeds(&loader(13).num_workers(3)), want);
    assert_eq!(seeds(&loader(60).shuffle(true)), want);
}

#[test]
fn a_sample_that_comes_again_has_another_seed() {
    let dataset = Arc::new(Naughty::new(4));
    let sampler = RandomSampler::new().replacement(true).num_samples(40).generator(Generator::new(0));
    let loader = DataLoader::new(&dataset).batch_size(3).sampler(sampler).generator(Generator::new(3));
    let all = seeds(&loader);
    let different: HashSet<u64> = all.iter().map(|&(_, seed)| seed).collect();
    assert_eq!((all.len(), different.len()), (40, 40));
    // The first visits have the seeds that an epoch without repetitions has.
    let once = seeds(&DataLoader::new(&dataset).generator(Generator::new(3)));
    assert!(once.iter().all(|pair| all.contains(pair)));
}

fn pairs() -> BatchSampler<SequentialSampler> {
    BatchSampler::new(SequentialSampler, 2, false).unwrap()
}

#[test]
fn options_that_do_not_go_together_are_errors() {
    let dataset = numbers(4);
    let loader = || DataLoader::new(&dataset);
    for (loader, rule) in [
        (loader().batch_size(0), "batch_size must be at least 1, got 0"),
        (loader().shuffle(true).sampler(SequentialSampler), "exclude each other"),
        (loader().batch_sampler(pairs()).batch_size(2), "batch_sampler excludes batch_size"),
        (loader().batch_sampler(pairs()).shuffle(true), "batch_sampler excludes"),
        (loader().batch_sampler(pairs()).drop_last(true), "batch_sampler excludes"),
        (loader().batch_sampler(pairs()).sampler(SequentialSampler), "batch_sampler excludes"),
        (loader().num_workers(1).prefetch_factor(0), "prefetch_factor must be at least 1"),
        (loader().prefetch_factor(2), "num_workers is 0"),
    ] {
        let mut batches = loader.iter();
        assert_eq!(batches.len(), 1);
        let error = batches.next().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value);
        assert!(error.message().contains(rule), "{error}");
        assert_eq!(error.location().unwrap().file(), file!());
        assert!(batches.next().is_none());
    }
    assert_eq!(loader().batch_size(0).len(), 0);
}

#[test]
fn errors_and_panics_are_those_of_their_batch() {
    for workers in WORKERS {
        let dataset = Arc::new(Naughty { fails_at: 7, panics_at: 13, ..Naughty::new(20) });
        let loader = DataLoader::new(&dataset).batch_size(3).num_workers(workers);
        let mut seen = 0;
        for batch in &loader {
            match (seen, batch) {
                (2, Err(error)) => {
                    assert_eq!(error.kind(), ErrorKind::Io);
                    assert_eq!(error.message(), "batch 2 of 7 (samples 6, 7, 8): no such file");
                }
                (4, Err(error)) => {
                    let want = "batch 4 of 7 (samples 12, 13, 14): the dataset panicked: dropped sample 13";
                    assert_eq!(error.message(), want);
                    assert_eq!(error.location().unwrap().file(), file!());
                }
                (_, batch) => assert_eq!(batch.unwrap().0[0], seen * 3),
            }
            seen += 1;
        }
        assert_eq!(seen, 7);
    }
}

#[test]
fn a_sample_that_fails_or_panics_is_named() {
    #[derive(Clone)]
    struct Files;

    impl Dataset for Files {
        type Batch = Tensor;

        fn len(&self) -> usize {
            1000
        }

        fn get_batch(&self, indices: &[usize]) -> Result<Tensor> {
            collate(indices, |i| match i {
                137 => Err(Error::new(ErrorKind::Io, "read", "no such file")),
                538 => panic!("a bug"),
                _ => Ok(Tensor::new(i as i64)),
            })
        }
    }

    for workers in WORKERS {
        let batches: Vec<_> = DataLoader::new(&Files).batch_size(100).num_workers(workers).iter().collect();
        let message = |i: usize| batches[i].as_ref().unwrap_err().message().to_string();
        assert!(message(1).ends_with("): sample 137: no such file"), "{}", message(1));
        assert!(message(1).contains("102, 103") && message(1).contains("and 36 more"), "{}", message(1));
        assert!(message(5).ends_with("): the dataset panicked: sample 538: a bug"), "{}", message(5));
        assert_eq!(batches.iter().filter(|batch| batch.is_ok()).count(), 8);
    }
}

#[test]
fn what_datasets_of_the_crate_refuse_is_an_error_of_the_callers_line() {
    let numbers = TensorDataset::new(Tensor::arange(3).unwrap()).unwrap();
    let cropped = numbers.transform(chainrule_data::transforms::CenterCrop::new(2));
    for workers in WORKERS {
        for batch in &DataLoader::new(&cropped).num_workers(workers) {
            let error = batch.unwrap_err();
            assert!(error.message().contains("int64"), "{error}");
            assert_eq!(error.location().unwrap().file(), file!());
        }
    }
}

#[test]
fn workers_are_ahead_by_no_more_than_asked() {
    let dataset = Arc::new(Naughty::new(1000));
    let mut batches = DataLoader::new(&dataset).num_workers(2).prefetch_factor(3).iter();
    assert_eq!(dataset.made.load(Ordering::SeqCst), 0);
    batches.next().unwrap().unwrap();
    let ahead = || dataset.made.load(Ordering::SeqCst) - 1;
    let start = Instant::now();
    while ahead() < 6 && start.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(ahead(), 6);
}

#[test]
fn dropping_the_iterator_stops_the_workers() {
    let takes = Duration::from_millis(20);
    let dataset = Arc::new(Naughty { takes, ..Naughty::new(1000) });
    let mut batches = DataLoader::new(&dataset).num_workers(4).iter();
    batches.next().unwrap().unwrap();
    let start = Instant::now();
    drop(batches);
    assert!(start.elapsed() < Duration::from_secs(5), "a thousand batches would take that long");
    let made = dataset.made.load(Ordering::SeqCst);
    std::thread::sleep(3 * takes);
    assert_eq!(dataset.made.load(Ordering::SeqCst), made, "a worker went on");
    // Iterator and workers held clones, and all are gone.
    assert_eq!(Arc::strong_count(&dataset), 1);
}

#[test]
fn a_dataset_behind_a_trait_object() {
    let dataset: Arc<dyn Dataset<Batch = Tensor>> = Arc::new(numbers(5));
    let loader = DataLoader::new(&dataset).batch_size(4).num_workers(1);
    let batches: Vec<_> = loader.iter().map(values).collect();
    assert_eq!(batches, [vec![0, 1, 2, 3], vec![4]]);
}

#[test]
fn an_epoch_resumes_where_it_was_saved() {
    let dataset = numbers(11);
    let loader = |workers| {
        let loader = DataLoader::new(&dataset).batch_size(2).shuffle(true).generator(Generator::new(5));
        loader.num_workers(workers)
    };
    let whole = loader(0);
    let mut want: Vec<_> = whole.iter().map(values).collect();
    want.extend(whole.iter().map(values));
    for before in [0, 1, 5, 6] {
        for workers in WORKERS {
            let saving = loader(workers);
            let mut batches = saving.iter();
            let mut got: Vec<_> = batches.by_ref().take(before).map(values).collect();
            let saved = serde_json::to_string(&batches.state()).unwrap();
            drop(batches);

            let state: DataLoaderState = serde_json::from_str(&saved).unwrap();
            let fresh = loader(workers);
            let rest = fresh.resume(&state).unwrap();
            assert_eq!(rest.len(), 6 - before);
            got.extend(rest.map(values));
            got.extend(fresh.iter().map(values));
            assert_eq!(got, want, "saved after {before} batches, {workers} workers");
        }
    }
}

#[test]
fn states_that_do_not_fit_are_refused() {
    let dataset = numbers(5);
    let own = || DataLoader::new(&dataset).shuffle(true).generator(Generator::new(5));
    let shared = DataLoader::new(&dataset).shuffle(true);
    let mut batches = own().iter();
    batches.next();
    let state = batches.state();
    let refused = |result: Result<_>| match result {
        Ok(_) => panic!("accepted"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Data),
    };
    refused(DataLoader::new(&numbers(4)).generator(Generator::new(5)).resume(&state).map(drop));
    refused(shared.resume(&state).map(drop));
    refused(own().resume(&DataLoaderState { position: 6, ..state.clone() }).map(drop));
    refused(own().resume(&DataLoaderState { generator: None, ..state.clone() }).map(drop));
    assert!(own().resume(&state).is_ok());
}

/// Batches of one, two, three … samples.
struct Growing;

impl Sampler<Vec<usize>> for Growing {
    fn len(&self, _: usize) -> usize {
        4
    }

    fn indices(&self, _: usize) -> Result<Vec<Vec<usize>>> {
        Ok(vec![vec![3], vec![1, 2], vec![0, 5, 9], vec![4, 6, 7, 8]])
    }
}

#[test]
fn batches_as_a_sampler_chooses_them() {
    for workers in WORKERS {
        let loader = DataLoader::new(&numbers(10)).batch_sampler(Growing).num_workers(workers);
        assert_eq!(loader.len(), 4);
        let mut batches = loader.iter();
        assert_eq!(values(batches.next().unwrap()), [3]);
        assert_eq!(values(batches.next().unwrap()), [1, 2]);
        let state = batches.state();
        let rest: Vec<_> = batches.map(values).collect();
        assert_eq!(rest, [vec![0, 5, 9], vec![4, 6, 7, 8]]);
        let resumed = loader.resume(&state).unwrap();
        assert_eq!(resumed.len(), 2);
        assert_eq!(resumed.map(values).collect::<Vec<_>>(), rest);

        let refused = |state: &DataLoaderState| loader.resume(state).map(drop).unwrap_err();
        for ends in [None, Some(vec![1, 2]), Some(vec![3, 1, 10]), Some(vec![2, 10])] {
            assert_eq!(refused(&DataLoaderState { ends, ..state.clone() }).kind(), ErrorKind::Data);
        }
        assert!(DataLoader::new(&numbers(10)).resume(&state).is_err());
    }
    struct Hollow;
    impl Sampler<Vec<usize>> for Hollow {
        fn indices(&self, _: usize) -> Result<Vec<Vec<usize>>> {
            Ok(vec![vec![0], vec![]])
        }
    }
    let mut batches = DataLoader::new(&numbers(2)).batch_sampler(Hollow).iter();
    assert!(batches.next().unwrap().unwrap_err().message().contains("no samples for batch 1"));
}

/// The state has the generator of a sampler too, so that also the epochs after the present one are the same.
#[test]
fn samplers_go_on_where_they_were_saved() {
    let dataset = numbers(11);
    let weights: Vec<f64> = (1..12).map(f64::from).collect();
    let loaders: [&dyn Fn() -> DataLoader<TensorDataset<Tensor>>; 3] = [
        &|| {
            DataLoader::new(&dataset).batch_size(2).sampler(RandomSampler::new().generator(Generator::new(8)))
        },
        &|| {
            let sampler = WeightedRandomSampler::new(weights.clone(), 9).generator(Generator::new(8));
            DataLoader::new(&dataset).batch_size(2).sampler(sampler)
        },
        &|| {
            let sampler = RandomSampler::new().generator(Generator::new(8));
            DataLoader::new(&dataset).batch_sampler(BatchSampler::new(sampler, 2, true).unwrap())
        },
    ];
    for make in loaders {
        let whole = make();
        let want: Vec<_> = whole.iter().chain(&whole).chain(&whole).map(values).collect();
        let saving = make();
        let mut got: Vec<_> = saving.iter().map(values).collect();
        let mut batches = saving.iter();
        got.extend(batches.by_ref().take(2).map(values));
        let saved = serde_json::to_string(&batches.state()).unwrap();
        let state: DataLoaderState = serde_json::from_str(&saved).unwrap();
        let fresh = make();
        got.extend(fresh.resume(&state).unwrap().map(values));
        got.extend(fresh.iter().map(values));
        assert_eq!(got, want);

        let without = DataLoader::new(&dataset).batch_size(2);
        assert!(
            without.resume(&DataLoaderState { sampler: None, ..state.clone() }).is_ok()
                || state.ends.is_some()
        );
        assert!(make().resume(&DataLoaderState { sampler: None, ..state }).is_err());
    }
}

/// States of before there were batch samplers still load.
#[test]
fn a_state_without_the_newer_fields() {
    let old = r#"{"order": [2, 0, 1], "position": 1, "base_seed": 5, "generator": null}"#;
    let state: DataLoaderState = serde_json::from_str(old).unwrap();
    let rest = DataLoader::new(&numbers(3)).resume(&state).unwrap();
    assert_eq!(rest.map(values).collect::<Vec<_>>(), [[0], [1]]);
}
