//! Reading the safetensors format, with nothing in the file believed before it is checked.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::StateDict;
use super::bytes::{self, Bf16, F16, FileDtype};
use super::foreign::{LONGEST_START, recognised};
use super::write::LONGEST_HEADER;
use crate::{Error, Tensor};

/// Why there is no state dict.
pub(super) enum Fault {
    /// The system could not read.
    Io(io::Error),
    /// The contents do not make sense.
    Data(String),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        Fault::Io(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        Fault::Data(error.message().to_string())
    }
}

macro_rules! fault {
    ($($message:tt)+) => {
        return Err(Fault::Data(format!($($message)+)))
    };
}

pub(super) fn file(path: &Path) -> Result<StateDict, Fault> {
    // Looked at before it is opened: to open a named pipe waits for somebody who writes.
    if !fs::metadata(path)?.is_file() {
        fault!("not a plain file");
    }
    let file = File::open(path)?;
    let len = file.metadata()?.len();
    state(BufReader::new(file), len)
}

/// Reads a state dict from a stream of `len` bytes.
pub(super) fn state(mut source: impl Read, len: u64) -> Result<StateDict, Fault> {
    let mut start = [0; LONGEST_START];
    let start = &mut start[..len.min(LONGEST_START as u64) as usize];
    source.read_exact(start)?;
    let (length, begun) = header_length(start, len)?;
    let mut source = begun.chain(source);
    let (names, header) = header(&mut source, length)?;
    let data = len - 8 - length;
    if data != header.data_len() as u64 {
        fault!(
            "the header announces {} bytes of tensors, the file holds {data}: truncated or damaged",
            header.data_len()
        );
    }

    let places = header.offset_keys();
    let infos: Vec<&TensorInfo> = places.iter().filter_map(|name| header.info(name)).collect();
    let mut readers = Vec::new();
    for (name, info) in places.iter().zip(infos) {
        match reader(info.dtype) {
            Some(read) => readers.push((name, info, read)),
            None => fault!("tensor {name:?} holds {:?}, which cannot be read", info.dtype),
        }
    }
    let mut tensors = HashMap::new();
    for (name, info, read) in readers {
        let tensor = read(&mut source, name, info)?;
        tensors.insert(name.as_str(), tensor);
    }

    let mut state = StateDict::new();
    for name in names {
        if let Some(tensor) = tensors.remove(name.as_str()) {
            state.insert(name, tensor)?;
        }
    }
    state.metadata.extend(header.metadata().iter().flatten().map(|(k, v)| (k.clone(), v.clone())));
    Ok(state)
}

/// The length of the header, from the first bytes of a file of `len` bytes, and those of them that follow it.
fn header_length(start: &[u8], len: u64) -> Result<(u64, &[u8]), Fault> {
    let fault = |what: String| match recognised(start) {
        Some(format) => Fault::Data(format!("not a safetensors file, but {format}")),
        None => Fault::Data(what),
    };
    let Some((length, begun)) = start.split_first_chunk() else {
        return Err(fault(format!(
            "{len} bytes are too few for a safetensors file: truncated, or of another format"
        )));
    };
    let length = u64::from_le_bytes(*length);
    if length > len - 8 {
        return Err(fault(format!(
            "a header of {length} bytes is announced, the file holds {len}: truncated, or not a safetensors file"
        )));
    }
    if length > LONGEST_HEADER {
        return Err(fault(format!(
            "a header of {length} bytes is announced, at most {LONGEST_HEADER} are allowed"
        )));
    }
    Ok((length, begun))
}

/// The names in the header's order, and the header.
fn header(source: &mut impl Read, length: u64) -> Result<(Vec<String>, Metadata), Fault> {
    let mut json = vec![0; length as usize];
    source.read_exact(&mut json)?;
    let Names(names) = parse(&json)?;
    let header: Metadata = parse(&json)?;
    let mut seen = HashSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
        fault!("the name {twice:?} appears twice in the header");
    }
    Ok((names, header))
}

fn parse<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, Fault> {
    serde_json::from_slice(json).map_err(|error| {
        Fault::Data(format!("the header is damaged, or not that of a safetensors file: {error}"))
    })
}

type ReadTensor<R> = fn(&mut R, &str, &TensorInfo) -> Result<Tensor, Fault>;

/// What reads a tensor of a dtype: in that dtype, or in the next wider one of ours.
fn reader<R: Read>(dtype: Dtype) -> Option<ReadTensor<R>> {
    Some(match dtype {
        Dtype::F64 => tensor::<f64, R>,
        Dtype::F32 => tensor::<f32, R>,
        Dtype::F16 => tensor::<F16, R>,
        Dtype::BF16 => tensor::<Bf16, R>,
        Dtype::I64 => tensor::<i64, R>,
        Dtype::I32 => tensor::<i32, R>,
        Dtype::I16 => tensor::<i16, R>,
        Dtype::I8 => tensor::<i8, R>,
        Dtype::U64 => tensor::<u64, R>,
        Dtype::U32 => tensor::<u32, R>,
        Dtype::U16 => tensor::<u16, R>,
        Dtype::U8 => tensor::<u8, R>,
        Dtype::BOOL => tensor::<bool, R>,
        _ => return None,
    })
}

/// Reads one tensor; that its size fits its shape and the file has been checked.
fn tensor<D: FileDtype, R: Read>(source: &mut R, name: &str, info: &TensorInfo) -> Result<Tensor, Fault> {
    let mut read = Ok(true);
    let tensor = Tensor::build_for("StateDict::load", info.shape.clone(), |out: &mut [D::Element]| {
        read = bytes::read::<D>(source, out);
    })?;
    if !read? {
        let what =
            if info.dtype == Dtype::BOOL { "bytes that are neither 0 nor 1" } else { "numbers beyond int64" };
        fault!("tensor {name:?} of {:?} has {what}", info.dtype);
    }
    Ok(tensor)
}

/// The keys of a JSON object, in order and with repetitions.
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Names, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Names;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a map from names to tensors")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some((name, IgnoredAny)) = map.next_entry()? {
                    names.push(name);
                }
                Ok(Names(names))
            }
        }
        deserializer.deserialize_map(Keys)
    }
}
