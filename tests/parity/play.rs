//! Plays scenarios: sets up their databases, starts both sides, lets the traffic happen, and reads back what landed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::broker::Broker;
use super::landed::{self, Landed, Names, Registry};
use super::scenario::{Scenario, Step, Values};
use super::session::Session;
use super::sides::{Headwater, Settings, needed_settings};
use super::support::connect::Connect;
use super::support::server::Server;

/// How long a connector may take to start, and to show what it must show.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long after the last row each side goes on.
const SETTLED: Duration = Duration::from_millis(800);

/// Scenarios that are read back at the same time.
const READERS: usize = 8;

/// Where the scenarios are played.
pub struct World {
    /// Kafka.
    pub broker: Broker,
    /// The registry.
    pub registry: Registry,
    /// Its address.
    pub registry_url: String,
    /// Addresses of the stack's servers (host:port), by name.
    pub servers: BTreeMap<String, String>,
    /// Kafka Connect with Debezium; without it Headwater is played alone.
    pub connect: Option<Connect>,
}

/// What one scenario left behind on each side; nothing where a side was not played.
pub struct Played {
    /// Debezium's.
    pub debezium: Landed,
    /// Headwater's.
    pub headwater: Landed,
    /// What went wrong on the way: a statement that failed, a wait in vain.
    pub trouble: Vec<String>,
}

/// A scenario with what this run chose for it.
struct Player<'a> {
    world: &'a World,
    scenario: &'a Scenario,
    values: Values,
    sides: Vec<Names>,
    worker: Settings,
}

/// The sides of a player, in this order.
const HEADWATER: usize = 0;
const DEBEZIUM: usize = 1;

/// Plays some scenarios beside each other.
pub fn play(world: &World, scenarios: &[&Scenario]) -> Vec<Played> {
    let started = Instant::now();
    // What is recorded is played unseen, and whoever reads of a difference wants to read of that alone.
    let progress = |what: &str| {
        if world.connect.is_some() {
            println!("{:>6.1} s {what}", started.elapsed().as_secs_f32());
        }
    };
    let own_servers = start_own_servers(scenarios);
    let mut players: Vec<Player<'_>> =
        scenarios.iter().map(|scenario| Player::new(world, scenario, &own_servers)).collect();
    let since = now_ms() - 5_000;
    let mut trouble: Vec<Vec<String>> =
        players.iter_mut().map(|player| player.set_up().err().into_iter().collect()).collect();
    progress("databases are set up");
    let mut processes = start_headwater(world, &players);
    for (player, trouble) in players.iter().zip(&mut trouble) {
        if let Some(connect) = &world.connect {
            let name = &player.sides[DEBEZIUM].prefix;
            trouble.extend(connect.start(name, &player.debezium_settings()).err());
        }
    }
    std::thread::scope(|scope| {
        let mut by_server: BTreeMap<(&str, &str), Vec<_>> = BTreeMap::new();
        for (player, trouble) in players.iter().zip(&mut trouble) {
            let server = (player.values["HOST"].as_str(), player.values["PORT"].as_str());
            by_server.entry(server).or_default().push((player, trouble));
        }
        let processes = &processes;
        for group in by_server.into_values() {
            scope.spawn(move || perform(group, processes));
        }
    });
    progress("the traffic has been seen");
    let mut states = Vec::new();
    for player in &players {
        states.push(player.states(&processes));
    }
    processes.values_mut().for_each(Headwater::stop);
    if let Some(connect) = &world.connect {
        let names: Vec<String> = players.iter().map(|player| player.sides[DEBEZIUM].prefix.clone()).collect();
        connect.stop(&names);
    }
    progress("both sides have stopped");
    let mut work: Vec<_> = players.iter().zip(trouble).zip(states).collect();
    let mut played = Vec::new();
    while !work.is_empty() {
        let rest = work.split_off(work.len().min(READERS));
        let processes = &processes;
        played.extend(std::thread::scope(|scope| {
            let read = |((player, trouble), states): ((&Player<'_>, _), Vec<_>)| {
                player.read_back(processes, trouble, &states, since)
            };
            let readers: Vec<_> = work.into_iter().map(|one| scope.spawn(move || read(one))).collect();
            readers.into_iter().map(|reader| reader.join().unwrap()).collect::<Vec<_>>()
        }));
        work = rest;
    }
    progress("everything is read back");
    clean_up(world, &players, &processes);
    played
}

fn now_ms() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64
}

