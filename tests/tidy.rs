//! The house rules that the compiler does not guard: who may import whom, how long a function and a file may be.
//!
//! The table of rooms below is that of `docs/architecture.md`, as data. A finding names the file, the line and
//! the rule.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Rooms and what each may import. `model`, `error` and `util` are for everyone.
const ROOMS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("source", &[]),
    ("envelope", &[]),
    ("transform", &[]),
    ("serialize", &[]),
    ("sink", &[]),
    ("ack", &[]),
    ("store", &[]),
    (
        "pipeline",
        &["ack", "config", "envelope", "observe", "serialize", "sink", "source", "store", "transform", "pipeline"],
    ),
    ("watchdog", &["observe", "pipeline"]),
    ("observe", &[]),
    ("worker", &["config", "store", "pipeline", "observe", "watchdog"]),
    ("signal", &["store"]),
    ("admin", &["observe", "worker", "pipeline", "config"]),
    ("config", &["source", "serialize", "sink", "store", "transform"]),
    (
        "cli",
        &[
            "ack",
            "admin",
            "config",
            "envelope",
            "observe",
            "pipeline",
            "serialize",
            "sink",
            "source",
            "store",
            "transform",
            "watchdog",
            "worker",
        ],
    ),
    ("error", &[]),
    ("util", &[]),
];

const FOR_EVERYONE: &[&str] = &["model", "error", "util"];

/// The longest function, in lines.
const FUNCTION_LINES: usize = 70;

/// The longest file, in lines.
const FILE_LINES: usize = 1_000;

/// Exhaustive classifiers of one match, which are long because what they classify is.
const LONG_FUNCTIONS: &[&str] = &["dispatch", "code", "decode_body", "fmt"];

/// Words that must not stand in product code, and why.
const FORBIDDEN: &[(&str, &str)] = &[
    ("while let Some(Ok(", "a loop that ends silently on an error"),
    ("todo!(", "a stub that pretends"),
    ("unimplemented!(", "a stub that pretends"),
    ("#[ignore", "a test that is not run"),
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    files(&root, &mut paths);
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(&path).unwrap_or_default())).collect()
}

fn room_of(path: &Path) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let first = path.strip_prefix(root).ok()?.components().next()?.as_os_str().to_str()?.to_owned();
    Some(first.trim_end_matches(".rs").to_owned())
}

/// The lines of a file that are product code: tests may do more.
fn product_lines(text: &str) -> Vec<(usize, &str)> {
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("#[cfg(test)]") {
            break;
        }
        lines.push((number + 1, line));
    }
    lines
}

fn is_test_file(path: &Path) -> bool {
    let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    name == "tests" || name.ends_with("_tests") || path.components().any(|part| part.as_os_str() == "tests")
}

fn check(findings: Vec<String>) {
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

#[test]
fn rooms_import_only_what_the_plan_allows() {
    let rooms: BTreeMap<&str, &[&str]> = ROOMS.iter().copied().collect();
    let mut findings = Vec::new();
    for (path, text) in sources() {
        let Some(room) = room_of(&path) else { continue };
        if matches!(room.as_str(), "lib" | "main") {
            continue;
        }
        let Some(allowed) = rooms.get(room.as_str()) else {
            findings.push(format!("{}: the room {room} is not in the plan", path.display()));
            continue;
        };
        for (number, line) in product_lines(&text) {
            for part in line.split("crate::").skip(1) {
                let imported: String = part.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                let is_room = rooms.contains_key(imported.as_str());
                let may = imported == room
                    || FOR_EVERYONE.contains(&imported.as_str())
                    || allowed.contains(&imported.as_str());
                if is_room && !may && !is_test_file(&path) {
                    findings.push(format!("{}:{number}: {room} must not import {imported}", path.display()));
                }
            }
        }
    }
    check(findings);
}

#[test]
fn rooms_stand_in_the_order_of_the_flow() {
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap_or_default();
    let listed: Vec<&str> = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let planned: Vec<&str> = ROOMS.iter().map(|(room, _)| *room).collect();
    assert_eq!(listed, planned);
}

#[test]
fn files_and_functions_stay_small() {
    let mut findings = Vec::new();
    for (path, text) in sources() {
        if is_test_file(&path) {
            continue;
        }
        let lines = product_lines(&text);
        if lines.len() > FILE_LINES {
            findings.push(format!("{}: {} lines, {FILE_LINES} allowed", path.display(), lines.len()));
        }
        for (name, start, length) in functions(&lines) {
            if length > FUNCTION_LINES && !LONG_FUNCTIONS.contains(&name.as_str()) {
                findings.push(format!(
                    "{}:{start}: fn {name} has {length} lines, {FUNCTION_LINES} allowed",
                    path.display()
                ));
            }
        }
    }
    check(findings);
}

/// Name, first line and number of lines of each function: from its `fn` to the brace at the same indent.
fn functions(lines: &[(usize, &str)]) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    for (index, (number, line)) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let indent = line.len() - trimmed.len();
        let words: Vec<&str> = trimmed.split_whitespace().collect();
        let Some(place) = words.iter().position(|word| *word == "fn") else { continue };
        let qualifiers = ["pub", "const", "async", "unsafe", "extern", "pub(super)", "pub(crate)"];
        if !words.iter().take(place).all(|word| qualifiers.contains(word) || word.starts_with("pub(")) {
            continue;
        }
        let name: String = words
            .get(place + 1)
            .map(|word| word.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
            .unwrap_or_default();
        let closing = format!("{}}}", " ".repeat(indent));
        let end = lines.iter().skip(index).position(|(_, line)| *line == closing);
        if let Some(length) = end {
            found.push((name, *number, length + 1));
        }
    }
    found
}

