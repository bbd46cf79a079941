//! Reading the safetensors format, with nothing in the file believed before it is checked.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::write::LONGEST_HEADER;
use super::{StateDict, bytes};
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
    let file = File::open(path)?;
    let about = file.metadata()?;
    if !about.is_file() {
        fault!("not a file");
    }
    state(BufReader::new(file), about.len())
}

/// Reads a state dict from a stream of `len` bytes.
pub(super) fn state(mut source: impl Read, len: u64) -> Result<StateDict, Fault> {
    let (names, header, data) = header(&mut source, len)?;
    if data != header.data_len() as u64 {
        fault!(
            "the header announces {} bytes of tensors, the file holds {data}: truncated or damaged",
            header.data_len()
        );
    }

    let places = header.offset_keys();
    let infos: Vec<&TensorInfo> = places.iter().filter_map(|name| header.info(name)).collect();
    for (name, info) in places.iter().zip(&infos) {
        if !matches!(info.dtype, Dtype::F32 | Dtype::F64 | Dtype::I64 | Dtype::BOOL) {
            fault!("tensor {name:?} holds {:?}; only F32, F64, I64 and BOOL can be read", info.dtype);
        }
    }
    let mut tensors = HashMap::new();
    for (name, info) in places.iter().zip(infos) {
        let tensor = match info.dtype {
            Dtype::F64 => tensor::<f64>(&mut source, name, info)?,
            Dtype::I64 => tensor::<i64>(&mut source, name, info)?,
            Dtype::BOOL => tensor::<bool>(&mut source, name, info)?,
            _ => tensor::<f32>(&mut source, name, info)?,
        };
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

/// The names in the header's order, the header, and the number of bytes that follow it.
fn header(source: &mut impl Read, len: u64) -> Result<(Vec<String>, Metadata, u64), Fault> {
    let Some(rest) = len.checked_sub(8) else {
        fault!("{len} bytes are too few for a safetensors file: truncated, or of another format");
    };
    let mut length = [0; 8];
    source.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    if length > rest {
        fault!(
            "a header of {length} bytes is announced, the file holds {len}: truncated, or not a safetensors file"
        );
    }
    if length > LONGEST_HEADER {
        fault!("a header of {length} bytes is announced, at most {LONGEST_HEADER} are allowed");
    }
    let mut json = vec![0; length as usize];
    source.read_exact(&mut json)?;
    let Names(names) = parse(&json)?;
    let header: Metadata = parse(&json)?;
    let mut seen = HashSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
        fault!("the name {twice:?} appears twice in the header");
    }
    Ok((names, header, rest - length))
}

fn parse<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, Fault> {
    serde_json::from_slice(json).map_err(|error| {
        Fault::Data(format!("the header is damaged, or not that of a safetensors file: {error}"))
    })
}

/// Reads one tensor; that its size fits its shape and the file has been checked.
fn tensor<T: bytes::Bytes>(source: &mut impl Read, name: &str, info: &TensorInfo) -> Result<Tensor, Fault> {
    let mut read = Ok(true);
    let tensor = Tensor::build_for("StateDict::load", info.shape.clone(), |out: &mut [T]| {
        read = bytes::read(source, out)
    })?;
    if !read? {
        fault!("tensor {name:?} is BOOL but has bytes that are neither 0 nor 1");
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
