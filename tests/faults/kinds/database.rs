//! What happens to a database server.

use std::time::Duration;

use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509NameBuilder};

use super::Record::{Must, Never};
use super::{Fault, Kind, SILENCE, Struck, wait, wait_for, wait_for_word};
use crate::database::Database;
use crate::scene::Scene;
use crate::support::instance::Instance;
use crate::watch::Moment;

/// What a person does whose position is gone: the connector begins at what the server has now.
fn person_begins_anew(scene: &Scene) -> Result<(), String> {
    let ask = |method, what| scene.rest.ask(method, what).ok_or(format!("{method} {what}: no answer"));
    ask("PUT", "stop")?;
    wait_for_word("STOPPED", scene, |word| word.state == "STOPPED")?;
    ask("DELETE", "offsets")?;
    ask("PUT", "resume")?;
    wait_for_word("RUNNING after new offsets", scene, |word| word.state == "RUNNING").map(drop)
}

/// Waits until it says that a person has to come, which must be on record; when that was.
fn wait_until_refused(scene: &Scene, began: Moment, on_record_since: Moment) -> Result<Struck, String> {
    wait_for_word("FAILED", scene, |word| word.state == "FAILED")?;
    let noticed = began.at.elapsed();
    // That the connection was lost may have begun it.
    wait_for("an incident", || scene.rest.noticed_since(on_record_since))?;
    Ok(Struck { began: Some(began), noticed: Some(noticed) })
}

/// Waits until everything that was written is stored as such: what a server throws away now is nobody's loss.
fn wait_until_dry(scene: &Scene) -> Result<(), String> {
    wait_for_word("everything is delivered", scene, |word| word.verdict == "idle" && word.is_dry).map(drop)
}

/// The server's process that reads the log for the connector, if there is one.
const READER: &str = "SELECT id FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%' AND user = 'cdc'";

fn end_session(scene: &Scene, _: &mut fastrand::Rng) -> Fault {
    let database = scene.database();
    let mut session = database.session("")?;
    if database.is_postgres() {
        let slot = &scene.schema;
        session.run(&format!(
            "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '{slot}' AND active"
        ))?;
    } else {
        let id = session.ask(READER)?.ok_or("nobody reads the log")?;
        session.run(&format!("KILL {id}"))?;
    }
    Ok(Struck::default())
}

fn take_no_writes(scene: &Scene, random: &mut fastrand::Rng) -> Fault {
    let database = scene.database();
    let mut session = database.session("")?;
    if database.is_postgres() {
        for value in ["on", "off"] {
            session.run("SET default_transaction_read_only = off")?;
            session.run(&format!("ALTER SYSTEM SET default_transaction_read_only = {value}"))?;
            session.run("SELECT pg_reload_conf()")?;
            wait(random, 4_000..7_000);
        }
    } else {
        session.run("FLUSH TABLES WITH READ LOCK")?;
        wait(random, 4_000..7_000);
        session.run("UNLOCK TABLES")?;
    }
    Ok(Struck::default())
}

fn change_password(scene: &Scene, _: &mut fastrand::Rng) -> Fault {
    let database = scene.database();
    let mut session = database.session("")?;
    let mut set = |password: &str| {
        session.run(&match database.is_postgres() {
            true => format!("ALTER ROLE capture PASSWORD '{password}'"),
            false => format!("ALTER USER 'cdc'@'%' IDENTIFIED BY '{password}'"),
        })
    };
    set("another")?;
    let began = Moment::now();
    scene.proxy.reset();
    let struck = wait_until_refused(scene, began, began);
    set(if database.is_postgres() { "capturepw" } else { "cdcpw" })?;
    scene.rest.ask("POST", "restart?includeTasks=true");
    struck
}

/// What the connector would read next is removed. The load stands still, so that nothing is lost that is accounted for.
fn purge_log(scene: &Scene, _: &mut fastrand::Rng) -> Fault {
    let _quiet = scene.pause_load();
    let database = scene.database();
    wait_until_dry(scene)?;
    let refused = Moment::now();
    scene.proxy.refuse();
    let mut session = database.session(&scene.schema)?;
    if database.is_postgres() {
        let slot = &scene.schema;
        wait_for("the slot is free", || session.run(&format!("SELECT pg_drop_replication_slot('{slot}')")).ok())?;
    } else {
        // A log that is still read is not purged, and a server does not see at once that its reader has gone.
        wait_for("nobody reads the log", || {
            let reader = session.ask(READER).ok()?;
            reader.is_none().then_some(()).or_else(|| session.run(&format!("KILL {}", reader?)).ok().and(None))
        })?;
        session.run(&format!("INSERT INTO unseen VALUES ({})", fastrand::u32(..)))?;
        session.run("FLUSH BINARY LOGS")?;
        let status = if database.is_mysql() { "SHOW BINARY LOG STATUS" } else { "SHOW MASTER STATUS" };
        let file = session.ask(status)?.ok_or("no log")?;
        // A log whose reader has just gone may be spared without an error.
        wait_for("the log is purged", || {
            session.run(&format!("PURGE BINARY LOGS TO '{file}'")).ok()?;
            session.ask("SHOW BINARY LOGS").ok()?.filter(|first| *first == file)
        })?;
    }
    let began = Moment::now();
    scene.proxy.pass();
    let struck = wait_until_refused(scene, began, refused)?;
    person_begins_anew(scene)?;
    Ok(struck)
}