#[test]
fn forbidden_words_stand_nowhere() {
    let mut findings = Vec::new();
    for (path, text) in sources() {
        if is_test_file(&path) {
            continue;
        }
        for (number, line) in product_lines(&text) {
            for (word, why) in FORBIDDEN {
                if line.contains(word) {
                    findings.push(format!("{}:{number}: `{word}` is {why}", path.display()));
                }
            }
        }
        if text.contains("select!") && text.contains("tokio") && !text.contains("biased;") {
            findings.push(format!("{}: `select!` without `biased`", path.display()));
        }
    }
    check(findings);
}

#[test]
fn every_module_says_what_it_is_for() {
    let mut findings = Vec::new();
    for (path, text) in sources() {
        if !is_test_file(&path) && !text.starts_with("//!") {
            findings.push(format!("{}: no header", path.display()));
        }
    }
    check(findings);
}

#[test]
fn unsafe_code_is_in_one_named_module() {
    let mut findings = Vec::new();
    for (path, text) in sources() {
        if text.contains("unsafe {") && !path.ends_with("sink/kafka/native.rs") {
            findings.push(format!("{}: unsafe code", path.display()));
        }
    }
    check(findings);
}

#[test]
fn error_codes_are_unlike_each_other() {
    let mut seen: BTreeMap<u16, PathBuf> = BTreeMap::new();
    let mut findings = Vec::new();
    for (path, text) in sources() {
        for (_, line) in product_lines(&text) {
            let Some(rest) = line.trim().strip_prefix("number: ") else { continue };
            let Ok(number) = rest.trim_end_matches(',').parse::<u16>() else { continue };
            if let Some(other) = seen.insert(number, path.clone()) {
                findings.push(format!("HW{number:04} is in {} and in {}", other.display(), path.display()));
            }
        }
    }
    check(findings);
}

/// The quoted words of a line that stand in square brackets: the command of an image or a service.
fn command(line: &str) -> Vec<&str> {
    let list = line.split_once('[').map_or("", |(_, list)| list);
    list.split('"').skip(1).step_by(2).collect()
}

/// The image is built nowhere in the tests: what it takes and starts has to be there all the same.
#[test]
fn the_container_image_takes_and_starts_what_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| fs::read_to_string(root.join(name)).unwrap_or_default();
    let ignored = read(".dockerignore");
    let mut expected = Vec::new();
    for line in read("docker/Dockerfile").lines() {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        if words.first() == Some(&"COPY") && !line.contains("--from=") {
            words.pop();
            for name in &words[1..] {
                let is_taken = root.join(name).exists() && !ignored.lines().any(|line| line == *name);
                expected
                    .push((is_taken, format!("docker/Dockerfile copies {name}, which does not exist or is ignored")));
            }
        }
        for name in words.iter().filter(|word| word.starts_with("scripts/") && word.ends_with(".sh")) {
            expected.push((root.join(name).exists(), format!("docker/Dockerfile runs {name}, which does not exist")));
        }
        for name in command(line).iter().filter(|name| !name.starts_with('/')) {
            let is_command = root.join("src/cli").join(name).with_extension("rs").exists();
            expected.push((is_command, format!("docker/Dockerfile starts `headwater {name}`, which is no command")));
        }
    }
    for line in read("docker/compose.yaml").lines() {
        for part in line.split(['"', ' ', ',']).filter(|part| part.starts_with("./")) {
            let name = part.split(':').next().unwrap_or_default();
            let exists = root.join("docker").join(name).exists();
            expected.push((exists, format!("docker/compose.yaml mounts {name}: no such file")));
        }
    }
    expected.push((expected.len() >= 9, format!("only {} names were found in docker/", expected.len())));
    check(expected.into_iter().filter(|(is_so, _)| !is_so).map(|(_, finding)| finding).collect());
}

/// A setting that is parsed and read by nobody does nothing, and the reference says that it works.
#[test]
fn every_setting_that_is_parsed_is_read() {
    let all = sources();
    let is_config = |path: &Path| {
        let text = path.to_string_lossy();
        text.contains("src/config/connector") || text.ends_with("src/config/worker.rs")
    };
    let mut findings = Vec::new();
    for (path, text) in all.iter().filter(|(path, _)| is_config(path) && !is_test_file(path)) {
        for (number, line) in product_lines(text) {
            let field = line.strip_prefix("    pub ").and_then(|rest| rest.split_once(':')).map(|(name, _)| name);
            let Some(field) = field.filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_')) else {
                continue;
            };
            let read = all.iter().filter(|(path, _)| !is_test_file(path)).any(|(_, text)| is_read(field, text));
            if !read {
                findings.push(format!("{}:{number}: {field} is read by nobody", path.display()));
            }
        }
    }
    check(findings);
}

/// Whether a product line has `.field` as a field, not as a method.
fn is_read(field: &str, text: &str) -> bool {
    product_lines(text).iter().any(|(_, line)| {
        line.match_indices(&format!(".{field}")).any(|(at, found)| {
            let next = line[at + found.len()..].chars().next();
            !next.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || c == '(')
        })
    })
}
