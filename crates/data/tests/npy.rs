//! NPY and NPZ files that NumPy has written (`record.py`), and bad ones.

use std::path::{Path, PathBuf};

use chainrule_data::{parse_npy, parse_npz, read_npy, read_npz};
use chainrule_tensor::{DType, ErrorKind, Result, Tensor};

fn recorded(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/npy").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(recorded(name)).unwrap()
}

fn refused<T>(result: Result<T>, rule: &str) {
    let error = result.err().expect("an error");
    assert_eq!(error.kind(), ErrorKind::Data, "{error}");
    assert!(error.message().contains(rule), "expected {rule:?}: {error}");
    assert_eq!(error.location().unwrap().file(), file!());
}

#[test]
fn every_type_and_order() {
    let mut count = 0;
    for kind in ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"] {
        for order in ["little", "big", "one"] {
            for layout in ["C", "F"] {
                let path = recorded(&format!("{kind}-{order}-{layout}.npy"));
                if !path.exists() {
                    continue;
                }
                count += 1;
                let tensor = read_npy(&path).unwrap();
                assert_eq!(tensor.shape(), &[2, 3], "{}", path.display());
                assert!(tensor.is_contiguous());
                let want = [0.0, 1.0, 2.0, 100.0, 50.0, 7.0];
                match kind {
                    "f2" | "f4" => assert_eq!(tensor.to_vec::<f32>().unwrap(), want.map(|x: f64| x as f32)),
                    "f8" => assert_eq!(tensor.to_vec::<f64>().unwrap(), want),
                    "b1" => assert_eq!(tensor.to_vec::<bool>().unwrap(), want.map(|x| x != 0.0)),
                    _ => assert_eq!(tensor.to_vec::<i64>().unwrap(), want.map(|x| x as i64)),
                }
            }
        }
    }
    assert_eq!(count, 42);
}

#[test]
fn other_shapes_and_versions() {
    let scalar = read_npy(recorded("scalar.npy")).unwrap();
    assert_eq!((scalar.rank(), scalar.item().unwrap()), (0, 2.5));
    assert_eq!(read_npy(recorded("empty.npy")).unwrap().shape(), &[0, 3]);
    let rank5 = read_npy(recorded("rank5-F.npy")).unwrap();
    assert_eq!(rank5.shape(), &[2, 1, 3, 2, 4]);
    assert_eq!(rank5.to_vec::<i64>().unwrap(), (0..48).collect::<Vec<_>>());
    for name in ["version2.npy", "version3.npy"] {
        let tensor = read_npy(recorded(name)).unwrap();
        assert_eq!(tensor.to_vec::<f32>().unwrap(), [0.0, 1.0, 2.0, 100.0, 50.0, 7.0]);
    }
}

#[test]
fn elements_that_are_no_numbers() {
    refused(read_npy(recorded("complex.npy")), "type \"<c8\"");
    refused(read_npy(recorded("text.npy")), "type \"<U1\"");
    refused(read_npy(recorded("objects.npy")), "type \"|O\"");
    refused(read_npy(recorded("records.npy")), "its elements are records");
    refused(read_npy(recorded("records.npy")), recorded("records.npy").to_str().unwrap());
}

/// A file of version 1 with this header and data.
fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn headers_as_others_write_them() {
    let good = |header: &str| parse_npy(&npy(header, &[5, 0, 6, 0])).unwrap().to_vec::<i64>().unwrap();
    assert_eq!(good("{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }   \n"), [5, 6]);
    assert_eq!(good("{\"shape\":(2,),\"fortran_order\":True,\"descr\":\"<u2\"}"), [5, 6]);
    assert_eq!(good("{'shape': (1, 2L), 'fortran_order': False, 'descr': '<i2'}"), [5, 6]);
    let huge = npy("{'descr': '<u8', 'fortran_order': False, 'shape': (2,)}", &[[1; 8], [0x80; 8]].concat());
    refused(parse_npy(&huge), "element 1 in the file is above the greatest int64");
    let two = npy("{'descr': '|b1', 'fortran_order': False, 'shape': (2,)}", &[1, 2]);
    refused(parse_npy(&two), "element 1 in the file is 2");
}

#[test]
fn bad_headers() {
    let header = |text: &str, rule: &str| refused(parse_npy(&npy(text, &[0; 8])), rule);
    header("", "at byte 10: expected '{'");
    header("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)", "at byte 64: expected ','");
    header("{'descr': '<f4', 'fortran_order': False}", "descr, fortran_order or shape is missing");
    header("{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}", "expected True or False");
    header("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", "expected a size");
    header("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", "expected a size");
    header("{'descr': '<f4', 'descr': '<f4'}", "comes twice");
    header("{'dtype': '<f4'}", "\"dtype\" is not known");
    header("{'descr': '<f4", "a text does not end");
    header("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x", "something follows");
    header("{'descr': '<f3', 'fortran_order': False, 'shape': (2,)}", "type \"<f3\"");
    header("{'descr': '', 'fortran_order': False, 'shape': (2,)}", "type \"\"");
    header(&format!("{{'shape': ({})}}", "1,".repeat(65)), "more than 64 dimensions");
    let mut latin = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", &[0; 8]);
    latin[21] = 0xE4;
    refused(parse_npy(&latin), "at byte 20: a text is not UTF-8");
}

