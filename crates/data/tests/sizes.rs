//! Sizes that no machine has: each is an error, or costs no more than what is used of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chainrule_data::transforms::ImageSize;
use chainrule_data::{
    BatchSampler, ByteImages, ConcatDataset, DataLoader, Dataset, KFold, RandomSampler, Sampler,
    SequentialSampler, StratifiedKFold, Subset, SubsetRandomSampler, TensorDataset, WeightedRandomSampler,
    collate, random_split, stratified_split,
};
use chainrule_tensor::random::{Generator, default_state};
use chainrule_tensor::{ErrorKind, Result, Tensor};

const HUGE: usize = 1 << 42;

/// Says that it has so many samples; sample `i` is `i`.
#[derive(Clone, Debug)]
struct Endless(usize);

impl Dataset for Endless {
    type Batch = Tensor;

    fn len(&self) -> usize {
        self.0
    }

    fn get_batch(&self, indices: &[usize]) -> Result<Tensor> {
        collate(indices, |i| Ok(Tensor::new(i as i64)))
    }
}

#[track_caller]
fn refused<T>(result: Result<T>, kind: ErrorKind) -> String {
    let error = result.err().expect("an error");
    assert_eq!(error.kind(), kind, "{error}");
    assert_eq!(error.location().unwrap().file(), file!(), "{error}");
    error.message().to_string()
}

#[test]
fn batches_made_in_advance_take_memory_when_they_are_made() {
    let dataset = Endless(7);
    for prefetch in [1 << 40, usize::MAX] {
        let loader = DataLoader::new(&dataset).batch_size(2).num_workers(2).prefetch_factor(prefetch);
        let values: Vec<i64> =
            loader.iter().flat_map(|batch| batch.unwrap().to_vec::<i64>().unwrap()).collect();
        assert_eq!(values, [0, 1, 2, 3, 4, 5, 6]);
    }
}

#[test]
fn workers_beyond_reason_are_refused() {
    for workers in [HUGE, usize::MAX, 1025] {
        let mut batches = DataLoader::new(&Endless(7)).num_workers(workers).iter();
        assert!(
            refused(batches.next().unwrap(), ErrorKind::Value)
                .contains(&format!("at most 1024, got {workers}"))
        );
        assert!(batches.next().is_none());
    }
    assert_eq!(DataLoader::new(&Endless(3)).num_workers(1024).iter().count(), 3);
}

#[test]
fn orders_that_do_not_fit_in_memory() {
    for len in [HUGE, usize::MAX] {
        let dataset = Endless(len);
        for shuffle in [false, true] {
            for workers in [0, 2] {
                let loader = DataLoader::new(&dataset).batch_size(usize::MAX).shuffle(shuffle);
                let loader = loader.num_workers(workers);
                assert_eq!(loader.len(), len.div_ceil(usize::MAX));
                let mut batches = loader.iter();
                refused(batches.next().unwrap(), ErrorKind::Memory);
                assert!(batches.next().is_none());
            }
        }
        assert_eq!(DataLoader::new(&dataset).batch_size(3).drop_last(true).len(), len / 3);
        refused(dataset.get_all(), ErrorKind::Memory);
        refused(Arc::new(dataset).get_all(), ErrorKind::Memory);
    }
}

#[test]
fn samplers_over_more_than_fits() {
    let before = default_state();
    for n in [HUGE, usize::MAX] {
        refused(SequentialSampler.indices(n), ErrorKind::Memory);
        refused(RandomSampler::new().indices(n), ErrorKind::Memory);
        refused(RandomSampler::new().num_samples(n).indices(3), ErrorKind::Memory);
        refused(RandomSampler::new().num_samples(n).replacement(true).indices(3), ErrorKind::Memory);
        refused(RandomSampler::new().num_samples(5).indices(n), ErrorKind::Memory);
        refused(WeightedRandomSampler::new([1.0, 2.0], n).indices(2), ErrorKind::Memory);
        let without = WeightedRandomSampler::new([1.0, 2.0], n).replacement(false);
        assert!(refused(without.indices(2), ErrorKind::Value).contains("without replacement"));
        refused(BatchSampler::new(SequentialSampler, 3, true).unwrap().indices(n), ErrorKind::Memory);
        let behind: Arc<dyn Sampler> = Arc::new(SequentialSampler);
        refused(behind.indices(n), ErrorKind::Memory);
    }
    let most = RandomSampler::new().num_samples(5).replacement(true);
    assert!(refused(most.indices(usize::MAX), ErrorKind::Value).contains("with replacement"));
    assert_eq!(default_state(), before, "nothing was drawn");
    let batches = BatchSampler::new(SequentialSampler, usize::MAX, false).unwrap();
    assert_eq!((batches.len(HUGE), batches.indices(3).unwrap()), (1, vec![vec![0, 1, 2]]));
}

