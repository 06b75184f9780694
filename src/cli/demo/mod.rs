//! `headwater demo`: a database that is written to, a broker, a connection that hangs, and a count at the end.
//!
//! ```text
//!  writer ──SQL──▶ database ──binlog──▶ proxy ──▶ Headwater ──▶ broker ──▶ reader of the topic
//!                                         └ hangs after 8 s        (in this process, or yours)
//! ```
//!
//! In: a database's address, and a broker's if it is to be another than the embedded one. Out: a living table,
//! and a closing line that compares what was written with what lies on the topic; exit code 0 only when they are
//! the same and the hanging connection was noticed. Promised: it ends by itself and removes what it made: its
//! database, its topic, its files.

mod configuration;
mod observer;
mod proxy;
mod screen;
mod topic;
mod writer;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::pipeline::status::State;
use crate::pipeline::supervise::Handle;
use crate::sink::kafka::embedded::EmbeddedBroker;
use crate::source::binlog::connection::{ConnectOptions, Connection, Flavor, Secret};
use crate::util::clock;
use crate::util::stop::Stop;
use observer::{Incident, Observer};
use proxy::Proxy;
use screen::Screen;
use topic::Topic;
use writer::Writer;

/// How often the table is drawn.
const DRAW_INTERVAL: Duration = Duration::from_millis(250);

/// How often the connector's state is looked at while the connection hangs: RESTARTING can be short.
const LOOK_INTERVAL: Duration = Duration::from_millis(2);

/// How long the connector may take to start, and the last rows to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the command takes.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Database server, MySQL or MariaDB. Without it: the throwaway server that `make demo` starts.
    #[arg(long)]
    pub database_hostname: Option<String>,
    /// Its port.
    #[arg(long, default_value_t = 3306)]
    pub database_port: u16,
    /// A user that may create a database, write to it, and read the binlog.
    #[arg(long, env = "HEADWATER_DEMO_USER", default_value = "root")]
    pub database_user: String,
    /// The user's password.
    #[arg(long, env = "HEADWATER_DEMO_PASSWORD", hide_env_values = true, default_value = "")]
    pub database_password: String,
    /// Brokers, host:port. Without it: a broker inside this process.
    #[arg(long)]
    pub bootstrap_servers: Option<String>,
    /// How long rows are written, in seconds.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(4..=600))]
    pub seconds: u64,
    /// Rows written in a second.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=5_000))]
    pub rows_per_second: u64,
    /// After how many seconds the connection hangs; 0 leaves it alone.
    #[arg(long, default_value_t = 8)]
    pub hang_after: u64,
    /// A property of the connector, over the demo's own: --set database.ssl.mode=required
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub set: Vec<String>,
}

/// Runs the demo.
///
/// # Errors
/// When something that it needs cannot be reached or made.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let stop = super::run::stop_on_signals()?;
    let names = Names::new();
    let folder = Folder::new(&names.run)?;
    let server = server(arguments)?;
    let mut database = Database::create(server.clone(), &names.database)?;
    let servers = match &arguments.bootstrap_servers {
        Some(servers) => Broker { servers: servers.clone(), embedded: None },
        None => {
            // It knows no requests about topics: its topic is made before it is used.
            let embedded = EmbeddedBroker::start(&[(names.topic.as_str(), topic::PARTITIONS)])?;
            Broker { servers: embedded.bootstrap_servers(), embedded: Some(embedded) }
        }
    };
    let topic = Topic::open(&servers.servers, &names.topic, servers.embedded.is_none())?;
    let proxy =
        Proxy::start(format!("{}:{}", server.hostname, server.port)).context("the proxy could not be started")?;
    let place = configuration::Place {
        flavor: database.flavor,
        proxy: proxy.address(),
        server: &server,
        servers: &servers.servers,
        names: &names,
        folder: &folder.0,
    };
    let mut handle = configuration::start(&place, &arguments.set)?;
    wait_until_running(&handle, &stop)?;

    let headline = vec![
        format!(
            "{} at {}:{}  ─▶  headwater  ─▶  {}",
            database.product,
            server.hostname,
            server.port,
            servers.described()
        ),
        format!("table {}.orders", names.database),
        format!("topic {}", names.topic),
        format!(
            "headwater.heartbeat.period.ms={} (default 1000): a connection is dropped after {} periods of silence",
            configuration::HEARTBEAT_PERIOD_MS,
            configuration::SILENCE_HEARTBEATS
        ),
    ];
    let writer = Writer::start(server, &names.database, arguments.rows_per_second)?;
    let mut show = Show {
        arguments,
        handle: &handle,
        writer: &writer,
        topic: &topic,
        proxy: &proxy,
        observer: Observer::default(),
        screen: Screen::new(headline),
        began: clock::moment(),
    };
    show.play(&stop);
    let written = writer.finish()?;
    show.await_rest(written);
    let incident = show.observer.incident();
    show.close();
    handle.stop();
    handle.join();
    let seen = topic.finish();
    database.drop_all();
    drop(proxy);
    drop(servers);
    drop(folder);
    Ok(verdict(arguments, written, &seen, incident.as_ref(), stop.is_set()))
}

