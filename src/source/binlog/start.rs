//! Beginning to read: what the server is, where the stream begins, which tables there were at that place.
//!
//! ```text
//!  stored offset? ──yes──▶ schema history up to it ──▶ (recovery: the server's tables) ──▶ dump from it
//!        └──────────no───▶ lock, position, tables, unlock ──▶ Beginning ──▶ dump from it
//! ```

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::connection::{BinlogStream, Connection, ConnectionError, DumpFrom, DumpRequest, Flavor, ResultSet};
use super::ddl::{NameCase, Outcome, Schema, StatementContext, quote};
use super::error::BinlogError;
use super::event::{ChecksumAlgorithm, MariadbGtid, MariadbGtidSet, MysqlGtidSet};
use super::options::{BinlogOptions, Past, StartAt};
use super::position::{BinlogPosition, GtidKind, GtidSet, OffsetProblem, Recorded};
use super::progress::Progress;
use super::reader::BinlogSource;
use super::statements::{recorded, remember};
use crate::error::Failure;
use crate::model::change::{BinlogOrigin, Origin, PastChange, SchemaChange, SnapshotRecord};
use crate::model::modes::{GuardrailAction, SnapshotLockingMode};
use crate::model::position::{OffsetField, OffsetMap, Printed, ResumePoint, StoredOffset};
use crate::model::table::{TableChange, TableChangeKind, TableId};
use crate::source::Beginning;
use crate::util::stop::Stop;

/// Databases that belong to the server itself.
const SYSTEM_DATABASES: &str = "'mysql','information_schema','performance_schema','sys'";

/// How often the tables are read again when they cannot be locked and change meanwhile.
const OPTIMISTIC_ATTEMPTS: u32 = 5;

/// What a server is, as far as reading its log depends on it.
#[derive(Clone, Debug)]
pub struct Server {
    /// `@@server_uuid`; MariaDB has none.
    pub uuid: Option<Arc<str>>,
    /// What tells it from other servers.
    pub identity: Option<Arc<str>>,
    /// Which kind of GTID its log has.
    pub gtids: GtidKind,
    /// What stands behind each event.
    pub checksum: ChecksumAlgorithm,
    /// How it compares names.
    pub name_case: NameCase,
    /// As version comments have it: 80045, 101119.
    pub version_number: u32,
    charsets: HashMap<u16, String>,
}

impl Server {
    /// The character set of a collation's number.
    pub fn charset(&self, collation: u16) -> Option<&str> {
        self.charsets.get(&collation).map(String::as_str)
    }
}

/// A stream, and what it was opened with.
pub(super) struct Opened {
    pub stream: BinlogStream,
    pub server: Server,
    pub position: BinlogPosition,
}

/// Gives the schema changes of the past, in order.
pub type PastReader<'a> = dyn FnMut(&mut dyn FnMut(PastChange)) -> Result<(), Failure> + 'a;

/// Opens the stream of a connector: from its stored offset and schema history, or from the beginning that the
/// options name.
///
/// # Errors
/// When the server cannot be reached, does not allow it, or has no longer what is needed.
pub fn open(
    options: BinlogOptions,
    stored: Option<&StoredOffset>,
    past: &mut PastReader<'_>,
    stop: &Stop,
) -> Result<BinlogSource, Failure> {
    let mut connection = connect(&options, stop)?;
    let server = inspect(&mut connection, &options)?;
    let mut schema = Schema::new(server.name_case);
    let (position, beginning) = match stored {
        Some(stored) => continued(&mut connection, &options, &server, stored, past, &mut schema)?,
        None => begun(&mut connection, &options, &server, &mut schema)?,
    };
    read_sequences(&mut connection, &options, &mut schema)?;
    guard_collections(&mut connection, &options)?;
    connection.close();
    let opened = open_stream(&options, &position, stop)?;
    let progress = Progress::at(&opened.position, opened.server.uuid.clone());
    tracing::info!(position = %Printed(&position), tables = schema.tables().count(), "reading the binlog");
    let mut source = BinlogSource::new(Arc::new(options), stop.clone(), opened.server, schema, progress, opened.stream);
    source.beginning = beginning;
    source.report_tables();
    Ok(source)
}

/// Connects, and runs `database.initial.statements`.
///
/// # Errors
/// When the server cannot be reached or refuses.
pub fn connect(options: &BinlogOptions, stop: &Stop) -> Result<Connection, Failure> {
    let mut connection = Connection::connect(&options.connect, &stop.flag())?;
    for statement in &options.initial_statements {
        connection.query_drop(statement)?;
    }
    Ok(connection)
}

