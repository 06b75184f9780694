//! Schema history in a file, one JSON document a line (Debezium's `FileSchemaHistory`).
//!
//! In: `schema.history.internal.file.filename`. Out: lines. Promised: lines are durable when `append_all` returns;
//! what a crash left of an unfinished last line is no record, is said and is cut off.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::PathBuf;

use super::{HistoryRecord, SchemaHistoryStore};
use crate::store::{StoreError, file};

/// Schema history in a file.
#[derive(Clone, Debug)]
pub struct FileSchemaHistory {
    path: PathBuf,
}

impl FileSchemaHistory {
    /// History in this file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        FileSchemaHistory { path: path.into() }
    }

    /// Cuts off a last line that does not end and is no record: the write was never confirmed to anyone. Left
    /// in place it would swallow the next record.
    fn mend_last_line(&self) -> Result<(), StoreError> {
        let bytes = std::fs::read(&self.path).map_err(file::failed(&self.path, "reading"))?;
        if bytes.last().is_none_or(|last| *last == b'\n') {
            return Ok(());
        }
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let last = bytes.get(whole..).unwrap_or_default();
        if HistoryRecord::from_json(last).is_ok() {
            return file::append(&self.path, b"\n");
        }
        tracing::warn!(path = %self.path.display(), bytes = last.len(), "the unfinished last line of the schema history is cut off");
        let open = OpenOptions::new().write(true).open(&self.path);
        open.and_then(|file| file.set_len(whole as u64).and_then(|()| file.sync_all()))
            .map_err(file::failed(&self.path, "writing"))
    }
}

impl SchemaHistoryStore for FileSchemaHistory {
    fn prepare(&mut self) -> Result<(), StoreError> {
        file::create_if_missing(&self.path)?;
        self.mend_last_line()
    }

    fn exists(&mut self) -> Result<bool, StoreError> {
        match std::fs::metadata(&self.path) {
            Ok(metadata) => Ok(metadata.len() > 0),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(file::failed(&self.path, "opening")(error)),
        }
    }

    fn read(&mut self, each: &mut dyn FnMut(HistoryRecord) -> Result<(), String>) -> Result<u64, StoreError> {
        let opened = File::open(&self.path).map_err(file::failed(&self.path, "opening"))?;
        let mut count = 0;
        for (number, line) in (1u64..).zip(BufReader::new(opened).split(b'\n')) {
            let line = line.map_err(file::failed(&self.path, "reading"))?;
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            HistoryRecord::from_json(&line).and_then(&mut *each).map_err(|problem| StoreError::History {
                place: format!("{} line {number}", self.path.display()),
                problem,
            })?;
            count += 1;
        }
        Ok(count)
    }

    fn append_all(&mut self, records: &[HistoryRecord]) -> Result<(), StoreError> {
        let mut lines = Vec::new();
        for record in records {
            lines.extend(record.to_line());
            lines.push(b'\n');
        }
        file::append(&self.path, &lines)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn record(ddl: &str) -> HistoryRecord {
        HistoryRecord { ddl: Some(ddl.to_owned()), changes: Some(vec![]), ..HistoryRecord::default() }
    }

    fn all(store: &mut FileSchemaHistory) -> Result<Vec<String>, StoreError> {
        let mut seen = Vec::new();
        store.read(&mut |record| {
            seen.push(record.ddl.unwrap_or_default());
            Ok(())
        })?;
        Ok(seen)
    }

    /// `left` is what a crash or a person left in the file; `seen` the statements read after one more append.
    fn check(left: &str, seen: Result<&[&str], &str>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/history.jsonl");
        let mut store = FileSchemaHistory::new(&path);
        assert!(!store.exists().unwrap());
        store.prepare().unwrap();
        std::fs::write(&path, left).unwrap();
        store.prepare().unwrap();
        store.append(&record("last")).unwrap();
        match (all(&mut store), seen) {
            (Ok(got), Ok(expected)) => assert_eq!(got, expected, "{left}"),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (got, _) => panic!("{left} gave {got:?}"),
        }
        assert!(store.exists().unwrap());
    }

    #[test]
    fn what_was_confirmed_is_read_and_what_is_broken_is_named() {
        let one = String::from_utf8(record("one").to_line()).unwrap();
        check("", Ok(&["last"]));
        check(&format!("{one}\n"), Ok(&["one", "last"]));
        check(&format!("{one}\r\n\n"), Ok(&["one", "last"]));
        check(&one, Ok(&["one", "last"]));
        check(&format!("{one}\n{{\"source\":"), Ok(&["one", "last"]));
        check(&format!("{one}\n{{\"source\":\n{one}\n"), Err("line 2"));
    }
}
