//! MySQL's GTID sets: for each server, and tag if any, the intervals of transaction numbers.
//!
//! Text: `uuid:1-5:7:tag:1-3,uuid:…`, as `@@global.gtid_executed` prints it, but without line breaks.
//! Source: MySQL manual, "GTID Sets"; `rpl_gtid_set.cc` for the encoding, which is the same in PREVIOUS_GTIDS
//! events and in COM_BINLOG_DUMP_GTID.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::super::error::EventError;
use super::super::reader::Reader;
use super::super::tagged_gtid;

/// One more than the highest transaction number.
const GNO_END: u64 = i64::MAX as u64;
/// Characters a tag can have.
const TAG_LIMIT: usize = 32;
/// The format byte of an encoding that has tags.
const TAGGED: u64 = 1;

/// Whether a transaction can have this number.
pub fn is_gno(gno: u64) -> bool {
    (1..GNO_END).contains(&gno)
}

/// Whether a text is a tag: a letter or underscore, then letters, digits or underscores, 32 at most.
pub fn is_tag(text: &str) -> bool {
    let body = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    text.len() <= TAG_LIMIT
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && text.as_bytes().iter().all(body)
}

/// A server's `server_uuid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Uuid(pub [u8; 16]);

/// Where the dashes stand.
const UUID_TEXT_LENGTH: usize = 36;
const UUID_DASHES: [usize; 4] = [8, 13, 18, 23];

impl Uuid {
    /// Reads the 36 characters of the usual form, or the 32 digits alone; upper or lower case.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let dashed = bytes.len() == UUID_TEXT_LENGTH;
        if dashed && UUID_DASHES.iter().any(|place| bytes.get(*place) != Some(&b'-')) {
            return None;
        }
        let mut digits = bytes.iter().filter(|byte| !dashed || **byte != b'-');
        let mut uuid = [0_u8; 16];
        for byte in &mut uuid {
            let high = char::from(*digits.next()?).to_digit(16)?;
            let low = char::from(*digits.next()?).to_digit(16)?;
            *byte = (high << 4 | low) as u8;
        }
        digits.next().is_none().then_some(Uuid(uuid))
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(uuid::Uuid::from_bytes(self.0).hyphenated().encode_lower(&mut [0; UUID_TEXT_LENGTH]))
    }
}

/// The tag of a GTID in lower case; empty for GTIDs without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Tag {
    /// Filled up with zero bytes, which keeps the order of the texts.
    bytes: [u8; TAG_LIMIT],
}

impl Tag {
    /// No tag.
    pub const NONE: Tag = Tag { bytes: [0; TAG_LIMIT] };

    /// From a text; `None` when it is neither empty nor a tag.
    pub fn new(text: &str) -> Option<Self> {
        if !text.is_empty() && !is_tag(text) {
            return None;
        }
        let mut tag = Tag::NONE;
        for (slot, byte) in tag.bytes.iter_mut().zip(text.bytes()) {
            *slot = byte.to_ascii_lowercase();
        }
        Some(tag)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        let length = self.bytes.iter().position(|byte| *byte == 0).unwrap_or(TAG_LIMIT);
        self.bytes.get(..length).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
    }

    /// Whether there is no tag.
    pub fn is_empty(&self) -> bool {
        *self == Tag::NONE
    }
}

/// First and last transaction number, both in the set.
type Interval = (u64, u64);

/// The transactions of one server under one tag.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Source {
    uuid: Uuid,
    tag: Tag,
    /// In order, neither touching nor overlapping; never empty. Shared between clones of a set.
    intervals: Arc<Vec<Interval>>,
}

/// A set of GTIDs. Cloning costs one allocation and a counter for each server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MysqlGtidSet {
    /// In the order of UUID, then tag.
    sources: Vec<Source>,
}

impl MysqlGtidSet {
    /// The empty set.
    pub fn new() -> Self {
        MysqlGtidSet::default()
    }

    /// Whether it has no GTID.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Whether any GTID has a tag: servers before MySQL 8.3 do not know those.
    pub fn has_tags(&self) -> bool {
        self.sources.iter().any(|source| !source.tag.is_empty())
    }

    /// The servers in the set, in order; one with several tags comes several times.
    pub fn servers(&self) -> impl Iterator<Item = (Uuid, Tag)> {
        self.sources.iter().map(|source| (source.uuid, source.tag))
    }

    /// Keeps only the servers that `keep` says (Debezium's `gtid.source.includes` and `.excludes`).
    pub fn retain_servers(&mut self, mut keep: impl FnMut(Uuid) -> bool) {
        self.sources.retain(|source| keep(source.uuid));
    }

