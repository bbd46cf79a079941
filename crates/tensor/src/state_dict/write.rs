//! Writing the safetensors format: the length of the header, the header in JSON, the tensors' bytes.

use std::collections::BTreeMap;
use std::io::{self, Write};

use safetensors::Dtype;
use safetensors::tensor::TensorInfo;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{METADATA, StateDict, bytes};
use crate::{DType, Result, Tensor, bail, dispatch};

/// Headers longer than this are refused by every reader.
pub(super) const LONGEST_HEADER: u64 = 100_000_000;

/// Everything to be written.
pub(super) struct Header {
    json: Vec<u8>,
    /// In the order in which their bytes come.
    tensors: Vec<Tensor>,
}

impl Header {
    #[track_caller]
    pub(super) fn new(state: &StateDict) -> Result<Header> {
        // Wide elements come first, so that each tensor begins at a multiple of its element's size: some
        // readers map the file and insist on it.
        let mut entries: Vec<(&str, &Tensor)> = state.iter().collect();
        entries.sort_by_key(|(_, tensor)| std::cmp::Reverse(tensor.dtype().size()));

        let mut infos = BTreeMap::new();
        let mut tensors = Vec::with_capacity(entries.len());
        let mut offset = 0;
        for (name, tensor) in entries {
            let end = offset + tensor.numel() * tensor.dtype().size();
            let info = TensorInfo {
                dtype: file_dtype(tensor.dtype()),
                shape: tensor.shape().to_vec(),
                data_offsets: (offset, end),
            };
            infos.insert(name, info);
            tensors.push(tensor.contiguous()?);
            offset = end;
        }

        let names = Names { state, infos };
        let mut json = match serde_json::to_vec(&names) {
            Ok(json) => json,
            Err(error) => bail!(Data, "StateDict::save", "the header cannot be written: {error}"),
        };
        json.resize(json.len().next_multiple_of(8), b' ');
        if json.len() as u64 > LONGEST_HEADER {
            bail!(
                Data,
                "StateDict::save",
                "names and metadata take {} bytes, the format allows {LONGEST_HEADER}",
                json.len()
            );
        }
        Ok(Header { json, tensors })
    }

    pub(super) fn write(&self, sink: &mut dyn Write) -> io::Result<()> {
        sink.write_all(&(self.json.len() as u64).to_le_bytes())?;
        sink.write_all(&self.json)?;
        for tensor in &self.tensors {
            dispatch!(tensor.dtype(), T => bytes::write::<T>(tensor.as_slice().map_err(io::Error::other)?, sink))?;
        }
        Ok(())
    }
}

/// The header: names in the order of insertion, so that a reader who keeps the order has it.
struct Names<'a> {
    state: &'a StateDict,
    infos: BTreeMap<&'a str, TensorInfo>,
}

impl Serialize for Names<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !self.state.metadata.is_empty() {
            map.serialize_entry(METADATA, &self.state.metadata)?;
        }
        for name in self.state.names() {
            map.serialize_entry(name, &self.infos[name])?;
        }
        map.end()
    }
}

fn file_dtype(dtype: DType) -> Dtype {
    match dtype {
        DType::F32 => Dtype::F32,
        DType::F64 => Dtype::F64,
        DType::I64 => Dtype::I64,
        DType::Bool => Dtype::BOOL,
    }
}
