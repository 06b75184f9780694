//! What a person types to switch, and to switch back.
//!
//! In: the connectors that can move, their files, how Connect is reached. Out: numbered lines, each of which can be
//! pasted into a shell as it stands. Promised: nothing on Connect is deleted, where Connect can stop a connector; no
//! secret stands in a line: credentials are taken from variables.

use std::path::Path;

use super::http::{Client, Credentials};
use crate::util::percent::encode_segment;

/// One connector that moves.
pub(super) struct Move<'m> {
    pub name: &'m str,
    pub file: &'m Path,
}

/// What the steps depend on.
pub(super) struct Situation<'s> {
    pub client: &'s Client,
    /// Whether Connect can stop a connector without deleting it (3.5 and later).
    pub can_stop: bool,
    /// How this program was called.
    pub program: String,
    /// The worker's file; `None` where the environment has its settings.
    pub worker: Option<&'s Path>,
    /// Whether lines of the worker's file have to be filled in first.
    pub to_fill_in: bool,
    /// An address that is free where the worker's own is not.
    pub listener: Option<String>,
    /// Where Headwater's own API will be.
    pub url: String,
}

/// A word as a shell takes it.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=%@,+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

impl Situation<'_> {
    fn curl(&self) -> String {
        let mut words = "curl -fsS".to_owned();
        if let Some(ca) = &self.client.ca {
            words.push_str(&format!(" --cacert {}", quoted(&ca.display().to_string())));
        }
        match self.client.credentials {
            Credentials::None => {}
            Credentials::Basic => words.push_str(" -u \"$HEADWATER_CONNECT_BASIC_AUTH\""),
            Credentials::Bearer => words.push_str(" -H \"Authorization: Bearer $HEADWATER_CONNECT_BEARER\""),
        }
        words
    }

    /// What Connect answers about a connector at, as a word for a shell.
    fn connector(&self, name: &str, call: &str) -> String {
        quoted(&format!("{}/connectors/{}{call}", self.client.base(), encode_segment(name)))
    }

    /// `headwater COMMAND a.json b.json --worker …`
    fn headwater(&self, command: &str, moves: &[Move<'_>]) -> String {
        let mut words = format!("{} {command}", quoted(&self.program));
        for one in moves {
            words.push_str(&format!(" {}", quoted(&one.file.display().to_string())));
        }
        if let Some(worker) = self.worker {
            words.push_str(&format!(" --worker {}", quoted(&worker.display().to_string())));
        }
        if let Some(listener) = &self.listener {
            words.push_str(&format!(" --set listeners={}", quoted(listener)));
        }
        words
    }
}

/// The lines.
pub(super) fn steps(situation: &Situation<'_>, moves: &[Move<'_>]) -> Vec<String> {
    let mut lines = vec![String::new(), "To switch:".to_owned()];
    let mut number = 0;
    let mut step = |lines: &mut Vec<String>, text: &str, commands: Vec<String>| {
        number += 1;
        lines.push(format!("  {number}. {text}"));
        lines.extend(commands.into_iter().map(|command| format!("       {command}")));
    };
    if situation.client.credentials != Credentials::None {
        let variable = match situation.client.credentials {
            Credentials::Basic => "HEADWATER_CONNECT_BASIC_AUTH=USER:PASSWORD",
            Credentials::Bearer | Credentials::None => "HEADWATER_CONNECT_BEARER=TOKEN",
        };
        step(
            &mut lines,
            "Unless it is set already, give the shell the REST API's user.",
            vec![format!("export {variable}")],
        );
    }
    if situation.to_fill_in {
        let file = situation.worker.map(|worker| quoted(&worker.display().to_string())).unwrap_or_default();
        step(
            &mut lines,
            &format!("Fill in the lines of {file} that say so, from a worker of Kafka Connect."),
            Vec::new(),
        );
    }
    let curl = situation.curl();
    let each = |command: &dyn Fn(&Move<'_>) -> String| moves.iter().map(command).collect::<Vec<_>>();
    if situation.can_stop {
        step(
            &mut lines,
            "Stop on Connect. Nothing is deleted.",
            each(&|one| format!("{curl} -X PUT {}", situation.connector(one.name, "/stop"))),
        );
        step(
            &mut lines,
            "Wait until no task is left: its last position is stored then.",
            each(&|one| {
                let status = situation.connector(one.name, "/status");
                format!("until {curl} {status} | grep -q '\"state\":\"STOPPED\".*\"tasks\":\\[\\]'; do sleep 1; done")
            }),
        );
    } else {
        step(
            &mut lines,
            "Delete on Connect: before 3.5 it cannot stop a connector for good. Its position stays, its configuration is in the file.",
            each(&|one| format!("{curl} -X DELETE {}", situation.connector(one.name, ""))),
        );
        let text = "Wait until the database shows no connection of it, and one offset.flush.interval.ms has passed (60 s by default).";
        step(&mut lines, text, Vec::new());
    }
    step(&mut lines, "Ask once more; it must say that it would run.", vec![situation.headwater("check", moves)]);
    step(&mut lines, "Start Headwater.", vec![situation.headwater("run", moves)]);
    step(
        &mut lines,
        "Look, from another shell: RUNNING, records acknowledged, and a position stored within offset.flush.interval.ms after the first change.",
        vec![format!("{} status --url {}", quoted(&situation.program), quoted(&situation.url))],
    );
    way_back(situation, moves, &curl, &mut lines);
    lines
}

fn way_back(situation: &Situation<'_>, moves: &[Move<'_>], curl: &str, lines: &mut Vec<String>) {
    lines.push(String::new());
    lines.push("The way back, at any time:".to_owned());
    lines.push(
        "  1. Stop Headwater (Ctrl-C or SIGTERM) and wait until the process has ended: it stores its position last."
            .to_owned(),
    );
    if situation.can_stop {
        lines.push("  2. Let Connect go on from there.".to_owned());
        lines.extend(
            moves.iter().map(|one| format!("       {curl} -X PUT {}", situation.connector(one.name, "/resume"))),
        );
    } else {
        lines.push("  2. Give the connectors back to Connect, which goes on from there.".to_owned());
        lines.extend(moves.iter().map(|one| {
            let file = quoted(&format!("@{}", one.file.display()));
            format!(
                "       {curl} -X POST -H 'Content-Type: application/json' -d {file} {}",
                quoted(&format!("{}/connectors", situation.client.base()))
            )
        }));
    }
    lines.push("  3. Look: connector and task RUNNING.".to_owned());
    lines.extend(moves.iter().map(|one| format!("       {curl} {}", situation.connector(one.name, "/status"))));
}
