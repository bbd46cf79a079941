//! Loaders: counts, options, workers, failures, resuming.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chainrule_data::{DataLoader, DataLoaderState, Dataset, SequentialSampler, TensorDataset};
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
    type Batch = (Vec<usize>, u64);

    fn len(&self) -> usize {
        self.len
    }

    fn get_batch(&self, indices: &[usize]) -> Result<Self::Batch> {
        self.get_batch_seeded(indices, 0)
    }

    fn get_batch_seeded(&self, indices: &[usize], seed: u64) -> Result<Self::Batch> {
        // Later batches are sooner ready, so that an order by time would show.
        std::thread::sleep(self.takes + Duration::from_micros((self.len - indices[0]) as u64));
        self.made.fetch_add(1, Ordering::SeqCst);
        if indices.contains(&self.panics_at) {
            panic!("dropped sample {}", self.panics_at);
        }
        if indices.contains(&self.fails_at) {
            return Err(Error::new(ErrorKind::Io, "read", "no such file"));
        }
        Ok((indices.to_vec(), seed))
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

#[test]
fn seeds_differ_between_batches_and_epochs() {
    let dataset = Arc::new(Naughty::new(6));
    let loader = DataLoader::new(&dataset).batch_size(2).generator(Generator::new(3));
    let seeds: Vec<u64> = loader.iter().chain(&loader).map(|batch| batch.unwrap().1).collect();
    assert_eq!(seeds[1] - seeds[0], 2);
    assert_eq!(seeds[2] - seeds[0], 4);
    assert_ne!(seeds[3], seeds[0]);
}

#[test]
fn options_that_do_not_go_together_are_errors() {
    let dataset = numbers(4);
    let loader = || DataLoader::new(&dataset);
    for (loader, rule) in [
        (loader().batch_size(0), "batch_size must be at least 1, got 0"),
        (loader().shuffle(true).sampler(SequentialSampler), "exclude each other"),
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