/// The server dies, its replica is made a server, and what was the server comes back as a replica.
fn fail_over(scene: &Scene, _: &mut fastrand::Rng) -> Fault {
    let (old, new) = (scene.database(), crate::scene::lock(&scene.replica).clone().ok_or("no replica")?);
    {
        let _quiet = scene.pause_load();
        let executed = old.session("")?.ask("SELECT @@global.gtid_executed")?.unwrap_or_default().replace('\n', "");
        let mut session = new.session("")?;
        // It gives up after some attempts while its source is away.
        session.run("START REPLICA")?;
        wait_for("the replica has everything", || {
            let has = session.ask(&format!("SELECT GTID_SUBSET('{executed}', @@global.gtid_executed)"));
            has.ok().flatten().filter(|has| has == "1")
        })?;
        old.kill();
        for statement in ["STOP REPLICA", "RESET REPLICA ALL", "SET PERSIST read_only = OFF"] {
            session.run(statement)?;
        }
        scene.proxy.switch(&format!("127.0.0.1:{}", new.port()));
        scene.swap_servers();
    }
    old.start_again();
    let mut session = old.session("")?;
    session.run(&format!(
        "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = {}, SOURCE_USER = 'repl', \
         SOURCE_PASSWORD = 'replpw', SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1, SOURCE_CONNECT_RETRY = 1",
        new.port()
    ))?;
    session.run("START REPLICA")?;
    session.run("SET PERSIST read_only = ON")?;
    Ok(Struck::default())
}

/// A certificate of the server that was good until yesterday.
fn expired(server: &Instance) -> String {
    let read = |name: &str| std::fs::read(server.folder.join("data").join(name)).unwrap();
    let (authority, key) =
        (X509::from_pem(&read("ca.pem")).unwrap(), PKey::private_key_from_pem(&read("ca-key.pem")).unwrap());
    let own = X509::from_pem(&read("server-cert.pem")).unwrap();
    let mut subject = X509NameBuilder::new().unwrap();
    subject.append_entry_by_text("CN", "localhost").unwrap();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(own.serial_number()).unwrap();
    builder.set_subject_name(&subject.build()).unwrap();
    builder.set_issuer_name(authority.subject_name()).unwrap();
    builder.set_pubkey(&own.public_key().unwrap()).unwrap();
    let day = 24 * 3_600;
    let now = Moment::now().millis / 1_000;
    builder.set_not_before(&Asn1Time::from_unix(now - 9 * day).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::from_unix(now - day).unwrap()).unwrap();
    let mut names = SubjectAlternativeName::new();
    let names = names.dns("localhost").ip("127.0.0.1").build(&builder.x509v3_context(None, None)).unwrap();
    builder.append_extension(names).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    String::from_utf8(builder.build().to_pem().unwrap()).unwrap()
}

fn expire_certificate(scene: &Scene, _: &mut fastrand::Rng) -> Fault {
    let database = scene.database();
    let Database::Postgres(server) = &*database else { return Err("no TLS here".to_owned()) };
    let (path, mut session) = (server.folder.join("data").join("server-cert.pem"), database.session("")?);
    let good = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let mut present = |certificate: &str| {
        // In place: the file belongs to the server's user.
        std::fs::write(&path, certificate).map_err(|error| error.to_string())?;
        session.run("SELECT pg_reload_conf()")?;
        std::thread::sleep(Duration::from_millis(300));
        Ok::<(), String>(())
    };
    present(&expired(server))?;
    let began = Moment::now();
    scene.proxy.reset();
    let noticed = wait_for_word("it says that it does not run", scene, |word| word.state != "RUNNING")
        .and_then(|_| wait_for("an incident", || scene.rest.noticed_since(began)));
    std::thread::sleep(Duration::from_secs(2));
    present(&good)?;
    if scene.rest.word().state == "FAILED" {
        scene.rest.ask("POST", "restart?includeTasks=true");
    }
    Ok(Struck { began: Some(began), noticed: Some(noticed?) })
}

pub fn kinds(scene: &Scene) -> Vec<Kind> {
    let database = scene.database();
    let mut kinds = vec![
        Kind::new("server is killed", Must, |scene, _| {
            scene.database().kill();
            scene.database().start_again();
            Ok(Struck::default())
        })
        .short(),
        Kind::new("server is stopped and started", Must, |scene, _| {
            scene.database().stop();
            scene.database().start_again();
            Ok(Struck::default())
        }),
        Kind::new("server is frozen", Must, |scene, random| {
            scene.database().freeze();
            std::thread::sleep(scene.long(random));
            scene.database().thaw();
            Ok(Struck::default())
        })
        .short(),
        Kind::new("an administrator ends the session", Must, end_session).short(),
        Kind::new("server takes no writes", Never, take_no_writes).short(),
        Kind::new("password is changed", Must, change_password).mended_by_a_person().short(),
    ];
    let name = if database.is_postgres() { "slot is dropped" } else { "log is purged" };
    kinds.push(Kind::new(name, Must, purge_log).mended_by_a_person());
    if crate::scene::lock(&scene.replica).is_some() {
        kinds.push(Kind::new("server dies, its replica takes over", Must, fail_over));
    }
    if database.is_postgres() {
        kinds.push(Kind::new("server's certificate has expired", Must, expire_certificate).mended_by_a_person());
    }
    kinds
        .into_iter()
        // A server that is asked to stop does so in its own time.
        .map(|kind| if kind.name.contains("stopped") { kind.within(SILENCE * 3) } else { kind.within(SILENCE) })
        .collect()
}
