//! Stratified splits, folds, and what is refused.

use chainrule_data::{
    ConcatDataset, Dataset, KFold, StratifiedKFold, Subset, TensorDataset, random_split, stratified_split,
    stratified_split_with,
};
use chainrule_tensor::random::Generator;
use chainrule_tensor::{ErrorKind, Tensor};
use proptest::prelude::*;

type Numbers = TensorDataset<Tensor>;

fn numbers(n: usize) -> Numbers {
    TensorDataset::new(Tensor::arange(n).unwrap()).unwrap()
}

fn message<T>(result: chainrule_tensor::Result<T>) -> String {
    let error = result.err().expect("an error");
    assert_eq!((error.kind(), error.location().unwrap().file()), (ErrorKind::Value, file!()));
    error.message().to_string()
}

/// The lengths are those that PyTorch gives: `torch.utils.data.random_split(range(n), fractions)`.
#[test]
fn fractions_add_up_as_numbers_do() {
    fn lengths<const N: usize>(n: usize, fractions: [f64; N]) -> [usize; N] {
        random_split(&numbers(n), fractions).unwrap().map(|part| part.len())
    }
    // Added one after the other, twenty times 0.05 is 1.0000000000000002.
    assert_eq!(lengths(40, [0.05; 20]), [2; 20]);
    assert_eq!(lengths(47, [0.05; 20]), [3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
    assert_eq!(lengths(10, [0.1; 10]), [1; 10]);
    assert_eq!(lengths(5, [0.7, 0.2, 0.1]), [4, 1, 0]);
    assert_eq!(lengths(3, [0.05; 20])[..4], [1, 1, 1, 0]);
    assert_eq!(lengths(0, [0.5, 0.5]), [0, 0]);
    // Parts that somebody has divided by their sum: rounding may make it a little more than 1.
    let parts = [1.0, 2.0, 4.0, 3.0, 7.0, 9.0, 0.3].map(|x: f64| x / 26.3);
    assert_eq!(lengths(263, parts), [11, 20, 40, 30, 70, 90, 2]);
    let above = f64::from_bits(0.5f64.to_bits() + 1);
    assert_eq!(lengths(7, [above, above]), [4, 3]);
    for off in [1e-6, -1e-6] {
        assert!(message(random_split(&numbers(7), [0.5, 0.5 + off])).contains("not to 1"));
    }
    assert!(message(random_split(&numbers(7), [0.5, f64::INFINITY])).contains("fraction 1 is inf"));
}

#[test]
fn fractions_that_are_refused() {
    let dataset = numbers(10);
    assert!(message(random_split(&dataset, [0.5, 0.4])).contains("add up to 0.9"));
    assert!(message(random_split(&dataset, [0.7, 0.4])).contains("not to 1"));
    assert!(message(random_split(&dataset, [1.5, -0.5])).contains("fraction 0 is 1.5"));
    assert!(message(random_split(&dataset, [f64::NAN, 1.0])).contains("fraction 0 is NaN"));
    assert!(message(random_split(&dataset, [0usize; 0])).contains("do not add up"));
    assert!(message(stratified_split(&dataset, &[0; 9], [0.5, 0.5])).contains("9 labels for the 10 samples"));
}

/// Every sample is in one part, and the parts have the lengths that were asked for.
fn check_parts(parts: &[Subset<Numbers>], n: usize) {
    let mut all: Vec<usize> = parts.iter().flat_map(|part| part.indices().to_vec()).collect();
    all.sort();
    assert_eq!(all, (0..n).collect::<Vec<_>>());
}

#[test]
fn stratified_parts_have_the_shares_of_the_whole() {
    // 600, 300 and 100 of three classes, all mixed.
    let labels: Vec<&str> =
        (0..1000).map(|i| ["a", "b", "c"][[0, 0, 1, 0, 1, 0, 0, 2, 1, 0][i % 10]]).collect();
    let parts =
        stratified_split_with(&numbers(1000), &labels, [0.7, 0.2, 0.1], &mut Generator::new(3)).unwrap();
    check_parts(&parts, 1000);
    for (part, share) in parts.iter().zip([700, 200, 100]) {
        let count = |class| part.indices().iter().filter(|&&i| labels[i] == class).count();
        assert_eq!([count("a"), count("b"), count("c")], [share * 6 / 10, share * 3 / 10, share / 10]);
        assert!(part.indices().is_sorted());
    }
    let other =
        stratified_split_with(&numbers(1000), &labels, [0.7, 0.2, 0.1], &mut Generator::new(4)).unwrap();
    assert_ne!(other[0].indices(), parts[0].indices());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]
    #[test]
    fn stratified_parts_are_within_two_of_their_share(
        labels in prop::collection::vec(0u8..6, 1..120),
        cuts in (0.0f64..1.0, 0.0f64..1.0),
        seed in any::<u64>(),
    ) {
        let n = labels.len();
        let (low, high) = (cuts.0.min(cuts.1), cuts.0.max(cuts.1));
        let ends = [(low * n as f64) as usize, (high * n as f64) as usize, n];
        let lengths = [ends[0], ends[1] - ends[0], ends[2] - ends[1]];
        let parts = stratified_split_with(&numbers(n), &labels, lengths, &mut Generator::new(seed)).unwrap();
        check_parts(&parts, n);
        for (part, length) in parts.iter().zip(lengths) {
            prop_assert_eq!(part.len(), length);
            for class in 0..6 {
                let of_class = |indices: &[usize]| indices.iter().filter(|&&i| labels[i] == class).count() as f64;
                let whole = of_class(&(0..n).collect::<Vec<_>>());
                let share = whole * length as f64 / n as f64;
                prop_assert!((of_class(part.indices()) - share).abs() < 2.0);
            }
        }
    }

    #[test]
    fn folds_cover_everything_once(n in 2usize..60, k in 2usize..10, seed in any::<u64>(), classes in 1usize..4) {
        prop_assume!(k <= n);
        let dataset = numbers(n);
        let plain = KFold::new(k).split(&dataset).unwrap();
        let shuffled = KFold::new(k).shuffle(true).generator(Generator::new(seed)).split(&dataset).unwrap();
        for folds in [&plain, &shuffled] {
            let valid: Vec<Subset<Numbers>> = folds.iter().map(|fold| fold.1.clone()).collect();
            check_parts(&valid, n);
            for (i, (train, valid)) in folds.iter().enumerate() {
                check_parts(&[train.clone(), valid.clone()], n);
                prop_assert_eq!(valid.len(), n / k + usize::from(i < n % k));
            }
        }
        let labels: Vec<usize> = (0..n).map(|i| i * 31 % 7 % classes).collect();
        let most = (0..classes).map(|class| labels.iter().filter(|&&l| l == class).count()).max().unwrap();
        prop_assume!(most >= k);
        for shuffle in [false, true] {
            let folds = StratifiedKFold::new(k).shuffle(shuffle).generator(Generator::new(seed));
            let folds = folds.split(&dataset, &labels).unwrap();
            check_parts(&folds.iter().map(|fold| fold.1.clone()).collect::<Vec<_>>(), n);
            for (_, valid) in &folds {
                for class in 0..classes {
                    let whole = labels.iter().filter(|&&label| label == class).count() as f64;
                    let here = valid.indices().iter().filter(|&&i| labels[i] == class).count() as f64;
                    prop_assert!((here - whole / k as f64).abs() < 1.0 + 1e-9);
                }
            }
        }
    }
}

/// Written out by hand from scikit-learn's rule: its documentation's example, and one with uneven classes.
#[test]
fn folds_of_neighbours_and_of_classes() {
    let folds = KFold::new(3).split(&numbers(7)).unwrap();
    let valid: Vec<&[usize]> = folds.iter().map(|fold| fold.1.indices()).collect();
    assert_eq!(valid, [&[0, 1, 2][..], &[3, 4], &[5, 6]]);
    assert_eq!(folds[1].0.indices(), [0, 1, 2, 5, 6]);

    // Classes b, a, b, a, a, b, a in rows: "b" comes first, with three samples; places 0 1 2 | 3 4 5 6 of the folds
    // 0 1 0 | 1 0 1 0, so "b" goes 0 0 1 and "a" 0 0 1 1.
    let folds = StratifiedKFold::new(2).split(&numbers(7), &["b", "a", "b", "a", "a", "b", "a"]).unwrap();
    assert_eq!(folds[0].1.indices(), [0, 1, 2, 3]);
    assert_eq!(folds[1].1.indices(), [4, 5, 6]);
}

#[test]
fn folds_that_are_refused() {
    let dataset = numbers(4);
    assert!(message(KFold::new(1).split(&dataset)).contains("at least 2 folds"));
    assert!(message(KFold::new(5).split(&dataset)).contains("4 samples do not make 5 folds"));
    assert!(message(StratifiedKFold::new(2).split(&dataset, &[1, 2])).contains("2 labels"));
    assert!(message(StratifiedKFold::new(3).split(&dataset, &[1, 2, 1, 2])).contains("as many as 3"));
}

#[test]
fn datasets_one_after_the_other() {
    let rows = |from: i64| {
        let x = Tensor::new([from, from + 1, from + 2]);
        TensorDataset::new((x.to_dtype(chainrule_tensor::DType::F32).unwrap(), x)).unwrap()
    };
    let both = ConcatDataset::new([rows(0), rows(10), rows(20)]).unwrap();
    assert_eq!(both.len(), 9);
    for indices in [vec![8, 0, 4, 4, 3, 1], vec![3, 5, 4], vec![0], vec![]] {
        let (x, y) = both.get_batch(&indices).unwrap();
        let want: Vec<i64> = indices.iter().map(|&i| (i / 3 * 10 + i % 3) as i64).collect();
        assert_eq!(y.to_vec::<i64>().unwrap(), want);
        assert_eq!(x.to_vec::<f32>().unwrap(), want.iter().map(|&i| i as f32).collect::<Vec<_>>());
    }
    assert!(both.get_batch(&[9]).unwrap_err().message().contains("sample 9 is out of range: there are 9"));
    assert!(message(ConcatDataset::<Numbers>::new([])).contains("at least one dataset"));
    let hollow = ConcatDataset::new([numbers(0), numbers(2), numbers(0), numbers(1)]).unwrap();
    assert_eq!(hollow.get_batch(&[2, 0, 1]).unwrap().to_vec::<i64>().unwrap(), [0, 0, 1]);
    let unlike = ConcatDataset::new([
        TensorDataset::new(Tensor::zeros([2, 3]).unwrap()).unwrap(),
        TensorDataset::new(Tensor::zeros([2, 4]).unwrap()).unwrap(),
    ]);
    let said = unlike.unwrap().get_batch(&[1, 3]).unwrap_err().message().to_string();
    assert!(said.contains("sample 1") && said.contains("[3]") && said.contains("sample 3"), "{said}");
}