fn number(text: Option<String>) -> u32 {
    text.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// One value; `None` when the server does not know what was asked for.
fn value(connection: &mut Connection, sql: &str) -> Result<Option<String>, Failure> {
    match connection.query(sql) {
        Ok(result) => {
            let cell = result.rows.first().and_then(|row| row.first().cloned().flatten());
            Ok(cell.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
        }
        Err(error) if error.server_error().is_some() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

const UUID_QUERY: &str = "SELECT @@global.server_uuid";

/// What tells one server from another: its UUID; on MariaDB, which has none, its id, its host and its port. `None` where
/// it tells neither.
pub(super) fn identity(connection: &mut Connection) -> Result<Option<Arc<str>>, Failure> {
    if let Some(uuid) = value(connection, UUID_QUERY)? {
        return Ok(Some(uuid.into()));
    }
    let named = "SELECT CONCAT_WS(' ', @@global.server_id, @@global.hostname, @@global.port)";
    Ok(value(connection, named)?.map(Into::into))
}

/// Asks the server what it is, and checks what reading its log depends on.
///
/// # Errors
/// When its settings do not allow it.
pub fn inspect(connection: &mut Connection, options: &BinlogOptions) -> Result<Server, Failure> {
    let is_on = |text: Option<String>| text.is_some_and(|text| text == "1" || text.eq_ignore_ascii_case("ON"));
    if !is_on(value(connection, "SELECT @@global.log_bin")?) {
        return Err(BinlogError::NoBinlog.into());
    }
    // MySQL 9.x may drop the variable: ROW is then the only format there is.
    let format = value(connection, "SELECT @@global.binlog_format")?.unwrap_or_else(|| "ROW".to_owned());
    if !format.eq_ignore_ascii_case("ROW") {
        return Err(BinlogError::Setting { variable: "binlog_format", actual: format, required: "ROW" }.into());
    }
    let image = value(connection, "SELECT @@global.binlog_row_image")?.unwrap_or_else(|| "FULL".to_owned());
    if !image.eq_ignore_ascii_case("FULL") {
        tracing::warn!(
            binlog_row_image = image,
            "rows in the log are not whole; what is missing in them is written as Debezium does (null, or the placeholder)"
        );
    }
    let checksum = value(connection, "SELECT @@global.binlog_checksum")?.unwrap_or_default();
    let checksum =
        if checksum.eq_ignore_ascii_case("CRC32") { ChecksumAlgorithm::Crc32 } else { ChecksumAlgorithm::None };
    let gtid_mode = value(connection, "SELECT @@global.gtid_mode")?.unwrap_or_default();
    let gtids = match options.flavor {
        _ if options.gtid_ignore_on_recovery => GtidKind::None,
        Flavor::MariaDb => GtidKind::MariaDb,
        Flavor::MySql if gtid_mode.eq_ignore_ascii_case("ON") => GtidKind::MySql,
        Flavor::MySql => GtidKind::None,
    };
    let lower_case = number(value(connection, "SELECT @@global.lower_case_table_names")?);
    let (major, minor, patch) = connection.server().version;
    Ok(Server {
        uuid: value(connection, UUID_QUERY)?.map(Into::into),
        identity: identity(connection)?,
        gtids,
        checksum,
        name_case: u8::try_from(lower_case).ok().and_then(NameCase::from_variable).unwrap_or_default(),
        version_number: u32::from(major) * 10_000 + u32::from(minor) * 100 + u32::from(patch),
        charsets: charsets(connection)?,
    })
}

/// The character sets by collation number, from the server that numbers them.
fn charsets(connection: &mut Connection) -> Result<HashMap<u16, String>, Failure> {
    let result = connection.query("SHOW COLLATION")?;
    let entry = |row| {
        let id = result.text(row, "Id")?.parse().ok()?;
        Some((id, result.text(row, "Charset")?))
    };
    Ok(result.rows.iter().filter_map(entry).collect())
}

fn parsed(stored: &StoredOffset, gtids: GtidKind) -> Result<BinlogPosition, BinlogError> {
    let position = BinlogPosition::parse(stored, gtids).map_err(|problem| match problem {
        OffsetProblem::InSnapshot => BinlogError::OffsetInSnapshot("a snapshot of data"),
        OffsetProblem::InIncrementalSnapshot => BinlogError::OffsetInSnapshot("an incremental snapshot"),
        OffsetProblem::NoPosition => BinlogError::Offset("it names neither a file nor a GTID set"),
        OffsetProblem::BadGtids => BinlogError::Offset("its GTID set is not one of this kind of server"),
        OffsetProblem::BadField => BinlogError::Offset("one of its fields is of another type, or negative"),
    })?;
    // What Debezium stores inside an XA transaction of MySQL: `pos` is behind the event whose rows it counts. With GTIDs
    // the transaction comes again; without, the rest of those rows would not.
    if position.gtids == GtidSet::None && position.rows > 0 && position.events == 0 {
        return Err(BinlogError::Offset(
            "it lies between the rows of an event that is before it (an XA transaction, and no GTIDs); set pos to where that transaction begins, and leave out row",
        ));
    }
    Ok(position)
}

/// The position that a stored offset is, if it can be of this server.
fn stored_position(
    connection: &mut Connection,
    options: &BinlogOptions,
    server: &Server,
    stored: &StoredOffset,
) -> Result<BinlogPosition, Failure> {
    let position = parsed(stored, server.gtids)?;
    check_left_gtids(connection, options, server, stored)?;
    Ok(position)
}

/// A position with GTIDs on a server that uses none goes on by file, if it can be of this server at all.
fn check_left_gtids(
    connection: &mut Connection,
    options: &BinlogOptions,
    server: &Server,
    stored: &StoredOffset,
) -> Result<(), Failure> {
    let text = stored.text("gtids").map(str::trim).filter(|text| !text.is_empty());
    let Some(text) = text else { return Ok(()) };
    if options.flavor != Flavor::MySql || server.gtids != GtidKind::None || options.gtid_ignore_on_recovery {
        return Ok(());
    }
    let bad = || BinlogError::Offset("its GTID set is not one of this kind of server");
    let mut set: MysqlGtidSet = text.replace(['\n', '\r'], "").parse().map_err(|_| bad())?;
    if let Some(wanted) = &options.gtid_source {
        set.retain_servers(|uuid| wanted(&uuid.to_string()));
    }
    check_executed(&set, &server_gtids(connection, "SELECT @@global.gtid_executed")?)
}

/// The GTID set that a query gives.
fn server_gtids(connection: &mut Connection, sql: &str) -> Result<MysqlGtidSet, Failure> {
    let text = value(connection, sql)?.unwrap_or_default().replace('\n', "");
    text.parse().map_err(|_| BinlogError::Offset("the server's GTID set cannot be read").into())
}

/// Whether the server has all of these transactions.
fn check_executed(set: &MysqlGtidSet, executed: &MysqlGtidSet) -> Result<(), Failure> {
    if set.is_subset_of(executed) {
        return Ok(());
    }
    Err(BinlogError::OtherHistory { missing: set.subtract(executed).to_string() }.into())
}

/// Whether a server has what is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It has.
    Yes,
    /// It does not say; reading will tell.
    Unknown,
}

/// Asks whether the server still has what comes behind a stored offset, for those who want to know before they
/// start.
///
/// # Errors
/// When it has not, or the offset is no position.
pub fn check_stored(
    connection: &mut Connection,
    options: &BinlogOptions,
    stored: &StoredOffset,
) -> Result<Kept, Failure> {
    let server = inspect(connection, options)?;
    let position = stored_position(connection, options, &server, stored)?;
    match (&position.gtids, server.gtids) {
        (GtidSet::MySql(_), GtidKind::MySql) => from_mysql_gtids(connection, options, &position).map(|_| Kept::Yes),
        (GtidSet::MariaDb(set), GtidKind::MariaDb) if !set.is_empty() => check_mariadb_gtids(connection, set),
        _ => check_file(connection, &position),
    }
}

/// Asks a MariaDB what it would answer to `@slave_connect_state`: it must know no domain to a lesser number than the
/// position does, and its oldest file must begin at or before the position in every domain. Source: MariaDB's
/// `check_slave_start_position` and `gtid_find_binlog_file`.
fn check_mariadb_gtids(connection: &mut Connection, stored: &MariadbGtidSet) -> Result<Kept, Failure> {
    let newest = value(connection, "SELECT @@global.gtid_binlog_pos")?;
    let first = match connection.query("SHOW BINARY LOGS") {
        Ok(logs) => logs.first("Log_name"),
        Err(error) if error.server_error().is_some() => None,
        Err(error) => return Err(error.into()),
    };
    let Some(first) = first.filter(|name| !name.contains(['\'', '\\'])) else { return Ok(Kept::Unknown) };
    let oldest = value(connection, &format!("SELECT BINLOG_GTID_POS('{first}', 4)"))?;
    let parsed = |text: Option<String>| text.and_then(|text| text.parse::<MariadbGtidSet>().ok());
    let (Some(newest), Some(oldest)) = (parsed(newest), parsed(oldest)) else { return Ok(Kept::Unknown) };
    // A domain that the server knows nothing of may come to it yet.
    let is_ahead = |gtid: &&MariadbGtid| newest.last(gtid.domain_id).is_some_and(|last| last.sequence < gtid.sequence);
    if let Some(missing) = stored.iter().find(is_ahead) {
        return Err(BinlogError::OtherHistory { missing: missing.to_string() }.into());
    }
    if let Some(removed) = oldest.iter().find(|gtid| !stored.contains(**gtid)) {
        let detail = format!("its oldest file begins behind {removed}");
        return Err(BinlogError::Purged { needed: stored.to_string(), detail }.into());
    }
    Ok(Kept::Yes)
}

/// Continues a stored offset: the tables as the schema history has them at that place.
fn continued(
    connection: &mut Connection,
    options: &BinlogOptions,
    server: &Server,
    stored: &StoredOffset,
    past: &mut PastReader<'_>,
    schema: &mut Schema,
) -> Result<(BinlogPosition, Option<Beginning>), Failure> {
    let position = stored_position(connection, options, server, stored)?;
    if options.past == Past::Recovered {
        tracing::warn!(
            "snapshot.mode=recovery: tables are taken as the server has them now; right only if none was altered since the stored position"
        );
        let changes = read_tables(connection, options, schema, &position)?;
        return Ok((position.clone(), Some(Beginning { position: Arc::new(position), schema: changes })));
    }
    let mut records = 0u64;
    past(&mut |change| {
        records += 1;
        // The flags of a snapshot do not make a place any less a place.
        let fields: OffsetMap =
            change.position.iter().filter(|(name, _)| !name.starts_with("snapshot")).cloned().collect();
        let place = BinlogPosition::parse(&StoredOffset(fields.clone()), server.gtids);
        let recorded = match fields.len() < change.position.len() {
            true => Recorded::InSnapshot,
            false if options.gtid_source.is_some() => Recorded::InFilteredStream,
            false => Recorded::InStream,
        };
        if place.is_ok_and(|place| !place.is_at_or_before(&position, recorded)) {
            return;
        }
        let context = context(&change.database, options, server);
        remember(schema, &change, &context, options.prefer_ddl, options.ddl_filter.as_ref());
    })?;
    // A history without tables is one all the same: of a server that had none yet.
    if records == 0 {
        return Err(BinlogError::NoHistory.into());
    }
    tracing::info!(records, tables = schema.tables().count(), "schema history read");
    Ok((position, None))
}

fn context<'a>(database: &'a str, options: &BinlogOptions, server: &Server) -> StatementContext<'a> {
    StatementContext {
        database,
        flavor: options.flavor,
        server_version: server.version_number,
        generation: options.generation,
        ..StatementContext::default()
    }
}

/// Begins anew, where the options say.
fn begun(
    connection: &mut Connection,
    options: &BinlogOptions,
    server: &Server,
    schema: &mut Schema,
) -> Result<(BinlogPosition, Option<Beginning>), Failure> {
    let (position, changes) = match &options.start_at {
        StartAt::Latest => read_pinned(connection, options, server, schema)?,
        StartAt::Earliest => {
            let result = connection.query("SHOW BINARY LOGS")?;
            let file = result.first("Log_name").ok_or(BinlogError::NoBinlog)?;
            // What the tables were then, the log itself says; those created before it are not known.
            (at(&file, 4, empty(server.gtids)), Vec::new())
        }
        StartAt::File(file, position) => {
            let position = at(file, *position, GtidSet::None);
            let changes = read_tables(connection, options, schema, &position)?;
            (position, changes)
        }
        StartAt::Gtids(text) => {
            let stored =
                StoredOffset(vec![("gtids".to_owned(), crate::model::position::OffsetField::Text(text.clone()))]);
            let problem = |_| BinlogError::Offset("headwater.start.at is not a GTID set of this kind of server");
            let position = BinlogPosition::parse(&stored, server.gtids).map_err(problem)?;
            let changes = read_tables(connection, options, schema, &position)?;
            (position, changes)
        }
    };
    Ok((position.clone(), Some(Beginning { position: Arc::new(position), schema: changes })))
}

fn empty(kind: GtidKind) -> GtidSet {
    match kind {
        GtidKind::None => GtidSet::None,
        GtidKind::MySql => GtidSet::MySql(Default::default()),
        GtidKind::MariaDb => GtidSet::MariaDb(Default::default()),
    }
}

fn at(file: &str, position: u64, gtids: GtidSet) -> BinlogPosition {
    BinlogPosition {
        file: file.into(),
        position,
        gtids,
        events: 0,
        rows: 0,
        server_id: 0,
        timestamp_s: 0,
        server_uuid: None,
    }
}

/// The position and the tables at one moment: under a read lock for as long as it takes to read the tables'
/// definitions, or, where that is not allowed, again and again until nothing changed meanwhile.
fn read_pinned(
    connection: &mut Connection,
    options: &BinlogOptions,
    server: &Server,
    schema: &mut Schema,
) -> Result<(BinlogPosition, Vec<SchemaChange>), Failure> {
    // Writers wait behind the lock, and so for as long as it is waited for.
    let wait_s = options.lock_timeout.as_secs().max(1);
    connection.query_drop(&format!("SET SESSION lock_wait_timeout={wait_s}"))?;
    match lock_statement(options.locking).map(|lock| connection.query_drop(lock)) {
        Some(Ok(())) => {
            let result = current_position(connection, server).and_then(|position| {
                let changes = read_tables(connection, options, schema, &position)?;
                Ok((position, changes))
            });
            connection.query_drop("UNLOCK TABLES")?;
            return result;
        }
        Some(Err(error)) if error.server_error().is_some() => {
            tracing::warn!(reason = %error, "tables cannot be locked for a moment; their definitions are read until they are the same twice");
        }
        Some(Err(error)) => return Err(error.into()),
        None => {}
    }
    let empty = schema.clone();
    let mut first = schema.clone();
    let position = current_position(connection, server)?;
    read_tables(connection, options, &mut first, &position)?;
    for _ in 0..OPTIMISTIC_ATTEMPTS {
        let position = current_position(connection, server)?;
        let mut second = empty.clone();
        let changes = read_tables(connection, options, &mut second, &position)?;
        if first.tables().eq(second.tables()) {
            *schema = second;
            return Ok((position, changes));
        }
        first = second;
    }
    Err(BinlogError::Statement {
        file: "SHOW CREATE TABLE".to_owned(),
        position: 0,
        reason: "tables were altered each time they were read, and they cannot be locked".to_owned(),
    }
    .into())
}

/// What holds the definitions still while they and the position are read; `None` where nothing shall. The
/// statement of Percona's backup lock leaves transactions going: a position under it is as good as another.
fn lock_statement(mode: SnapshotLockingMode) -> Option<&'static str> {
    use SnapshotLockingMode as Mode;
    match mode {
        Mode::Minimal | Mode::MinimalAtLeastOnce | Mode::Extended | Mode::Shared => Some("FLUSH TABLES WITH READ LOCK"),
        Mode::MinimalPercona | Mode::MinimalPerconaNoTableLocks => Some("LOCK TABLES FOR BACKUP"),
        Mode::None | Mode::Custom => None,
    }
}

