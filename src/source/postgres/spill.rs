//! The messages of one transaction that is not committed yet: in memory, and beyond that in a file.
//!
//! In: messages in the order in which they come. Out: the same, in blocks that can be handed over. Promised: what is in the
//! file is read back block by block and never whole; the file has no name from the moment it is made, so that the system
//! removes it with the process, however that ends. Nothing survives a crash: the server sends it all again.
//!
//! ```text
//!  file    │ message │ message │ …         what was written out, oldest first
//!  chunks  │ message │ message │ …         what came since
//!  message   length (4) │ place in the log (8); for what describes a table, the number of that description │ body
//! ```

use std::fs::File;
use std::io::{self, Error, ErrorKind, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::connection::{Lsn, WalMessage};

/// Length and place before each message.
const HEADER_BYTES: usize = 12;

/// How much is kept in one piece, and read back at once; a longer message has a piece of its own.
const CHUNK_BYTES: usize = 256 * 1024;

/// What is held of a transaction.
#[derive(Debug, Default)]
pub struct Held {
    file: Option<File>,
    written: u64,
    chunks: Vec<Vec<u8>>,
    memory: usize,
}

impl Held {
    /// Holds one more message.
    pub fn push(&mut self, lsn: Lsn, body: &[u8]) {
        let needed = HEADER_BYTES + body.len();
        let fits = self.chunks.last().is_some_and(|chunk| chunk.len() + needed <= CHUNK_BYTES);
        if !fits {
            // The first one grows: most open transactions are small.
            let room = if self.chunks.is_empty() { needed } else { needed.max(CHUNK_BYTES) };
            self.chunks.push(Vec::with_capacity(room));
            self.memory += room;
        }
        let Some(chunk) = self.chunks.last_mut() else { return };
        let before = chunk.capacity();
        // A message is at most 1 GiB long.
        chunk.extend_from_slice(&(body.len() as u32).to_be_bytes());
        chunk.extend_from_slice(&lsn.0.to_be_bytes());
        chunk.extend_from_slice(body);
        self.memory += chunk.capacity().saturating_sub(before);
    }

    /// Bytes of memory that it takes.
    pub fn memory(&self) -> usize {
        self.memory
    }

    /// Bytes that are in the file.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Writes what is in memory behind what is in the file.
    ///
    /// # Errors
    /// When the file cannot be made or written; what is held is then not complete any more.
    pub fn spill(&mut self, folder: &Path) -> io::Result<()> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => nameless(folder)?,
        };
        for chunk in std::mem::take(&mut self.chunks) {
            file.write_all(&chunk)?;
            self.written += chunk.len() as u64;
        }
        self.memory = 0;
        self.file = Some(file);
        Ok(())
    }

    /// From the first message to the last.
    pub fn replay(self) -> Replay {
        Replay { file: self.file, at: 0, written: self.written, chunks: self.chunks.into_iter() }
    }
}

/// A file that only this process can reach. It holds rows, so nobody else may open it while it has a name. The name is
/// nobody else's: containers that share a folder share the number of their process, and one that was killed at the wrong
/// moment leaves its file.
fn nameless(folder: &Path) -> io::Result<File> {
    let path = folder.join(format!("headwater-{}.transaction", uuid::Uuid::new_v4().simple()));
    let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

/// Makes a file in a folder and writes to it, to see whether that can be done.
///
/// # Errors
/// When it cannot.
pub fn try_folder(folder: &Path) -> io::Result<()> {
    nameless(folder)?.write_all(b"transaction")
}

/// Whether what is written to a folder stays in memory, as a list of mounts (`/proc/self/mounts`) says. `folder` is a path
/// without links.
pub fn is_in_memory(folder: &Path, mounts: &str) -> bool {
    let mount = |line: &str| {
        let mut words = line.split(' ').skip(1);
        let (at, kind) = (words.next()?, words.next()?);
        // The last one at a place hides those before it.
        folder.starts_with(at).then_some((at.len(), matches!(kind, "tmpfs" | "ramfs")))
    };
    mounts.lines().filter_map(mount).max_by_key(|(length, _)| *length).is_some_and(|(_, in_memory)| in_memory)
}

/// Reads a held transaction from its beginning, and forgets what was read.
#[derive(Debug)]
pub struct Replay {
    file: Option<File>,
    at: u64,
    written: u64,
    chunks: std::vec::IntoIter<Vec<u8>>,
}

impl Replay {
    /// The next messages: `block` and `messages` are replaced. `false` behind the last one.
    ///
    /// # Errors
    /// When the file cannot be read, or is not what was written.
    pub fn next(&mut self, block: &mut Vec<u8>, messages: &mut Vec<WalMessage>) -> io::Result<bool> {
        messages.clear();
        if let Some(file) = self.file.as_ref().filter(|_| self.at < self.written) {
            self.at += read_chunk(file, self.at, self.written - self.at, block, messages)?;
            return Ok(true);
        }
        self.file = None;
        let Some(chunk) = self.chunks.next() else { return Ok(false) };
        *block = chunk;
        if split(block, messages)?.is_empty() { Ok(true) } else { Err(damaged()) }
    }
}

/// Reads whole messages of a file at a place, of so many bytes that are left. Gives the bytes that they take.
fn read_chunk(file: &File, at: u64, left: u64, block: &mut Vec<u8>, messages: &mut Vec<WalMessage>) -> io::Result<u64> {
    let mut wanted = CHUNK_BYTES;
    loop {
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(wanted);
        block.resize(length, 0);
        file.read_exact_at(block, at)?;
        let rest = split(block, messages)?;
        if !messages.is_empty() {
            return Ok((length - rest.len()) as u64);
        }
        // The first message is longer than a chunk. Its length was written by us, and must be in the file.
        let (body, _) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
        let needed = HEADER_BYTES + u32::from_be_bytes(*body) as usize;
        if needed <= length || needed as u64 > left {
            return Err(damaged());
        }
        wanted = needed;
    }
}

/// Finds the whole messages of a block; gives what is behind them.
fn split<'b>(block: &'b [u8], messages: &mut Vec<WalMessage>) -> io::Result<&'b [u8]> {
    let mut rest = block;
    while let Some((length, behind)) = rest.split_first_chunk::<4>() {
        let Some((lsn, behind)) = behind.split_first_chunk::<8>() else { break };
        let Some((body, behind)) = behind.split_at_checked(u32::from_be_bytes(*length) as usize) else { break };
        let end = u32::try_from(block.len() - behind.len()).map_err(|_| damaged())?;
        let lsn = Lsn(u64::from_be_bytes(*lsn));
        // As long as the length that was read.
        let range = end - body.len() as u32..end;
        messages.push(WalMessage { start_lsn: lsn, end_lsn: lsn, server_time_us: 0, range });
        rest = behind;
    }
    Ok(rest)
}

