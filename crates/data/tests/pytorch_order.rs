//! The order of samples, and what is drawn for it, against values printed by PyTorch 2.15.

use std::sync::{Mutex, MutexGuard};

use chainrule_data::{
    DataLoader, Dataset, RandomSampler, Sampler, SubsetRandomSampler, TensorDataset, WeightedRandomSampler,
    random_split, random_split_with,
};
use chainrule_tensor::Tensor;
use chainrule_tensor::random::{Generator, manual_seed};

/// Holds the process-wide generator for one test, seeded.
fn seeded(seed: u64) -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    let guard = LOCK.lock().unwrap_or_else(|e| e.into_inner());
    manual_seed(seed);
    guard
}

fn seven() -> TensorDataset<Tensor> {
    TensorDataset::new(Tensor::arange(7).unwrap()).unwrap()
}

fn epoch<D: Dataset<Batch = Tensor> + Clone + 'static>(loader: &DataLoader<D>) -> Vec<Vec<i64>> {
    loader.iter().map(|batch| batch.unwrap().to_vec().unwrap()).collect()
}

/// What `torch.randint(0, 1000, (3,))` gives: shows how much was drawn before.
fn next_draws() -> Vec<i64> {
    Tensor::randint(0, 1000, [3]).unwrap().to_vec().unwrap()
}

#[test]
fn shuffled_epochs() {
    let _guard = seeded(7);
    let loader = DataLoader::new(&seven()).batch_size(3).shuffle(true);
    assert_eq!(epoch(&loader), [vec![2, 0, 5], vec![6, 3, 4], vec![1]]);
    assert_eq!(epoch(&loader), [vec![4, 3, 2], vec![1, 5, 0], vec![6]]);
    assert_eq!(next_draws(), [988, 761, 158]);
}

#[test]
fn an_unshuffled_epoch_draws_a_base_seed() {
    let _guard = seeded(7);
    assert_eq!(epoch(&DataLoader::new(&seven()).batch_size(3)), [vec![0, 1, 2], vec![3, 4, 5], vec![6]]);
    assert_eq!(next_draws(), [721, 286, 283]);
}

#[test]
fn workers_draw_the_same() {
    for workers in [1, 4] {
        let _guard = seeded(7);
        let loader = DataLoader::new(&seven()).batch_size(3).shuffle(true).num_workers(workers);
        assert_eq!(epoch(&loader), [vec![2, 0, 5], vec![6, 3, 4], vec![1]]);
        assert_eq!(epoch(&loader), [vec![4, 3, 2], vec![1, 5, 0], vec![6]]);
        assert_eq!(next_draws(), [988, 761, 158]);
    }
}

#[test]
fn the_order_is_drawn_by_the_first_batch() {
    let _guard = seeded(7);
    let mut batches = DataLoader::new(&seven()).batch_size(3).shuffle(true).iter();
    assert_eq!(next_draws(), [721, 286, 283]);
    assert_eq!(batches.next().unwrap().unwrap().to_vec::<i64>().unwrap(), [0, 4, 2]);
    drop(batches);

    manual_seed(7);
    let loader = DataLoader::new(&seven()).batch_size(3).shuffle(true);
    let pairs: Vec<_> = loader.iter().zip(&loader).map(|(a, b)| (a.unwrap(), b.unwrap())).collect();
    assert_eq!(pairs[0].0.to_vec::<i64>().unwrap(), [5, 4, 0]);
    assert_eq!(pairs[0].1.to_vec::<i64>().unwrap(), [4, 3, 2]);
}

#[test]
fn a_generator_of_its_own() {
    let _guard = seeded(1);
    let loader = || DataLoader::new(&seven()).batch_size(3).shuffle(true).generator(Generator::new(7));
    let whole = loader();
    assert_eq!(epoch(&whole), [vec![6, 3, 5], vec![0, 1, 4], vec![2]]);
    assert_eq!(epoch(&whole), [vec![0, 5, 1], vec![2, 4, 3], vec![6]]);
    assert_eq!(next_draws(), [845, 139, 124]);

    let dropping = loader().drop_last(true);
    assert_eq!(epoch(&dropping), [[6, 3, 5], [0, 1, 4]]);
    assert_eq!(epoch(&dropping), [[0, 5, 1], [2, 4, 3]]);

    let broken_off = loader();
    assert_eq!(broken_off.iter().next().unwrap().unwrap().to_vec::<i64>().unwrap(), [6, 3, 5]);
    assert_eq!(epoch(&broken_off), [vec![3, 2, 5], vec![4, 6, 1], vec![0]]);
}

#[test]
fn samplers() {
    let _guard = seeded(7);
    let replacing = RandomSampler::new().replacement(true).num_samples(40);
    assert_eq!(
        replacing.indices(7).unwrap(),
        [
            6, 5, 0, 6, 0, 3, 6, 1, 0, 1, 4, 3, 0, 2, 3, 6, 6, 2, 4, 6, 6, 1, 2, 0, 0, 6, 6, 6, 2, 2, 2, 5,
            5, 0, 2, 3, 0, 1, 6, 3
        ]
    );
    manual_seed(7);
    let longer = RandomSampler::new().num_samples(17);
    assert_eq!(longer.indices(7).unwrap(), [6, 0, 4, 1, 2, 5, 3, 6, 1, 3, 0, 2, 5, 4, 0, 1, 2]);
    manual_seed(7);
    let subset = SubsetRandomSampler::new([10, 20, 30, 40, 50]);
    assert_eq!(subset.indices(60).unwrap(), [10, 20, 40, 30, 50]);
    assert_eq!(subset.indices(60).unwrap(), [40, 50, 20, 30, 10]);
    manual_seed(7);
    let weighted = WeightedRandomSampler::new([1.0, 0.0, 2.0, 3.5], 8);
    assert_eq!(weighted.indices(4).unwrap(), [2, 2, 3, 3, 3, 3, 2, 3]);
    manual_seed(7);
    let weighted = WeightedRandomSampler::new([1.0, 0.5, 2.0, 3.5], 3).replacement(false);
    assert_eq!(weighted.indices(4).unwrap(), [3, 0, 1]);
}

#[test]
fn a_loader_with_a_sampler() {
    let _guard = seeded(7);
    let loader = DataLoader::new(&seven()).batch_size(3).sampler(WeightedRandomSampler::new([1.0; 7], 7));
    assert_eq!(epoch(&loader), [vec![1, 6, 4], vec![6, 5, 2], vec![3]]);
    assert_eq!(next_draws(), [666, 472, 983]);
}

#[test]
fn splits() {
    let _guard = seeded(7);
    let [train, valid] = random_split(&seven(), [4, 3]).unwrap();
    assert_eq!((train.indices(), valid.indices()), (&[5, 0, 3, 1][..], &[2, 6, 4][..]));
    let [again, _] = random_split_with(&seven(), [4, 3], &mut Generator::new(7)).unwrap();
    assert_eq!(again.indices(), train.indices());
    assert_eq!(valid.get_batch(&[1, 0]).unwrap().to_vec::<i64>().unwrap(), [6, 2]);
}