    /// Adds one GTID. Numbers that no transaction can have are left out.
    pub fn add(&mut self, uuid: Uuid, tag: Tag, gno: u64) {
        self.add_interval(uuid, tag, gno, gno);
    }

    /// Adds all GTIDs from `first` to `last`; numbers that no transaction can have are left out.
    pub fn add_interval(&mut self, uuid: Uuid, tag: Tag, first: u64, last: u64) {
        let (first, last) = (first.max(1), last.min(GNO_END - 1));
        if first > last {
            return;
        }
        match self.find(uuid, tag) {
            Ok(index) => {
                if let Some(source) = self.sources.get_mut(index) {
                    join(Arc::make_mut(&mut source.intervals), first, last);
                }
            }
            Err(index) => {
                let intervals = Arc::new(vec![(first, last)]);
                self.sources.insert(index, Source { uuid, tag, intervals });
            }
        }
    }

    /// Whether the set has this GTID.
    pub fn contains(&self, uuid: Uuid, tag: Tag, gno: u64) -> bool {
        covers(self.intervals(uuid, tag), (gno, gno))
    }

    /// Whether `other` has every GTID of this set.
    pub fn is_subset_of(&self, other: &MysqlGtidSet) -> bool {
        self.sources.iter().all(|source| {
            let theirs = other.intervals(source.uuid, source.tag);
            source.intervals.iter().all(|interval| covers(theirs, *interval))
        })
    }

    /// Adds every GTID of `other`.
    pub fn union(&mut self, other: &MysqlGtidSet) {
        for source in &other.sources {
            for (first, last) in source.intervals.iter() {
                self.add_interval(source.uuid, source.tag, *first, *last);
            }
        }
    }

    /// The GTIDs of this set that `other` does not have.
    pub fn subtract(&self, other: &MysqlGtidSet) -> MysqlGtidSet {
        let mut rest = MysqlGtidSet::new();
        for source in &self.sources {
            let intervals = without(&source.intervals, other.intervals(source.uuid, source.tag));
            if !intervals.is_empty() {
                rest.sources.push(Source { intervals: Arc::new(intervals), ..source.clone() });
            }
        }
        rest
    }

    /// Number of GTIDs in the set.
    pub fn count(&self) -> u64 {
        let intervals = self.sources.iter().flat_map(|source| source.intervals.iter());
        intervals.fold(0, |sum: u64, (first, last)| sum.saturating_add(last - first + 1))
    }

    /// Appends the encoding that COM_BINLOG_DUMP_GTID carries: with tags only if there are any.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let (count, tagged) = (self.sources.len() as u64, self.has_tags());
        let head = if tagged { TAGGED << 56 | count << 8 | TAGGED } else { count };
        out.extend_from_slice(&head.to_le_bytes());
        for source in &self.sources {
            out.extend_from_slice(&source.uuid.0);
            if tagged {
                let tag = source.tag.as_str();
                out.push((tag.len() as u8) << 1); // a length below 64 in the serialization library's form
                out.extend_from_slice(tag.as_bytes());
            }
            out.extend_from_slice(&(source.intervals.len() as u64).to_le_bytes());
            for (first, last) in source.intervals.iter() {
                out.extend_from_slice(&first.to_le_bytes());
                out.extend_from_slice(&(last + 1).to_le_bytes());
            }
        }
    }

    /// Reads the encoding of a PREVIOUS_GTIDS event, all of `bytes`.
    ///
    /// Errors: bytes that end early or go on, a format that is not known, intervals out of order.
    pub fn decode(bytes: &[u8]) -> Result<Self, EventError> {
        let mut reader = Reader::new(bytes, "encoded GTID set");
        let head = reader.u64()?;
        let (count, tagged) = match head >> 56 {
            0 => (head, false),
            TAGGED => (head << 8 >> 16, true),
            _ => return Err(reader.invalid("a format that is not known")),
        };
        let mut set = MysqlGtidSet::new();
        for _ in 0..count {
            let uuid = Uuid(reader.array()?);
            let tag = if tagged { decode_tag(&mut reader)? } else { Tag::NONE };
            let mut previous_end = 0;
            for _ in 0..reader.u64()? {
                let (first, end) = (reader.u64()?, reader.u64()?);
                if first <= previous_end || end <= first || end > GNO_END {
                    return Err(reader.invalid("intervals out of order"));
                }
                previous_end = end;
                set.add_interval(uuid, tag, first, end - 1);
            }
        }
        if reader.is_empty() { Ok(set) } else { Err(reader.invalid("bytes behind the set")) }
    }

    fn find(&self, uuid: Uuid, tag: Tag) -> Result<usize, usize> {
        self.sources.binary_search_by(|source| (source.uuid, source.tag).cmp(&(uuid, tag)))
    }

    fn intervals(&self, uuid: Uuid, tag: Tag) -> &[Interval] {
        let found = self.find(uuid, tag).ok().and_then(|index| self.sources.get(index));
        found.map(|source| source.intervals.as_slice()).unwrap_or_default()
    }
}