#[test]
fn files_of_another_length() {
    let good = bytes("f4-little-C.npy");
    for length in 0..good.len() {
        refused(parse_npy(&good[..length]), "truncated");
    }
    refused(parse_npy(&[&good[..], &[0]].concat()), "longer than its header says: it asks for 24 bytes");
    refused(parse_npy(b"PK\x03\x04 no array"), "not an NPY file");
    let mut version = good.clone();
    version[6] = 9;
    refused(parse_npy(&version), "unknown NPY version 9.0");
}

#[test]
fn sizes_beyond_any_file_are_refused_before_memory_is_asked_for() {
    let shape = |shape: &str, rule: &str| {
        let header = format!("{{'descr': '<f8', 'fortran_order': True, 'shape': {shape}}}");
        refused(parse_npy(&npy(&header, &[0; 64])), rule);
    };
    shape("(1000000000000,)", "there cannot be more than");
    shape("(1152921504606846976, 8)", "does not fit in memory");
    shape("(4294967296, 4294967296, 0)", "does not fit in memory");
    let mut long_header = b"\x93NUMPY\x02\x00".to_vec();
    long_header.extend(u32::MAX.to_le_bytes());
    refused(parse_npy(&long_header), "asks for 4294967295 bytes");
}

fn check_named(arrays: &std::collections::BTreeMap<String, Tensor>) {
    assert_eq!(arrays.keys().collect::<Vec<_>>(), ["a b/ü", "x", "y"]);
    assert_eq!(arrays["x"].to_vec::<f32>().unwrap(), [0.0, 1.0, 2.0, 100.0, 50.0, 7.0]);
    assert_eq!(arrays["y"].dtype(), DType::Bool);
    assert_eq!(arrays["a b/ü"].to_vec::<i64>().unwrap(), [0, 1, 2]);
}

#[test]
fn archives() {
    for name in ["stored.npz", "deflated.npz"] {
        check_named(&read_npz(recorded(name)).unwrap());
        check_named(&parse_npz(&bytes(name)).unwrap());
    }
    assert!(read_npz(recorded("none.npz")).unwrap().is_empty());
    assert_eq!(read_npz(recorded("commented.npz")).unwrap()["z"].shape(), &[2, 3]);
    refused(read_npz(recorded("other.npz")), "\"readme.txt\" is not an array");
    refused(read_npz(recorded("bzip2.npz")), "z.npy: packed by method 12");
    refused(read_npz(recorded("f4-little-C.npy")), "not a ZIP archive");
    refused(read_npz(recorded("other.npz")), recorded("other.npz").to_str().unwrap());
    assert_eq!(read_npz(recorded("missing.npz")).unwrap_err().kind(), ErrorKind::Io);
}

#[test]
fn truncated_and_damaged_archives() {
    for name in ["stored.npz", "deflated.npz"] {
        let good = bytes(name);
        for length in (0..good.len()).step_by(7) {
            refused(parse_npz(&good[..length]), "");
        }
        refused(parse_npz(&[&good[..], &[0]].concat()), "not a ZIP archive");
        // A byte of the data of the first member.
        let mut damaged = good.clone();
        damaged[100] ^= 0x10;
        refused(parse_npz(&damaged), ".npy: ");
    }
    let mut stored = bytes("stored.npz");
    // The last byte of the first member's data is right in front of the second's header.
    let second = (4..stored.len()).find(|&i| stored[i..].starts_with(b"PK\x03\x04")).unwrap();
    stored[second - 1] ^= 1;
    refused(parse_npz(&stored), "x.npy: damaged: the checksum is another");
}

/// Places of the fields of the directory's first entry, in a file without sizes of 64 bits.
#[test]
fn archives_that_lie() {
    let good = bytes("commented.npz");
    let entry = good.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    let changed = |at: usize, value: u32| {
        let mut bytes = good.clone();
        bytes[entry + at..][..4].copy_from_slice(&value.to_le_bytes());
        parse_npz(&bytes)
    };
    refused(changed(24, u32::MAX - 1), "cannot be packed into");
    refused(changed(24, u32::MAX), "sizes in 64 bits are missing");
    refused(changed(20, u32::MAX - 1), "longer than the file");
    refused(changed(42, 100_000), "the file has");
    refused(changed(42, 3), "no member begins here");
    refused(changed(8, 8 << 16 | 1), "z.npy: it is encrypted");
    refused(changed(16, 0), "the checksum is another");
    refused(changed(28, 60_000), "ends beyond the directory");
    let end = good.windows(4).position(|four| four == b"PK\x05\x06").unwrap();
    let mut many = good.clone();
    many[end + 10..end + 12].copy_from_slice(&u16::to_le_bytes(60_000));
    refused(parse_npz(&many), "60000 members do not go into");
}
