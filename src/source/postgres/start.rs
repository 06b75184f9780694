//! How a stream begins: what has to be there at the server, and from where to go on.

use std::sync::Arc;
use std::time::Duration;

use super::catalog::Catalog;
use super::connection::{
    Connection, ConnectionError, Lsn, Purpose, ReplicationRefusal, ReplicationRequest, ReplicationStream,
};
use super::error::PostgresError;
use super::options::PostgresOptions;
use super::position::PostgresPosition;
use super::progress::Progress;
use super::reader::PostgresSource;
use super::slot::Slot;
use super::{publication, slot};
use crate::error::Failure;
use crate::model::position::StoredOffset;
use crate::source::Beginning;
use crate::util::backoff::Backoff;
use crate::util::{clock, stop::Stop};

/// The first wait for a slot that is in use.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Servers of this version and later send logical messages, and transactions while they are open.
const MESSAGES_VERSION: u32 = 140_000;

/// Opens a stream behind the stored position, or a new one.
///
/// # Errors
/// With the page that says what is missing at the server.
pub fn open(options: PostgresOptions, stored: Option<&StoredOffset>, stop: &Stop) -> Result<PostgresSource, Failure> {
    let options = Arc::new(options);
    let mut catalog = Catalog::new(options.connect.clone(), options.initial_statements.clone(), stop.clone());
    let level = catalog.value("SHOW wal_level")?.unwrap_or_default();
    if level != "logical" {
        return Err(PostgresError::Setting { setting: "wal_level", actual: level, required: "logical" }.into());
    }
    catalog.refresh_types()?;
    // What is made after a slot is not in its past: the plugin reads the catalog as it was at each change.
    publication::prepare(&mut catalog, &options)?;
    publication::set_identities(&mut catalog, &options)?;
    let position = stored.map(PostgresPosition::from_stored).transpose()?;
    let found = find_slot(&options, &mut catalog)?;
    let (position, beginning) = match position {
        Some(position) => (resumed(&options, position, found)?, None),
        None => {
            let lsn = match found {
                Some(found) => found.confirmed,
                None => slot::create(&mut catalog, &options.slot)?,
            };
            let position = PostgresPosition::beginning(lsn);
            let beginning = Beginning { position: Arc::new(position.clone()), schema: Vec::new() };
            (position, Some(beginning))
        }
    };
    let stream = stream(&options, &mut catalog, position.start(), options.streaming.is_some(), stop)?;
    let progress = Progress::from(position, options.transaction_metadata);
    Ok(PostgresSource::new(options, stop.clone(), catalog, progress, stream, beginning))
}

/// The connector's slot, if it is there and can be read.
pub(super) fn find_slot(options: &PostgresOptions, catalog: &mut Catalog) -> Result<Option<Slot>, Failure> {
    slot::find(catalog, &options.slot.name, &options.connect.database)
}

/// From where to go on behind a position, if the slot can be the one that it was read from. We never
/// confirm what was not read, so a slot that is ahead is another one of that name, or somebody else has moved it.
pub(super) fn resumed(
    options: &PostgresOptions,
    position: PostgresPosition,
    found: Option<Slot>,
) -> Result<PostgresPosition, PostgresError> {
    let Some(found) = found else {
        let (slot, offset) = (options.slot.name.clone(), position.start());
        return Err(PostgresError::SlotMissing { slot, offset });
    };
    slot::reconcile(position, &found, &options.slot)
}

/// A place beyond the end of the server's log is of another server's: what is written up to it would be passed over.
fn check_end(catalog: &mut Catalog, offset: Lsn) -> Result<(), Failure> {
    let standby = catalog.value("SELECT pg_catalog.pg_is_in_recovery()")?.as_deref() == Some("t");
    let end = match standby {
        true => catalog.value("SELECT pg_catalog.pg_last_wal_replay_lsn()")?,
        false => catalog.value("SELECT pg_catalog.pg_current_wal_insert_lsn()")?,
    };
    let end: Lsn = end.and_then(|end| end.parse().ok()).ok_or(PostgresError::Catalog("the end of the log"))?;
    match (offset > end, standby) {
        (false, _) => Ok(()),
        (true, true) => Err(PostgresError::StandbyBehind { offset, end }.into()),
        (true, false) => Err(PostgresError::OffsetAhead { offset, end }.into()),
    }
}

/// Connects and starts the stream at a place.
///
/// # Errors
/// As [`open`]; a slot that is in use says by whom.
pub(super) fn stream(
    options: &PostgresOptions,
    catalog: &mut Catalog,
    start_lsn: Lsn,
    streaming: bool,
    stop: &Stop,
) -> Result<ReplicationStream, Failure> {
    check_end(catalog, start_lsn)?;
    // An old connection of our own is gone in a moment, and somebody else's may stay for long.
    let mut backoff = Backoff::new(FIRST_PAUSE, options.slot.retry_delay.max(FIRST_PAUSE));
    let deadline = clock::moment() + options.slot.retry_delay.saturating_mul(options.slot.max_retries);
    loop {
        let connection = Connection::connect(&options.connect, Purpose::Replication, &stop.flag())?;
        let able = connection.server_version_num() >= MESSAGES_VERSION;
        if streaming && !able {
            tracing::warn!(
                "this server sends transactions whole only (PostgreSQL 14): headwater.transaction.streaming has no effect"
            );
        }
        let request = ReplicationRequest {
            start_lsn,
            protocol_version: if streaming && able { 2 } else { 1 },
            streaming: streaming && able,
            messages: able,
            more_options: options.slot.stream_parameters.clone(),
            status_interval: options.slot.status_interval,
            silence: options.silence,
            ..ReplicationRequest::new(options.slot.name.clone(), vec![options.publication.name.clone()])
        };
        let error = match connection.start_replication(&request) {
            Ok(stream) => return Ok(stream),
            Err(error) => error,
        };
        let in_use =
            matches!(error, ConnectionError::Replication { refusal: ReplicationRefusal::SlotActive { .. }, .. });
        if !in_use {
            return Err(error.into());
        }
        let active = slot::active(catalog, &options.slot.name)?;
        let pause = backoff.next_delay();
        if clock::moment() + pause >= deadline {
            return Err(active.map_or_else(|| error.into(), Failure::from));
        }
        // Nobody: it was let go of between the two questions.
        if let Some(active) = active {
            tracing::warn!(reason = %active, attempt = backoff.attempts(), "waiting for the replication slot");
        }
        if stop.wait(pause) {
            return Err(error.into());
        }
    }
}
