//! The captures in `tests/corpus`: binlog files of real servers, made by `capture.sh` from `sql/*.sql`.

use std::path::{Path, PathBuf};

use super::super::*;

/// What a binlog file begins with.
const MAGIC: &[u8] = b"\xfebin";

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

/// All captures, in the order of their names.
pub fn captures() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for server in std::fs::read_dir(folder()).unwrap() {
        let server = server.unwrap().path();
        if server.is_dir() {
            let files = std::fs::read_dir(server).unwrap().map(|file| file.unwrap().path());
            found.extend(files.filter(|file| file.extension().is_some_and(|extension| extension == "binlog")));
        }
    }
    found.sort();
    assert!(found.len() > 20, "captures are missing");
    found
}

/// The events of a capture, which may be several files one after the other; inner events of payloads follow
/// their payload. Each with the format it is to be decoded with.
pub fn events(path: &Path) -> Vec<(Vec<u8>, Format)> {
    let bytes = std::fs::read(path).unwrap();
    let mut format = Format::initial(ChecksumAlgorithm::None);
    let mut events = Vec::new();
    let mut rest = bytes.as_slice();
    let mut payloads = PayloadDecoder::new(1 << 30);
    while !rest.is_empty() {
        if let Some(behind) = rest.strip_prefix(MAGIC) {
            rest = behind;
            continue;
        }
        let header = EventHeader::parse(rest).unwrap();
        let (event, behind) = rest.split_at(header.event_size as usize);
        rest = behind;
        let decoded = decode(event, &format).unwrap();
        if let Event::FormatDescription(next) = &decoded {
            format = (**next).clone();
        }
        verify_checksum(event, format.checksum).unwrap();
        events.push((event.to_vec(), format.clone()));
        if let Event::TransactionPayload(payload) = decoded {
            let mut inner = payloads.begin(&payload).unwrap();
            let mut event = Vec::new();
            while inner.next_into(&mut event).unwrap().is_some() {
                events.push((std::mem::take(&mut event), format.inside_payload()));
            }
        }
    }
    events
}
