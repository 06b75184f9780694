//! What kind of statement a query event carries, from its first words.
//!
//! **In:** statement bytes. **Out:** `Some(kind)` for a statement that neither shapes tables nor is recorded in
//! Debezium's schema history, `None` for one that has to be read. **Promised:** no allocation; of `BEGIN` and
//! `COMMIT`, which stand in every transaction, only the length and the letters are looked at; of the others only
//! the first words. **Survives a crash:** nothing, there is no state.

/// A statement of which nothing is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkippedKind {
    /// `BEGIN` or `START TRANSACTION`.
    Begin,
    /// `COMMIT`.
    Commit,
    /// `ROLLBACK` (not `ROLLBACK TO`).
    Rollback,
    /// `SAVEPOINT`, `RELEASE SAVEPOINT`, `ROLLBACK TO`.
    Savepoint,
    /// `XA START` or `XA BEGIN`.
    XaStart,
    /// `XA END`.
    XaEnd,
    /// `XA PREPARE`.
    XaPrepare,
    /// `XA COMMIT`.
    XaCommit,
    /// `XA ROLLBACK`.
    XaRollback,
    /// Rows changed by a statement: this part of the log is not in ROW format, and the rows are not in it.
    Dml,
    /// `GRANT`, `REVOKE` and what concerns users and roles.
    Account,
    /// A view.
    View,
    /// A procedure, function or trigger.
    Routine,
    /// `ANALYZE`, `OPTIMIZE`, `REPAIR`, `FLUSH RELAY LOGS`, `FLUSH PRIVILEGES`.
    Maintenance,
    /// A temporary table, which no row event ever names.
    Temporary,
    /// No statement at all: blank, a comment, MariaDB's `# Dummy event`.
    Empty,
}

/// Classifies a statement; `None` when it has to be parsed.
pub fn classify(sql: &[u8]) -> Option<SkippedKind> {
    match sql {
        b"BEGIN" => return Some(SkippedKind::Begin),
        b"COMMIT" => return Some(SkippedKind::Commit),
        _ => {}
    }
    let mut words = Words { rest: sql };
    let Some(mut first) = words.next() else {
        // Blank or a plain comment; a name in quotes or an executable comment has to be parsed.
        return words.rest.is_empty().then_some(SkippedKind::Empty);
    };
    if is(first, "SET") && words.clone().next().is_some_and(|word| is(word, "STATEMENT")) {
        // MariaDB: SET STATEMENT name = value, … FOR statement
        words.skip_past("FOR");
        first = words.next()?;
    }
    match FIRST_WORDS.iter().find(|(word, _)| is(first, word)) {
        Some((_, Some(kind))) => Some(*kind),
        Some((word, None)) => by_second_word(word, &mut words),
        None => None,
    }
}

/// First words that decide, and those (`None`) that need a second one.
const FIRST_WORDS: &[(&str, Option<SkippedKind>)] = &[
    ("BEGIN", Some(SkippedKind::Begin)),
    ("COMMIT", Some(SkippedKind::Commit)),
    ("END", Some(SkippedKind::Empty)),
    ("SAVEPOINT", Some(SkippedKind::Savepoint)),
    ("RELEASE", Some(SkippedKind::Savepoint)),
    ("INSERT", Some(SkippedKind::Dml)),
    ("UPDATE", Some(SkippedKind::Dml)),
    ("DELETE", Some(SkippedKind::Dml)),
    ("REPLACE", Some(SkippedKind::Dml)),
    ("LOAD", Some(SkippedKind::Dml)),
    ("GRANT", Some(SkippedKind::Account)),
    ("REVOKE", Some(SkippedKind::Account)),
    ("START", None),
    ("ROLLBACK", None),
    ("XA", None),
    ("ANALYZE", Some(SkippedKind::Maintenance)),
    ("OPTIMIZE", Some(SkippedKind::Maintenance)),
    ("REPAIR", Some(SkippedKind::Maintenance)),
    ("FLUSH", None),
    ("CREATE", None),
    ("ALTER", None),
    ("DROP", None),
];