/// A few samples of very many cost as much as few.
#[test]
fn parts_of_what_has_no_end() {
    for len in [HUGE, i64::MAX as usize] {
        let dataset = Endless(len);
        let sampler = RandomSampler::new().replacement(true).num_samples(40).generator(Generator::new(1));
        for workers in [0, 2] {
            let loader =
                DataLoader::new(&dataset).batch_size(16).sampler(sampler.clone()).num_workers(workers);
            let batches: Vec<Vec<i64>> =
                loader.iter().map(|batch| batch.unwrap().to_vec().unwrap()).collect();
            assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [16, 16, 8]);
            assert!(batches.iter().flatten().any(|&i| i > 1 << 40));
        }
        let some = SubsetRandomSampler::new([len - 1, 5, len - 1, 5]);
        let loader = DataLoader::new(&dataset).batch_size(4).sampler(some);
        let mut batches = loader.iter();
        let mut values: Vec<i64> = batches.next().unwrap().unwrap().to_vec().unwrap();
        values.sort();
        assert_eq!(values, [5, 5, len as i64 - 1, len as i64 - 1]);
        let subset = Subset::new(&dataset, [len - 2, 0]).unwrap();
        assert_eq!(subset.get_all().unwrap().to_vec::<i64>().unwrap(), [len as i64 - 2, 0]);
    }
}

#[test]
fn splits_of_more_than_fits() {
    let before = default_state();
    for len in [HUGE, usize::MAX] {
        let dataset = Endless(len);
        refused(random_split(&dataset, [len - 1, 1]), ErrorKind::Memory);
        refused(random_split(&dataset, [0.5, 0.5]), ErrorKind::Memory);
        refused(random_split(&dataset, [0.05; 20]), ErrorKind::Memory);
        refused(stratified_split(&dataset, &[1, 2], [0.5, 0.5]), ErrorKind::Value);
        for k in [2, HUGE / 2, HUGE] {
            refused(KFold::new(k).split(&dataset), ErrorKind::Memory);
            refused(KFold::new(k).shuffle(true).split(&dataset), ErrorKind::Memory);
            refused(StratifiedKFold::new(k).split(&dataset, &[1, 2]), ErrorKind::Memory);
        }
    }
    // Each fold has indices of its own: a million folds of a million samples are 8 TB.
    refused(KFold::new(1 << 20).split(&Endless(1 << 20)), ErrorKind::Memory);
    assert!(
        refused(ConcatDataset::new([Endless(usize::MAX), Endless(1)]), ErrorKind::Value)
            .contains("more samples")
    );
    assert_eq!(default_state(), before, "nothing was drawn");
}

#[test]
fn images_whose_pixels_cannot_be_counted() {
    for (channels, height, width) in
        [(1, 1 << 32, 1 << 32), (3, usize::MAX, 2), (usize::MAX, usize::MAX, usize::MAX)]
    {
        let size = ImageSize { channels, height, width };
        assert_eq!(size.numel(), usize::MAX);
        assert!(
            refused(ByteImages::new(vec![], vec![1, 2], size), ErrorKind::Shape)
                .contains("0 bytes are not 2")
        );
        assert!(ByteImages::new(vec![], vec![], size).unwrap().is_empty());
    }
}

#[test]
fn a_batch_that_does_not_fit() {
    let rows = TensorDataset::new((Tensor::zeros([1, 1 << 20]).unwrap(), Tensor::new([1]))).unwrap();
    // 2^22 times the same row of 4 MiB.
    let message = refused(rows.get_batch(&vec![0; 1 << 22]), ErrorKind::Memory);
    assert!(message.contains("[4194304, 1048576]"), "{message}");
}

/// A panic whose payload panics when it is dropped ends neither the worker nor the caller.
#[test]
fn payloads_that_panic_in_their_turn() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("once more");
        }
    }
    #[derive(Clone)]
    struct Bombs;
    impl Dataset for Bombs {
        type Batch = usize;
        fn len(&self) -> usize {
            6
        }
        fn get_batch(&self, indices: &[usize]) -> Result<usize> {
            if indices[0] == 2 {
                std::panic::panic_any(Bomb);
            }
            Ok(indices[0])
        }
    }
    for workers in [0, 1, 2] {
        let start = Instant::now();
        let batches: Vec<_> = DataLoader::new(&Bombs).num_workers(workers).iter().collect();
        let good: Vec<usize> = batches.iter().filter_map(|batch| batch.as_ref().ok().copied()).collect();
        assert_eq!(good, [0, 1, 3, 4, 5], "{workers} workers");
        let message = batches.into_iter().nth(2).unwrap().unwrap_err().message().to_string();
        assert!(message.contains("the dataset panicked: no message"), "{message}");
        assert!(start.elapsed() < Duration::from_secs(20));
    }
}
