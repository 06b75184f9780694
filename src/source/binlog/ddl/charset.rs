//! Character sets: what a clause, a collation or a default resolves to.
//!
//! **In:** names as written in statements. **Out:** names as Debezium records them. **Promised:** a collation's
//! character set is what the server takes; names keep the spelling of the statement (`utf8` stays `utf8`, which
//! means `utf8mb3`). **Survives a crash:** nothing, there is no state.

use super::statement::CharsetClause;

/// The character set of a collation: the part before the first underscore (manual 12.3.1, "Collation Naming
/// Conventions"), or all of it (`binary`).
///
/// MariaDB's `uca1400_…` collations name no character set: they belong to whichever is in force.
pub fn charset_of_collation(collation: &str) -> Option<&str> {
    let charset = collation.split('_').next().unwrap_or(collation);
    (!charset.is_empty() && !charset.eq_ignore_ascii_case("uca1400") && !charset.eq_ignore_ascii_case("default"))
        .then_some(charset)
}

/// Whether both names are one character set.
pub fn is_same_charset(left: &str, right: &str) -> bool {
    let full =
        |name: &str| if name.eq_ignore_ascii_case("utf8") { "utf8mb3".to_owned() } else { name.to_ascii_lowercase() };
    full(left) == full(right)
}

impl CharsetClause {
    /// The character set that the clause asks for; `None` when it names none or says `DEFAULT`.
    pub(super) fn resolve(&self) -> Option<String> {
        match &self.charset {
            Some(charset) if charset.eq_ignore_ascii_case("default") => None,
            Some(charset) => Some(charset.clone()),
            None => self.collation.as_deref().and_then(charset_of_collation).map(str::to_owned),
        }
    }

    /// Whether anything was said at all.
    pub(super) fn is_empty(&self) -> bool {
        self.charset.is_none() && self.collation.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collation_names_its_character_set() {
        for (collation, charset) in [
            ("utf8mb4_0900_ai_ci", Some("utf8mb4")),
            ("latin1_swedish_ci", Some("latin1")),
            ("binary", Some("binary")),
            ("utf8mb3_bin", Some("utf8mb3")),
            ("uca1400_ai_ci", None),
            ("utf8mb4_uca1400_ai_ci", Some("utf8mb4")),
            ("DEFAULT", None),
        ] {
            assert_eq!(charset_of_collation(collation), charset, "{collation}");
        }
        assert!(is_same_charset("utf8", "UTF8MB3") && !is_same_charset("utf8", "utf8mb4"));
    }
}