/// `guardrail.collections.max`: counts the tables whose structure is kept, as Debezium's `GuardrailValidator` does.
fn guard_collections(connection: &mut Connection, options: &BinlogOptions) -> Result<(), Failure> {
    let Some((most, action)) = options.guardrail else { return Ok(()) };
    let tables = connection.query(&format!(
        "SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN ({SYSTEM_DATABASES})"
    ))?;
    let counts = |row| {
        let id = TableId::new(&tables.text(row, "db")?, &tables.text(row, "name")?);
        let kept = if options.store_only_captured_tables {
            (options.captured)(&id)
        } else {
            !options.store_only_captured_databases || (options.captured_database)(&id.catalog)
        };
        kept.then_some(())
    };
    let count = tables.rows.iter().filter_map(counts).count();
    if count <= most as usize {
        return Ok(());
    }
    let error = BinlogError::TooManyTables { count, most, all: !options.store_only_captured_tables };
    match action {
        GuardrailAction::Fail => Err(error.into()),
        GuardrailAction::Warn => {
            tracing::warn!(reason = %error, "guardrail.collections.max");
            Ok(())
        }
    }
}

fn current_position(connection: &mut Connection, server: &Server) -> Result<BinlogPosition, Failure> {
    let status = match connection.query("SHOW BINARY LOG STATUS") {
        Ok(status) => status,
        // Servers before MySQL 8.2 and MariaDB know it under its old name.
        Err(error) if error.server_error().is_some_and(|error| error.number == 1064) => {
            connection.query("SHOW MASTER STATUS")?
        }
        Err(error) => return Err(error.into()),
    };
    let file = status.first("File").ok_or(BinlogError::NoBinlog)?;
    let position = status.first("Position").and_then(|text| text.parse().ok()).unwrap_or(4);
    let gtids = match server.gtids {
        GtidKind::None => GtidSet::None,
        GtidKind::MySql => {
            let text = status.first("Executed_Gtid_Set").unwrap_or_default().replace('\n', "");
            GtidSet::MySql(text.parse().map_err(|_| BinlogError::Offset("gtid_executed is not a GTID set"))?)
        }
        GtidKind::MariaDb => {
            let text = value(connection, "SELECT @@global.gtid_binlog_pos")?.unwrap_or_default();
            GtidSet::MariaDb(text.parse().map_err(|_| BinlogError::Offset("gtid_binlog_pos is not a GTID position"))?)
        }
    };
    Ok(at(&file, position, gtids))
}