fn by_second_word(first: &str, words: &mut Words<'_>) -> Option<SkippedKind> {
    let second = words.clone().next().unwrap_or_default();
    let is_second = |word: &str| is(second, word);
    match first {
        "START" => is_second("TRANSACTION").then_some(SkippedKind::Begin),
        "ROLLBACK" => {
            let to_savepoint = words.any(|word| is(word, "TO"));
            Some(if to_savepoint { SkippedKind::Savepoint } else { SkippedKind::Rollback })
        }
        "XA" => [
            ("START", SkippedKind::XaStart),
            ("BEGIN", SkippedKind::XaStart),
            ("END", SkippedKind::XaEnd),
            ("PREPARE", SkippedKind::XaPrepare),
            ("COMMIT", SkippedKind::XaCommit),
            ("ROLLBACK", SkippedKind::XaRollback),
        ]
        .into_iter()
        .find(|(word, _)| is_second(word))
        .map(|(_, kind)| kind),
        "FLUSH" => (is_second("RELAY") || is_second("PRIVILEGES")).then_some(SkippedKind::Maintenance),
        _ => by_object(words),
    }
}

/// `CREATE`, `ALTER` or `DROP` of something: what Debezium's filter leaves out, wherever the word stands.
fn by_object(words: &mut Words<'_>) -> Option<SkippedKind> {
    while let Some(word) = words.next() {
        let kind = match word.first()?.to_ascii_uppercase() {
            b'T' if is(word, "TABLE") || is(word, "TABLES") => return None,
            b'T' if is(word, "TEMPORARY") => SkippedKind::Temporary,
            b'T' if is(word, "TRIGGER") => SkippedKind::Routine,
            b'U' if is(word, "USER") => SkippedKind::Account,
            b'R' if is(word, "ROLE") => SkippedKind::Account,
            b'V' if is(word, "VIEW") => SkippedKind::View,
            b'P' if is(word, "PROCEDURE") || is(word, "PACKAGE") => SkippedKind::Routine,
            b'F' if is(word, "FUNCTION") => SkippedKind::Routine,
            _ => {
                if PREAMBLE.iter().any(|preamble| is(word, preamble)) {
                    continue;
                }
                // DEFINER = `user`@`host` and ALGORITHM = … stand before VIEW and routines.
                if is(word, "DEFINER") || is(word, "ALGORITHM") {
                    words.skip_value();
                    continue;
                }
                return None;
            }
        };
        return Some(kind);
    }
    None
}

/// Words that may stand between `CREATE` and the thing.
const PREAMBLE: &[&str] =
    &["OR", "REPLACE", "IF", "NOT", "EXISTS", "SQL", "SECURITY", "INVOKER", "AGGREGATE", "LOADABLE"];

fn is(word: &[u8], keyword: &str) -> bool {
    word.eq_ignore_ascii_case(keyword.as_bytes())
}

/// The plain words at the head of a statement, comments passed over; ends at anything that is not a word.
#[derive(Clone)]
struct Words<'a> {
    rest: &'a [u8],
}

impl<'a> Words<'a> {
    fn skip_blanks(&mut self) {
        loop {
            let skip = match self.rest {
                [b'/', b'*', b'!', ..] | [b'/', b'*', b'M', b'!', ..] => return,
                [b'/', b'*', body @ ..] => {
                    body.windows(2).position(|pair| pair == b"*/").map_or(self.rest.len(), |end| end + 4)
                }
                [b'#', ..] | [b'-', b'-', 0..=b' ', ..] => {
                    self.rest.iter().position(|byte| *byte == b'\n').unwrap_or(self.rest.len())
                }
                [0..=b' ' | b';', ..] => 1,
                _ => return,
            };
            self.rest = self.rest.get(skip..).unwrap_or_default();
        }
    }

