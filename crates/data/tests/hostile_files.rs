//! Files that are no files, and headers that lie: errors, at once, and no memory asked for in vain.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use chainrule_data::{Cifar10, IdxData, IdxFile, Mnist, parse_npy, parse_npz, read_npy, read_npz};
use chainrule_tensor::{ErrorKind, Result};

#[track_caller]
fn refused<T>(result: Result<T>, kind: ErrorKind, rule: &str) {
    let error = result.err().expect("an error");
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.message().contains(rule), "expected {rule:?}: {error}");
    assert_eq!(error.location().unwrap().file(), file!(), "{error}");
}

/// Every reader, of the same path.
fn read_all(path: &Path) -> Vec<(&'static str, Result<()>)> {
    vec![
        ("npy", read_npy(path).map(drop)),
        ("npz", read_npz(path).map(drop)),
        ("idx", IdxFile::read(path).map(drop)),
        #[cfg(feature = "csv")]
        ("csv", chainrule_data::CsvFile::read(path).map(drop)),
        #[cfg(feature = "image")]
        ("image", chainrule_data::read_image(path, Default::default()).map(drop)),
    ]
}

/// Opening a pipe waits for its other end, and a device may never end.
#[cfg(unix)]
#[test]
fn what_is_no_plain_file() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let link = directory.path().join("link");
    std::os::unix::fs::symlink(&pipe, &link).unwrap();
    let start = Instant::now();
    for path in [&pipe, &link, Path::new("/dev/zero"), Path::new("/dev/null"), directory.path()] {
        for (reader, result) in read_all(path) {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Io, "{reader}: {error}");
            assert!(error.message().contains("not a file"), "{reader}: {error}");
        }
    }
    // Datasets look for names, and a pipe of that name is none of their files.
    for name in ["train-images-idx3-ubyte", "data_batch_1.bin"] {
        std::fs::rename(&pipe, directory.path().join(name)).unwrap();
        assert_eq!(Mnist::load(directory.path(), true).unwrap_err().kind(), ErrorKind::Io);
        assert_eq!(Cifar10::load(directory.path(), true).unwrap_err().kind(), ErrorKind::Io);
        std::fs::rename(directory.path().join(name), &pipe).unwrap();
    }
    assert!(start.elapsed() < Duration::from_secs(20));
    // A link to a plain file is as good as the file.
    let (file, link) = (directory.path().join("file.npy"), directory.path().join("good"));
    std::fs::write(&file, npy("<f4", "(1,)", false, &1f32.to_le_bytes())).unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    assert_eq!(read_npy(&link).unwrap().item().unwrap(), 1.0);
    assert_eq!(read_npy(directory.path().join("none")).unwrap_err().kind(), ErrorKind::Io);
}

#[cfg(all(unix, feature = "image"))]
#[test]
fn pipes_among_images() {
    use chainrule_data::{Dataset, ImageFolder};
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("cat")).unwrap();
    let pipe = directory.path().join("cat/a.png");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let folder = ImageFolder::open(directory.path()).unwrap();
    refused(folder.get_batch(&[0]), ErrorKind::Io, "sample 0: ");
}

fn npy(descr: &str, shape: &str, fortran: bool, data: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let text = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn headers_of_arrays() {
    let data = [0; 64];
    for fortran in [false, true] {
        let header = |descr: &str, shape: &str| parse_npy(&npy(descr, shape, fortran, &data));
        for (shape, rule) in [
            ("(1152921504606846976,)", "does not fit in memory"),
            ("(4294967296, 4294967296)", "does not fit in memory"),
            ("(4294967296, 4294967296, 0)", "does not fit in memory"),
            ("(0, 4611686018427387904)", "does not fit in memory"),
            ("(1099511627776,)", "truncated"),
            ("(18446744073709551615,)", "does not fit in memory"),
            ("(18446744073709551616,)", "expected a size"),
            ("(-1,)", "expected a size"),
            ("(-9223372036854775808, 2)", "expected a size"),
            ("(2.0,)", "expected ','"),
            ("(None,)", "expected a size"),
            ("8", "expected '('"),
            ("[8]", "expected '('"),
            ("(7,)", "longer than its header says"),
            ("(9,)", "truncated"),
        ] {
            refused(header("<f8", shape), ErrorKind::Data, rule);
        }
        for descr in
            ["<c8", "<c16", "|O", "<U4", "|S8", "<M8[ns]", "|V2", "<f16", "<f3", "<i16", "f8", "", "<", "é8"]
        {
            refused(header(descr, "(8,)"), ErrorKind::Data, "its elements are of type");
        }
        assert_eq!(header("<f8", "(4, 0, 3)").err().map(|e| e.kind()), Some(ErrorKind::Data));
        assert_eq!(parse_npy(&npy("<f8", "(4, 0, 3)", fortran, &[])).unwrap().shape(), &[4, 0, 3]);
        // As many dimensions as NumPy has, and one more.
        let ones = |n: usize| format!("({})", "1, ".repeat(n));
        let most = parse_npy(&npy("<f4", &ones(64), fortran, &2.5f32.to_le_bytes())).unwrap();
        assert_eq!((most.rank(), most.item().unwrap()), (64, 2.5));
        refused(header("<f8", &ones(65)), ErrorKind::Data, "more than 64 dimensions");
    }
    refused(parse_npz(&npy("<f8", "(8,)", false, &data)), ErrorKind::Data, "not a ZIP archive");
}

fn idx(code: u8, sizes: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, code, sizes.len() as u8];
    sizes.iter().for_each(|n| bytes.extend(n.to_be_bytes()));
    bytes.extend(data);
    bytes
}

