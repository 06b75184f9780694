#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use proptest::prelude::*;

/// The expression decides about the name as `java.util.regex` does.
fn check(pattern: &str, name: &str, expected: bool) {
    let regex = JavaRegex::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    assert_eq!(regex.matches(name), Ok(expected), "{pattern} on {name}");
}

#[test]
fn expressions_are_anchored_and_ignore_the_case_of_ascii_letters() {
    check("inventory.orders", "inventory.orders", true);
    check("inventory.orders", "INVENTORY.Orders", true);
    check("inventory.orders", "inventoryXorders", true);
    check("inventory\\.orders", "inventoryXorders", false);
    check("orders", "orders2", false);
    check("rders", "orders", false);
    check("a|b", "b", true);
    check("a|b", "ab", false);
    check("é", "é", true);
    check("é", "É", false);
    check("\\w+", "käse", false);
    check("\\d", "٣", false);
}

#[test]
fn a_dot_is_not_what_ends_a_line_in_java() {
    for end in ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'] {
        let text = format!("a{end}b");
        check("a.b", &text, false);
        check(".*", &text, false);
        check("(?s)a.b", &text, true);
        check("(?is).*", &text, true);
        check("(?s:a.b)", &text, true);
        check("(?d)a.b", &text, end != '\n');
    }
    check("a.b", "a\u{b}b", true);
    check("a.b", "aéb", true);
    check("(?i)a.B", "A😀b", true);
    check("(?<=a.)b", "b", false);
}

#[test]
fn what_only_java_has_is_translated() {
    check("\\Qa.b*\\E.c", "a.b*xc", true);
    check("\\Qa.b*\\E.c", "axb*xc", false);
    check("\\Qrest.", "rest.", true);
    check("\\p{Alpha}+\\p{Digit}*", "abc12", true);
    check("\\P{Alpha}", "a", false);
    check("[\\p{Punct}]", "~", true);
    check("[\\p{Punct}]", "a", false);
    check("\\p{Lu}x", "éx", true); // a category under any case matches both in the engine
    check("\\p{IsLatin}+", "abc", true);
    check("(?<db>\\w+)\\.\\k<db>", "shop.shop", true);
    check("(?<db>\\w+)\\.\\k<db>", "shop.shops", false);
    check("(\\w)\\1", "aa", true);
    check("(\\w)\\10", "aa0", true);
    check("[a-z&&[^bc]]+", "ad", true);
    check("[a-z&&[^bc]]+", "ab", false);
    check("[a-c[x-z]]+", "ax", true);
    check("[[:x]]+", "x:", true);
    check("[\\w-z]", "-", true);
    check("[\\d-z]", "m", false);
    check("[\\w-.]+", "a-.", true);
    check("[+-\\d]+", "+-5", true);
    check("[[a-c]-z]", "m", false);
    check("[a-z]", "m", true);
    check("[\\x61-\\x63]", "b", true);
    check("[a-]+", "a-", true);
    check("[-a]+", "a-", true);
    check("[~~a]+", "~a", true);
    check("[\\w.-]+", "a.b-c", true);
    check("[^\\d]", "5", false);
    check("[\\W]", "-", true);
    check("\\x41\\u0042\\0103", "abc", true);
    check("\\x{1F600}", "😀", true);
    check("a\\-b\\_c\\<", "a-b_c<", true);
    check("}]", "}]", true);
    check("(?i)A(?-i)b", "ab", true);
    check("(?i)A(?-i)b", "aB", false);
    check("(?u)a", "A", true);
}

#[test]
fn look_around_and_greed_are_javas() {
    check("(?!tmp_).*", "orders", true);
    check("(?!tmp_).*", "tmp_orders", false);
    check("shop\\.(?!.*_bak$).*", "shop.orders", true);
    check("shop\\.(?!.*_bak$).*", "shop.orders_bak", false);
    check(".*(?<!_old)", "orders_old", false);
    check(".*(?<=_new)", "orders_new", true);
    check("a*+a", "aaa", false);
    check("(?>a*)b", "aab", true);
    check("a{2,3}?b", "aab", true);
}

