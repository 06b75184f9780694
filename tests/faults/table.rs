//! The page: for each kind how soon it was noticed, how soon changes flowed again, and how long RUNNING was not true.

use std::sync::Mutex;
use std::time::Duration;

/// One writes at a time.
static PAGE: Mutex<()> = Mutex::new(());

/// What became of one fault.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The scene.
    pub scene: &'static str,
    pub kind: &'static str,
    pub needs_person: bool,
    /// From its beginning; `None` where no incident is on record.
    pub noticed: Option<Duration>,
    /// From its end until changes flowed and the status said so.
    pub healed: Duration,
    /// The longest that the status said RUNNING while rows were written and nothing came through.
    pub lie: Duration,
    /// What was not as promised.
    pub trouble: Option<String>,
}

fn percentile(times: impl Iterator<Item = Duration>, percent: usize) -> String {
    let mut sorted: Vec<Duration> = times.collect();
    sorted.sort();
    match sorted.get((sorted.len() * percent).div_ceil(100).max(1) - 1) {
        Some(time) => format!("{:.1} s", time.as_secs_f64()),
        None => "–".to_owned(),
    }
}

fn row(scene: &str, kind: &str, outcomes: &[&Outcome]) -> String {
    let noticed = || outcomes.iter().filter_map(|outcome| outcome.noticed);
    let healed = || outcomes.iter().map(|outcome| outcome.healed);
    let person = if outcomes.iter().any(|outcome| outcome.needs_person) { " (a person mends it)" } else { "" };
    format!(
        "| {scene} | {kind}{person} | {} | {} | {} | {} | {} | {} | {} |\n",
        outcomes.len(),
        noticed().count(),
        percentile(noticed(), 50),
        percentile(noticed(), 99),
        percentile(healed(), 50),
        percentile(healed(), 99),
        percentile(outcomes.iter().map(|outcome| outcome.lie), 100),
    )
}

/// The table of a campaign.
pub fn table(outcomes: &[Outcome]) -> String {
    let mut kinds: Vec<(&str, &str)> = outcomes.iter().map(|outcome| (outcome.scene, outcome.kind)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let head = "| what fails | fault | times | incidents | noticed, p50 | p99 | flows again after its end, p50 | p99 | RUNNING while nothing came, longest |\n\
                |---|---|---|---|---|---|---|---|---|\n";
    let rows = kinds.iter().map(|(scene, kind)| {
        let of_kind = |outcome: &&Outcome| (outcome.scene, outcome.kind) == (*scene, *kind);
        row(scene, kind, &outcomes.iter().filter(of_kind).collect::<Vec<_>>())
    });
    format!("{head}{}", rows.collect::<String>())
}

/// Prints a section, and writes it to the page if there is one.
pub fn write(title: &str, text: &str) {
    let section = format!("## {title}\n\n{}\n", text.trim_end());
    println!("{section}");
    let Some(path) = std::env::var_os("HEADWATER_FAULTS_PAGE") else { return };
    let _alone = PAGE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    // The section is made again; what stands before and behind it stays.
    let start = page.find(&format!("## {title}\n")).unwrap_or(page.len());
    let behind = page.get(start + 3..).unwrap_or_default();
    let end = behind.find("\n## ").map_or(page.len(), |at| start + 3 + at + 1);
    let before = page[..start].trim_end();
    std::fs::write(&path, format!("{before}\n\n{section}\n{}", &page[end..]).trim_end().to_owned() + "\n").unwrap();
}