/// Reads the definitions of the server's tables into `schema`, and gives them as schema changes at `position`.
fn read_tables(
    connection: &mut Connection,
    options: &BinlogOptions,
    schema: &mut Schema,
    position: &BinlogPosition,
) -> Result<Vec<SchemaChange>, Failure> {
    // Quoted as MySQL quotes by itself, whatever the session's mode.
    connection.query_drop("SET SESSION sql_mode='', sql_quote_show_create=1")?;
    connection.query_drop("SET NAMES utf8mb4")?;
    let mut changes = Vec::new();
    let charset = value(connection, "SELECT @@global.character_set_server")?;
    let collation = value(connection, "SELECT @@global.collation_server")?;
    if let (Some(charset), Some(collation)) = (charset, collation) {
        schema.set_server_charset(&charset);
        let ddl = format!("SET character_set_server={charset}, collation_server={collation}");
        changes.push(change(options, "", ddl, Vec::new(), position, None));
    }
    let databases = connection.query(&format!(
        "SELECT SCHEMA_NAME AS name, DEFAULT_CHARACTER_SET_NAME AS charset, DEFAULT_COLLATION_NAME AS collation FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN ({SYSTEM_DATABASES}) ORDER BY 1"
    ))?;
    for row in &databases.rows {
        if let (Some(name), Some(charset)) = (databases.text(row, "name"), databases.text(row, "charset")) {
            schema.set_database_charset(&name, &charset);
        }
    }
    let definitions = read_definitions(connection, options)?;
    changes.extend(definitions.iter().map(|(id, _)| dropped(options, id, position)));
    for row in &databases.rows {
        let (Some(name), Some(charset)) = (databases.text(row, "name"), databases.text(row, "charset")) else {
            continue;
        };
        let mut here = definitions.iter().filter(|(id, _)| *id.catalog == *name).peekable();
        let empty = here.peek().is_none();
        let collation = databases.text(row, "collation").map(|collation| format!(" COLLATE {collation}"));
        let quoted = quote(&name);
        let statements = [
            format!("DROP DATABASE IF EXISTS {quoted}"),
            format!("CREATE DATABASE {quoted} CHARSET {charset}{}", collation.unwrap_or_default()),
            format!("USE {quoted}"),
        ];
        for ddl in statements {
            let mut change = change(options, &name, ddl, Vec::new(), position, None);
            // Debezium passes over a database without tables; its character set is worth remembering.
            change.announced &= !empty;
            changes.push(change);
        }
        for (id, ddl) in here {
            let recorded = read_table(options, schema, id, ddl)?;
            changes.extend(
                recorded.into_iter().map(|tables| change(options, &name, ddl.clone(), tables, position, Some(id))),
            );
        }
    }
    if let Some(last) = changes.iter_mut().rfind(|change| change.announced) {
        last.snapshot = SnapshotRecord::Last;
    }
    Ok(changes)
}

