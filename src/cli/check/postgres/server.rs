//! The server's settings: whether it decodes its log, has room for one more reader, and keeps what that reader needs.

use super::{Report, Service, Session};
use crate::error::{Coded, Failure};
use crate::source::postgres::error::PostgresError;

/// A standby decodes since this version.
const STANDBY_DECODES: u32 = 160_000;

/// Below this many milliseconds a moment without processor time ends the stream.
const SENDER_TIMEOUT_WARNED_MS: u64 = 5_000;

pub(super) fn check(session: &mut Session<'_>, report: &mut Report) -> Result<(), Failure> {
    wal_level(session, report)?;
    room(session, report)?;
    keep_size(session, report)?;
    timeouts(session, report)?;
    if session.standby {
        standby(session, report)?;
    }
    Ok(())
}

/// A setting as the server shows it; `None` for one that its version does not have.
pub(super) fn setting(session: &mut Session<'_>, name: &str) -> Result<Option<String>, Failure> {
    session.catalog.value(&format!("SELECT pg_catalog.current_setting('{name}', true)"))
}

fn wal_level(session: &mut Session<'_>, report: &mut Report) -> Result<(), Failure> {
    let level = setting(session, "wal_level")?.unwrap_or_default();
    if level == "logical" {
        report.good("wal_level", "logical");
        return Ok(());
    }
    let error = PostgresError::Setting { setting: "wal_level", actual: level, required: "logical" };
    report.bad("wal_level", &error.to_string(), error.code().hint);
    Ok(())
}

/// Whether there is a slot and a walsender left.
fn room(session: &mut Session<'_>, report: &mut Report) -> Result<(), Failure> {
    let slot = crate::source::postgres::connection::quote_literal(&session.options.slot.name);
    let answer = session.catalog.query(&format!(
        "SELECT pg_catalog.current_setting('max_replication_slots') AS slots, \
         pg_catalog.current_setting('max_wal_senders') AS senders, \
         (SELECT pg_catalog.count(*) FROM pg_catalog.pg_replication_slots) AS slots_used, \
         (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_replication) AS senders_used, \
         (SELECT pg_catalog.count(*) FROM pg_catalog.pg_replication_slots WHERE slot_name = {slot}) AS made, \
         (SELECT pg_catalog.string_agg(slot_name, ', ') FROM (SELECT slot_name FROM pg_catalog.pg_replication_slots \
         WHERE NOT active ORDER BY slot_name LIMIT 5) AS idle) AS idle"
    ))?;
    let number = |name: &str| answer.first(name).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let (slots, used) = (number("slots"), number("slots_used"));
    let text = format!("{used} of {slots} in use");
    if used < slots || number("made") > 0 {
        report.good("max_replication_slots", &text);
    } else {
        let idle = answer.first("idle").map(|names| {
            format!(", or drop one that nobody reads from ({names}): SELECT pg_drop_replication_slot('NAME');")
        });
        let raise = Service::setting(session.service, &format!("max_replication_slots = {}", slots + 5), true);
        report.bad("max_replication_slots", &text, &format!("{raise}{}", idle.unwrap_or_default()));
    }
    let (senders, used) = (number("senders"), number("senders_used"));
    let text = format!("{used} of {senders} in use");
    if used < senders {
        report.good("max_wal_senders", &text);
    } else {
        let raise = Service::setting(session.service, &format!("max_wal_senders = {}", senders + 5), true);
        let mend =
            format!("{raise}; SELECT pid, application_name, client_addr FROM pg_stat_replication; shows who has them");
        report.bad("max_wal_senders", &text, &mend);
    }
    Ok(())
}

/// How much log a slot may keep from being removed.
fn keep_size(session: &mut Session<'_>, report: &mut Report) -> Result<(), Failure> {
    let name = "max_slot_wal_keep_size";
    match setting(session, name)?.as_deref() {
        Some("-1") => {
            let text =
                "no limit: the slot is never lost, and a connector that is away for long fills the server's disk";
            report.good(name, text);
        }
        Some(limit) => {
            let text = format!("{limit}: a connector that is further behind than that has lost its slot");
            report.good(name, &text);
        }
        None => {}
    }
    Ok(())
}

fn timeouts(session: &mut Session<'_>, report: &mut Report) -> Result<(), Failure> {
    let name = "wal_sender_timeout";
    let milliseconds =
        session.catalog.value("SELECT setting FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'")?;
    let shown = setting(session, name)?.unwrap_or_default();
    let usual = Service::setting(session.service, "wal_sender_timeout = '60s'", false);
    match milliseconds.and_then(|text| text.parse::<u64>().ok()) {
        Some(0) => {
            let text = "0: the server does not notice that a reader is gone, and its slot stays in use";
            report.warn(name, text, &usual);
        }
        Some(limit) if limit < SENDER_TIMEOUT_WARNED_MS => {
            report.warn(name, &format!("{shown}: a busy machine is taken for a dead one"), &usual);
        }
        _ => report.good(name, &shown),
    }
    let name = "idle_replication_slot_timeout";
    match setting(session, name)?.as_deref() {
        None => {}
        Some("0") => report.good(name, "off"),
        Some(limit) => {
            let mend = Service::setting(session.service, "idle_replication_slot_timeout = 0", false);
            report.warn(
                name,
                &format!("a connector that is away for {limit} loses its slot, and with it changes"),
                &mend,
            );
        }
    }
    Ok(())
}

/// A standby that is read from.
fn standby(session: &mut Session<'_>, report: &mut Report) -> Result<(), Failure> {
    if session.version < STANDBY_DECODES {
        let text = "a standby decodes its log since PostgreSQL 16";
        report.bad("standby", text, "connect to the primary (database.hostname)");
        return Ok(());
    }
    let feedback = setting(session, "hot_standby_feedback")?;
    if feedback.as_deref() == Some("on") {
        report.good("hot_standby_feedback", "on");
    } else {
        let text = "off: the primary may remove what the slot here needs of the catalog, and the slot is then lost";
        let mend = Service::setting(session.service, "hot_standby_feedback = on", false);
        report.warn("hot_standby_feedback", text, &format!("on this standby: {mend}"));
    }
    if setting(session, "primary_slot_name")?.unwrap_or_default().is_empty() {
        let text = "none: what hot_standby_feedback protects is forgotten whenever the standby is not connected";
        let mend = "on the primary: SELECT pg_create_physical_replication_slot('standby1'); then on this standby: ";
        let set = Service::setting(session.service, "primary_slot_name = 'standby1'", false);
        report.warn("primary_slot_name", text, &format!("{mend}{set}"));
    }
    Ok(())
}