/// What this run calls its things: unlike anything that is there.
pub(super) struct Names {
    run: String,
    database: String,
    prefix: String,
    topic: String,
}

impl Names {
    fn new() -> Self {
        let run = format!("{:06x}", fastrand::u32(..) & 0x00ff_ffff);
        let (database, prefix) = (format!("headwater_demo_{run}"), format!("headwater-demo-{run}"));
        Names { topic: format!("{prefix}.{database}.orders"), run, database, prefix }
    }
}

/// A folder for offsets and schema history, removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(run: &str) -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("headwater-demo-{run}"));
        std::fs::create_dir(&path).with_context(|| format!("{} could not be made", path.display()))?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

struct Broker {
    servers: String,
    embedded: Option<EmbeddedBroker>,
}

impl Broker {
    fn described(&self) -> String {
        match self.embedded {
            Some(_) => format!("a Kafka broker in this process at {}", self.servers),
            None => format!("Kafka at {}", self.servers),
        }
    }
}

/// The database server that the arguments or `scripts/demo.sh` name.
fn server(arguments: &Arguments) -> anyhow::Result<ConnectOptions> {
    let (hostname, port) = match (&arguments.database_hostname, std::env::var("HEADWATER_DEMO_DATABASE")) {
        (Some(hostname), _) => (hostname.clone(), arguments.database_port),
        (None, Ok(address)) => {
            let (hostname, port) = address.rsplit_once(':').context("HEADWATER_DEMO_DATABASE is not host:port")?;
            (hostname.to_owned(), port.parse().context("HEADWATER_DEMO_DATABASE has no port")?)
        }
        (None, Err(_)) => {
            bail!("no database: run `make demo`, which starts one, or name yours with --database-hostname")
        }
    };
    Ok(ConnectOptions {
        hostname,
        port,
        user: arguments.database_user.clone(),
        password: Secret::new(&arguments.database_password),
        connect_timeout: Duration::from_secs(10),
        query_timeout: Some(Duration::from_secs(30)),
        ..ConnectOptions::default()
    })
}

/// The demo's database, dropped at the end whatever happens.
struct Database {
    server: ConnectOptions,
    name: String,
    flavor: Flavor,
    product: String,
    dropped: bool,
}

impl Database {
    fn create(server: ConnectOptions, name: &str) -> anyhow::Result<Self> {
        let mut connection = Connection::connect(&server, &Stop::new().flag())
            .map_err(crate::error::Failure::from)
            .map_err(|failure| anyhow::anyhow!("{failure}\n  {}", failure.code.hint))?;
        let info = connection.server();
        let flavor = info.flavor;
        let version = info.version_text.split('-').find(|part| *part != "5.5.5").unwrap_or_default();
        let product = format!(
            "{} {version}",
            match flavor {
                Flavor::MySql => "MySQL",
                Flavor::MariaDb => "MariaDB",
            }
        );
        connection.query_drop(&format!("CREATE DATABASE {name}"))?;
        let database = Database { server, name: name.to_owned(), flavor, product, dropped: false };
        connection.query_drop(&format!("CREATE TABLE {name}.orders ({})", writer::COLUMNS))?;
        connection.close();
        Ok(database)
    }

    fn drop_all(&mut self) {
        if std::mem::replace(&mut self.dropped, true) {
            return;
        }
        let gone = Connection::connect(&self.server, &Stop::new().flag())
            .and_then(|mut connection| connection.query_drop(&format!("DROP DATABASE {}", self.name)));
        if let Err(error) = gone {
            eprintln!("the database {} could not be dropped: {error}", self.name);
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.drop_all();
    }
}

fn wait_until_running(handle: &Handle, stop: &Stop) -> anyhow::Result<()> {
    let deadline = clock::moment() + PATIENCE;
    loop {
        let status = handle.board().read();
        match (status.state, status.failure) {
            (State::Running, _) => return Ok(()),
            (State::Failed, Some(failure)) => bail!("{failure}\n  {}", failure.code.hint),
            (_, Some(failure)) if clock::left_until(deadline).is_none() => {
                bail!("not running after {PATIENCE:?}: {failure}")
            }
            (_, None) if clock::left_until(deadline).is_none() => bail!("not running after {PATIENCE:?}"),
            (_, _) => {}
        }
        if stop.wait(Duration::from_millis(20)) {
            bail!("interrupted");
        }
    }
}

/// All that is looked at while the demo runs.
struct Show<'a> {
    arguments: &'a Arguments,
    handle: &'a Handle,
    writer: &'a Writer,
    topic: &'a Topic,
    proxy: &'a Proxy,
    observer: Observer,
    screen: Screen,
    began: Instant,
}