#[test]
fn headers_of_idx() {
    const MOST: u32 = u32::MAX;
    refused(IdxFile::parse(&idx(8, &[MOST, MOST, MOST], &[])), ErrorKind::Data, "does not fit in memory");
    refused(IdxFile::parse(&idx(0x0E, &[MOST; 255], &[])), ErrorKind::Data, "does not fit in memory");
    refused(IdxFile::parse(&idx(8, &[MOST, MOST, 0, MOST], &[])), ErrorKind::Data, "does not fit in memory");
    refused(IdxFile::parse(&idx(8, &[1 << 20, 1 << 20], &[1])), ErrorKind::Data, "truncated");
    refused(IdxFile::parse(&idx(0x0A, &[1], &[1])), ErrorKind::Data, "unknown IDX element type 0x0a");
    let many = IdxFile::parse(&idx(0x0C, &[1; 255], &7i32.to_be_bytes())).unwrap();
    assert_eq!((many.shape().len(), many.data()), (255, &IdxData::I32(vec![7])));
    match many.to_tensor() {
        Ok(tensor) => assert_eq!(tensor.item().unwrap(), 7.0),
        Err(error) => assert_eq!(error.location().unwrap().file(), file!()),
    }
    let scalar = IdxFile::parse(&idx(8, &[], &[9])).unwrap();
    assert_eq!(scalar.to_tensor().unwrap().item().unwrap(), 9.0);
}

/// A file without contents may be as long as one likes: what it could hold is not what memory can.
#[test]
fn files_that_are_long_and_hollow() {
    let directory = tempfile::tempdir().unwrap();
    let make = |name: &str, start: &[u8], end: &[u8], length: u64| {
        let path = directory.path().join(name);
        let mut file = std::fs::File::create(&path).unwrap();
        file.write_all(start).unwrap();
        if file.set_len(length).is_err() {
            return None; // a file system with shorter files
        }
        let end_at = length - end.len() as u64;
        std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(end_at)).unwrap();
        file.write_all(end).unwrap();
        Some(path)
    };
    const LONG: u64 = 1 << 43;
    let start = npy("<f4", "(1099511627776, )", false, &[]);
    if let Some(path) = make("long.npy", &start, &[], LONG) {
        refused(read_npy(&path), ErrorKind::Data, "do not fit in memory");
    }
    let start = idx(0x08, &[1 << 21, 1 << 21], &[]);
    if let Some(path) = make("long.idx", &start, &[], LONG) {
        refused(IdxFile::read(&path), ErrorKind::Data, "do not fit in memory");
    }
    // The end of a directory in 64 bits, its locator, and the end in 32, which says that all is there.
    let place = LONG - 56 - 20 - 22;
    let mut end = 0x0606_4B50u32.to_le_bytes().to_vec();
    end.extend([0; 28]);
    end.extend((1u64 << 30).to_le_bytes()); // members
    end.extend((LONG - 1000).to_le_bytes()); // bytes of the directory
    end.extend(0u64.to_le_bytes()); // where it begins
    end.extend(0x0706_4B50u32.to_le_bytes());
    end.extend(0u32.to_le_bytes());
    end.extend(place.to_le_bytes());
    end.extend(1u32.to_le_bytes());
    end.extend(0x0605_4B50u32.to_le_bytes());
    end.extend([0; 4]);
    end.extend([0xFF; 12]);
    end.extend([0; 2]);
    assert_eq!(end.len(), 56 + 20 + 22);
    if let Some(path) = make("long.npz", &[], &end, LONG) {
        refused(read_npz(&path), ErrorKind::Data, "do not fit in memory");
    }
}