#[test]
fn refusals_mark_the_place() {
    let check = |pattern: &str, position: usize| {
        let error = JavaRegex::parse(pattern).expect_err(pattern);
        assert_eq!(error.position, Some(position), "{error}");
        assert!(error.to_string().contains('»'), "{error}");
    };
    check("a(b", 3);
    check("ab)", 2);
    check("*a", 0);
    check("ab{x", 2);
    check("a{3,1}", 1);
    check("a\\", 1);
    check("a[b", 1);
    check("a[b--c]", 3);
    check("a(?U)b", 1);
    check("a\\G", 1);
    check("a\\p{InGreek}", 1);
    check("a\\p{javaLowerCase}", 1);
    check("a{1,2}+", 6);
    check("a\\E", 1);
    check("\\xZZ", 0);
}

#[test]
fn lists_split_at_bare_commas() {
    let check = |list: &str, parts: &[&str]| {
        let parsed = RegexList::parse(list).unwrap();
        let found: Vec<&str> = parsed.expressions().iter().map(JavaRegex::as_str).collect();
        assert_eq!(found, parts, "{list}");
    };
    check("a,b", &["a", "b"]);
    check(" a.b , c\\.d ,", &["a.b", "c\\.d"]);
    check("", &[]);
    check("a{1\\,3},b", &["a{1,3}", "b"]);
    check("a\\\\,b", &["a\\\\", "b"]);
    assert!(RegexList::parse("a\\").is_err());
    assert!(RegexList::parse("a{1,3}").unwrap_err().to_string().contains("'\\,'"));
    assert!(RegexList::parse("shop.a,shop.b").unwrap().matches("SHOP.B").unwrap());
}

#[test]
fn a_filter_includes_or_excludes() {
    let list = |text: &str| Some(RegexList::parse(text).unwrap());
    let check = |filter: &CompiledFilter, name: &str, expected: bool| {
        assert_eq!(filter.accepts(name), Ok(expected), "{filter:?} on {name}");
    };
    check(&CompiledFilter::default(), "any", true);
    check(&CompiledFilter { include: list("a.*"), exclude: None }, "b", false);
    check(&CompiledFilter { include: list(""), exclude: None }, "b", true);
    check(&CompiledFilter { include: None, exclude: list("b") }, "b", false);
    check(&CompiledFilter { include: None, exclude: list("b") }, "a", true);
    assert!(CompiledFilter::default().is_open());
}

#[test]
fn a_match_without_end_is_an_error_and_not_a_no() {
    let regex = JavaRegex::parse("(?:(a+)+)\\1b").unwrap();
    let name = "a".repeat(64);
    assert!(regex.matches(&name).is_err());
}

#[test]
fn replacements_are_javas() {
    let check = |pattern: &str, text: &str, replacement: &str, expected: Option<&str>| {
        let regex = JavaRegex::parse(pattern).unwrap();
        assert_eq!(regex.find(text).unwrap().map(|found| found.expand(replacement)).as_deref(), expected, "{pattern}");
    };
    check("(.*)\\.(.*)\\.(.*)", "srv.shop.orders", "$3", Some("orders"));
    check("(.*)_\\d+", "orders_12", "${0}", Some(""));
    check("(.*)_\\d+", "orders_12", "$1_all", Some("orders_all"));
    check("(?<t>.*)_\\d+", "orders_12", "all.${t}\\$1", Some("all.orders$1"));
    check("(a)", "a", "$12", Some("a2"));
    check("b", "a", "$0", None);
}

proptest! {
    /// Any text is compiled or refused, and what is compiled decides about any name, without a panic.
    #[test]
    fn any_expression_is_compiled_or_refused(
        pattern in "([a-c.*+?|()\\[\\]{}^$\\\\\\-&:<>=!0-9,xuQEpdwsikP~ é]|\\(\\?|\\[\\^|\\\\p\\{Alpha\\}){0,12}",
        name in "[a-c.\\-é]{0,8}",
    ) {
        if let Ok(regex) = JavaRegex::parse(&pattern) {
            let _ = regex.matches(&name);
        }
        let _ = RegexList::parse(&pattern);
    }
}
