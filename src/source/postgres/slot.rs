//! The replication slot: found, checked, made; and what its own position says about the stored one.

use std::time::Duration;

use super::catalog::Catalog;
use super::connection::{ConnectOptions, Lsn, quote_literal};
use super::error::PostgresError;
use super::options::{PostgresOptions, SlotOptions};
use super::position::PostgresPosition;
use crate::error::{Disposition, Failure};
use crate::model::modes::{LsnFlushMode, OffsetMismatchStrategy};
use crate::util::backoff::Backoff;
use crate::util::stop::Stop;

/// Tries to drop a slot that is in use; about ten seconds.
const DROP_ATTEMPTS: u32 = 14;

/// For the connection, and for each try.
const DROP_TIMEOUT: Duration = Duration::from_secs(5);

/// The plugin that is read.
const PLUGIN: &str = "pgoutput";

/// A slot as the server has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// What was confirmed to it.
    pub confirmed: Lsn,
    /// Whether standbys keep a copy of it.
    pub failover: bool,
}

/// The slot, if it is there and can be read.
///
/// # Errors
/// When it is another database's or plugin's, or was given up by the server.
pub fn find(catalog: &mut Catalog, name: &str, database: &str) -> Result<Option<Slot>, Failure> {
    let sql = format!("SELECT * FROM pg_catalog.pg_replication_slots WHERE slot_name = {}", quote_literal(name));
    let answer = catalog.query(&sql)?;
    if answer.rows.is_empty() {
        return Ok(None);
    }
    let field = |name: &str| answer.first(name);
    let others = |what, actual: Option<String>, required: &str| PostgresError::SlotOfOthers {
        slot: name.to_owned(),
        what,
        actual: actual.unwrap_or_else(|| "none".to_owned()),
        required: required.to_owned(),
    };
    if field("plugin").as_deref() != Some(PLUGIN) {
        return Err(others("plugin", field("plugin"), PLUGIN).into());
    }
    if field("database").as_deref() != Some(database) {
        return Err(others("database", field("database"), database).into());
    }
    let lost = |reason: String| PostgresError::SlotLost { slot: name.to_owned(), reason };
    if let Some(reason) = field("invalidation_reason") {
        return Err(lost(format!("invalidation_reason is {reason}")).into());
    }
    if field("conflicting").as_deref() == Some("t") {
        return Err(lost("it conflicts with recovery (conflicting is true)".to_owned()).into());
    }
    match field("wal_status").as_deref() {
        Some("lost") => return Err(lost("wal_status is lost".to_owned()).into()),
        Some("unreserved") => tracing::warn!(
            slot = name,
            "the server will soon remove log that the slot needs (wal_status is unreserved): raise max_slot_wal_keep_size"
        ),
        Some(_) | None => {}
    }
    let lsn = field("confirmed_flush_lsn").or_else(|| field("restart_lsn"));
    let confirmed = lsn.and_then(|text| text.parse().ok()).ok_or(PostgresError::Catalog("the slot's position"))?;
    Ok(Some(Slot { confirmed, failover: field("failover").as_deref() == Some("t") }))
}

/// Makes the slot; gives the place from which on it has everything.
///
/// # Errors
/// When the server refuses.
pub fn create(catalog: &mut Catalog, options: &SlotOptions) -> Result<Lsn, Failure> {
    let name = quote_literal(&options.name);
    let able =
        catalog.value("SELECT current_setting('server_version_num')::int >= 170000 AND NOT pg_is_in_recovery()")?;
    let failover = match (options.failover, able.as_deref() == Some("t")) {
        (true, true) => ", failover => true",
        (true, false) => {
            tracing::warn!(
                "this server makes no failover slots (PostgreSQL 17, on a primary): the slot is made without"
            );
            ""
        }
        (false, _) => "",
    };
    tracing::info!(slot = options.name, "making the replication slot; it waits for transactions that are open now");
    catalog.query(&format!("SET statement_timeout = {}", options.create_timeout.as_millis()))?;
    let made = catalog
        .value(&format!("SELECT lsn FROM pg_catalog.pg_create_logical_replication_slot({name}, '{PLUGIN}'{failover})"));
    catalog.query("RESET statement_timeout")?;
    let lsn = made?.and_then(|text| text.parse().ok());
    Ok(lsn.ok_or(PostgresError::Catalog("the new slot's position"))?)
}

/// Who reads from the slot now, for the message that says so.
///
/// # Errors
/// When the server does not answer.
pub fn active(catalog: &mut Catalog, name: &str) -> Result<Option<PostgresError>, Failure> {
    let slot = quote_literal(name);
    let answer = catalog.query(&format!(
        "SELECT s.active_pid, a.usename, a.application_name, pg_catalog.host(a.client_addr) AS client \
         FROM pg_catalog.pg_replication_slots s LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = s.active_pid \
         WHERE s.slot_name = {slot} AND s.active"
    ))?;
    if answer.rows.is_empty() {
        return Ok(None);
    }
    let field = |name: &str| answer.first(name).filter(|text| !text.is_empty());
    let mut client = Vec::new();
    client.extend(field("usename").map(|user| format!("user {user}")));
    client.extend(field("application_name").map(|name| format!("application {name:?}")));
    client.extend(field("client").map(|address| format!("from {address}")));
    let client = if client.is_empty() { "who is not shown to this user".to_owned() } else { client.join(", ") };
    let pid = field("active_pid").unwrap_or_default();
    Ok(Some(PostgresError::SlotActive { slot: name.to_owned(), pid, client }))
}

