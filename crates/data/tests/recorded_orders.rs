//! Orders of samples for several seeds and sizes, as PyTorch gives them; `record.py` has recorded them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chainrule_data::{
    BatchSampler, DataLoader, RandomSampler, Sampler, SubsetRandomSampler, TensorDataset,
    WeightedRandomSampler, random_split, random_split_with,
};
use chainrule_tensor::Tensor;
use chainrule_tensor::random::{Generator, manual_seed};
use serde_json::Value;

/// Tests that draw from the process-wide generator run one at a time.
static PROCESS_WIDE: Mutex<()> = Mutex::new(());

fn seeded(seed: u64) -> MutexGuard<'static, ()> {
    let guard = PROCESS_WIDE.lock().unwrap_or_else(PoisonError::into_inner);
    manual_seed(seed);
    guard
}

fn recorded() -> Vec<Value> {
    serde_json::from_str(include_str!("recorded/orders.json")).unwrap()
}

fn list(value: &Value) -> Vec<usize> {
    serde_json::from_value(value.clone()).unwrap()
}

/// For each recording: seed, number of samples, and what was recorded.
fn each(check: impl Fn(u64, usize, &Value)) {
    let all = recorded();
    assert_eq!(all.len(), 18);
    for entry in &all {
        check(entry["seed"].as_u64().unwrap(), entry["n"].as_u64().unwrap() as usize, entry);
    }
}

/// Two epochs of a sampler, and what is drawn after them.
fn check_sampler(n: usize, seed: u64, want: &Value, sampler: impl Sampler) {
    let _guard = seeded(seed);
    let got = [0, 1].map(|_| {
        let epoch = sampler.indices(n).unwrap();
        assert_eq!(epoch.len(), sampler.len(n));
        sampler.exhausted(n);
        epoch
    });
    assert_eq!(got[0], list(&want[0]), "seed {seed}, n {n}");
    assert_eq!(got[1], list(&want[1]), "seed {seed}, n {n}");
    if !want[2].is_null() {
        let after = Tensor::randint(0, 1000, [2]).unwrap().to_vec::<i64>().unwrap();
        assert_eq!(
            after,
            list(&want[2]).iter().map(|&i| i as i64).collect::<Vec<_>>(),
            "after seed {seed}, n {n}"
        );
    }
}

#[test]
fn random() {
    each(|seed, n, want| {
        let replacing = || RandomSampler::new().replacement(true).num_samples(2 * n + 35);
        let longer = || RandomSampler::new().num_samples(2 * n + 1);
        check_sampler(n, seed, &want["random"], RandomSampler::new());
        check_sampler(n, seed, &want["replacement"], replacing());
        check_sampler(n, seed, &want["longer"], longer());
        let own = || Generator::new(seed);
        check_sampler(n, seed, &want["random_own"], RandomSampler::new().generator(own()));
        check_sampler(n, seed, &want["replacement_own"], replacing().generator(own()));
        check_sampler(n, seed, &want["longer_own"], longer().generator(own()));
    });
}

#[test]
fn weighted() {
    each(|seed, n, want| {
        let weights: Vec<f64> = (0..n).map(|i| (i * 7 % 5 + 1) as f64 / 3.0).collect();
        let many = || WeightedRandomSampler::new(weights.clone(), n + 3);
        let once = || WeightedRandomSampler::new(weights.clone(), n).replacement(false);
        check_sampler(n, seed, &want["weighted"], many());
        check_sampler(n, seed, &want["weighted_once"], once());
        check_sampler(n, seed, &want["weighted_own"], many().generator(Generator::new(seed)));
        check_sampler(n, seed, &want["weighted_once_own"], once().generator(Generator::new(seed)));
    });
}

#[test]
fn subsets() {
    each(|seed, n, want| {
        let subset = || SubsetRandomSampler::new((0..n).step_by(2).collect::<Vec<_>>());
        check_sampler(n, seed, &want["subset"], subset());
        check_sampler(n, seed, &want["subset_own"], subset().generator(Generator::new(seed)));
    });
}

#[test]
fn loaders() {
    each(|seed, n, want| {
        let _guard = seeded(seed);
        let dataset = TensorDataset::new(Tensor::arange(n).unwrap()).unwrap();
        let size = (n / 3).max(1);
        let check = |loader: DataLoader<TensorDataset<Tensor>>, want: &Value| {
            let epoch =
                || loader.iter().map(|batch| batch.unwrap().to_vec::<i64>().unwrap()).collect::<Vec<_>>();
            let got = serde_json::to_value([epoch(), epoch()]).unwrap();
            assert_eq!(got, *want, "seed {seed}, n {n}");
        };
        for drop_last in [false, true] {
            for workers in [0, 3] {
                let loader = || DataLoader::new(&dataset).num_workers(workers);
                let plain = || loader().batch_size(size).shuffle(true).drop_last(drop_last);
                manual_seed(seed);
                let batches = BatchSampler::new(RandomSampler::new(), size, drop_last).unwrap();
                check(loader().batch_sampler(batches), &want[format!("batch_sampler_{drop_last}")]);
                manual_seed(seed);
                check(plain(), &want[format!("loader_{drop_last}")]);
                check(plain().generator(Generator::new(seed)), &want[format!("loader_own_{drop_last}")]);
            }
        }
    });
}

#[test]
fn splits() {
    each(|seed, n, want| {
        let _guard = seeded(seed);
        let dataset = TensorDataset::new(Tensor::arange(n).unwrap()).unwrap();
        let parts = random_split(&dataset, [n - n / 4, n / 4]).unwrap();
        let same = |parts: &[&[usize]], want: &Value| {
            assert_eq!(serde_json::to_value(parts).unwrap(), *want, "seed {seed}, n {n}");
        };
        same(&parts.each_ref().map(|part| part.indices()), &want["lengths"]);
        let parts = random_split_with(&dataset, [0.5, 0.3, 0.2], &mut Generator::new(seed)).unwrap();
        same(&parts.each_ref().map(|part| part.indices()), &want["fractions"]);
        let parts = random_split_with(&dataset, [1.0 / 3.0; 3], &mut Generator::new(seed)).unwrap();
        same(&parts.each_ref().map(|part| part.indices()), &want["thirds"]);
    });
}
