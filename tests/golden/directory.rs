//! A directory of cases: lines of JSON, and the tensors that they name. Files may be compressed (`.gz`).

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use chainrule::{DType, Tensor};
use flate2::read::GzDecoder;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::Value;

use crate::stop::{Outcome, Stop};

/// The copy of the cases that the project carries.
pub(crate) const OWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/cases");

/// Where the cases are: the directory that `CHAINRULE_GOLDEN` names, else the project's own copy.
pub(crate) fn path() -> PathBuf {
    std::env::var_os("CHAINRULE_GOLDEN").map_or_else(|| OWN.into(), PathBuf::from)
}

/// The cases of a family, as they lie in its files.
pub(crate) struct Family {
    pub(crate) name: &'static str,
    lines: Vec<Value>,
    files: HashMap<String, Vec<u8>>,
}

impl Family {
    /// Reads a family; `None` where the directory has none of that name.
    pub(crate) fn read(directory: &Path, name: &'static str) -> io::Result<Option<Family>> {
        let Some(text) = read(&directory.join(format!("{name}.jsonl")))? else { return Ok(None) };
        let text = String::from_utf8(text).map_err(io::Error::other)?;
        let lines = text.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
        let mut files = HashMap::new();
        for line in &lines {
            for file in ["file", "set_file"].iter().filter_map(|key| line[key].as_str()) {
                if !files.contains_key(file) {
                    let bytes = read(&directory.join(file))?;
                    let bytes = bytes.ok_or_else(|| io::Error::other(format!("{file} is missing")))?;
                    files.insert(file.to_string(), bytes);
                }
            }
        }
        Ok(Some(Family { name, lines, files }))
    }

    /// Hands out the cases.
    pub(crate) fn with_cases<R>(&self, then: impl FnOnce(Vec<Case<'_>>) -> R) -> io::Result<R> {
        let mut tensors = HashMap::new();
        for (name, bytes) in &self.files {
            tensors.insert(name.as_str(), SafeTensors::deserialize(bytes).map_err(io::Error::other)?);
        }
        let case = |(number, json)| Case { id: id(self.name, number, json), json, tensors: &tensors };
        Ok(then(self.lines.iter().enumerate().map(case).collect()))
    }
}

/// A case's own id; the families without ids are numbered.
fn id(family: &str, number: usize, json: &Value) -> String {
    json["id"].as_str().map_or_else(|| format!("{family}.{number}"), str::to_string)
}

/// The contents of a file or of its compressed form, if there is one.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let mut compressed = path.as_os_str().to_owned();
    compressed.push(".gz");
    if path.exists() {
        File::open(path)?.read_to_end(&mut bytes)?;
    } else if Path::new(&compressed).exists() {
        GzDecoder::new(File::open(compressed)?).read_to_end(&mut bytes)?;
    } else {
        return Ok(None);
    }
    Ok(Some(bytes))
}

/// One case.
pub(crate) struct Case<'a> {
    pub(crate) id: String,
    pub(crate) json: &'a Value,
    tensors: &'a HashMap<&'a str, SafeTensors<'a>>,
}

impl<'a> Case<'a> {
    /// A string of the case, empty where there is none.
    pub(crate) fn text(&self, key: &str) -> &'a str {
        self.json[key].as_str().unwrap_or("")
    }

    /// A list of strings, empty where there is none.
    pub(crate) fn names(&self, key: &str) -> Vec<&'a str> {
        strings(&self.json[key])
    }

    /// A number, where there is one.
    pub(crate) fn number(&self, key: &str) -> Option<f64> {
        self.json[key].as_f64()
    }

    /// The tensor of this name, as it is stored.
    pub(crate) fn stored(&self, name: &str) -> Outcome<TensorView<'a>> {
        self.shared("file", &format!("{}/{name}", self.id))
    }

    /// The tensor under a full key of the file that the field names.
    fn shared(&self, field: &str, key: &str) -> Outcome<TensorView<'a>> {
        let file = self.text(field);
        let found = self.tensors.get(file).and_then(|tensors| tensors.tensor(key).ok());
        found.ok_or_else(|| Stop::Mismatch(format!("the case is incomplete: no {key} in {file:?}")))
    }

    /// The tensor of this name.
    pub(crate) fn tensor(&self, name: &str) -> Outcome<Tensor> {
        tensor(&self.stored(name)?)
    }

    /// A tensor that several cases share.
    pub(crate) fn set_tensor(&self, name: &str) -> Outcome<Tensor> {
        tensor(&self.shared("set_file", &format!("{}/{name}", self.text("set")))?)
    }
}

/// The strings of a list.
pub(crate) fn strings(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn tensor(view: &TensorView<'_>) -> Outcome<Tensor> {
    let shape = view.shape().to_vec();
    let data = view.data();
    Ok(match dtype(view)? {
        DType::F32 => Tensor::from_vec(numbers(data, f32::from_le_bytes), shape)?,
        DType::F64 => Tensor::from_vec(numbers(data, f64::from_le_bytes), shape)?,
        DType::Bool => Tensor::from_vec(data.iter().map(|&byte| byte != 0).collect(), shape)?,
        _ if view.dtype() == Dtype::I32 => {
            Tensor::from_vec(numbers(data, |bytes| i64::from(i32::from_le_bytes(bytes))), shape)?
        }
        _ => Tensor::from_vec(numbers(data, i64::from_le_bytes), shape)?,
    })
}

/// The dtype that holds what is stored; `int32` is read as `int64`.
pub(crate) fn dtype(view: &TensorView<'_>) -> Outcome<DType> {
    match view.dtype() {
        Dtype::F32 => Ok(DType::F32),
        Dtype::F64 => Ok(DType::F64),
        Dtype::I64 | Dtype::I32 => Ok(DType::I64),
        Dtype::BOOL => Ok(DType::Bool),
        other => Err(Stop::NotBuilt(format!("dtype not built: {other:?}"))),
    }
}

/// Little-endian numbers of `N` bytes each.
fn numbers<const N: usize, T>(data: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
    data.as_chunks::<N>().0.iter().map(|&bytes| read(bytes)).collect()
}