/// The definitions of the tables whose history is kept, by database and name.
fn read_definitions(connection: &mut Connection, options: &BinlogOptions) -> Result<Vec<(TableId, String)>, Failure> {
    let mut definitions = Vec::new();
    let tables = connection.query(&format!(
        "SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_TYPE NOT IN ('VIEW','SYSTEM VIEW','SEQUENCE','TEMPORARY') AND TABLE_SCHEMA NOT IN ({SYSTEM_DATABASES}) ORDER BY 1, 2"
    ))?;
    for row in &tables.rows {
        let (Some(database), Some(name)) = (tables.text(row, "db"), tables.text(row, "name")) else { continue };
        let id = TableId::new(&database, &name);
        if options.store_only_captured_tables && !(options.captured)(&id) {
            continue;
        }
        options.steps.fetch_add(1, Ordering::Relaxed);
        if let Some(ddl) = definition(connection, &id, (options.captured)(&id))? {
            definitions.push((id, ddl));
        }
    }
    // The order of texts, whatever the server's collation says: that of Debezium's records.
    definitions.sort_by_cached_key(|(id, _): &(TableId, String)| id.to_string());
    Ok(definitions)
}

/// What Debezium's history says before it says what a table is.
fn dropped(options: &BinlogOptions, id: &TableId, position: &BinlogPosition) -> SchemaChange {
    let ddl = format!("DROP TABLE IF EXISTS {}.{}", quote(&id.catalog), quote(&id.table));
    let drop = TableChange { kind: TableChangeKind::Drop, id: id.clone(), previous_id: None, table: None };
    change(options, &id.catalog, ddl, vec![drop], position, Some(id))
}

