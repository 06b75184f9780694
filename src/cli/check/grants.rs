//! What an account may do, from the lines of `SHOW GRANTS`.
//!
//! Source: "SHOW GRANTS Statement" of MySQL's and MariaDB's manuals. Total: a line that is not understood grants
//! nothing here.

use crate::model::table::TableId;

/// On what a privilege is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Scope {
    /// `*.*`
    Everything,
    /// A pattern of databases, with `%`, `_` and `\`.
    Database(String),
    /// One table.
    Table(String, String),
}

/// The privileges of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Grants {
    granted: Vec<(String, Scope)>,
}

impl Grants {
    /// Reads the lines of `SHOW GRANTS`.
    pub(super) fn parse<'l>(lines: impl IntoIterator<Item = &'l str>) -> Self {
        let mut granted = Vec::new();
        for line in lines {
            if let Some((privileges, scope)) = parse_line(line) {
                granted.extend(privileges.into_iter().map(|privilege| (privilege, scope.clone())));
            }
        }
        Grants { granted }
    }

    /// Whether any of these privileges is granted on everything.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        let is = |privilege: &str| privilege.starts_with("ALL") || names.contains(&privilege);
        self.granted.iter().any(|(privilege, scope)| *scope == Scope::Everything && is(privilege))
    }

    /// Whether a table may be read.
    pub(super) fn may_select(&self, table: &TableId) -> bool {
        self.granted.iter().any(|(privilege, scope)| {
            let wanted = privilege == "SELECT" || privilege.starts_with("ALL");
            wanted
                && match scope {
                    Scope::Everything => true,
                    Scope::Database(pattern) => is_like(&table.catalog, pattern),
                    Scope::Table(database, name) => *database == *table.catalog && *name == *table.table,
                }
        })
    }
}

/// `GRANT SELECT, RELOAD ON *.* TO …`; nothing for roles, proxies and routines.
fn parse_line(line: &str) -> Option<(Vec<String>, Scope)> {
    let rest = line.trim().strip_prefix("GRANT ")?;
    let (privileges, rest) = rest.split_once(" ON ")?;
    let scope = parse_scope(rest.trim_start())?;
    let mut names = vec![String::new()];
    let mut depth = 0u32;
    for c in privileges.chars() {
        match (c, names.last_mut()) {
            ('(', _) => depth += 1,
            (')', _) => depth = depth.saturating_sub(1),
            // A right on some columns only is none on the table.
            (_, Some(name)) if depth > 0 => name.clear(),
            (',', _) => names.push(String::new()),
            (c, Some(name)) => name.push(c.to_ascii_uppercase()),
            (_, None) => {}
        }
    }
    let names = names.iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    Some((names, scope))
}

fn parse_scope(text: &str) -> Option<Scope> {
    let (database, rest) = identifier(text)?;
    let (table, _) = identifier(rest.strip_prefix('.')?)?;
    Some(match (database, table) {
        (None, _) => Scope::Everything,
        (Some(database), None) => Scope::Database(database),
        (Some(database), Some(table)) => Scope::Table(database, table),
    })
}

/// A quoted name, or `*` (which is no name), and what stands behind it.
fn identifier(text: &str) -> Option<(Option<String>, &str)> {
    if let Some(rest) = text.strip_prefix('*') {
        return Some((None, rest));
    }
    let mut characters = text.char_indices();
    let quote = characters.next().map(|(_, c)| c).filter(|c| matches!(c, '`' | '"'))?;
    let mut name = String::new();
    while let Some((_, c)) = characters.next() {
        if c != quote {
            name.push(c);
            continue;
        }
        let rest = characters.as_str();
        if rest.starts_with(quote) {
            name.push(quote);
            characters.next();
        } else {
            return Some((Some(name), rest));
        }
    }
    None
}

/// SQL's LIKE with `\` as its escape.
fn is_like(text: &str, pattern: &str) -> bool {
    let mut pattern_characters = pattern.chars();
    let Some(first) = pattern_characters.next() else { return text.is_empty() };
    let rest = pattern_characters.as_str();
    let mut characters = text.chars();
    match first {
        '%' => {
            is_like(text, rest)
                || text
                    .char_indices()
                    .any(|(at, c)| text.get(at + c.len_utf8()..).is_some_and(|tail| is_like(tail, rest)))
        }
        '_' => characters.next().is_some() && is_like(characters.as_str(), rest),
        '\\' if !rest.is_empty() => {
            let literal = pattern_characters.next();
            characters.next() == literal && is_like(characters.as_str(), pattern_characters.as_str())
        }
        literal => characters.next() == Some(literal) && is_like(characters.as_str(), rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[&str], globals: &[(&str, bool)], tables: &[(&str, bool)]) {
        let grants = Grants::parse(lines.iter().copied());
        for (name, expected) in globals {
            assert_eq!(grants.has(&[name]), *expected, "{name} in {lines:?}");
        }
        for (table, expected) in tables {
            let (database, name) = table.split_once('.').unwrap_or((table, ""));
            assert_eq!(grants.may_select(&TableId::new(database, name)), *expected, "{table} in {lines:?}");
        }
    }

    #[test]
    fn grants_of_real_servers_are_understood() {
        check(
            &["GRANT SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `cdc`@`%`"],
            &[("REPLICATION SLAVE", true), ("REPLICATION CLIENT", true), ("SUPER", false), ("RELOAD", true)],
            &[("shop.orders", true)],
        );
        check(
            &["GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION"],
            &[("REPLICATION SLAVE", true)],
            &[("shop.orders", true)],
        );
        check(
            &[
                "GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO `cdc`@`%` IDENTIFIED BY PASSWORD '*00'",
                "GRANT SELECT ON `shop`.* TO `cdc`@`%`",
                "GRANT SELECT, INSERT (`a`, `b`) ON `my``db`.`t.1` TO `cdc`@`%`",
                "GRANT SELECT (`a`) ON `other`.`t` TO `cdc`@`%`",
                "GRANT SELECT ON `team\\_%`.* TO `cdc`@`%`",
                "GRANT `role`@`%` TO `cdc`@`%`",
            ],
            &[("BINLOG MONITOR", true), ("SELECT", false), ("RELOAD", false)],
            &[
                ("shop.orders", true),
                ("my`db.t.1", true),
                ("other.t", false),
                ("team_a.t", true),
                ("teamXa.t", false),
                ("shops.orders", false),
            ],
        );
        check(
            &["", "GRANT", "GRANT SELECT ON", "GRANT SELECT ON `a", "GRANT PROXY ON ''@'' TO x"],
            &[("SELECT", false)],
            &[],
        );
    }
}