/// Ends the process that reads from the slot, whose place is taken then.
///
/// # Errors
/// When the server does not answer; its refusal is logged, and waiting goes on.
pub fn take_over(catalog: &mut Catalog, name: &str, active: Option<&PostgresError>) -> Result<(), Failure> {
    let Some(PostgresError::SlotActive { pid, .. }) = active else { return Ok(()) };
    let (slot, pid) = (quote_literal(name), quote_literal(pid));
    // The process that was named, and only while it is still that one.
    let end = format!(
        "SELECT pg_catalog.pg_terminate_backend(active_pid) FROM pg_catalog.pg_replication_slots \
         WHERE slot_name = {slot} AND active_pid::text = {pid}"
    );
    match catalog.query(&end) {
        Ok(_) => tracing::warn!(
            slot = name,
            pid,
            "the reader of the slot is ended: it is a stream of ours that was lost, or headwater.slot.takeover says so"
        ),
        Err(failure) if failure.code.disposition == Disposition::Retry => return Err(failure),
        Err(failure) => {
            tracing::error!(slot = name, reason = %failure, "the reader of the slot cannot be ended: GRANT pg_signal_backend to this user")
        }
    }
    Ok(())
}

/// A slot that is dropped when its connector has stopped, as `slot.drop.on.stop` asks for.
pub struct DroppedSlot {
    connect: ConnectOptions,
    name: String,
}

impl DroppedSlot {
    /// The slot of a connector.
    pub fn of(options: &PostgresOptions) -> Self {
        let mut connect = options.connect.clone();
        // Somebody waits for the end.
        (connect.connect_timeout, connect.query_timeout) = (DROP_TIMEOUT, Some(DROP_TIMEOUT));
        DroppedSlot { connect, name: options.slot.name.clone() }
    }

    /// Drops it; one that is gone already is no error.
    ///
    /// # Errors
    /// When it is still in use after some tries, or the server refuses.
    pub fn drop_now(self) -> Result<(), Failure> {
        let mut catalog = Catalog::new(self.connect, Vec::new(), Stop::new());
        let drop = format!(
            "SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM pg_catalog.pg_replication_slots WHERE slot_name = {}",
            quote_literal(&self.name)
        );
        let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(1));
        loop {
            match catalog.query(&drop) {
                Ok(_) => break,
                // The walsender lets go of it a moment after it was told goodbye.
                Err(failure)
                    if failure.code.disposition == Disposition::Retry && backoff.attempts() < DROP_ATTEMPTS =>
                {
                    Stop::new().wait(backoff.next_delay());
                }
                Err(failure) => return Err(failure),
            }
        }
        tracing::warn!(
            slot = self.name,
            "the slot is dropped (slot.drop.on.stop): what happens until the next start is not read"
        );
        Ok(())
    }
}

/// Says what a failover would do to the slot, as far as a primary can tell: only a standby knows whether it has copied one.
///
/// # Errors
/// When the server does not answer.
pub fn warn_of_failover(catalog: &mut Catalog, options: &SlotOptions, found: Option<&Slot>) -> Result<(), Failure> {
    if !options.failover {
        return Ok(());
    }
    if found.is_some_and(|found| !found.failover) {
        tracing::warn!(
            slot = options.name,
            "slot.failover is set, and the slot was made without: ALTER_REPLICATION_SLOT {} (FAILOVER true) on a replication connection, while nobody reads from it",
            options.name
        );
    }
    let sql = "SELECT pg_catalog.current_setting('synchronized_standby_slots', true)";
    if catalog.value(sql)?.is_some_and(|slots| slots.is_empty()) {
        tracing::warn!(
            slot = options.name,
            "synchronized_standby_slots is empty: after a failover what was delivered may be missing on the standby; set it to the standby's slot"
        );
    }
    Ok(())
}

/// A position at which the slot itself stands.
pub fn at_slot(slot: &Slot) -> PostgresPosition {
    PostgresPosition { commit_lsn: Some(slot.confirmed), ..PostgresPosition::beginning(slot.confirmed) }
}

/// From where to go on, when the slot and the stored position do not agree.
///
/// # Errors
/// When the slot is ahead, and nothing says that this is right.
pub fn reconcile(
    position: PostgresPosition,
    slot: &Slot,
    options: &SlotOptions,
) -> Result<PostgresPosition, PostgresError> {
    use OffsetMismatchStrategy as S;
    let (offset, confirmed) = (position.start(), slot.confirmed);
    if confirmed <= offset {
        return Ok(position);
    }
    match (options.mismatch, options.flush) {
        (Some(S::TrustSlot | S::TrustGreaterLsn), _) => {
            tracing::warn!(%offset, %confirmed, "going on from the slot's position (offset.mismatch.strategy)");
            Ok(at_slot(slot))
        }
        // Somebody else moves the slot, and is to know what was delivered.
        (Some(S::NoValidation), _) | (None, LsnFlushMode::Manual | LsnFlushMode::ConnectorAndDriver) => {
            tracing::warn!(
                %offset,
                %confirmed,
                "the slot was confirmed beyond the stored position: what lies between them does not come again"
            );
            Ok(at_slot(slot))
        }
        (Some(S::TrustOffset), _) | (None, LsnFlushMode::Connector) => {
            Err(PostgresError::SlotAhead { slot: options.name.clone(), confirmed, offset })
        }
    }
}