/// MariaDB writes the numbers that a sequence gives out as rows of a table; they are nobody's data.
fn read_sequences(connection: &mut Connection, options: &BinlogOptions, schema: &mut Schema) -> Result<(), Failure> {
    if options.flavor != Flavor::MariaDb {
        return Ok(());
    }
    let sequences = connection.query(
        "SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_TYPE = 'SEQUENCE'",
    )?;
    for row in &sequences.rows {
        if let (Some(database), Some(name)) = (sequences.text(row, "db"), sequences.text(row, "name")) {
            schema.insert_sequence(&TableId::new(&database, &name));
        }
    }
    Ok(())
}

/// `SHOW CREATE TABLE`; `None` for a table that is gone, or that nobody captures and that may not be seen.
fn definition(connection: &mut Connection, id: &TableId, captured: bool) -> Result<Option<String>, Failure> {
    const NO_SUCH_TABLE: u16 = 1146;
    let result: Result<ResultSet, ConnectionError> =
        connection.query(&format!("SHOW CREATE TABLE {}.{}", quote(&id.catalog), quote(&id.table)));
    match result {
        Ok(result) => Ok(result.first("Create Table")),
        Err(error) => match error.server_error() {
            Some(refusal) if refusal.number == NO_SUCH_TABLE || !captured => {
                tracing::debug!(table = %id, reason = %error, "table left out");
                Ok(None)
            }
            _ => Err(error.into()),
        },
    }
}

