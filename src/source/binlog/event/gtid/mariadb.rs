//! MariaDB's GTID positions: for each replication domain the last transaction.
//!
//! Text: `domain-server-sequence,…`, as `@@global.gtid_binlog_pos` prints it and `@slave_connect_state` takes it.
//! Source: MariaDB documentation, "Global Transaction ID".

use std::fmt;
use std::str::FromStr;

use super::super::error::EventError;

/// One GTID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MariadbGtid {
    /// The replication domain: a stream that is ordered in itself.
    pub domain_id: u32,
    /// The server that committed the transaction.
    pub server_id: u32,
    /// Grows within the domain.
    pub sequence: u64,
}

impl fmt::Display for MariadbGtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.domain_id, self.server_id, self.sequence)
    }
}

/// The last GTID of each domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MariadbGtidSet {
    /// In the order of domains, one each.
    gtids: Vec<MariadbGtid>,
}

impl MariadbGtidSet {
    /// The position before everything.
    pub fn new() -> Self {
        MariadbGtidSet::default()
    }

    /// Whether it names no transaction.
    pub fn is_empty(&self) -> bool {
        self.gtids.is_empty()
    }

    /// The GTIDs in the order of their domains.
    pub fn iter(&self) -> impl Iterator<Item = &MariadbGtid> {
        self.gtids.iter()
    }

    /// The last GTID of a domain.
    pub fn last(&self, domain_id: u32) -> Option<MariadbGtid> {
        let index = self.find(domain_id).ok()?;
        self.gtids.get(index).copied()
    }

    /// Makes `gtid` the last one of its domain, whatever was there: the binlog's order counts, not the numbers.
    pub fn update(&mut self, gtid: MariadbGtid) {
        match self.find(gtid.domain_id) {
            Ok(index) => {
                if let Some(slot) = self.gtids.get_mut(index) {
                    *slot = gtid;
                }
            }
            Err(index) => self.gtids.insert(index, gtid),
        }
    }

    /// Keeps only the domains that `keep` says (Debezium's `gtid.source.includes` and `.excludes`).
    pub fn retain_domains(&mut self, mut keep: impl FnMut(u32) -> bool) {
        self.gtids.retain(|gtid| keep(gtid.domain_id));
    }

    /// Whether `other` is at or beyond this position in every domain that this one names.
    pub fn is_subset_of(&self, other: &MariadbGtidSet) -> bool {
        self.gtids.iter().all(|gtid| other.last(gtid.domain_id).is_some_and(|last| last.sequence >= gtid.sequence))
    }

    /// Whether the position is at or beyond `gtid`, judged by number within the domain.
    pub fn contains(&self, gtid: MariadbGtid) -> bool {
        self.last(gtid.domain_id).is_some_and(|last| last.sequence >= gtid.sequence)
    }

    fn find(&self, domain_id: u32) -> Result<usize, usize> {
        self.gtids.binary_search_by_key(&domain_id, |gtid| gtid.domain_id)
    }
}

impl fmt::Display for MariadbGtidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, gtid) in self.gtids.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{gtid}")?;
        }
        Ok(())
    }
}

impl FromStr for MariadbGtidSet {
    type Err = EventError;

    /// Reads what MariaDB prints; of several GTIDs of a domain the last one counts.
    fn from_str(text: &str) -> Result<Self, EventError> {
        let mut set = MariadbGtidSet::new();
        let mut at = 0;
        for member in text.split(',') {
            if !text.trim().is_empty() {
                set.update(parse(member.trim()).ok_or(EventError::GtidText { at, reason: EXPECTED })?);
            }
            at += member.len() + 1;
        }
        Ok(set)
    }
}

impl FromStr for MariadbGtid {
    type Err = EventError;

    fn from_str(text: &str) -> Result<Self, EventError> {
        parse(text).ok_or(EventError::GtidText { at: 0, reason: EXPECTED })
    }
}

const EXPECTED: &str = "domain-server-sequence was expected";

fn parse(text: &str) -> Option<MariadbGtid> {
    if !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        return None;
    }
    let mut parts = text.split('-');
    let (domain_id, server_id) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let sequence = parts.next()?.parse().ok()?;
    parts.next().is_none().then_some(MariadbGtid { domain_id, server_id, sequence })
}
