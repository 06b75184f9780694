//! The alert rules: that each is provoked and silent where it must be, and that the runbook has a page for each.
//!
//! `promtool` is Prometheus' own program, which `tests/stack/promtool.sh` fetches. That the series exist that rules ask for is
//! held by `tests/live_metrics`, on a running Headwater.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, clippy::wildcard_enum_match_arm)]

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

/// The files of rules in `config/alerts`.
const RULES: &[&str] = &["headwater", "debezium"];

fn file(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// What stands behind these words at the beginnings of lines.
fn behind(text: &str, words: &str) -> BTreeSet<String> {
    text.lines().filter_map(|line| line.trim_start().strip_prefix(words)).map(|rest| rest.trim().to_owned()).collect()
}

#[test]
fn each_alert_is_provoked_and_is_silent_where_it_must_be() {
    let promtool = |arguments: &[&str]| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stack/promtool.sh");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/alerts");
        Command::new(script).args(arguments).current_dir(folder).output().unwrap()
    };
    if !promtool(&[]).status.success() {
        println!("SKIPPED: promtool could not be had");
        if let Some(file) = std::env::var_os("HEADWATER_TEST_SKIPPED") {
            let mut file = std::fs::OpenOptions::new().append(true).create(true).open(file).unwrap();
            writeln!(file, "alert rules: promtool could not be had").unwrap();
        }
        return;
    }
    for (command, rules) in RULES
        .iter()
        .flat_map(|rules| [("check", format!("{rules}.rules.yaml")), ("test", format!("{rules}.rules.test.yaml"))])
    {
        let arguments = [command, "rules", &rules];
        let output = promtool(&arguments);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {said}");
    }
}

#[test]
fn each_alert_has_its_tests_and_its_page() {
    let pages: BTreeSet<String> =
        behind(&file("docs/runbook.md"), "### Headwater").iter().map(|name| format!("Headwater{name}")).collect();
    for rules in RULES {
        let text = file(&format!("config/alerts/{rules}.rules.yaml"));
        let alerts = behind(&text, "- alert: ");
        assert!(alerts.len() > 10, "{alerts:?}");
        let cases = file(&format!("config/alerts/{rules}.rules.test.yaml"));
        for alert in &alerts {
            let silent = cases.contains(&format!("alertname: {alert}, exp_alerts: []"));
            let provoked = cases.contains(&format!("alertname: {alert}\n    exp_alerts:\n    - exp_labels"));
            assert!(silent && provoked, "{alert}: silent {silent}, provoked {provoked}");
        }
        match *rules {
            "headwater" => assert_eq!(pages, alerts),
            _ => {
                assert_eq!(
                    text.matches("runbook: ").count(),
                    alerts.len(),
                    "{rules}: an alert names no section of the runbook"
                );
                let unknown: Vec<_> = behind(&text, "runbook: ").difference(&pages).cloned().collect();
                assert!(unknown.is_empty(), "docs/runbook.md has no such sections: {unknown:?}");
            }
        }
    }
}
