//! The slot: whether it is there and can be read, whether the stored offset fits it, what it keeps, and whether it would
//! survive a failover.

use std::sync::Arc;

use super::{Report, Service, Session};
use crate::error::{Coded, Failure};
use crate::model::position::StoredOffset;
use crate::pipeline::translate;
use crate::source::postgres::connection::{Connection, Purpose, ResultSet, quote_literal};
use crate::source::postgres::error::PostgresError;
use crate::source::postgres::position::PostgresPosition;
use crate::source::postgres::timeline::Timeline;
use crate::source::postgres::{slot, start};

/// Slots for failover exist since this version.
const FAILOVER_SLOTS: u32 = 170_000;

pub(super) fn check(
    session: &mut Session<'_>,
    stored: Option<&StoredOffset>,
    report: &mut Report,
) -> Result<(), Failure> {
    let name = session.options.slot.name.clone();
    let found = slot::find(&mut session.catalog, &name, &session.options.database)?;
    if let Some(stored) = stored {
        let position = PostgresPosition::from_stored(stored)?;
        let options = translate::postgres_slot(&session.options.slot);
        match &found {
            Some(found) => {
                let timeline = timeline(session)?;
                start::behind(&options, position, found, |position| {
                    start::check_end(&mut session.catalog, position.furthest(), session.standby)?;
                    Ok(timeline.check(position, found.confirmed)?)
                })?;
            }
            None if options.drop_on_stop => {
                let text = "it was dropped when the connector stopped: what happened since is not read";
                report.warn("slot", text, "slot.drop.on.stop=false keeps it");
            }
            None => return Err(PostgresError::SlotMissing { slot: name, offset: position.start() }.into()),
        }
    }
    if found.is_none() {
        report.good("slot", &format!("{name:?} does not exist yet and is made at the start"));
        if session.standby {
            let text = "a new slot on a standby waits until its primary writes what runs";
            report.warn("slot", text, "on the primary, while it is made: SELECT pg_log_standby_snapshot();");
        }
        return standbys(session, None, report);
    }
    let answer = session.catalog.query(&format!(
        "SELECT *, pg_catalog.pg_size_pretty(pg_catalog.pg_wal_lsn_diff(CASE WHEN pg_catalog.pg_is_in_recovery() \
         THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END, restart_lsn)) AS retained \
         FROM pg_catalog.pg_replication_slots WHERE slot_name = {}",
        quote_literal(&name)
    ))?;
    state(session, &name, &answer, report)?;
    standbys(session, Some(&answer), report)
}

fn timeline(session: &Session<'_>) -> Result<Timeline, Failure> {
    let mut connection = Connection::connect(&session.connect, Purpose::Replication, &Arc::default())?;
    let timeline = Timeline::read(&mut connection)?;
    connection.close();
    Ok(timeline)
}

fn state(session: &mut Session<'_>, name: &str, answer: &ResultSet, report: &mut Report) -> Result<(), Failure> {
    let is = |column: &str| answer.first(column).as_deref() == Some("t");
    let field = |column: &str| answer.first(column).unwrap_or_default();
    let text =
        format!("{name:?} is confirmed up to {} and keeps {} of log", field("confirmed_flush_lsn"), field("retained"));
    match field("wal_status").as_str() {
        "unreserved" => {
            let mend = Service::setting(session.service, "max_slot_wal_keep_size = -1", false);
            report.warn(
                "slot",
                &format!("{text}, more than max_slot_wal_keep_size: it is lost at the next checkpoint"),
                &mend,
            );
        }
        "extended" => {
            report.warn(
                "slot",
                &format!("{text}, more than max_wal_size"),
                "start the connector soon, or see what holds it up",
            );
        }
        _ => report.good("slot", &text),
    }
    if is("synced") && session.standby {
        let mend =
            "connect to the primary, or give slot.name a name of its own here: only after a promotion is it read here";
        report.bad("slot", "it is kept in step with the primary's slot, and cannot be read on this standby", mend);
    }
    if is("temporary") {
        let mend = format!("SELECT pg_drop_replication_slot({}); so that it is made anew", quote_literal(name));
        report.bad("slot", "it is temporary, and goes with the session that made it", &mend);
    }
    if let Some(active) = slot::active(&mut session.catalog, name)? {
        report.warn("slot", &format!("{active}; well and good if that is this connector"), active.code().hint);
    }
    Ok(())
}

