//! CIFAR-10 from files made here.

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use chainrule_data::{Cifar10, Dataset, Mnist};
use chainrule_tensor::{ErrorKind, Result};

/// A record whose pixel i of channel c is `label + 2 c + i`, kept below 256.
fn record(label: u8) -> Vec<u8> {
    let mut bytes = vec![label];
    bytes.extend((0..3072).map(|i| label.wrapping_add((2 * (i / 1024) + i % 1024) as u8)));
    bytes
}

fn write(directory: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(directory.join(name), bytes).unwrap();
}

fn refused(result: Result<Cifar10>, rule: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data, "{error}");
    assert!(error.message().contains(rule), "expected {rule:?}: {error}");
    assert_eq!(error.location().unwrap().file(), file!());
}

#[test]
fn images_and_labels() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    for i in 1..=5 {
        write(directory, &format!("data_batch_{i}.bin"), &[record(i), record(i + 4)].concat());
    }
    write(directory, "test_batch.bin", &record(3));
    let train = Cifar10::load(directory, true).unwrap();
    assert_eq!(train.labels(), [1, 5, 2, 6, 3, 7, 4, 8, 5, 9]);
    let (x, y) = train.get_batch(&[9, 0]).unwrap();
    assert_eq!((x.shape(), y.to_vec::<i64>().unwrap()), (&[2, 3, 32, 32].into(), vec![9, 1]));
    let x = x.to_vec::<f32>().unwrap();
    for (start, label) in [(0, 9u8), (3072, 1)] {
        for (channel, row, column) in [(0, 0, 0), (1, 0, 31), (2, 5, 7)] {
            let want = label.wrapping_add((2 * channel + row * 32 + column) as u8);
            assert_eq!(x[start + channel * 1024 + row * 32 + column], f32::from(want) / 255.0);
        }
    }
    assert_eq!(Cifar10::load(directory, false).unwrap().len(), 1);
    assert_eq!(Cifar10::CLASSES[3], "cat");

    std::fs::remove_file(directory.join("data_batch_4.bin")).unwrap();
    let error = Cifar10::load(directory, true).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.message().contains("data_batch_4.bin"), "{error}");
}

#[test]
fn where_the_archive_has_them() {
    let directory = tempfile::tempdir().unwrap();
    let inner = directory.path().join("cifar-10-batches-bin");
    std::fs::create_dir(&inner).unwrap();
    write(&inner, "test_batch.bin", &record(6));
    assert_eq!(Cifar10::load(directory.path(), false).unwrap().labels(), [6]);
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&[record(2), record(5)].concat()).unwrap();
    let packed = packed.finish().unwrap();
    write(&inner, "test_batch.bin", &packed);
    assert_eq!(Cifar10::load(&inner, false).unwrap().labels(), [2, 5]);
    std::fs::remove_file(inner.join("test_batch.bin")).unwrap();
    write(&inner, "test_batch.bin.gz", &packed);
    assert_eq!(Cifar10::load(directory.path(), false).unwrap().labels(), [2, 5]);
    write(&inner, "test_batch.bin.gz", &packed[..packed.len() - 9]);
    refused(Cifar10::load(&inner, false), "test_batch.bin.gz: damaged gzip stream");
    // A small file that unpacks to more than the most records have.
    let mut bomb = GzEncoder::new(Vec::new(), Compression::fast());
    bomb.write_all(&vec![0; 10_001 * 3073]).unwrap();
    write(&inner, "test_batch.bin.gz", &bomb.finish().unwrap());
    refused(Cifar10::load(&inner, false), "more than 30730000 bytes, but 10000 records");

    let python = tempfile::tempdir().unwrap();
    write(python.path(), "test_batch", b"\x80\x02}");
    let error = Cifar10::load(python.path(), false).unwrap_err();
    assert!(error.message().contains("test_batch is of the version for Python"), "{error}");
}

#[test]
fn bad_files() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let load = |bytes: &[u8]| {
        write(directory, "test_batch.bin", bytes);
        Cifar10::load(directory, false)
    };
    let two = [record(0), record(9)].concat();
    refused(
        load(&two[..6145]),
        "test_batch.bin: truncated: record 1, from byte 3073 on, has 3072 of 3073 bytes",
    );
    refused(load(&[&two[..], &[0]].concat()), "record 2, from byte 6146 on, has 1 of 3073");
    refused(load(&[]), "there are no records");
    refused(load(&[record(0), record(10)].concat()), "the label of record 1, at byte 3073, is 10");
    // A file without contents of a length that nobody should try to read.
    std::fs::File::create(directory.join("test_batch.bin")).unwrap().set_len(1 << 40).unwrap();
    refused(Cifar10::load(directory, false), "1099511627776 bytes, but 10000 records");
    refused(Cifar10::parse(&two[1..]), "truncated");
}

#[test]
fn mnist_is_read_as_its_relative() {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/fashion-mnist-sample");
    let digits = Mnist::load(sample, false).unwrap();
    assert_eq!(
        (digits.len(), digits.to_tensors().unwrap().tensors().0.shape()),
        (2000, &[2000, 1, 28, 28].into())
    );
    let error = Mnist::load("nowhere", true).unwrap_err();
    assert_eq!(error.operation(), "Mnist");
}
