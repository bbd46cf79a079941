//! Fashion-MNIST from files made here.

use std::io::Write;
use std::path::Path;

use chainrule_data::{DataLoader, Dataset, FashionMnist, Mnist};
use chainrule_tensor::ErrorKind;
use flate2::{Compression, write::GzEncoder};

fn write(directory: &Path, name: &str, sizes: &[u32], data: &[u8]) {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    sizes.iter().for_each(|n| bytes.extend(n.to_be_bytes()));
    bytes.extend(data);
    if name.ends_with(".gz") {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&bytes).unwrap();
        bytes = encoder.finish().unwrap();
    }
    std::fs::write(directory.join(name), bytes).unwrap();
}

/// Images whose pixels are all 51 times their number, so that they are read as fifths.
fn images(n: u8) -> Vec<u8> {
    (0..n).flat_map(|i| [i * 51; 784]).collect()
}

#[test]
fn images_and_labels() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    write(directory, "train-images-idx3-ubyte", &[3, 28, 28], &images(3));
    write(directory, "train-labels-idx1-ubyte.gz", &[3], &[4, 0, 9]);
    write(directory, "t10k-images-idx3-ubyte.gz", &[1, 28, 28], &images(1));
    write(directory, "t10k-labels-idx1-ubyte", &[1], &[5]);

    let train = FashionMnist::load(directory, true).unwrap();
    assert_eq!((train.len(), train.labels()), (3, &[4, 0, 9][..]));
    let (x, y) = train.get_batch(&[2, 0]).unwrap();
    assert_eq!(x.shape(), &[2, 1, 28, 28]);
    let x = x.to_vec::<f32>().unwrap();
    assert!(x[..784].iter().all(|&p| p == 0.4) && x[784..].iter().all(|&p| p == 0.0));
    assert_eq!(y.to_vec::<i64>().unwrap(), [9, 4]);
    assert!(train.get_batch(&[3]).unwrap_err().message().contains("sample 3"));

    let all = train.to_tensors().unwrap();
    assert_eq!(all.tensors().0.shape(), &[3, 1, 28, 28]);
    assert_eq!(FashionMnist::load(directory, false).unwrap().len(), 1);
    assert_eq!(DataLoader::new(&train).batch_size(2).iter().count(), 2);
}

#[test]
fn bytes_become_what_a_division_by_255_gives() {
    let directory = tempfile::tempdir().unwrap();
    let pixels: Vec<u8> = (0..784).map(|i| (i % 256) as u8).collect();
    write(directory.path(), "train-images-idx3-ubyte", &[1, 28, 28], &pixels);
    write(directory.path(), "train-labels-idx1-ubyte", &[1], &[0]);
    let (x, _) = FashionMnist::load(directory.path(), true).unwrap().get_batch(&[0]).unwrap();
    for (x, byte) in x.to_vec::<f32>().unwrap().into_iter().zip(pixels) {
        assert_eq!(x, (f64::from(byte) / 255.0) as f32);
    }
}

#[test]
fn files_that_do_not_fit() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let refused = |kind, rules: &[&str]| {
        let error = FashionMnist::load(directory, true).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(directory.to_str().unwrap()), "{error}");
        assert_eq!(error.location().unwrap().file(), file!());
        for rule in rules {
            assert!(error.message().contains(rule), "expected {rule:?}: {error}");
        }
    };
    refused(ErrorKind::Io, &["neither train-images-idx3-ubyte nor train-images-idx3-ubyte.gz"]);
    write(directory, "train-images-idx3-ubyte", &[2, 28, 27], &[0; 2 * 28 * 27]);
    refused(ErrorKind::Io, &["neither train-labels-idx1-ubyte"]);
    write(directory, "train-labels-idx1-ubyte", &[2], &[1, 2]);
    refused(ErrorKind::Data, &["train-images", "[2, 28, 27]"]);
    write(directory, "train-images-idx3-ubyte", &[2, 784], &images(2));
    refused(ErrorKind::Data, &["train-images", "[2, 784]"]);
    write(directory, "train-images-idx3-ubyte", &[2, 28, 28], &images(2));
    write(directory, "train-labels-idx1-ubyte", &[2, 1], &[1, 2]);
    refused(ErrorKind::Data, &["train-labels", "[2, 1]"]);
    write(directory, "train-labels-idx1-ubyte", &[3], &[1, 2, 3]);
    refused(ErrorKind::Data, &["3 labels", "2 images"]);
    write(directory, "train-labels-idx1-ubyte", &[2], &[9, 10]);
    refused(ErrorKind::Data, &["label 1 is 10"]);
    write(directory, "train-labels-idx1-ubyte", &[2], &[9, 0]);
    assert!(FashionMnist::load(directory, true).is_ok());
}

/// As some programs unpack the archives, and as some mirrors have them.
#[test]
fn names_with_a_dot() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    write(directory, "train-images.idx3-ubyte", &[2, 28, 28], &images(2));
    write(directory, "train-labels.idx1-ubyte", &[2], &[4, 9]);
    write(directory, "t10k-images.idx3-ubyte.gz", &[1, 28, 28], &images(1));
    write(directory, "t10k-labels-idx1-ubyte.gz", &[1], &[7]);
    assert_eq!(Mnist::load(directory, true).unwrap().labels(), [4, 9]);
    assert_eq!(FashionMnist::load(directory, false).unwrap().labels(), [7]);
    // The published name counts where both are there.
    write(directory, "train-labels-idx1-ubyte", &[2], &[1, 2]);
    assert_eq!(Mnist::load(directory, true).unwrap().labels(), [1, 2]);
}

#[test]
fn the_sample_that_comes_with_the_examples() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/fashion-mnist-sample");
    for (train, of_each_class) in [(true, 1000), (false, 200)] {
        let sample = FashionMnist::load(directory, train).unwrap();
        let mut counts = [0; 10];
        sample.labels().iter().for_each(|&label| counts[usize::from(label)] += 1);
        assert_eq!(counts, [of_each_class; 10]);
        assert_eq!(sample.pixels().len(), 10 * of_each_class * 784);
    }
}