/// Whether the slot is on the standbys too, as far as a primary can tell: only the standby itself knows whether it has
/// copied a slot (`synced` and not `temporary` in its own `pg_replication_slots`).
fn standbys(session: &mut Session<'_>, slot: Option<&ResultSet>, report: &mut Report) -> Result<(), Failure> {
    if session.standby {
        return Ok(());
    }
    let wanted = session.options.slot.failover;
    if session.version < FAILOVER_SLOTS {
        if wanted {
            let text = "this server makes no slots for failover (PostgreSQL 17 does)";
            report.warn("slot.failover", text, "slot.failover=false; behind a failover the connector says FAILED");
        }
        return Ok(());
    }
    let made = slot.map_or(wanted, |slot| slot.first("failover").as_deref() == Some("t"));
    let name = &session.options.slot.name;
    let make = format!(
        "while the connector is stopped: psql 'dbname={} replication=database' -c 'ALTER_REPLICATION_SLOT {name} (FAILOVER true);'",
        session.options.database
    );
    if wanted && !made {
        report.warn("slot.failover", "the slot was made without failover", &make);
    }
    let answer = session.catalog.query(
        "SELECT pg_catalog.string_agg(DISTINCT application_name, ', ') AS standbys, pg_catalog.count(*) AS number \
         FROM pg_catalog.pg_stat_replication r LEFT JOIN pg_catalog.pg_replication_slots s ON s.active_pid = r.pid \
         WHERE s.slot_type IS DISTINCT FROM 'logical'",
    )?;
    let standbys = answer.first("standbys").filter(|names| !names.is_empty());
    if let (Some(standbys), false, false) = (&standbys, made, wanted) {
        let text = format!("the slot is not on the standbys ({standbys}), and a failover ends this connector");
        report.warn("slot.failover", &text, &format!("slot.failover=true, and {make}"));
    }
    if made {
        held_back(session, standbys.is_some(), report)?;
    }
    Ok(())
}

/// A failover slot is of use only if nothing is sent that the standby does not have.
fn held_back(session: &mut Session<'_>, has_standby: bool, report: &mut Report) -> Result<(), Failure> {
    let name = "synchronized_standby_slots";
    let named = super::server::setting(session, name)?.unwrap_or_default();
    if named.is_empty() {
        if has_standby {
            let text = "none: what was delivered may be missing on a standby after a failover";
            let mend = Service::setting(session.service, "synchronized_standby_slots = 'SLOT_OF_THE_STANDBY'", false);
            report.warn(name, text, &format!("{mend} and on the standby sync_replication_slots = on"));
        }
        return Ok(());
    }
    let answer = session.catalog.query(
        "SELECT pg_catalog.string_agg(name, ', ') AS waiting FROM (SELECT pg_catalog.btrim(name, ' \"') AS name \
         FROM pg_catalog.unnest(pg_catalog.string_to_array(pg_catalog.current_setting('synchronized_standby_slots'), ',')) \
         AS name) AS wanted WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = name AND s.active)",
    )?;
    match answer.first("waiting").filter(|names| !names.is_empty()) {
        Some(waiting) => {
            let text = format!("nobody reads from {waiting}, and the stream waits for it");
            let mend = format!(
                "start that standby, or {}",
                Service::setting(session.service, "synchronized_standby_slots = ''", false)
            );
            report.warn(name, &text, &mend);
        }
        None => report.good(name, &named),
    }
    Ok(())
}
