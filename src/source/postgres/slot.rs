//! The replication slot: found, checked, made; and what its own position says about the stored one.

use super::catalog::Catalog;
use super::connection::{Lsn, quote_literal};
use super::error::PostgresError;
use super::options::SlotOptions;
use super::position::PostgresPosition;
use crate::error::Failure;
use crate::model::modes::{LsnFlushMode, OffsetMismatchStrategy};

/// The plugin that is read.
const PLUGIN: &str = "pgoutput";

/// A slot as the server has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// What was confirmed to it.
    pub confirmed: Lsn,
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
    Ok(Some(Slot { confirmed }))
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
    let at_slot = || PostgresPosition { commit_lsn: Some(confirmed), ..PostgresPosition::beginning(confirmed) };
    if confirmed <= offset {
        return Ok(position);
    }
    match (options.mismatch, options.flush) {
        (Some(S::TrustSlot | S::TrustGreaterLsn), _) => {
            tracing::warn!(%offset, %confirmed, "going on from the slot's position (offset.mismatch.strategy)");
            Ok(at_slot())
        }
        // Somebody else moves the slot, and is to know what was delivered.
        (Some(S::NoValidation), _) | (None, LsnFlushMode::Manual | LsnFlushMode::ConnectorAndDriver) => {
            tracing::warn!(
                %offset,
                %confirmed,
                "the slot was confirmed beyond the stored position: what lies between them does not come again"
            );
            Ok(at_slot())
        }
        (Some(S::TrustOffset), _) | (None, LsnFlushMode::Connector) => {
            Err(PostgresError::SlotAhead { slot: options.name.clone(), confirmed, offset })
        }
    }
}