fn damaged() -> Error {
    Error::new(ErrorKind::InvalidData, "the file of a transaction is not what was written to it")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Holds messages of these lengths, written out behind those of these numbers, and reads them back.
    fn check(lengths: &[usize], spilled_behind: &[usize]) {
        let folder = tempfile::tempdir().unwrap();
        let body = |number: usize| vec![number as u8; lengths[number]];
        let mut held = Held::default();
        for number in 0..lengths.len() {
            held.push(Lsn(number as u64 / 2), &body(number));
            if spilled_behind.contains(&number) {
                held.spill(folder.path()).unwrap();
                assert_eq!(held.memory(), 0);
            }
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a file is left");
        let (mut replay, mut block, mut messages, mut read) = (held.replay(), Vec::new(), Vec::new(), 0);
        while replay.next(&mut block, &mut messages).unwrap() {
            assert!(!messages.is_empty());
            for message in &messages {
                assert_eq!(message.start_lsn, Lsn(read as u64 / 2));
                assert_eq!(block[message.range.start as usize..message.range.end as usize], body(read));
                read += 1;
            }
        }
        assert_eq!(read, lengths.len());
    }

    #[test]
    fn what_is_held_comes_back_in_its_order() {
        check(&[], &[]);
        check(&[1, 0, 7], &[]);
        check(&[1, 0, 7], &[2]);
        check(&[1, 0, 7, 9, 11], &[0, 2]);
        let many = [3_000; 1_000];
        check(&many, &[]);
        check(&many, &[10, 500]);
        check(&many, &[999]);
        check(&[5, 3 * CHUNK_BYTES, 5, CHUNK_BYTES, 2 * CHUNK_BYTES, 5], &[]);
        check(&[5, 3 * CHUNK_BYTES, 5, CHUNK_BYTES, 2 * CHUNK_BYTES, 5], &[1, 5]);
    }

    #[test]
    fn a_folder_is_looked_at_before_it_is_needed() {
        let folder = tempfile::tempdir().unwrap();
        try_folder(folder.path()).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a file is left");
        assert!(try_folder(&folder.path().join("missing")).is_err());
        let mounts = "/dev/vda1 / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/vdb /tmp/disk xfs rw 0 0\nbad\n";
        for (folder, expected) in
            [("/var/tmp", false), ("/tmp", true), ("/tmp/held", true), ("/tmp/disk/held", false), ("/tmpfolder", false)]
        {
            assert_eq!(is_in_memory(Path::new(folder), mounts), expected, "{folder}");
        }
    }

    #[test]
    fn a_damaged_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        for length in [9_u32, u32::MAX] {
            let file = nameless(folder.path()).unwrap();
            file.write_all_at(&length.to_be_bytes(), 0).unwrap();
            file.write_all_at(&[0; 14], 4).unwrap();
            let mut replay = Replay { file: Some(file), at: 0, written: 18, chunks: Vec::new().into_iter() };
            let (mut block, mut messages) = (Vec::new(), Vec::new());
            assert!(replay.next(&mut block, &mut messages).is_err());
        }
    }
}
