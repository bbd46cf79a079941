//! Files of other formats, which are often taken for safetensors files.

/// How files of other formats begin, what they are, and what to do.
const FORMATS: [(&[u8], &str); 8] = [
    (b"PK\x03\x04", PYTORCH),
    (b"\x80", PYTORCH),
    (b"version https://git-lfs", "a Git LFS pointer and not the file itself: run `git lfs pull`"),
    (b"<", "an HTML or XML page: what was downloaded is a web page and not the file"),
    (b"GGUF", "a GGUF file: convert it to safetensors"),
    (b"\x89HDF", "an HDF5 file, as Keras saves: convert it to safetensors"),
    (b"\x93NUMPY", "a NumPy array: `read_npy` reads it"),
    (b"{", "JSON, perhaps the index of a checkpoint in several files: load the files that it lists"),
];

const PYTORCH: &str = "a PyTorch checkpoint (a zip archive or pickle): in Python, save it with \
     `safetensors.torch.save_file(model.state_dict(), path)`";

/// The most bytes that tell a format.
pub(super) const LONGEST_START: usize = 23;

/// What a file is that begins like this and is no safetensors file, and what to do.
pub(super) fn recognised(start: &[u8]) -> Option<&'static str> {
    FORMATS.iter().find(|(magic, _)| start.starts_with(magic)).map(|&(_, what)| what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_can_be_told_from_the_bytes_that_are_read() {
        assert!(FORMATS.iter().all(|(magic, _)| magic.len() <= LONGEST_START));
    }
}
