//! How a stream begins: what has to be there at the server, and from where to go on.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::catalog::Catalog;
use super::connection::{
    Connection, ConnectionError, Lsn, Purpose, ReplicationRefusal, ReplicationRequest, ReplicationStream,
};
use super::error::PostgresError;
use super::options::{PostgresOptions, SlotOptions, StreamingOptions};
use super::position::PostgresPosition;
use super::reader::PostgresSource;
use super::slot::Slot;
use super::timeline::Timeline;
use super::{publication, slot};
use crate::error::{Disposition, Failure};
use crate::model::modes::OffsetMismatchStrategy;
use crate::model::position::StoredOffset;
use crate::source::Beginning;
use crate::util::backoff::Backoff;
use crate::util::{clock, stop::Stop};

/// The first wait for a slot that is in use.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Servers of this version and later send logical messages, and transactions while they are open.
const MESSAGES_VERSION: u32 = 140_000;

/// Servers of this version and later do not tell transactions of which nothing is published.
const EMPTY_UNTOLD_VERSION: u32 = 150_000;

/// Opens a stream behind the stored position, or a new one.
///
/// # Errors
/// With the page that says what is missing at the server.
pub fn open(
    mut options: PostgresOptions,
    stored: Option<&StoredOffset>,
    stop: &Stop,
) -> Result<PostgresSource, Failure> {
    options.streaming = options.streaming.filter(StreamingOptions::is_usable);
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
    let found = slot::find(&mut catalog, &options.slot.name, &options.connect.database)?;
    slot::warn_of_failover(&mut catalog, &options.slot, found.as_ref())?;
    let begins = position.is_none() || (found.is_none() && options.slot.drop_on_stop);
    let found = match found {
        Some(found) => found,
        None if begins => {
            let confirmed = slot::create(&mut catalog, &options.slot)?;
            if let Some(position) = &position {
                tracing::warn!(
                    offset = %position.start(),
                    beginning = %confirmed,
                    "the slot was dropped when the connector stopped (slot.drop.on.stop): changes between the two were not read"
                );
            }
            Slot { confirmed, failover: options.slot.failover }
        }
        None => return Err(missing(&options.slot, position.as_ref()).into()),
    };
    let position = position.filter(|_| !begins).unwrap_or_else(|| PostgresPosition::beginning(found.confirmed));
    let wish = Wish { streaming: options.streaming.is_some(), previous: None, begins };
    let started = resume(&options, &mut catalog, position, &found, wish, stop)?;
    let beginning = begins.then(|| Beginning { position: Arc::new(started.position.clone()), schema: Vec::new() });
    Ok(PostgresSource::new(options, stop.clone(), catalog, started, beginning))
}

/// A stream that has been started.
pub(super) struct Started {
    pub(super) stream: ReplicationStream,
    /// Behind this it goes on.
    pub(super) position: PostgresPosition,
    /// The server's process of it.
    pub(super) walsender: String,
    /// Whether the server tells transactions of which nothing is published.
    pub(super) tells_empty: bool,
}

/// How a stream is started.
#[derive(Clone, Copy)]
pub(super) struct Wish<'p> {
    /// Whether large transactions are to come while they are open.
    pub(super) streaming: bool,
    /// The server's process of our last stream, which may not have noticed that nobody listens any more.
    pub(super) previous: Option<&'p str>,
    /// Whether nothing was stored before.
    pub(super) begins: bool,
}

/// Connects again and goes on behind a position.
///
/// # Errors
/// As [`open`].
pub(super) fn go_on(
    options: &PostgresOptions,
    catalog: &mut Catalog,
    position: PostgresPosition,
    wish: Wish<'_>,
    stop: &Stop,
) -> Result<Started, Failure> {
    catalog.disconnect();
    let found = slot::find(catalog, &options.slot.name, &options.connect.database)?;
    let Some(found) = found else { return Err(missing(&options.slot, Some(&position)).into()) };
    resume(options, catalog, position, &found, wish, stop)
}

fn missing(options: &SlotOptions, position: Option<&PostgresPosition>) -> PostgresError {
    let offset = position.map_or(Lsn::INVALID, PostgresPosition::start);
    PostgresError::SlotMissing { slot: options.name.clone(), offset }
}

/// Starts the stream behind a position, or behind what takes its place.
fn resume(
    options: &PostgresOptions,
    catalog: &mut Catalog,
    position: PostgresPosition,
    found: &Slot,
    wish: Wish<'_>,
    stop: &Stop,
) -> Result<Started, Failure> {
    let mut connection = Connection::connect(&options.connect, Purpose::Replication, &stop.flag())?;
    let tells_empty = connection.server_version_num() < EMPTY_UNTOLD_VERSION;
    let (timeline, standby) = (Timeline::read(&mut connection)?, is_standby(catalog)?);
    let mut position = behind(&options.slot, position, found, |position| {
        check_end(catalog, position.furthest(), standby)?;
        Ok(timeline.check(position, found.confirmed)?)
    })?;
    let (stream, walsender) = stream(options, catalog, connection, position.start(), wish, stop)?;
    // While the slot was waited for somebody else may have moved it, and the server begins where that one ended. From now on
    // only we can.
    let Some(found) = slot::find(catalog, &options.slot.name, &options.connect.database)? else {
        return Err(missing(&options.slot, Some(&position)).into());
    };
    position = match wish.begins {
        // What its reader has confirmed until now is not asked for by one that begins.
        true => PostgresPosition::beginning(found.confirmed),
        false => slot::reconcile(position, &found, &options.slot)?,
    };
    // A standby may be promoted under the stream, and its timeline is then another.
    position.timeline = (!standby).then_some(timeline.id);
    Ok(Started { stream, position, walsender, tells_empty })
}

