//! Declared defaults: the text of a `DEFAULT` clause as Debezium's `BinlogDefaultValueConverter` reads it.
//!
//! In: the text as tracked, without quotes. Out: its parts, for the families to make a Connect value of. Runs
//! once for a column and table version, so it may allocate.

pub(super) use crate::source::codec::decimal::Decimal;

/// Without the blanks and the character set introducer that numbers and times may be wrapped in.
pub(super) fn trimmed(text: &str) -> &str {
    without_introducer(text.trim_matches(|c: char| c <= ' '))
}

/// `_utf8'abc'` is `abc`.
pub(super) fn without_introducer(text: &str) -> &str {
    let stripped = text.strip_prefix('_').and_then(|rest| {
        let (name, quoted) = rest.split_once('\'')?;
        let inner = quoted.strip_suffix('\'')?;
        (!name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric())).then_some(inner)
    });
    stripped.unwrap_or(text)
}

/// `TRUE` and `FALSE`.
pub(super) fn truth(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Java's `Double.parseDouble` for decimal literals.
pub(super) fn java_double(text: &str) -> Option<f64> {
    let text = text.trim_matches(|c: char| c <= ' ');
    let digits = text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text);
    if digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E')) {
        digits.parse().ok()
    } else {
        None
    }
}

/// Java's `Math.round`: half up, held inside 64 bits.
pub(super) fn java_round(value: f64) -> i64 {
    let floor = value.floor();
    (if value - floor >= 0.5 { floor + 1.0 } else { floor }) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_java_does() {
        assert_eq!(java_double("1.5d"), Some(1.5));
        assert_eq!(java_double("0x10"), None);
        assert_eq!(java_round(-2.5), -2);
        assert_eq!(java_round(2.5), 3);
        assert_eq!(java_round(9.3e18), i64::MAX);
        assert_eq!(trimmed(" _utf8mb4'7' "), "7");
        assert_eq!(trimmed("_x"), "_x");
    }
}
