//! Files of this crate and of others, whole and damaged.

use std::fs;

use super::StateDict;
use crate::{DType, ErrorKind, Tensor};

fn sample() -> StateDict {
    let mut state = StateDict::new();
    state.insert("mask", Tensor::new([true, false, true])).unwrap();
    state.insert("weight", Tensor::new([[1.0, -2.5, 3.0], [4.0, 5.0, f32::MIN_POSITIVE]])).unwrap();
    state.insert("steps", Tensor::new(i64::MIN)).unwrap();
    state.insert("exact", Tensor::full([2, 1], 0.1, DType::F64).unwrap()).unwrap();
    state.insert("none", Tensor::zeros([3, 0]).unwrap()).unwrap();
    state.metadata_mut().insert("format".into(), "pt".into());
    state.metadata_mut().insert("note".into(), "\"quoted\" and ünïcode\n".into());
    state
}

/// A file with this header and data.
fn file(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

fn fault(bytes: &[u8]) -> String {
    let error = StateDict::from_bytes(bytes).expect_err("damaged");
    assert_eq!(error.kind(), ErrorKind::Data);
    error.to_string()
}

#[track_caller]
fn assert_fault(bytes: &[u8], words: &str) {
    let text = fault(bytes);
    assert!(text.contains(words), "{text:?} does not mention {words:?}");
}

#[test]
fn everything_comes_back_in_order() {
    let state = sample();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.safetensors");
    state.save(&path).unwrap();
    let back = StateDict::load(&path).unwrap();

    assert_eq!(back.names().collect::<Vec<_>>(), ["mask", "weight", "steps", "exact", "none"]);
    assert_eq!(back.metadata(), state.metadata());
    for (name, tensor) in state.iter() {
        let read = back.get(name).unwrap();
        assert_eq!((read.shape(), read.dtype()), (tensor.shape(), tensor.dtype()), "{name}");
    }
    let values = |name: &str| back.get(name).unwrap();
    assert_eq!(values("mask").to_vec::<bool>().unwrap(), [true, false, true]);
    assert_eq!(values("weight").to_vec::<f32>().unwrap(), [1.0, -2.5, 3.0, 4.0, 5.0, f32::MIN_POSITIVE]);
    assert_eq!(values("steps").to_vec::<i64>().unwrap(), [i64::MIN]);
    assert_eq!(values("exact").to_vec::<f64>().unwrap(), [0.1, 0.1]);

    assert_eq!(fs::read(&path).unwrap(), state.to_bytes().unwrap());
    assert_eq!(back.to_bytes().unwrap(), state.to_bytes().unwrap());
}

#[test]
fn strided_tensors_are_written_as_they_read() {
    let mut state = StateDict::new();
    let x = Tensor::new([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    state.insert("transposed", x.transpose(0, 1).unwrap()).unwrap();
    let back = StateDict::from_bytes(&state.to_bytes().unwrap()).unwrap();
    let back = back.get("transposed").unwrap();
    assert_eq!(*back.shape(), [3, 2]);
    assert_eq!(back.to_vec::<f32>().unwrap(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
}

#[test]
fn every_tensor_begins_where_its_element_may() {
    let bytes = sample().to_bytes().unwrap();
    let length = u64::from_le_bytes(*bytes.first_chunk().unwrap());
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..][..length as usize]).unwrap();
    for (name, size) in [("mask", 1), ("weight", 4), ("steps", 8), ("exact", 8)] {
        let start = 8 + length + header[name]["data_offsets"][0].as_u64().unwrap();
        assert_eq!(start % size, 0, "{name} begins at {start}");
    }
}

#[test]
fn names_are_unique_and_removable() {
    let mut state = sample();
    assert!(state.insert("mask", Tensor::new(1.0)).unwrap_err().to_string().contains("\"mask\""));
    assert!(state.insert("__metadata__", Tensor::new(1.0)).is_err());
    assert_eq!(state.remove("weight").unwrap().shape(), &[2, 3][..]);
    assert!(state.remove("weight").is_none() && state.get("weight").is_none());
    state.insert("weight", Tensor::new(1.0)).unwrap();
    assert_eq!(state.names().collect::<Vec<_>>(), ["mask", "steps", "exact", "none", "weight"]);
    assert_eq!(state.len(), 5);

    let mut all = StateDict::new();
    all.extend("model.", &state).unwrap();
    assert_eq!(all.names().next(), Some("model.mask"));
    assert_eq!(all.with_prefix("model.").names().collect::<Vec<_>>(), state.names().collect::<Vec<_>>());
    assert!(all.extend("model.", &state).is_err());
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let bytes = sample().to_bytes().unwrap();
    for len in 0..bytes.len() {
        fault(&bytes[..len]);
    }
    fault(&[&bytes[..], &[0]].concat());
    assert_fault(&bytes[..5], "too few");
    assert_fault(&bytes[..bytes.len() - 1], "truncated");
}

#[test]
fn no_changed_byte_does_worse_than_an_error() {
    let bytes = sample().to_bytes().unwrap();
    for place in 0..bytes.len() {
        for change in [0x01, 0x10, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[place] ^= change;
            let _ = StateDict::from_bytes(&damaged);
        }
    }
}

#[test]
fn headers_are_not_believed() {
    assert_fault(&[0xff; 64], "18446744073709551615 bytes is announced, the file holds 64");
    assert_fault(&file("not json at all", &[]), "header is damaged");
    assert_fault(&file("[1, 2]", &[]), "header is damaged");
    assert_fault(&file(&"[".repeat(100_000), &[]), "header is damaged");

    let one = |info: &str| file(&format!("{{\"a\":{info}}}"), &[0; 8]);
    assert_fault(&one(r#"{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}"#), "\"a\" holds F8_E4M3");
    let beyond = file(r#"{"a":{"dtype":"U64","shape":[1],"data_offsets":[0,8]}}"#, &[0xff; 8]);
    assert_fault(&beyond, "\"a\" of U64 has numbers beyond int64");
    assert_fault(&one(r#"{"dtype":"F12","shape":[4],"data_offsets":[0,8]}"#), "header is damaged");
    assert_fault(&one(r#"{"dtype":"F32","shape":[3],"data_offsets":[0,8]}"#), "header is damaged");
    assert_fault(&one(r#"{"dtype":"F32","shape":[2],"data_offsets":[8,0]}"#), "`a`");
    assert_fault(&one(r#"{"dtype":"F32","shape":[1],"data_offsets":[4,8]}"#), "`a`");
    assert_fault(&one(r#"{"dtype":"F32","shape":[-1],"data_offsets":[0,8]}"#), "header is damaged");
    let terabytes = r#"{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}"#;
    assert_fault(&one(terabytes), "announces 4398046511104 bytes of tensors, the file holds 8");
    let overflow = r#"{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}"#;
    assert_fault(&one(overflow), "header is damaged");

    let two = |a: &str, b: &str| file(&format!("{{{a},{b}}}"), &[0; 8]);
    let at = |name: &str, start: u64, end: u64| {
        format!(
            r#""{name}":{{"dtype":"F32","shape":[{}],"data_offsets":[{start},{end}]}}"#,
            (end - start) / 4
        )
    };
    assert_fault(&two(&at("a", 0, 8), &at("b", 4, 8)), "`b`");
    assert_fault(&two(&at("a", 0, 4), &at("a", 0, 8)), "\"a\" appears twice");
    assert_fault(&two(&at("a", 0, 8), r#""__metadata__":{"k":1}"#), "header is damaged");
    assert!(StateDict::from_bytes(&two(&at("b", 4, 8), &at("a", 0, 4))).is_ok());

    let truth = file(r#"{"a":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}}"#, &[1, 2]);
    assert_fault(&truth, "neither 0 nor 1");
}

#[test]
fn files_of_other_formats_are_named() {
    assert_fault(b"PK\x03\x04\x00\x00\x08\x08 archive", "PyTorch checkpoint");
    assert_fault(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "safetensors.torch.save_file");
    assert_fault(b"<!DOCTYPE html><html></html>", "web page");
    assert_fault(b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull");
    assert_fault(b"{\"metadata\": {}, \"weight_map\": {}}", "index of a checkpoint");
    assert_fault(b"<a>", "web page");
    // A header whose length is the code of such a letter.
    let padded = format!("{{{}}}", " ".repeat(usize::from(b'<') - 2));
    assert!(StateDict::from_bytes(&file(&padded, &[])).unwrap().is_empty());
    assert!(StateDict::from_bytes(&file("{}", &[])).unwrap().is_empty());
}

/// One tensor of a dtype, as numbers.
fn read<T: crate::Element>(dtype: &str, width: usize, data: &[u8]) -> Vec<T> {
    let (len, n) = (data.len(), data.len() / width);
    let header = format!(r#"{{"a":{{"dtype":"{dtype}","shape":[{n}],"data_offsets":[0,{len}]}}}}"#);
    let state = StateDict::from_bytes(&file(&header, data)).unwrap();
    state.get("a").unwrap().to_vec::<T>().unwrap()
}

#[test]
fn narrower_numbers_are_widened() {
    let halves: Vec<u8> = [0x3c00u16, 0xc000, 0x7bff, 0x0001, 0x03ff, 0x3555, 0x7c00, 0xfc00, 0x8000]
        .into_iter()
        .flat_map(u16::to_le_bytes)
        .collect();
    // IEEE 754: the largest is 65504, the smallest 2^-24, the largest subnormal 1023 of these.
    let wanted = [1.0, -2.0, 65504.0, 5.960_464_5e-8, 6.097_555e-5, 0.333_251_95, f32::INFINITY];
    let read_halves = read::<f32>("F16", 2, &halves);
    assert_eq!(read_halves[..7], wanted);
    assert_eq!((read_halves[7], read_halves[8].to_bits()), (f32::NEG_INFINITY, (-0.0f32).to_bits()));
    assert!(read::<f32>("F16", 2, &[0x01, 0x7c])[0].is_nan());
    assert_eq!(read::<f32>("BF16", 2, &[0x80, 0x3f, 0x20, 0xc0, 0x80, 0x7f]), [1.0, -2.5, f32::INFINITY]);
    assert_eq!(read::<i64>("I32", 4, &(-7i32).to_le_bytes()), [-7]);
    assert_eq!(read::<i64>("U32", 4, &[0xff; 4]), [4_294_967_295]);
    assert_eq!(read::<i64>("I16", 2, &[0xfe, 0xff]), [-2]);
    assert_eq!(read::<i64>("U16", 2, &[0xfe, 0xff]), [65534]);
    assert_eq!(read::<i64>("I8", 1, &[0xff, 3]), [-1, 3]);
    assert_eq!(read::<i64>("U8", 1, &[0xff, 3]), [255, 3]);
    assert_eq!(read::<i64>("U64", 8, &9u64.to_le_bytes()), [9]);
}

#[cfg(unix)]
#[test]
fn only_plain_files_are_read_and_replaced() {
    use std::os::unix::fs::{FileTypeExt, symlink};
    let directory = tempfile::tempdir().unwrap();
    let (pipe, link) = (directory.path().join("pipe"), directory.path().join("link"));
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let error = sample().save(&pipe).unwrap_err().to_string();
    assert!(error.contains("not a plain file"), "{error}");
    assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
    // Nobody writes into the pipe: to wait for that would be for ever.
    assert!(StateDict::load(&pipe).unwrap_err().to_string().contains("not a plain file"));

    symlink(directory.path().join("nothing"), &link).unwrap();
    assert!(sample().save(&link).unwrap_err().to_string().contains("a link to nothing"));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());

    symlink(&pipe, directory.path().join("to pipe")).unwrap();
    assert!(sample().save(directory.path().join("to pipe")).is_err());
    assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
}

#[test]
fn a_save_that_fails_leaves_the_old_file() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("no/such/directory/state.safetensors");
    let error = sample().save(&missing).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("no/such/directory/state.safetensors"), "{error}");

    // A write that fails half way, as on a full disk.
    let path = directory.path().join("state.safetensors");
    sample().save(&path).unwrap();
    let before = fs::read(&path).unwrap();
    let outcome = super::atomic::replace(&path, |sink| {
        sink.write_all(&[0; 100_000])?;
        Err(std::io::ErrorKind::StorageFull.into())
    });
    assert_eq!(outcome.unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left behind");

    // A directory in the file's place.
    let error = sample().save(directory.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn files_that_are_not_there_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let error = StateDict::load(directory.path().join("absent.safetensors")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("absent.safetensors"), "{error}");
    assert!(error.to_string().contains("tests.rs"), "{error}");
    assert_eq!(StateDict::load(directory.path()).unwrap_err().kind(), ErrorKind::Data);
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_permissions_kept() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let directory = tempfile::tempdir().unwrap();
    let (file, link) = (directory.path().join("file"), directory.path().join("link"));
    fs::write(&file, "old").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&file, &link).unwrap();
    sample().save(&link).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(StateDict::load(&file).is_ok());
}