fn decode_tag(reader: &mut Reader<'_>) -> Result<Tag, EventError> {
    let length = tagged_gtid::unsigned(reader)?;
    let length = usize::try_from(length).map_err(|_| reader.invalid("a tag beyond the address space"))?;
    let text = std::str::from_utf8(reader.take(length)?).ok().and_then(Tag::new);
    text.ok_or_else(|| reader.invalid("a tag with characters that tags cannot have"))
}

/// Puts an interval into a list, joining what touches it.
fn join(intervals: &mut Vec<Interval>, first: u64, last: u64) {
    let start = intervals.partition_point(|(_, end)| *end < first.saturating_sub(1));
    let end = intervals.partition_point(|(begin, _)| *begin <= last.saturating_add(1));
    let touched = intervals.get(start..end).unwrap_or_default();
    let first = touched.first().map_or(first, |interval| interval.0.min(first));
    let last = touched.last().map_or(last, |interval| interval.1.max(last));
    intervals.splice(start..end.max(start), [(first, last)]);
}

/// Whether one interval of the list holds all of `interval`.
fn covers(intervals: &[Interval], interval: Interval) -> bool {
    let index = intervals.partition_point(|(_, end)| *end < interval.0);
    intervals.get(index).is_some_and(|(first, last)| *first <= interval.0 && interval.1 <= *last)
}

/// What of the first list is not in the second.
fn without(intervals: &[Interval], others: &[Interval]) -> Vec<Interval> {
    let mut rest = Vec::new();
    for (first, last) in intervals {
        let mut from = *first;
        let start = others.partition_point(|(_, end)| end < first);
        for (begin, end) in others.iter().skip(start).take_while(|(begin, _)| begin <= last) {
            if from < *begin {
                rest.push((from, begin - 1));
            }
            from = end + 1;
        }
        if from <= *last {
            rest.push((from, *last));
        }
    }
    rest
}

impl fmt::Display for MysqlGtidSet {
    /// As the server prints it, without the line break behind each comma.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut previous = None;
        for source in &self.sources {
            if previous != Some(source.uuid) {
                let comma = if previous.is_some() { "," } else { "" };
                write!(f, "{comma}{}", source.uuid)?;
                previous = Some(source.uuid);
            }
            if !source.tag.is_empty() {
                write!(f, ":{}", source.tag.as_str())?;
            }
            for (first, last) in source.intervals.iter() {
                write!(f, ":{first}")?;
                if first != last {
                    write!(f, "-{last}")?;
                }
            }
        }
        Ok(())
    }
}

impl FromStr for MysqlGtidSet {
    type Err = EventError;

    /// Reads what MySQL prints and accepts: white space anywhere, upper case, empty members, `n-n`.
    fn from_str(text: &str) -> Result<Self, EventError> {
        let mut set = MysqlGtidSet::new();
        let mut at = 0;
        for member in text.split(',') {
            parse_member(member, at, &mut set)?;
            at += member.len() + 1;
        }
        Ok(set)
    }
}

fn parse_member(member: &str, mut at: usize, set: &mut MysqlGtidSet) -> Result<(), EventError> {
    let mut parts = member.split(':');
    let name = parts.next().unwrap_or_default();
    if member.trim().is_empty() {
        return Ok(());
    }
    let Some(uuid) = Uuid::parse(name.trim()) else {
        return Err(EventError::GtidText { at, reason: "a server UUID was expected" });
    };
    at += name.len() + 1;
    let mut tag = Tag::NONE;
    let mut intervals = 0_usize;
    for part in parts {
        let text = part.trim();
        if is_tag(text) {
            tag = Tag::new(text).unwrap_or_default();
        } else {
            let (first, last) = parse_interval(text, at)?;
            set.add_interval(uuid, tag, first, last);
            intervals += 1;
        }
        at += part.len() + 1;
    }
    if intervals == 0 {
        return Err(EventError::GtidText { at, reason: "a UUID without transaction numbers" });
    }
    Ok(())
}

fn parse_interval(text: &str, at: usize) -> Result<Interval, EventError> {
    let number = |text: &str| {
        let gno = text.trim().parse().ok().filter(|gno| is_gno(*gno));
        gno.ok_or(EventError::GtidText { at, reason: "a transaction number or a tag was expected" })
    };
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (number(first)?, number(last)?),
        None => (number(text)?, number(text)?),
    };
    if first <= last {
        Ok((first, last))
    } else {
        Err(EventError::GtidText { at, reason: "an interval that ends before it begins" })
    }
}