/// Reads one definition. `None` when nothing came of it.
fn read_table(
    options: &BinlogOptions,
    schema: &mut Schema,
    id: &TableId,
    ddl: &str,
) -> Result<Option<Vec<crate::model::table::TableChange>>, Failure> {
    let context = StatementContext {
        database: &id.catalog,
        flavor: options.flavor,
        generation: options.generation,
        ..StatementContext::default()
    };
    match schema.apply(ddl.as_bytes(), &context) {
        Ok(Outcome::Recorded { records, .. }) => {
            Ok(Some(records.into_iter().filter_map(|record| record.change).collect()))
        }
        Ok(Outcome::Skipped(_)) => Ok(None),
        Err(error) if options.skip_unparseable_ddl || !(options.captured)(id) => {
            tracing::warn!(table = %id, reason = %error, "definition could not be read; the table is not tracked");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

fn change(
    options: &BinlogOptions,
    database: &str,
    ddl: String,
    tables: Vec<crate::model::table::TableChange>,
    position: &BinlogPosition,
    id: Option<&TableId>,
) -> SchemaChange {
    let now_us = crate::util::clock::now_ns() / 1_000;
    let server = database.is_empty();
    let captured = match id {
        Some(id) => (options.captured)(id),
        None => server || (options.captured_database)(database),
    };
    let wanted = (!options.store_only_captured_tables || captured)
        && (!options.store_only_captured_databases || server || (options.captured_database)(database));
    let mut place: OffsetMap = position.offset();
    place.retain(|(name, _)| name != "ts_sec");
    place.insert(0, ("ts_sec".to_owned(), OffsetField::Integer(now_us / 1_000_000)));
    place.push(("snapshot".to_owned(), OffsetField::Text("INITIAL".to_owned())));
    SchemaChange {
        database: database.into(),
        ddl,
        tables: recorded(tables, options),
        named: id.map(|id| vec![id.clone()]),
        snapshot: SnapshotRecord::Yes,
        origin: Origin::Binlog(BinlogOrigin {
            file: position.file.clone(),
            position: position.position,
            server_id: 0,
            gtid: None,
            thread: None,
            timestamp_us: now_us,
            query: None,
        }),
        position: place,
        announced: wanted && options.announce_schema_changes,
        stored: wanted,
    }
}

/// Opens a stream at a position, on a new connection.
pub(super) fn open_stream(options: &BinlogOptions, position: &BinlogPosition, stop: &Stop) -> Result<Opened, Failure> {
    let mut connection = connect(options, stop)?;
    let server = inspect(&mut connection, options)?;
    let (from, position) = match (&position.gtids, server.gtids) {
        (GtidSet::MySql(_), GtidKind::MySql) => from_mysql_gtids(&mut connection, options, position)?,
        (GtidSet::MariaDb(set), GtidKind::MariaDb) if !set.is_empty() => {
            let from = DumpFrom::MariaDbGtid { connect_state: set.to_string(), strict_mode: false };
            (from, position.clone())
        }
        _ => {
            check_file(&mut connection, position)?;
            let from = DumpFrom::File { file: position.file.to_string(), position: position.position.max(4) };
            (from, position.clone())
        }
    };
    let mut request = DumpRequest::new(from, options.server_id);
    request.heartbeat_period = options.heartbeat_period;
    request.silence = options.heartbeat_period * options.silence_heartbeats;
    request.net_write_timeout_s = options.net_write_timeout_s;
    request.net_read_timeout_s = options.net_read_timeout_s;
    request.annotate_rows = options.include_query;
    request.block_bytes = options.block_bytes;
    let stream = connection.into_binlog_stream(request)?;
    Ok(Opened { stream, server, position })
}

/// Checks a GTID set against what the server knows and still has.
fn from_mysql_gtids(
    connection: &mut Connection,
    options: &BinlogOptions,
    position: &BinlogPosition,
) -> Result<(DumpFrom, BinlogPosition), Failure> {
    let GtidSet::MySql(stored) = &position.gtids else { return Err(BinlogError::Offset("no GTID set").into()) };
    let executed = server_gtids(connection, "SELECT @@global.gtid_executed")?;
    let purged = server_gtids(connection, "SELECT @@global.gtid_purged")?;
    let mut set = stored.clone();
    if let Some(wanted) = &options.gtid_source {
        // Servers that are filtered out count as read: their transactions are not asked for.
        set.retain_servers(|uuid| wanted(&uuid.to_string()));
        let mut others = executed.clone();
        others.retain_servers(|uuid| !wanted(&uuid.to_string()));
        set.union(&others);
    }
    check_executed(&set, &executed)?;
    if !purged.is_subset_of(&set) {
        let detail = format!("purged are {}", purged.subtract(&set));
        return Err(BinlogError::Purged { needed: set.to_string(), detail }.into());
    }
    let mut encoded = Vec::new();
    set.encode(&mut encoded);
    let position = BinlogPosition { gtids: GtidSet::MySql(set), ..position.clone() };
    Ok((DumpFrom::MySqlGtid { set: encoded }, position))
}

/// Checks that the server still has a file.
fn check_file(connection: &mut Connection, position: &BinlogPosition) -> Result<Kept, Failure> {
    let logs = match connection.query("SHOW BINARY LOGS") {
        Ok(logs) => logs,
        // Without the privilege the dump itself will tell.
        Err(error) if error.server_error().is_some() => return Ok(Kept::Unknown),
        Err(error) => return Err(error.into()),
    };
    let files: Vec<String> = logs.rows.iter().filter_map(|row| logs.text(row, "Log_name")).collect();
    if files.iter().any(|file| *file == *position.file) {
        return Ok(Kept::Yes);
    }
    let detail = match (files.first(), files.last()) {
        (Some(first), Some(last)) => format!("it has {first} to {last}"),
        _ => "it has none".to_owned(),
    };
    Err(BinlogError::Purged { needed: Printed(position).to_string(), detail }.into())
}