fn start_own_servers(scenarios: &[&Scenario]) -> BTreeMap<(String, String), Server> {
    let mut servers = BTreeMap::new();
    for scenario in scenarios.iter().filter(|scenario| scenario.needs_own_server()) {
        let key = (scenario.server.clone(), scenario.server_options.clone());
        servers
            .entry(key)
            .or_insert_with(|| Server::start(&scenario.server, scenario.server_options.trim_start_matches("own")));
    }
    servers
}

/// One process for each set of worker properties.
fn start_headwater(world: &World, players: &[Player<'_>]) -> BTreeMap<Settings, Headwater> {
    let mut groups: BTreeMap<Settings, Vec<Settings>> = BTreeMap::new();
    for player in players.iter().filter(|player| player.scenario.is_for_headwater()) {
        groups.entry(player.worker.clone()).or_default().push(player.settings(HEADWATER));
    }
    let start = |(worker, connectors): (Settings, Vec<Settings>)| {
        let process = Headwater::start(&world.broker.address, &worker, &connectors);
        (worker, process)
    };
    groups.into_iter().map(start).collect()
}

fn perform(group: Vec<(&Player<'_>, &mut Vec<String>)>, processes: &BTreeMap<Settings, Headwater>) {
    let mut started = Vec::new();
    for (player, trouble) in group {
        if trouble.is_empty() {
            match player.wait_for_start(processes) {
                Ok(()) => started.push((player, trouble)),
                Err(said) => trouble.push(said),
            }
        }
    }
    let mut acted = Vec::new();
    for (player, trouble) in started {
        match player.act(processes) {
            Ok(()) => acted.push((player, trouble)),
            Err(said) => trouble.push(said),
        }
    }
    for (player, trouble) in acted {
        trouble.extend(player.wait_for_end(processes).err());
    }
    // The end of the last transaction comes behind its last row.
    std::thread::sleep(SETTLED);
}

impl<'a> Player<'a> {
    fn new(world: &'a World, scenario: &'a Scenario, own: &BTreeMap<(String, String), Server>) -> Self {
        let id: String = std::iter::repeat_with(fastrand::lowercase).take(8).collect();
        let database = format!("d{id}");
        let address = match own.get(&(scenario.server.clone(), scenario.server_options.clone())) {
            Some(server) if scenario.needs_own_server() => server.address(),
            _ => world.servers.get(&scenario.server).cloned().unwrap_or_else(|| "127.0.0.1:1".to_owned()),
        };
        let (host, port) = address.rsplit_once(':').unwrap();
        // Only an owner may publish a table of PostgreSQL, and only a superuser all of them.
        let user = if scenario.source == "postgres" { "app" } else { "cdc" };
        let values = Values::from([
            ("DATABASE", database.clone()),
            ("HOST", host.to_owned()),
            ("PORT", port.to_owned()),
            ("USER", user.to_owned()),
            ("PASSWORD", format!("{user}pw")),
            ("KAFKA", world.broker.address.clone()),
            ("REGISTRY", world.registry_url.clone()),
        ]);
        let count = if world.connect.is_some() { 2 } else { 1 };
        let side = |letter: &str| Names { prefix: format!("p{id}{letter}"), database: database.clone() };
        let sides = ["h", "d"].into_iter().take(count).map(side).collect();
        let worker = scenario.worker(&values);
        Player { world, scenario, values, sides, worker }
    }

    fn values(&self, side: usize) -> Values {
        let mut values = self.values.clone();
        values.insert("PREFIX", self.sides[side].prefix.clone());
        values.insert("SERVER_ID", fastrand::u32(100_000_000..2_000_000_000).to_string());
        values
    }

    /// The connector's settings: the scenario's, over those that every connector needs.
    fn settings(&self, side: usize) -> Settings {
        let values = self.values(side);
        let mut settings = needed_settings(&self.scenario.source, &values);
        if side == HEADWATER {
            // A server that a slow machine holds up is not what is judged here: a new connection would repeat records.
            settings.insert("headwater.silence.heartbeats".to_owned(), "60".to_owned());
        }
        settings.extend(self.scenario.connector(&values));
        settings
    }

    /// Debezium's: the worker's properties that a scenario gives become the connector's, as Connect lets them.
    fn debezium_settings(&self) -> Settings {
        let mut settings = self.settings(DEBEZIUM);
        for (name, value) in &self.worker {
            let own = match name.split('.').next() {
                Some("producer") => format!("producer.override.{}", &name["producer.".len()..]),
                _ => name.clone(),
            };
            settings.entry(own).or_insert_with(|| value.clone());
        }
        settings
    }

    fn session(&self, in_database: bool) -> Result<Session, String> {
        Session::open(self.scenario, &self.values, in_database)
    }

    fn set_up(&mut self) -> Result<(), String> {
        self.session(false)?.create_database(&self.values["DATABASE"])?;
        let mut session = self.session(true)?;
        for step in self.scenario.setup(&self.values(0)) {
            if let Step::Sql(statement) = step {
                session.run(&statement)?;
            }
        }
        if self.needs_finish() {
            session.run("CREATE TABLE finish (id INT PRIMARY KEY)")?;
        }
        Ok(())
    }

    /// The sides that are played.
    fn playing(&self) -> Vec<usize> {
        let plays = |side: &usize| *side != HEADWATER || self.scenario.is_for_headwater();
        (0..self.sides.len()).filter(plays).collect()
    }

    fn needs_finish(&self) -> bool {
        !matches!(self.scenario.traffic(&self.values(0)).last(), Some(Step::Wait(..)))
    }

    /// Whether a registry has to do with it.
    fn has_schemas(&self) -> bool {
        self.settings(HEADWATER)
            .values()
            .chain(self.worker.values())
            .any(|value| value.contains("Avro") || value == "avro")
    }

    /// The state of each side, and a failure's words.
    fn states(&self, processes: &BTreeMap<Settings, Headwater>) -> Vec<(String, String)> {
        let state = |(side, names): (usize, &Names)| match (side, &self.world.connect) {
            (DEBEZIUM, Some(connect)) => connect.state(&names.prefix),
            _ => processes.get(&self.worker).map(|process| process.state(&names.prefix)).unwrap_or_default(),
        };
        self.sides.iter().enumerate().map(state).collect()
    }

    /// Waits until something holds of each side; a side that has failed is not waited for.
    fn wait(
        &self,
        processes: &BTreeMap<Settings, Headwater>,
        what: &str,
        holds: impl Fn(&Names) -> bool,
    ) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        let mut waiting = self.playing();
        let no_answer = Instant::now() + Duration::from_secs(6);
        let mut look_at_state = Instant::now() + Duration::from_millis(400);
        while !waiting.is_empty() {
            waiting.retain(|side| !holds(&self.sides[*side]));
            if Instant::now() > look_at_state {
                let states = self.states(processes);
                waiting.retain(|side| states[*side].0 != "FAILED");
                if waiting.contains(&HEADWATER) && states[HEADWATER].0 == "UNKNOWN" && Instant::now() > no_answer {
                    return Err(format!("Headwater does not answer: {}", processes[&self.worker].log_tail()));
                }
                look_at_state = Instant::now() + Duration::from_secs(1);
            }
            if Instant::now() > deadline {
                let who = if waiting.contains(&DEBEZIUM) { "Debezium" } else { "Headwater" };
                let state = self.states(processes);
                return Err(format!("{who} and {} in all: not in time: {what}; states {state:?}", waiting.len()));
            }
            if !waiting.is_empty() {
                std::thread::sleep(Duration::from_millis(30));
            }
        }
        Ok(())
    }

    /// The position from which a side reads is fixed before its first record of schema history, or by its replication slot.
    fn wait_for_start(&self, processes: &BTreeMap<Settings, Headwater>) -> Result<(), String> {
        if self.scenario.source == "postgres" {
            let session = RefCell::new(self.session(false)?);
            return self.wait(processes, "replication slot", |names| session.borrow_mut().slot_is_read(&names.prefix));
        }
        self.wait(processes, "schema history", |names| {
            self.world.broker.count(&format!("{}.history", names.prefix)) > 0
        })
    }

    fn act(&self, processes: &BTreeMap<Settings, Headwater>) -> Result<(), String> {
        let mut sessions = BTreeMap::from([(String::new(), self.session(true)?)]);
        let mut current = String::new();
        for step in self.scenario.traffic(&self.values(0)) {
            match step {
                Step::Sql(statement) => {
                    let session = sessions.get_mut(&current).unwrap();
                    session.run(&statement)?;
                }
                Step::Session(name) => {
                    if !sessions.contains_key(&name) {
                        sessions.insert(name.clone(), self.session(true)?);
                    }
                    current = name;
                }
                Step::Wait(topic, count) => self.wait_for_topic(processes, &topic, count)?,
            }
        }
        if self.needs_finish() {
            // The statement itself is in records of `include.query`: as it was when they were recorded.
            let table = match self.scenario.source.as_str() {
                "postgres" => "finish".to_owned(),
                _ => format!("`{}`.finish", self.values["DATABASE"]),
            };
            self.session(true)?.run(&format!("INSERT INTO {table} VALUES (1)"))?;
        }
        Ok(())
    }

    fn wait_for_topic(&self, processes: &BTreeMap<Settings, Headwater>, topic: &str, count: i64) -> Result<(), String> {
        let name = |names: &Names| match topic.strip_prefix("topic ") {
            Some(whole) => whole.replace(&self.sides[0].prefix, &names.prefix),
            None if self.scenario.source == "postgres" && topic.contains('.') => format!("{}.{topic}", names.prefix),
            None if self.scenario.source == "postgres" => format!("{}.public.{topic}", names.prefix),
            None => format!("{}.{}.{topic}", names.prefix, names.database),
        };
        let what = format!("{count} records in {topic}");
        self.wait(processes, &what, |names| self.world.broker.count(&name(names)) >= count)
    }

    /// The last row is there. What other topics have still to get, each side sends before it has stopped.
    fn wait_for_end(&self, processes: &BTreeMap<Settings, Headwater>) -> Result<(), String> {
        if self.needs_finish() { self.wait_for_topic(processes, "finish", 1) } else { Ok(()) }
    }

    fn read_back(
        &self,
        processes: &BTreeMap<Settings, Headwater>,
        mut trouble: Vec<String>,
        states: &[(String, String)],
        since: i64,
    ) -> Played {
        let world = self.world;
        let registry = self.has_schemas().then_some(&world.registry);
        let mut sides = vec![Landed::new(); self.sides.len()];
        for side in self.playing() {
            let names = &self.sides[side];
            let offsets = match (side, &world.connect) {
                (DEBEZIUM, Some(connect)) => &connect.offsets,
                _ => &processes[&self.worker].offsets,
            };
            let mut landed = landed::collect(&world.broker, registry, names, offsets, since);
            let (state, trace) = &states[side];
            landed.insert("state".to_owned(), vec![super::json::Node::string(state)]);
            if state != "RUNNING" {
                let who = if side == DEBEZIUM { "Debezium" } else { "Headwater" };
                trouble.push(format!("{who} is {state}: {trace}"));
            }
            sides[side] = landed;
        }
        let headwater = sides.remove(HEADWATER);
        Played { debezium: sides.pop().unwrap_or_default(), headwater, trouble }
    }
}

fn clean_up(world: &World, players: &[Player<'_>], processes: &BTreeMap<Settings, Headwater>) {
    if std::env::var_os("HEADWATER_PARITY_KEEP").is_some() {
        return;
    }
    let mut topics = Vec::new();
    let all = world.broker.topics();
    for player in players {
        if let Some(connect) = &world.connect {
            connect.remove(&player.sides[DEBEZIUM].prefix);
        }
        for names in &player.sides {
            topics.extend(all.iter().filter(|topic| topic.contains(&names.prefix)).cloned());
            if player.has_schemas() {
                world.registry.forget(&names.prefix);
            }
        }
        if let Ok(mut session) = player.session(false) {
            session.drop_database(&player.values["DATABASE"]);
        }
    }
    for process in processes.values() {
        let id = process.offsets.trim_end_matches("-offsets");
        topics.extend(all.iter().filter(|topic| topic.starts_with(id)).cloned());
    }
    world.broker.delete(&topics);
}
