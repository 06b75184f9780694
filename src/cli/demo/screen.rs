//! The living table: redrawn in place on a terminal, a line a second elsewhere.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

/// How often a line is printed where nothing can be redrawn.
const LINE_INTERVAL: Duration = Duration::from_secs(1);

/// Lines of the events and of the story, so that the table keeps its height.
const EVENT_LINES: usize = 5;
const STORY_LINES: usize = 4;

const BOLD: &str = "\x1b[1m";
const YELLOW: &str = "\x1b[1;33m";
const GREEN: &str = "\x1b[1;32m";
const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

/// What is shown.
pub(super) struct Numbers {
    pub(super) elapsed: Duration,
    pub(super) state: &'static str,
    pub(super) written: u64,
    pub(super) events: u64,
    pub(super) sent: u64,
    pub(super) acknowledged: u64,
    pub(super) seen: u64,
    pub(super) lag_ms: i64,
    pub(super) position: String,
    pub(super) last: Vec<String>,
    pub(super) happened: Vec<String>,
}

/// Where the table is drawn.
pub(super) struct Screen {
    headline: Vec<String>,
    terminal: bool,
    /// Lines of the table that stand on the terminal.
    drawn: usize,
    next_line: Duration,
    told: usize,
}

impl Screen {
    /// Standard output, with what stands above the table.
    pub(super) fn new(headline: Vec<String>) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let screen = Screen { headline, terminal, drawn: 0, next_line: Duration::ZERO, told: 0 };
        let mut out = std::io::stdout().lock();
        for line in &screen.headline {
            let _ = writeln!(out, "{line}");
        }
        if terminal {
            // Long lines are cut, not wrapped: the table is redrawn by counting its lines. The cursor is hidden.
            let _ = write!(out, "\x1b[?7l\x1b[?25l");
        }
        let _ = writeln!(out);
        screen
    }

    /// Shows the numbers.
    pub(super) fn draw(&mut self, numbers: &Numbers) {
        let mut out = std::io::stdout().lock();
        if self.terminal {
            let table = table(numbers);
            let up = if self.drawn > 0 { format!("\x1b[{}A", self.drawn) } else { String::new() };
            self.drawn = table.len();
            let body: String = table.iter().map(|line| format!("\x1b[2K{line}\n")).collect();
            let _ = write!(out, "{up}{body}");
            let _ = out.flush();
            return;
        }
        for line in numbers.happened.iter().skip(self.told) {
            let _ = writeln!(out, "{line}");
        }
        self.told = numbers.happened.len();
        if numbers.elapsed >= self.next_line {
            self.next_line = numbers.elapsed + LINE_INTERVAL;
            let _ = writeln!(out, "{}", line(numbers));
        }
        let _ = out.flush();
    }

    /// Gives the terminal back as it was.
    pub(super) fn leave(&mut self) {
        if std::mem::replace(&mut self.terminal, false) {
            let mut out = std::io::stdout().lock();
            let _ = write!(out, "\x1b[?7h\x1b[?25h");
            let _ = out.flush();
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.leave();
    }
}

/// A number with its thousands set apart.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn lag(ms: i64) -> String {
    if ms < 1_000 { format!("{ms} ms") } else { format!("{:.1} s", ms as f64 / 1_000.0) }
}

fn line(numbers: &Numbers) -> String {
    format!(
        "{:5.1} s  {:10}  written {}  acknowledged {}  on the topic {}  lag {}  stored {}",
        numbers.elapsed.as_secs_f64(),
        numbers.state,
        count(numbers.written),
        count(numbers.acknowledged),
        count(numbers.seen),
        lag(numbers.lag_ms),
        numbers.position
    )
}

fn table(numbers: &Numbers) -> Vec<String> {
    let color = if numbers.state == "RUNNING" { GREEN } else { YELLOW };
    let row = |name: &str, value: String| format!("  {name:34}{BOLD}{value:>12}{PLAIN}");
    let mut lines = vec![
        format!("  {color}{:10}{PLAIN}  {:.1} s", numbers.state, numbers.elapsed.as_secs_f64()),
        String::new(),
        row("rows written to the database", count(numbers.written)),
        row("events read from the binlog", count(numbers.events)),
        row("records sent to the broker", count(numbers.sent)),
        row("acknowledged by the broker", count(numbers.acknowledged)),
        row("rows read back from the topic", count(numbers.seen)),
        row("lag, from statement to consumer", lag(numbers.lag_ms)),
        format!("  {:34}{}", "stored position", numbers.position),
        String::new(),
        format!("  {DIM}last events on the topic{PLAIN}"),
    ];
    let padded = |lines: &[String], count: usize| {
        let mut lines = lines.to_vec();
        lines.resize(count, String::new());
        lines
    };
    lines.extend(padded(&numbers.last, EVENT_LINES).iter().map(|line| format!("  {line}")));
    lines.push(String::new());
    lines.push(format!("  {DIM}what happened{PLAIN}"));
    lines.extend(padded(&numbers.happened, STORY_LINES).iter().map(|line| format!("  {line}")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_for_people() {
        let check = |number: u64, expected: &str| assert_eq!(count(number), expected);
        check(0, "0");
        check(999, "999");
        check(1_000, "1,000");
        check(1_234_567, "1,234,567");
        assert_eq!((lag(4).as_str(), lag(1_540).as_str()), ("4 ms", "1.5 s"));
    }

    #[test]
    fn the_table_keeps_its_height() {
        let numbers = |last: Vec<String>, happened: Vec<String>| Numbers {
            elapsed: Duration::from_secs(1),
            state: "RUNNING",
            written: 1,
            events: 1,
            sent: 1,
            acknowledged: 1,
            seen: 1,
            lag_ms: 1,
            position: String::new(),
            last,
            happened,
        };
        let empty = table(&numbers(vec![], vec![])).len();
        assert_eq!(table(&numbers(vec!["a".to_owned(); 5], vec!["b".to_owned(); 4])).len(), empty);
    }
}
