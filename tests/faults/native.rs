//! What the campaign does to the program itself from outside: one of its threads stands still, its wall clock jumps, a name
//! that it knows is gone. Nothing in the program helps with it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::support::scratch;

/// The name of the database's host.
pub const HOST: &str = "database.test";

pub struct Native {
    folder: tempfile::TempDir,
}

/// A thread that stands still until this is dropped.
pub struct Held {
    tool: Child,
    input: Option<ChildStdin>,
}

impl Drop for Held {
    fn drop(&mut self) {
        // The end of its input is what it waits for.
        drop(self.input.take());
        let _ = self.tool.wait();
    }
}

fn succeed(what: &str, command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{what}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("{what}: {}", said.trim())) }
}

impl Native {
    /// Builds the tools; what this machine does not allow is the error.
    pub fn build() -> Result<Native, String> {
        let native = Native { folder: scratch("native-") };
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/native");
        let compiler = || Command::new("cc");
        succeed("cc", compiler().arg("-O1").arg("-o").arg(native.path("hold")).arg(sources.join("hold.c")))?;
        let library = ["-O1", "-shared", "-fPIC", "-o"];
        succeed("cc", compiler().args(library).arg(native.path("clock.so")).arg(sources.join("clock.c")))?;
        native.jump_clock(0);
        native.resolve(true);
        succeed("unshare", Command::new("sh").arg("-c").arg(native.inside("true")))?;
        Ok(native)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A shell command that runs the words behind it where /etc/hosts is a file of ours.
    fn inside(&self, program: &str) -> String {
        let hosts = self.path("hosts").display().to_string();
        format!("exec unshare -m sh -c 'mount --bind {hosts} /etc/hosts && exec \"$0\" \"$@\"' {program}")
    }

    /// Statements of a shell that run the program with a clock and names of our own.
    pub fn statements(&self) -> String {
        let (clock, library) = (self.path("clock").display().to_string(), self.path("clock.so").display().to_string());
        let inside = self.inside("\"$0\" \"$@\"");
        let sabotage = self.path("sabotage").display().to_string();
        format!("export HEADWATER_TEST_SABOTAGE={sabotage} HEADWATER_TEST_CLOCK={clock} LD_PRELOAD={library}; {inside}")
    }

    /// A thread shall `panic`, once, or `spin` until this is taken back.
    pub fn sabotage(&self, thread: &str, what: &str) {
        std::fs::write(self.path("sabotage"), format!("{thread} {what}")).unwrap();
    }

    /// Whether a thread shall still do so.
    pub fn is_sabotage_open(&self) -> bool {
        self.path("sabotage").exists()
    }

    pub fn end_sabotage(&self) {
        let _ = std::fs::remove_file(self.path("sabotage"));
    }

    /// The program's wall clock is ahead by so many seconds.
    pub fn jump_clock(&self, seconds: i64) {
        // In place: the program looks at it all the time.
        let file =
            std::fs::OpenOptions::new().create(true).truncate(false).write(true).open(self.path("clock")).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, &seconds.to_ne_bytes(), 0).unwrap();
    }

    /// Whether the name of the database's host has an address.
    pub fn resolve(&self, known: bool) {
        let own = if known { format!("127.0.0.1 {HOST}\n") } else { String::new() };
        std::fs::write(self.path("hosts"), format!("127.0.0.1 localhost\n{own}")).unwrap();
    }

    /// Lets a thread of a process stand still.
    pub fn hold(&self, process: u32, thread: &str) -> Result<Held, String> {
        let tasks = std::fs::read_dir(format!("/proc/{process}/task")).map_err(|error| error.to_string())?;
        let named =
            |path: &PathBuf| std::fs::read_to_string(path.join("comm")).is_ok_and(|comm| comm.trim_end() == thread);
        let found = tasks.flatten().map(|task| task.path()).find(named).ok_or(format!("no thread {thread}"))?;
        let id = found.file_name().unwrap_or_default();
        let mut tool = Command::new(self.path("hold"));
        let tool = tool.arg(id).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut tool = tool.spawn().map_err(|error| error.to_string())?;
        let (input, output) = (tool.stdin.take(), tool.stdout.take());
        let held = Held { tool, input };
        let mut line = String::new();
        let said = output.map(|output| BufReader::new(output).read_line(&mut line));
        match (said, line.trim()) {
            (Some(Ok(_)), "held") => Ok(held),
            _ => Err(format!("{thread} cannot be held")),
        }
    }
}
