//! What the database says: reachable, of a kind that is read, with a binlog that holds rows, and an account that may.

use std::collections::BTreeSet;

use super::{Report, grants::Grants, listed};
use crate::config::connector::ConnectorConfig;
use crate::error::{Coded, Failure};
use crate::model::table::TableId;
use crate::source::binlog::connection::{Connection, Flavor, ResultSet};
use crate::source::binlog::ddl;
use crate::source::binlog::error::BinlogError;
use crate::source::binlog::options::BinlogOptions;
use crate::source::binlog::start;
use crate::util::stop::Stop;

/// Binlogs kept for less than this are warned about: a weekend is longer than that.
const RETENTION_WARNED_S: u64 = 24 * 3600;

/// What was reached.
pub(in crate::cli) struct Session {
    pub(in crate::cli) connection: Connection,
    /// The captured tables that there are now.
    pub(in crate::cli) tables: Vec<TableId>,
}

/// Asks the database everything. `None` when it cannot be asked.
pub(in crate::cli) fn check(config: &ConnectorConfig, options: &BinlogOptions, report: &mut Report) -> Option<Session> {
    let mut connection = match start::connect(options, &Stop::new()) {
        Ok(connection) => connection,
        Err(failure) => {
            report.failure("database", &failure);
            return None;
        }
    };
    let maria = connection.server().flavor == Flavor::MariaDb;
    product(&connection, options, report);
    binlog(&mut connection, maria, report);
    let grants = privileges(&mut connection, maria, report);
    server_id(&mut connection, options, report);
    retention(&mut connection, maria, report);
    let tables = tables(&mut connection, config, options, &grants, report);
    // A connection that broke on the way answered nothing after that: the lines above are then no verdict.
    if let Err(error) = connection.ping() {
        report.failure("database", &Failure::from(error));
        return None;
    }
    Some(Session { connection, tables })
}

fn product(connection: &Connection, options: &BinlogOptions, report: &mut Report) {
    let server = connection.server();
    let (name, known) = match server.flavor {
        Flavor::MySql => ("MySQL", (5, 7)..=(9, u16::MAX)),
        Flavor::MariaDb => ("MariaDB", (10, 5)..=(11, u16::MAX)),
    };
    let tls = server.tls.as_deref().unwrap_or("without TLS");
    let connect = &options.connect;
    let place = format!("{}:{} as {}, {tls}", connect.hostname, connect.port, connect.user);
    // Older MariaDB puts 5.5.5- before its version, for replicas that understood only MySQL's.
    let version = server.version_text.strip_prefix("5.5.5-").unwrap_or(&server.version_text);
    let text = format!("{name} {version} at {place}");
    let (major, minor, _) = server.version;
    if known.contains(&(major, minor)) {
        report.good("database", &text);
    } else {
        report.warn("database", &text, "not a version this is tested with: MySQL 5.7 to 9.x and MariaDB 10.5 to 11.x");
    }
    if server.flavor != options.flavor {
        let class = match server.flavor {
            Flavor::MySql => "io.debezium.connector.mysql.MySqlConnector",
            Flavor::MariaDb => "io.debezium.connector.mariadb.MariaDbConnector",
        };
        let text = format!("its class is for another kind of server than {name}: it is read, but not by its GTIDs");
        report.warn("connector.class", &text, &format!("set connector.class={class}"));
    }
}

/// One value; `None` when the server does not know what was asked for, or refuses it.
fn ask(connection: &mut Connection, sql: &str) -> Option<String> {
    let result = connection.query(sql).ok()?;
    let cell = result.rows.first()?.first()?.as_ref()?;
    Some(String::from_utf8_lossy(cell).into_owned())
}

fn variable(connection: &mut Connection, name: &str) -> Option<String> {
    ask(connection, &format!("SELECT @@global.{name}"))
}

fn is_on(text: Option<&str>) -> bool {
    text.is_some_and(|text| text == "1" || text.eq_ignore_ascii_case("ON"))
}

/// The statement that sets a variable for good.
fn set(maria: bool, assignment: &str) -> String {
    if maria {
        format!("SET GLOBAL {assignment}; and the same in the server's my.cnf")
    } else {
        format!("SET PERSIST {assignment};")
    }
}

