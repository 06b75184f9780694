//! `headwater explain`: the page of an error code, or the list of all.
//!
//! Every room keeps the pages of its own errors; here they are only collected.

use std::process::ExitCode;

use crate::error::{Code, Disposition};

/// What the command takes.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The code: HW0454, hw454 or 454. Without it, all codes are listed.
    pub code: Option<String>,
    /// All codes as the table of docs/runbook.md: which failure is tried again, and which waits for a person.
    #[arg(long)]
    pub runbook: bool,
}

/// Every page there is, in order of numbers.
pub fn pages() -> Vec<&'static Code> {
    let rooms = [
        crate::model::value::CODES,
        crate::source::binlog::connection::CODES,
        crate::source::binlog::wire::error::CODES,
        crate::source::binlog::codec::CODES,
        crate::source::binlog::ddl::CODES,
        crate::source::binlog::error::CODES,
        crate::source::postgres::codec::CODES,
        crate::source::postgres::error::CODES,
        crate::source::layout::CODES,
        crate::source::postgres::connection::CODES,
        crate::source::postgres::wire::error::CODES,
        crate::source::postgres::pgoutput::CODES,
        crate::transform::error::CODES,
        crate::serialize::error::CODES,
        crate::sink::CODES,
        crate::store::CODES,
        crate::pipeline::error::CODES,
        crate::watchdog::CODES,
        crate::admin::CODES,
        crate::worker::CODES,
        crate::cli::migrate::CODES,
    ];
    let mut pages: Vec<&'static Code> = rooms.iter().flat_map(|codes| codes.iter().copied()).collect();
    pages.extend(crate::config::error::CODES.iter());
    pages.extend(crate::source::binlog::event::CODES.iter());
    pages.sort_by_key(|code| code.number);
    pages
}

/// The number that a person wrote: with or without `HW`, in any case.
fn number(written: &str) -> Option<u16> {
    let written = written.trim();
    let digits = match written.get(..2) {
        Some(letters) if letters.eq_ignore_ascii_case("HW") => written.get(2..).unwrap_or_default(),
        Some(_) | None => written,
    };
    digits.parse().ok()
}

fn in_words(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Retry => {
            "Headwater tries again by itself, with growing pauses, and says RESTARTING meanwhile. Nothing is lost."
        }
        Disposition::Stop => {
            "The connector stops and says FAILED until a person has mended it. The stored position stays where it is."
        }
        Disposition::Reject => {
            "One record cannot be delivered. event.processing.failure.handling.mode decides: fail (the default) stops the connector."
        }
    }
}

/// What is done about an error, in a word.
fn in_a_word(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Retry => "tried again",
        Disposition::Stop => "person",
        Disposition::Reject => "record",
    }
}

/// All pages as a table of Markdown.
fn runbook() -> String {
    let mut table = "| code | what it means | what happens | what to do |\n|---|---|---|---|\n".to_owned();
    for code in pages() {
        let cell = |text: &str| text.replace('|', "\\|");
        let word = in_a_word(code.disposition);
        table.push_str(&format!("| {code} | {} | {word} | {} |\n", cell(code.title), cell(code.hint)));
    }
    table
}

/// Prints a page, or the list of all pages.
pub fn run(arguments: &Arguments) -> ExitCode {
    if arguments.runbook {
        super::say(runbook().trim_end());
        return ExitCode::SUCCESS;
    }
    let pages = pages();
    let Some(written) = &arguments.code else {
        for code in pages {
            super::say(&format!("{code}  {:<11}  {}", in_a_word(code.disposition), code.title));
        }
        return ExitCode::SUCCESS;
    };
    match number(written).and_then(|number| pages.into_iter().find(|code| code.number == number)) {
        Some(code) => {
            super::say(&format!("{code}: {}\n", code.title));
            super::say(&format!("What happens   {}", in_words(code.disposition)));
            super::say(&format!("What to do     {}", code.hint));
            ExitCode::SUCCESS
        }
        None => {
            eprintln!("There is no code {written}. `headwater explain` lists all.");
            ExitCode::from(super::EXIT_CONFIGURATION)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn sources(folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(std::fs::read_to_string(path).unwrap());
            }
        }
    }

    /// A code that a room forgot to list would be printed in a log and have no page.
    #[test]
    fn every_code_in_the_source_has_a_page() {
        let mut texts = Vec::new();
        sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut texts);
        // The forms in which rooms write a page: fields, and the macros and functions that stand for them.
        let forms = [
            r"\b(\d{1,4}),?\s+(?:disposition: Disposition::)?(?:Stop|Retry|Reject)\b",
            r"\b(?:stop|retry|reject|page)\(\s*(\d{1,4}),",
        ];
        let mut written = BTreeSet::new();
        for form in forms {
            let form = fancy_regex::Regex::new(form).unwrap();
            for text in &texts {
                for found in form.captures_iter(text) {
                    written.insert(found.unwrap().get(1).unwrap().as_str().parse::<u16>().unwrap());
                }
            }
        }
        let listed: BTreeSet<u16> = pages().iter().map(|code| code.number).collect();
        assert!(written.len() > 100, "{written:?}");
        assert_eq!(written.difference(&listed).collect::<Vec<_>>(), Vec::<&u16>::new(), "without a page");
    }

    #[test]
    fn numbers_are_unique_and_pages_say_something() {
        let pages = pages();
        for pair in pages.windows(2) {
            if let [first, second] = pair {
                assert_ne!(first.number, second.number, "{}: {} / {}", first, first.title, second.title);
            }
        }
        for code in pages {
            assert!(!code.title.is_empty() && code.hint.len() > 20, "{code}");
        }
    }

    /// `UPDATE=1` writes the table anew.
    #[test]
    fn the_runbook_has_every_code() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/runbook.md");
        let page = std::fs::read_to_string(path).unwrap();
        let marker = "<!-- codes -->\n";
        let (before, found) = page.split_once(marker).unwrap();
        if std::env::var("UPDATE").is_ok_and(|word| word == "1") {
            return std::fs::write(path, format!("{before}{marker}{}", runbook())).unwrap();
        }
        assert_eq!(found, runbook(), "docs/runbook.md is made by UPDATE=1 cargo test --lib the_runbook_has_every_code");
    }

    fn check(written: &str, expected: Option<u16>) {
        assert_eq!(number(written), expected, "{written}");
    }

    #[test]
    fn codes_are_found_however_they_are_written() {
        check("HW0454", Some(454));
        check("hw0454", Some(454));
        check("hw454", Some(454));
        check("454", Some(454));
        check(" 0454 ", Some(454));
        check("ä454", None);
        check("HW", None);
        check("", None);
        check("99999", None);
    }
}
