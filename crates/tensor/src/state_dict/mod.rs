//! [`StateDict`]: named tensors, and their file.

mod atomic;
mod bytes;
mod foreign;
mod read;
#[cfg(test)]
mod tests;
mod write;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;

use crate::{Error, Result, Tensor, bail};

/// The key under which a safetensors header keeps what is not a tensor.
const METADATA: &str = "__metadata__";

/// An ordered map from names to tensors, with string metadata: the state of a model or an optimizer.
///
/// Names are kept in the order of insertion. On disk it is a safetensors file, which PyTorch reads and writes
/// with `safetensors.torch.load_file` and `save_file`.
///
/// ```
/// # use chainrule_tensor::{StateDict, Tensor, Result};
/// # fn main() -> Result<()> {
/// let mut state = StateDict::new();
/// state.insert("layer.weight", Tensor::new([[1.0, 2.0]]))?;
/// state.insert("steps", Tensor::new(7))?;
/// let copy = StateDict::from_bytes(&state.to_bytes()?)?;
/// assert_eq!(copy.names().collect::<Vec<_>>(), ["layer.weight", "steps"]);
/// assert_eq!(copy.get("steps").unwrap().item()?, 7.0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct StateDict {
    /// By the order of insertion.
    entries: BTreeMap<u64, (String, Tensor)>,
    order: HashMap<String, u64>,
    inserted: u64,
    metadata: BTreeMap<String, String>,
}

impl StateDict {
    /// A state dict without entries.
    pub fn new() -> StateDict {
        StateDict::default()
    }

    /// Adds a tensor, taken out of any graph; no numbers are copied.
    ///
    /// # Errors
    /// When the name is taken, or is `__metadata__`, which the file format reserves.
    #[track_caller]
    pub fn insert(&mut self, name: impl Into<String>, tensor: Tensor) -> Result<()> {
        let name = name.into();
        if name == METADATA {
            bail!(Data, "StateDict::insert", "the name {METADATA} is reserved by the file format");
        }
        if self.contains(&name) {
            bail!(Data, "StateDict::insert", "the name {name:?} is taken already");
        }
        self.order.insert(name.clone(), self.inserted);
        self.entries.insert(self.inserted, (name, tensor.detach()));
        self.inserted += 1;
        Ok(())
    }

    /// The tensor of a name.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.order.get(name).and_then(|place| self.entries.get(place)).map(|(_, tensor)| tensor)
    }

    /// Whether there is a tensor of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.order.contains_key(name)
    }

    /// Takes a tensor out.
    pub fn remove(&mut self, name: &str) -> Option<Tensor> {
        let place = self.order.remove(name)?;
        self.entries.remove(&place).map(|(_, tensor)| tensor)
    }

    /// Names and tensors, in the order of insertion.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.entries.values().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// The names, in the order of insertion.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(name, _)| name)
    }

    /// The number of tensors.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no tensors.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What is stored beside the tensors.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    /// What is stored beside the tensors, to be changed.
    pub fn metadata_mut(&mut self) -> &mut BTreeMap<String, String> {
        &mut self.metadata
    }

    /// Adds all tensors of another state dict under names that begin with `prefix`; its metadata is left
    /// behind.
    ///
    /// # Errors
    /// As [`insert`](StateDict::insert); nothing is added then.
    #[track_caller]
    pub fn extend(&mut self, prefix: &str, other: &StateDict) -> Result<()> {
        let mut all = self.clone();
        for (name, tensor) in other.iter() {
            all.insert(format!("{prefix}{name}"), tensor.clone())?;
        }
        *self = all;
        Ok(())
    }

    /// The tensors whose names begin with `prefix`, under what remains of their names.
    pub fn with_prefix(&self, prefix: &str) -> StateDict {
        let mut part = StateDict::new();
        for (name, tensor) in self.iter() {
            if let Some(rest) = name.strip_prefix(prefix) {
                // Different names differ in what remains of them.
                let _ = part.insert(rest, tensor.clone());
            }
        }
        part
    }

    /// Writes a safetensors file.
    ///
    /// The file appears whole or not at all: it is written beside its place, synced, and renamed. Equal state
    /// dicts give equal files, byte for byte. Tensors that are not contiguous are written as if they were.
    ///
    /// # Errors
    /// When the file cannot be written (no such directory, no space, no permission), and when `path` is there but is
    /// neither a plain file nor a link to one (a directory, a device, a named pipe, a link to nothing). What was there
    /// before is untouched then.
    #[track_caller]
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let header = match write::Header::new(self) {
            Ok(header) => header,
            Err(error) => return Err(error.context(path.display())),
        };
        match atomic::replace(path, |file| header.write(file)) {
            Ok(()) => Ok(()),
            Err(source) => Err(Error::io("StateDict::save", path.display(), source)),
        }
    }

    /// Reads a safetensors file. The order is that of the file's header.
    ///
    /// Tensors of `F64`, `F32`, `I64` and `BOOL` keep their dtype. Those of `F16` and `BF16` become `f32`, smaller and
    /// unsigned integers `i64`, all without a loss.
    ///
    /// # Errors
    /// When the file cannot be read, is truncated or is no safetensors file, or holds other dtypes or a number beyond
    /// `i64`. A file of another format (a PyTorch checkpoint, a web page, a Git LFS pointer) is named as such. What the
    /// header says is believed only as far as the size of the file bears it out, so that no file can make
    /// this take more memory than in proportion to its size.
    #[track_caller]
    pub fn load(path: impl AsRef<Path>) -> Result<StateDict> {
        let path = path.as_ref();
        match read::file(path) {
            Ok(state) => Ok(state),
            Err(read::Fault::Io(source)) => Err(Error::io("StateDict::load", path.display(), source)),
            Err(read::Fault::Data(fault)) => bail!(Data, "StateDict::load", "{}: {fault}", path.display()),
        }
    }

    /// The bytes that [`save`](StateDict::save) writes.
    #[track_caller]
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let header = write::Header::new(self)?;
        let mut bytes = Vec::new();
        match header.write(&mut bytes) {
            Ok(()) => Ok(bytes),
            Err(source) => Err(Error::io("StateDict::to_bytes", "memory", source)),
        }
    }

    /// Reads the bytes of a safetensors file.
    ///
    /// # Errors
    /// As [`load`](StateDict::load).
    #[track_caller]
    pub fn from_bytes(bytes: &[u8]) -> Result<StateDict> {
        match read::state(bytes, bytes.len() as u64) {
            Ok(state) => Ok(state),
            Err(read::Fault::Io(source)) => Err(Error::io("StateDict::from_bytes", "memory", source)),
            Err(read::Fault::Data(fault)) => bail!(Data, "StateDict::from_bytes", "{fault}"),
        }
    }
}

impl fmt::Debug for StateDict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