fn binlog(connection: &mut Connection, maria: bool, report: &mut Report) {
    if !is_on(variable(connection, "log_bin").as_deref()) {
        let error = BinlogError::NoBinlog;
        report.bad("log_bin", &error.to_string(), error.code().hint);
        return;
    }
    report.good("log_bin", "ON");
    // A server that no longer has the variable writes rows only.
    let format = variable(connection, "binlog_format").unwrap_or_else(|| "ROW".to_owned());
    if format.eq_ignore_ascii_case("ROW") {
        report.good("binlog_format", "ROW");
    } else {
        let mend = format!(
            "{} then let the application reconnect: sessions keep what they had",
            set(maria, "binlog_format = 'ROW'")
        );
        report.bad("binlog_format", &format, &mend);
    }
    let image = variable(connection, "binlog_row_image").unwrap_or_else(|| "FULL".to_owned());
    if image.eq_ignore_ascii_case("FULL") {
        report.good("binlog_row_image", "FULL");
    } else {
        let text = format!("{image}: columns that did not change are missing in before and after");
        report.warn("binlog_row_image", &text, &set(maria, "binlog_row_image = 'FULL'"));
    }
    match variable(connection, "binlog_row_metadata") {
        Some(metadata) if metadata.eq_ignore_ascii_case("FULL") => {
            report.good("binlog_row_metadata", "FULL: the log itself proves the names of columns");
        }
        Some(metadata) => {
            let text = format!("{metadata} is enough; with FULL the log itself would prove the names of columns");
            report.good("binlog_row_metadata", &text);
        }
        None => {}
    }
    if maria {
        report.good("GTID", "MariaDB's, always on: reading can go on at another server");
        return;
    }
    match variable(connection, "gtid_mode") {
        Some(mode) if mode.eq_ignore_ascii_case("ON") => {
            report.good("GTID", "gtid_mode is ON: reading can go on at another server")
        }
        mode => {
            let mode = mode.unwrap_or_else(|| "OFF".to_owned());
            let text =
                format!("gtid_mode is {mode}: positions are file and offset, which a failover to another server loses");
            report.good("GTID", &text);
        }
    }
}

/// The lines of `SHOW GRANTS`, those of active roles too where the server tells them.
fn grants(connection: &mut Connection, maria: bool) -> Grants {
    let mut lines = Vec::new();
    let mut take = |result: ResultSet| {
        let cells = result.rows.iter().filter_map(|row| row.first().cloned().flatten());
        lines.extend(cells.map(|cell| String::from_utf8_lossy(&cell).into_owned()));
    };
    if let Ok(result) = connection.query("SHOW GRANTS") {
        take(result);
    }
    match ask(connection, "SELECT CURRENT_ROLE()").filter(|role| !role.is_empty() && role != "NONE") {
        Some(_) if maria => {
            if let Ok(result) = connection.query("SHOW GRANTS FOR CURRENT_ROLE") {
                take(result);
            }
        }
        Some(roles) => {
            if let Ok(result) = connection.query(&format!("SHOW GRANTS FOR CURRENT_USER() USING {roles}")) {
                take(result);
            }
        }
        None => {}
    }
    Grants::parse(lines.iter().map(String::as_str))
}

/// `'cdc'@'%'`, as GRANT takes it.
fn account(connection: &mut Connection) -> String {
    let user = ask(connection, "SELECT CURRENT_USER()").unwrap_or_default();
    let (name, host) = user.rsplit_once('@').unwrap_or((&user, "%"));
    format!("'{}'@'{}'", name.replace('\'', "''"), host.replace('\'', "''"))
}

fn privileges(connection: &mut Connection, maria: bool, report: &mut Report) -> Grants {
    let grants = grants(connection, maria);
    let account = account(connection);
    let client =
        if maria && connection.server().version >= (10, 5, 2) { "BINLOG MONITOR" } else { "REPLICATION CLIENT" };
    let mut missing = Vec::new();
    if !grants.has(&["REPLICATION SLAVE"]) {
        missing.push("REPLICATION SLAVE");
    }
    if !grants.has(&["REPLICATION CLIENT", "BINLOG MONITOR", "SUPER"]) {
        missing.push(client);
    }
    if missing.is_empty() {
        report.good("privileges", &format!("{account} has REPLICATION SLAVE and {client}"));
    } else {
        let missing = missing.join(", ");
        report.bad(
            "privileges",
            &format!("{account} lacks {missing}"),
            &format!("GRANT {missing} ON *.* TO {account};"),
        );
    }
    if !grants.has(&["RELOAD", "FLUSH_TABLES"]) {
        report.good("privileges", "RELOAD is not granted and not needed: without the short read lock, tables' definitions are read until they are the same twice");
    }
    grants
}

fn server_id(connection: &mut Connection, options: &BinlogOptions, report: &mut Report) {
    let wanted = options.server_id.to_string();
    if variable(connection, "server_id").as_deref() == Some(wanted.as_str()) {
        report.bad(
            "server id",
            &format!("{wanted} is the server's own"),
            "set database.server.id to a number that no server and no replica has",
        );
        return;
    }
    let mut listed = None;
    for statement in ["SHOW REPLICAS", "SHOW SLAVE HOSTS"] {
        if let Ok(result) = connection.query(statement) {
            listed = Some((statement, result));
            break;
        }
    }
    let Some((statement, replicas)) = listed else {
        report
            .good("server id", &format!("{wanted}; whether a replica has it too cannot be seen with these privileges"));
        return;
    };
    let taken = replicas.rows.iter().find(|row| replicas.text(row, "Server_Id").as_deref() == Some(wanted.as_str()));
    match taken {
        None => report.good("server id", &format!("{wanted} is free")),
        Some(row) => {
            let host = replicas.text(row, "Host").unwrap_or_default();
            let text = format!("{wanted} is in use by a client on {host:?}");
            let mend = format!(
                "if that is not this connector itself, set database.server.id to a number that {statement}; does not list"
            );
            if host == crate::cli::host_name() {
                report.warn("server id", &text, &mend);
            } else {
                report.bad("server id", &text, &mend);
            }
        }
    }
}

