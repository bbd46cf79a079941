//! IDX files, good and bad.

use std::io::Write;
use std::path::PathBuf;

use chainrule_data::{IdxData, IdxFile};
use chainrule_tensor::{DType, ErrorKind};
use flate2::{Compression, write::GzEncoder};
use tempfile::TempDir;

/// A header of the element type and the sizes, and the data after it.
fn idx(code: u8, sizes: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, code, sizes.len() as u8];
    sizes.iter().for_each(|n| bytes.extend(n.to_be_bytes()));
    bytes.extend(data);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

struct Files(TempDir);

impl Files {
    fn new() -> Files {
        Files(tempfile::tempdir().unwrap())
    }

    fn write(&self, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join("some-file");
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn read(&self, bytes: &[u8]) -> IdxFile {
        IdxFile::read(self.write(bytes)).unwrap()
    }

    /// What is said about a bad file, plain and compressed; the path must be part of it.
    fn refused(&self, bytes: &[u8], rule: &str) {
        self.refused_as_it_is(bytes, rule);
        self.refused_as_it_is(&gzip(bytes), rule);
    }

    fn refused_as_it_is(&self, bytes: &[u8], rule: &str) {
        let path = self.write(bytes);
        let error = IdxFile::read(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data, "{error}");
        assert!(error.message().contains(rule), "expected {rule:?}: {error}");
        assert!(error.message().contains(path.to_str().unwrap()), "{error}");
        assert_eq!(error.location().unwrap().file(), file!());
    }
}

#[test]
fn every_element_type() {
    let files = Files::new();
    let read = |code, sizes: &[u32], data: &[u8]| {
        let plain = files.read(&idx(code, sizes, data));
        let packed = files.read(&gzip(&idx(code, sizes, data)));
        assert_eq!(plain.data(), packed.data());
        assert_eq!(plain.shape(), packed.shape());
        plain
    };
    let bytes = read(0x08, &[3, 1], &[0, 7, 255]);
    assert_eq!(*bytes.data(), IdxData::U8(vec![0, 7, 255]));
    assert_eq!(bytes.shape(), &[3, 1]);
    assert_eq!(bytes.to_tensor().unwrap().to_vec::<i64>().unwrap(), [0, 7, 255]);
    assert_eq!(bytes.to_tensor().unwrap().shape(), &[3, 1]);

    let tensor = |code, data: &[u8]| read(code, &[2], data).to_tensor().unwrap();
    assert_eq!(tensor(0x09, &[1, 0xFF]).to_vec::<i64>().unwrap(), [1, -1]);
    assert_eq!(tensor(0x0B, &[1, 2, 0xFF, 0xFE]).to_vec::<i64>().unwrap(), [258, -2]);
    assert_eq!(tensor(0x0C, &[0, 1, 0, 0, 0x80, 0, 0, 0]).to_vec::<i64>().unwrap(), [65536, -2147483648]);
    // 1.5 and −2 as IEEE 754 writes them.
    assert_eq!(tensor(0x0D, &[0x3F, 0xC0, 0, 0, 0xC0, 0, 0, 0]).to_vec::<f32>().unwrap(), [1.5, -2.0]);
    let doubles = tensor(0x0E, &[0x3F, 0xF8, 0, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(doubles.to_vec::<f64>().unwrap(), [1.5, -2.0]);
    assert_eq!(doubles.dtype(), DType::F64);
}

#[test]
fn any_rank_and_empty_dimensions() {
    let files = Files::new();
    assert_eq!(files.read(&idx(8, &[], &[9])).shape(), &[]);
    assert_eq!(files.read(&idx(8, &[1, 2, 1, 2, 1, 2], &[0; 8])).shape(), &[1, 2, 1, 2, 1, 2]);
    let empty = files.read(&idx(0x0E, &[0, 28, 28], &[]));
    assert_eq!(empty.to_tensor().unwrap().shape(), &[0, 28, 28]);
    assert_eq!(files.read(&idx(8, &[1; 255], &[3])).shape().len(), 255);
}

#[test]
fn compressed_in_several_members() {
    let files = Files::new();
    let bytes = idx(8, &[5], &[1, 2, 3, 4, 5]);
    let packed = [gzip(&bytes[..6]), gzip(&bytes[6..])].concat();
    assert_eq!(*files.read(&packed).data(), IdxData::U8(vec![1, 2, 3, 4, 5]));
}

#[test]
fn headers_that_are_not_idx() {
    let files = Files::new();
    files.refused(&[], "truncated: it ends within the IDX header");
    files.refused(&[0, 0, 8], "truncated: it ends within the IDX header");
    files.refused(&[0, 0, 8, 2, 0, 0, 0, 1, 0], "truncated: it ends within the IDX header");
    files.refused(b"PNG: not this", "not an IDX file: it starts with the bytes 50 4e");
    files.refused(&idx(0x0A, &[1], &[1]), "unknown IDX element type 0x0a");
}

#[test]
fn lengths_that_are_not_the_headers() {
    let files = Files::new();
    files.refused(&idx(8, &[2, 3], &[0; 5]), "truncated: the header says shape [2, 3]");
    files.refused(&idx(0x0C, &[2], &[0; 7]), "truncated: the header says shape [2]");
    files.refused(&idx(8, &[2, 3], &[0; 7]), "longer than its header says: shape [2, 3] needs 6 bytes");
    files.refused(&idx(8, &[0], &[0]), "longer than its header says");
    // Enough that the bytes of the header alone would do.
    files.refused_as_it_is(&idx(8, &[1000], &[0; 998]), "there are 998 bytes of data");
}

#[test]
fn sizes_beyond_any_file_are_refused_before_memory_is_asked_for() {
    let files = Files::new();
    files.refused(&idx(8, &[u32::MAX, 1000], &[0; 100]), "the file cannot hold more than");
    files.refused(&idx(0x0E, &[1 << 31, 1 << 29], &[]), "does not fit in memory");
    files.refused(&idx(8, &[u32::MAX; 255], &[]), "does not fit in memory");
    files.refused(&idx(8, &[u32::MAX, u32::MAX, u32::MAX, 0], &[]), "does not fit in memory");
}

#[test]
fn a_gzip_bomb_is_not_unpacked() {
    let files = Files::new();
    // 1 GiB of zeros would take a second or more even to unpack; after its first bytes no more are read.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&idx(8, &[4], &[])).unwrap();
    (0..256).for_each(|_| encoder.write_all(&[0; 1 << 20]).unwrap());
    files
        .refused_as_it_is(&encoder.finish().unwrap(), "longer than its header says: shape [4] needs 4 bytes");
}

#[test]
fn damaged_gzip_streams() {
    let files = Files::new();
    let data: Vec<u8> = (0..2000u32).map(|i| (i * i % 251) as u8).collect();
    let good = gzip(&idx(8, &[2000], &data));
    files.read(&good);
    for length in [3, 10, 15, good.len() / 2, good.len() - 8, good.len() - 1] {
        files.refused_as_it_is(&good[..length], "");
    }
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 0x40;
    files.refused_as_it_is(&flipped, "");
    for i in 1..=8 {
        let mut wrong_sum = good.clone();
        wrong_sum[good.len() - i] ^= 1;
        files.refused_as_it_is(&wrong_sum, "damaged gzip stream");
    }
    files.refused_as_it_is(&[&good[..], b"rubbish"].concat(), "damaged gzip stream");
}

#[test]
fn no_byte_of_a_file_makes_it_panic() {
    let files = Files::new();
    let plain = idx(8, &[2, 3], &[1, 2, 3, 4, 5, 6]);
    for good in [plain.clone(), gzip(&plain)] {
        for i in 0..good.len() {
            for bits in [0x01, 0x80, 0xFF] {
                let mut bytes = good.clone();
                bytes[i] ^= bits;
                let _ = IdxFile::read(files.write(&bytes));
                let _ = IdxFile::read(files.write(&bytes[..i]));
            }
        }
    }
}

#[test]
fn files_that_are_not_there() {
    let files = Files::new();
    let missing = files.0.path().join("missing");
    for path in [missing.as_path(), files.0.path()] {
        let error = IdxFile::read(path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.message().contains(path.to_str().unwrap()), "{error}");
    }
}
