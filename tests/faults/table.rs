//! The table of a campaign: for each kind how soon it was noticed, and how soon changes flowed again.

use std::time::Duration;

/// What became of one fault.
pub struct Outcome {
    pub kind: &'static str,
    /// From its beginning; `None` where it is no incident.
    pub noticed: Option<Duration>,
    /// From its end until changes flowed and the status said so.
    pub healed: Duration,
}

fn percentile(sorted: &[Duration], percent: usize) -> String {
    match sorted.get((sorted.len() * percent).div_ceil(100).max(1) - 1) {
        Some(time) => format!("{:.1} s", time.as_secs_f64()),
        None => "no incident".to_owned(),
    }
}

fn rows(outcomes: &[Outcome]) -> String {
    let mut kinds: Vec<&str> = Vec::new();
    for outcome in outcomes {
        if !kinds.contains(&outcome.kind) {
            kinds.push(outcome.kind);
        }
    }
    let row = |kind: &&str| {
        let of_kind = || outcomes.iter().filter(|outcome| outcome.kind == *kind);
        let mut noticed: Vec<Duration> = of_kind().filter_map(|outcome| outcome.noticed).collect();
        let mut healed: Vec<Duration> = of_kind().map(|outcome| outcome.healed).collect();
        noticed.sort();
        healed.sort();
        format!(
            "| {kind} | {} | {} | {} | {} | {} |\n",
            healed.len(),
            percentile(&noticed, 50),
            percentile(&noticed, 99),
            percentile(&healed, 50),
            percentile(&healed, 99)
        )
    };
    kinds.iter().map(row).collect()
}

/// Prints the table, and writes it to the page if there is one.
pub fn write(title: &str, outcomes: &[Outcome]) {
    let head =
        "| fault | times | noticed, p50 | p99 | flows again after its end, p50 | p99 |\n|---|---|---|---|---|---|\n";
    let table = format!("## {title}\n\n{head}{}\n", rows(outcomes));
    println!("{table}");
    let Some(path) = std::env::var_os("HEADWATER_FAULTS_PAGE") else { return };
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    // The section of this campaign is made again; what stands before and behind it stays.
    let start = page.find(&format!("## {title}\n")).unwrap_or(page.len());
    let behind = page.get(start + 3..).unwrap_or_default();
    let end = behind.find("\n## ").map_or(page.len(), |at| start + 3 + at + 1);
    std::fs::write(&path, format!("{}{table}{}", &page[..start], &page[end..])).unwrap();
}
