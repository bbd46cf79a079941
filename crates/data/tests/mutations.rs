//! Valid files with bytes changed, taken out and put in: every reader gives a value or an error that is fit to be
//! shown, and neither panics nor asks for more memory than the file could fill.

use std::path::Path;

use chainrule_data::{Cifar10, DataLoaderState, IdxFile, parse_npy, parse_npz};
use chainrule_tensor::{ErrorKind, Result};
use proptest::prelude::*;

/// A change of a file.
#[derive(Clone, Debug)]
enum Change {
    Set(prop::sample::Index, u8),
    Flip(prop::sample::Index, u8),
    Number(prop::sample::Index, u32),
    Cut(prop::sample::Index),
    Remove(prop::sample::Index, usize),
    Insert(prop::sample::Index, Vec<u8>),
    Repeat(prop::sample::Index, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let index = any::<prop::sample::Index>;
    let number =
        prop_oneof![Just(0), Just(1), Just(u32::MAX), Just(i32::MAX as u32), Just(1 << 31), any::<u32>()];
    prop_oneof![
        (index(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (index(), 0u8..8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        (index(), number).prop_map(|(at, number)| Change::Number(at, number)),
        index().prop_map(Change::Cut),
        (index(), 1usize..40).prop_map(|(at, count)| Change::Remove(at, count)),
        (index(), prop::collection::vec(any::<u8>(), 1..9)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (index(), 1usize..40).prop_map(|(at, count)| Change::Repeat(at, count)),
    ]
}

fn apply(change: &Change, bytes: &mut Vec<u8>) {
    let length = bytes.len().max(1);
    let end = |at: usize, count: usize, bytes: &[u8]| (at + count).min(bytes.len());
    match change {
        _ if bytes.is_empty() => {}
        Change::Set(at, byte) => bytes[at.index(length)] = *byte,
        Change::Flip(at, bit) => bytes[at.index(length)] ^= 1 << bit,
        Change::Number(at, number) => {
            let at = at.index(length);
            let end = end(at, 4, bytes);
            // In either byte order, by chance.
            let number = if number % 3 == 0 { number.to_be_bytes() } else { number.to_le_bytes() };
            bytes[at..end].copy_from_slice(&number[..end - at]);
        }
        Change::Cut(at) => bytes.truncate(at.index(length)),
        Change::Remove(at, count) => {
            let at = at.index(length);
            bytes.drain(at..end(at, *count, bytes));
        }
        Change::Insert(at, new) => {
            let at = at.index(length);
            bytes.splice(at..at, new.iter().copied());
        }
        Change::Repeat(at, count) => {
            let at = at.index(length);
            let again = bytes[at..end(at, *count, bytes)].to_vec();
            bytes.splice(at..at, again);
        }
    }
}

/// What came of a file: an error is one of its contents, and says something.
fn sound<T>(result: Result<T>) {
    if let Err(error) = result {
        assert_eq!(error.kind(), ErrorKind::Data, "{error}");
        assert!(!error.message().is_empty());
    }
}

fn recorded(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/npy").join(name)).unwrap()
}

fn run(files: &[Vec<u8>], cases: u32, read: impl Fn(&[u8])) {
    for file in files {
        read(file);
        let strategy = prop::collection::vec(change(), 1..6);
        let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) };
        proptest!(config, |(changes in strategy)| {
            let mut bytes = file.clone();
            changes.iter().for_each(|change| apply(change, &mut bytes));
            read(&bytes);
        });
    }
}

#[test]
fn idx() {
    let mut plain = vec![0, 0, 0x0B, 2, 0, 0, 0, 3, 0, 0, 0, 4];
    plain.extend(0..24);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, &plain).unwrap();
    run(&[plain, encoder.finish().unwrap()], 1500, |bytes| sound(IdxFile::parse(bytes)));
}

#[test]
fn npy() {
    let files =
        ["f4-big-F.npy", "u8-little-C.npy", "rank5-F.npy", "b1-one-C.npy", "version2.npy"].map(recorded);
    run(&files, 600, |bytes| sound(parse_npy(bytes)));
}

#[test]
fn npz() {
    let files = ["stored.npz", "deflated.npz", "commented.npz"].map(recorded);
    run(&files, 1000, |bytes| sound(parse_npz(bytes)));
}

#[test]
fn cifar10() {
    let file = [vec![3; 3073], vec![9; 3073]].concat();
    run(&[file], 300, |bytes| sound(Cifar10::parse(bytes)));
}

/// The state of a loader comes from a file too.
#[test]
fn loader_states() {
    use chainrule_data::{BatchSampler, DataLoader, RandomSampler, TensorDataset};
    use chainrule_tensor::Tensor;
    let dataset = TensorDataset::new(Tensor::arange(9).unwrap()).unwrap();
    let loader = || {
        let sampler = RandomSampler::new().generator(chainrule_tensor::random::Generator::new(1));
        DataLoader::new(&dataset).batch_sampler(BatchSampler::new(sampler, 2, false).unwrap())
    };
    let saving = loader();
    let mut batches = saving.iter();
    batches.next();
    let state = batches.state();
    let file = serde_json::to_vec(&DataLoaderState { sampler: None, ..state.clone() }).unwrap();
    let generator = state.sampler;
    run(&[file], 2000, |bytes| {
        let Ok(state) = serde_json::from_slice::<DataLoaderState>(bytes) else { return };
        let state = DataLoaderState { sampler: generator.clone(), ..state };
        if let Ok(batches) = loader().resume(&state) {
            batches.for_each(drop);
        }
    });
}

#[cfg(feature = "csv")]
#[test]
fn csv() {
    use chainrule_data::{CsvFile, CsvOptions};
    let files = [&b"a,b,c\n1.5,2,true\n\"x \"\"y\"\"\",-3,0\n"[..], b"\xEF\xBB\xBFn\r\n1\r\n2\r\n"]
        .map(<[u8]>::to_vec);
    run(&files, 1500, |bytes| {
        let table = CsvFile::parse(bytes);
        if let Ok(table) = &table {
            for name in table.column_names() {
                sound(table.column::<f64>(name));
                sound(table.column::<i64>(name));
                sound(table.column::<bool>(name));
                table.classes(name).unwrap();
            }
        }
        sound(table);
        sound(CsvOptions::new().headers(false).missing_as_nan(true).parse(bytes));
    });
}

#[cfg(feature = "image")]
#[test]
fn images() {
    use chainrule_data::{ImageOptions, parse_image};
    use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
    let image = RgbImage::from_fn(9, 7, |x, y| Rgb([(x * 28) as u8, (y * 30) as u8, (x * y) as u8]));
    let files = [ImageFormat::Png, ImageFormat::Jpeg].map(|format| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        DynamicImage::from(image.clone()).write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    });
    run(&files, 600, |bytes| sound(parse_image(bytes, ImageOptions::default())));
}