fn retention(connection: &mut Connection, maria: bool, report: &mut Report) {
    const NAME: &str = "binlog retention";
    // Amazon RDS removes binlogs by a setting of its own, whatever the server's variables say.
    if let Ok(result) =
        connection.query("SELECT value FROM mysql.rds_configuration WHERE name = 'binlog retention hours'")
    {
        let mend = "CALL mysql.rds_set_configuration('binlog retention hours', 168);";
        match result.first("value").and_then(|hours| hours.trim().parse::<u64>().ok()) {
            None => report.warn(NAME, "RDS removes binlogs as soon as it can", mend),
            Some(hours) if hours * 3600 < RETENTION_WARNED_S => {
                report.warn(NAME, &format!("RDS keeps binlogs for {hours} hours"), mend)
            }
            Some(hours) => report.good(NAME, &format!("RDS keeps binlogs for {hours} hours")),
        }
        return;
    }
    let number =
        |text: Option<String>| text.and_then(|text| text.trim().parse::<f64>().ok()).filter(|number| *number > 0.0);
    let seconds = number(variable(connection, "binlog_expire_logs_seconds"));
    let days = number(variable(connection, "expire_logs_days"));
    let kept_s = seconds.or_else(|| days.map(|days| days * 86_400.0));
    match kept_s {
        None => report.good(NAME, "binlogs are kept until somebody removes them"),
        Some(kept_s) if kept_s < RETENTION_WARNED_S as f64 => {
            let text = format!(
                "binlogs are kept for {:.1} hours: a connector that stands still for longer loses changes",
                kept_s / 3600.0
            );
            report.warn(NAME, &text, &set(maria, "binlog_expire_logs_seconds = 604800"));
        }
        Some(kept_s) => report.good(NAME, &format!("binlogs are kept for {:.1} days", kept_s / 86_400.0)),
    }
}

const TABLES: &str = "SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' ORDER BY 1, 2";
// MariaDB shows TABLE_CONSTRAINTS only to accounts that may do more than SELECT; indexes it shows to these too.
const KEYS: &str =
    "SELECT DISTINCT TABLE_SCHEMA AS db, TABLE_NAME AS name FROM information_schema.STATISTICS WHERE NON_UNIQUE = 0";

fn tables(
    connection: &mut Connection,
    config: &ConnectorConfig,
    options: &BinlogOptions,
    grants: &Grants,
    report: &mut Report,
) -> Vec<TableId> {
    let mut read = |sql: &str| -> Vec<TableId> {
        let Ok(result) = connection.query(sql) else { return Vec::new() };
        let id = |row| Some(TableId::new(&result.text(row, "db")?, &result.text(row, "name")?));
        result.rows.iter().filter_map(id).collect()
    };
    let captured: Vec<TableId> = read(TABLES).into_iter().filter(|id| (options.captured)(id)).collect();
    let keyed: BTreeSet<TableId> = read(KEYS).into_iter().collect();
    if captured.is_empty() {
        let text = "no table that there is now, and that this account sees, is captured";
        report.warn("tables", text, "table.include.list is matched against the whole of database.table, database.include.list against the database");
        return captured;
    }
    report.good("tables", &format!("{} captured: {}", captured.len(), listed(&captured)));
    let unreadable: Vec<&TableId> = captured.iter().filter(|id| !grants.may_select(id)).collect();
    if !unreadable.is_empty() {
        let databases: BTreeSet<&str> = unreadable.iter().map(|id| &*id.catalog).collect();
        let account = account(connection);
        let grant = |database: &&str| format!("GRANT SELECT ON {}.* TO {account};", ddl::quote(database));
        let mend = databases.iter().map(grant).collect::<Vec<_>>().join(" ");
        report.bad("privileges", &format!("no SELECT on {}", listed(&unreadable)), &mend);
    }
    let keyless: Vec<&TableId> = captured.iter().filter(|id| !keyed.contains(id)).collect();
    if !keyless.is_empty() && config.capture.key_columns.is_empty() {
        report.good(
            "keys",
            &format!(
                "records of tables without a primary or unique key have no key: {}; message.key.columns gives them one",
                listed(&keyless)
            ),
        );
    }
    captured
}
