//! Replacing a file whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// The file that takes the place of a path: the path itself, or what a symbolic link points to. Only plain files are
/// replaced: to rename a file over a device or a named pipe would remove that.
fn target(path: &Path) -> io::Result<PathBuf> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(path.to_path_buf()),
        Err(error) => Err(error),
        Ok(_) => {
            let target = fs::canonicalize(path)
                .map_err(|error| io::Error::new(error.kind(), format!("a link to nothing: {error}")))?;
            match fs::metadata(&target)?.is_file() {
                true => Ok(target),
                false => {
                    Err(io::Error::new(io::ErrorKind::InvalidInput, "not a plain file: nothing is written"))
                }
            }
        }
    }
}

/// Writes a file beside its place, syncs it and renames it. On failure nothing is left behind, and what was there
/// before is untouched.
pub(super) fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let target = target(path)?;
    let directory = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".").suffix(".tmp");
    // Temporary files are private by default; this one becomes an ordinary file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let file = builder.tempfile_in(directory)?;
    if let Ok(old) = fs::metadata(&target) {
        file.as_file().set_permissions(old.permissions())?;
    }

    let mut buffered = BufWriter::new(file.as_file());
    write(&mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    file.as_file().sync_all()?;
    file.persist(&target)?;

    // The name is on disk once its directory is. The file has been replaced by now, and not every system can
    // sync a directory, so a failure here is none of the save.
    if let Ok(directory) = File::open(directory) {
        let _ = directory.sync_all();
    }
    Ok(())
}