/// The position to go on from: the stored one if it is in the server's log and the slot's, or the slot's where a setting says so.
///
/// # Errors
/// What is wrong with the stored one.
pub fn behind(
    options: &SlotOptions,
    position: PostgresPosition,
    found: &Slot,
    check: impl FnOnce(&PostgresPosition) -> Result<(), Failure>,
) -> Result<PostgresPosition, Failure> {
    match check(&position) {
        Ok(()) => Ok(slot::reconcile(position, found, options)?),
        // It is not in the log, and the slot's is.
        Err(failure)
            if failure.code.disposition == Disposition::Stop
                && options.mismatch == Some(OffsetMismatchStrategy::TrustSlot) =>
        {
            tracing::warn!(reason = %failure, confirmed = %found.confirmed, "going on from the slot's position (offset.mismatch.strategy)");
            Ok(slot::at_slot(found))
        }
        Err(failure) => Err(failure),
    }
}

fn is_standby(catalog: &mut Catalog) -> Result<bool, Failure> {
    Ok(catalog.value("SELECT pg_catalog.pg_is_in_recovery()")?.as_deref() == Some("t"))
}

/// A place beyond the end of the server's log is of another server's: what is written up to it would be passed over.
///
/// # Errors
/// When it is, or the server does not answer.
pub fn check_end(catalog: &mut Catalog, offset: Lsn, standby: bool) -> Result<(), Failure> {
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
fn stream(
    options: &PostgresOptions,
    catalog: &mut Catalog,
    connection: Connection,
    start_lsn: Lsn,
    wish: Wish<'_>,
    stop: &Stop,
) -> Result<(ReplicationStream, String), Failure> {
    let mut connected = Some(connection);
    // An old connection of our own is gone in a moment, and somebody else's may stay for long.
    let mut backoff = Backoff::new(FIRST_PAUSE, options.slot.retry_delay.max(FIRST_PAUSE));
    let takeover_at = clock::moment() + options.slot.retry_delay;
    let deadline = clock::moment() + options.slot.retry_delay.saturating_mul(options.slot.max_retries);
    loop {
        let mut connection = match connected.take() {
            Some(connection) => connection,
            None => Connection::connect(&options.connect, Purpose::Replication, &stop.flag())?,
        };
        let walsender = connection.query("SELECT pg_catalog.pg_backend_pid() AS pid")?.first("pid").unwrap_or_default();
        let able = connection.server_version_num() >= MESSAGES_VERSION;
        if wish.streaming && !able {
            tracing::warn!(
                "this server sends transactions whole only (PostgreSQL 14): headwater.transaction.streaming has no effect"
            );
        }
        let request = ReplicationRequest {
            start_lsn,
            protocol_version: if wish.streaming && able { 2 } else { 1 },
            streaming: wish.streaming && able,
            messages: able,
            more_options: options.slot.stream_parameters.clone(),
            status_interval: options.slot.status_interval,
            silence: options.silence,
            ..ReplicationRequest::new(options.slot.name.clone(), vec![options.publication.name.clone()])
        };
        let error = match connection.start_replication(&request) {
            Ok(stream) => return Ok((stream, walsender)),
            Err(error) => error,
        };
        let in_use =
            matches!(error, ConnectionError::Replication { refusal: ReplicationRefusal::SlotActive { .. }, .. });
        if !in_use {
            return Err(error.into());
        }
        let active = slot::active(catalog, &options.slot.name)?;
        let pause = backoff.next_delay();
        let is_ours = active.as_ref().is_some_and(|active| active.is_process(wish.previous));
        if is_ours || (options.slot.takeover && clock::moment() + pause >= takeover_at) {
            slot::take_over(catalog, &options.slot.name, active.as_ref())?;
        }
        if clock::moment() + pause >= deadline {
            return Err(active.map_or_else(|| error.into(), Failure::from));
        }
        // Nobody: it was let go of between the two questions.
        if let Some(active) = active {
            tracing::warn!(reason = %active, attempt = backoff.attempts(), "waiting for the replication slot");
        }
        // Whoever asked for so long a wait knows that it is none that hangs.
        options.steps.fetch_add(1, Ordering::Relaxed);
        if stop.wait(pause) {
            return Err(error.into());
        }
    }
}