    /// Goes behind the next such word that is not in quotes.
    fn skip_past(&mut self, keyword: &str) {
        loop {
            self.skip_blanks();
            let skip = match self.rest {
                [] => return,
                [quote @ (b'`' | b'\'' | b'"'), body @ ..] => {
                    body.iter().position(|byte| byte == quote).map_or(self.rest.len(), |end| end + 2)
                }
                [byte, ..] if byte.is_ascii_alphanumeric() || *byte == b'_' => {
                    if self.next().is_some_and(|word| is(word, keyword)) {
                        return;
                    }
                    0
                }
                _ => 1,
            };
            self.rest = self.rest.get(skip..).unwrap_or_default();
        }
    }

    /// Passes `= value` if there is one, where the value may be `user@host`, quoted or not.
    fn skip_value(&mut self) {
        self.skip_blanks();
        let Some(rest) = self.rest.strip_prefix(b"=") else { return };
        self.rest = rest;
        self.skip_blanks();
        let mut quote = None;
        let end = self.rest.iter().position(|byte| match quote {
            Some(open) => {
                if *byte == open {
                    quote = None;
                }
                false
            }
            None if matches!(byte, b'`' | b'\'' | b'"') => {
                quote = Some(*byte);
                false
            }
            None => *byte <= b' ',
        });
        self.rest = self.rest.get(end.unwrap_or(self.rest.len())..).unwrap_or_default();
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.skip_blanks();
        let length = self
            .rest
            .iter()
            .position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_'))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_statements_by_their_first_words() {
        use SkippedKind as Kind;
        for (sql, kind) in [
            ("BEGIN", Some(Kind::Begin)),
            (" begin ", Some(Kind::Begin)),
            ("START TRANSACTION", Some(Kind::Begin)),
            ("COMMIT", Some(Kind::Commit)),
            ("ROLLBACK", Some(Kind::Rollback)),
            ("ROLLBACK TO `s`", Some(Kind::Savepoint)),
            ("SAVEPOINT `s`", Some(Kind::Savepoint)),
            ("XA START X'61',X'',1", Some(Kind::XaStart)),
            ("XA COMMIT X'61',X'',1", Some(Kind::XaCommit)),
            ("/* hint */ INSERT INTO t VALUES (1)", Some(Kind::Dml)),
            ("SET STATEMENT max_statement_time=1 FOR DELETE FROM t", Some(Kind::Dml)),
            ("SET STATEMENT max_statement_time=1 FOR ALTER TABLE t ADD a INT", None),
            ("GRANT SELECT ON *.* TO a", Some(Kind::Account)),
            ("CREATE USER IF NOT EXISTS a", Some(Kind::Account)),
            ("ALTER USER a", Some(Kind::Account)),
            ("CREATE DEFINER=`a b`@`%` PROCEDURE p() BEGIN END", Some(Kind::Routine)),
            (
                "CREATE OR REPLACE ALGORITHM=UNDEFINED DEFINER=a@b SQL SECURITY DEFINER VIEW v AS SELECT 1",
                Some(Kind::View),
            ),
            ("DROP TEMPORARY TABLE IF EXISTS `t` /* generated by server */", Some(Kind::Temporary)),
            ("CREATE TEMPORARY TABLE t (a INT)", Some(Kind::Temporary)),
            ("ANALYZE TABLE t", Some(Kind::Maintenance)),
            ("# Dummy event replacing event type 160", Some(Kind::Empty)),
            ("", Some(Kind::Empty)),
            ("CREATE TABLE view (a INT)", None),
            ("CREATE TABLE `user` (a INT)", None),
            ("ALTER DATABASE d CHARSET latin1", None),
            ("CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM t", None),
            ("/*!50100 CREATE TABLE t (a INT) */", None),
            ("FLUSH TABLES", None),
        ] {
            assert_eq!(classify(sql.as_bytes()), kind, "{sql}");
        }
    }
}
