//! Files that are whole at every moment.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::StoreError;

pub(super) fn failed(path: &Path, action: &'static str) -> impl Fn(std::io::Error) -> StoreError {
    let path = path.display().to_string();
    move |source| StoreError::File { path: path.clone(), action, source }
}

/// The bytes of a file; `None` when there is none. A file longer than `limit` is not what it should be.
pub(super) fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path, "opening")(error)),
    };
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(failed(path, "reading"))?;
    if bytes.len() as u64 > limit {
        return Err(failed(path, "reading")(std::io::Error::other(format!("longer than {limit} bytes"))));
    }
    Ok(Some(bytes))
}

/// Replaces a file by these bytes: after a crash at any moment it holds the old ones or the new ones, whole.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    replace_as(path, bytes, &mut OpenOptions::new())
}

/// The same for what only its owner may read.
pub(super) fn replace_private(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    replace_as(path, bytes, OpenOptions::new().mode(0o600))
}

fn replace_as(path: &Path, bytes: &[u8], options: &mut OpenOptions) -> Result<(), StoreError> {
    // A symbolic link stays: what it points to is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut name = target.clone().into_os_string();
    name.push(".new");
    let new = PathBuf::from(name);
    // One that a crash left behind may have other rights.
    drop(fs::remove_file(&new));
    let mut file = options.write(true).create(true).truncate(true).open(&new).map_err(failed(&new, "creating"))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed(&new, "writing"))?;
    fs::rename(&new, &target).map_err(failed(&target, "replacing"))?;
    sync_folder_of(&target)
}

/// Appends bytes, durably. What a failure (a full disk) left of them is taken back, so that they can be appended again.
pub(super) fn append(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut file = OpenOptions::new().append(true).open(path).map_err(failed(path, "opening"))?;
    let length = file.metadata().map_err(failed(path, "opening"))?.len();
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err()
        && let Err(error) = file.set_len(length)
    {
        tracing::warn!(path = %path.display(), %error, "what was written in part could not be taken back");
    }
    written.map_err(failed(path, "writing"))
}

/// Makes an empty file, and the folders above it, unless it is there.
pub(super) fn create_if_missing(path: &Path) -> Result<(), StoreError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        fs::create_dir_all(folder).map_err(failed(folder, "creating"))?;
    }
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(file) => {
            file.sync_all().map_err(failed(path, "creating"))?;
            sync_folder_of(path)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed(path, "creating")(error)),
    }
}

/// A new name is durable once its folder is.
fn sync_folder_of(path: &Path) -> Result<(), StoreError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed(folder, "writing"))
}