impl Show<'_> {
    /// Until the time is over or somebody interrupts: looks, draws, and lets the connection hang once.
    fn play(&mut self, stop: &Stop) {
        let length = Duration::from_secs(self.arguments.seconds);
        let hang_after = Duration::from_secs(self.arguments.hang_after);
        let mut next_draw = Duration::ZERO;
        while self.began.elapsed() < length && !self.writer.has_failed() {
            let now = self.began.elapsed();
            if !self.observer.has_begun() && !hang_after.is_zero() && now >= hang_after {
                self.proxy.hang();
                self.observer.begin(now, self.handle.metrics().disconnects.get());
            }
            self.look();
            if now >= next_draw {
                next_draw = now + DRAW_INTERVAL;
                self.draw();
            }
            if stop.wait(LOOK_INTERVAL) {
                return;
            }
        }
    }

    /// Until everything that was written has arrived, or patience ends. Whoever interrupts the demo a second time
    /// ends the process.
    fn await_rest(&mut self, written: u64) {
        let patience = Stop::new();
        let deadline = clock::moment() + PATIENCE;
        let mut next_draw = self.began.elapsed();
        while self.topic.seen() < written && clock::left_until(deadline).is_some() {
            self.look();
            if self.began.elapsed() >= next_draw {
                next_draw = self.began.elapsed() + DRAW_INTERVAL;
                self.draw();
            }
            patience.wait(LOOK_INTERVAL);
        }
    }

    fn look(&mut self) {
        let status = self.handle.board().read();
        self.observer.look(self.began.elapsed(), &status, self.handle.metrics().disconnects.get());
    }

    fn draw(&mut self) {
        let metrics = self.handle.metrics();
        let status = self.handle.board().read();
        let numbers = screen::Numbers {
            elapsed: self.began.elapsed(),
            state: status.state.name(),
            written: self.writer.written(),
            events: metrics.events_read.get(),
            sent: metrics.records_sent.get(),
            acknowledged: metrics.records_acknowledged.get(),
            seen: self.topic.seen(),
            lag_ms: self.topic.lag_ms(self.writer.written()),
            position: place(&metrics.stored_position.get()),
            last: self.topic.last_events(),
            happened: self.observer.told(),
        };
        self.screen.draw(&numbers);
    }

    fn close(mut self) {
        // The numbers of the last second, and the position behind them.
        let deadline = clock::moment() + Duration::from_secs(3);
        let metrics = self.handle.metrics();
        let (commits, patience) = (metrics.commits.get(), Stop::new());
        while metrics.commits.get() == commits
            && clock::left_until(deadline).is_some()
            && metrics.outstanding_batches.get() > 0
        {
            patience.wait(LOOK_INTERVAL);
        }
        self.draw();
        self.screen.leave();
    }
}

/// What of a stored position says where it is: the file, the place in it, the transactions.
fn place(position: &str) -> String {
    let told = |field: &&str| !field.starts_with("ts_sec=") && !field.starts_with("server_id=");
    position.split(' ').filter(told).collect::<Vec<_>>().join(" ")
}

fn verdict(
    arguments: &Arguments,
    written: u64,
    seen: &topic::Seen,
    incident: Option<&Incident>,
    interrupted: bool,
) -> ExitCode {
    let count = screen::count;
    let missing = written.saturating_sub(seen.distinct);
    super::say("");
    super::say(&format!("rows written to the database   {:>10}", count(written)));
    super::say(&format!(
        "rows on the topic              {:>10}   missing {}, twice {}",
        count(seen.distinct),
        count(missing),
        count(seen.repeated)
    ));
    let hung = arguments.hang_after > 0 && arguments.hang_after < arguments.seconds && !interrupted;
    let noticed = match incident {
        Some(incident) => {
            super::say(&incident.sentence());
            incident.is_over()
        }
        None => !hung,
    };
    let ended = if interrupted { " (ended early)" } else { "" };
    if missing == 0 && written > 0 && noticed {
        super::say(&format!("Nothing lost{ended}."));
        return ExitCode::SUCCESS;
    }
    if missing > 0 {
        super::say(&format!("{} ROWS ARE MISSING{ended}.", count(missing)));
    } else if written == 0 {
        super::say("Nothing was written: there is nothing to compare.");
    } else {
        super::say("The hanging connection was not noticed in time.");
    }
    ExitCode::from(super::EXIT_FAILED)
}
