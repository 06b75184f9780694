//! Java's regular expressions, as Debezium and Connect use them for names.
//!
//! In: the text of an option, one expression or a comma-separated list of them. Out: compiled expressions
//! that match a *whole* name, ASCII letters in any case. Promised: an expression means what it means to
//! `java.util.regex`, or is refused with the place marked, never read as something else; matching is
//! bounded, and running into the bound is an error, because a filter that silently answers "no" loses a
//! table. Nothing here survives a crash.
//!
//! The engine is `fancy-regex` (look-around, back-references, possessive quantifiers). What only Java has is
//! translated token by token in [`translate`]. Source: the page of `java.util.regex.Pattern` in the JDK's
//! API documentation, and Debezium's `Strings.RegExSplitter` for the lists.

use std::fmt;

use fancy_regex::{Regex, RegexBuilder};

mod translate;

/// Steps of backtracking before a match is given up. Java has no bound and would hang; a name of 200
/// characters and a sane expression stay below a thousand steps.
const BACKTRACK_LIMIT: usize = 1_000_000;

/// Longest text of one list, in bytes. A list of ten thousand long table names stays below it.
const LONGEST_LIST: usize = 4 * 1024 * 1024;

/// An expression that cannot be used, with the place that is to blame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct RegexError {
    /// The expression as written.
    pub pattern: String,
    /// Where in the expression, in characters from 0; `None` when it is the whole of it.
    pub position: Option<usize>,
    /// What is wrong there.
    pub reason: String,
}

impl fmt::Display for RegexError {
    /// `reason at position 3 of 'a(b': a(»b«`: the character at fault stands between the marks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(position) = self.position else {
            return write!(f, "{} in {}", self.reason, self.pattern);
        };
        let before: String = self.pattern.chars().take(position).collect();
        let at: String = self.pattern.chars().skip(position).take(1).collect();
        let after: String = self.pattern.chars().skip(position + 1).collect();
        write!(f, "{} at character {}: {before}»{at}«{after}", self.reason, position + 1)
    }
}

/// A match that took more steps than the bound allows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the regular expression '{pattern}' needs more than {BACKTRACK_LIMIT} steps to decide about one name")]
pub struct TooCostly {
    /// The expression as written.
    pub pattern: String,
}

/// One expression that matches whole names.
#[derive(Clone)]
pub struct JavaRegex {
    pattern: String,
    compiled: Regex,
}

impl fmt::Debug for JavaRegex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.pattern)
    }
}

impl PartialEq for JavaRegex {
    fn eq(&self, other: &Self) -> bool {
        self.pattern == other.pattern
    }
}

impl JavaRegex {
    /// Compiles one expression, ASCII letters in any case, anchored at both ends.
    pub fn parse(pattern: &str) -> Result<JavaRegex, RegexError> {
        JavaRegex::compile(pattern, true)
    }

    /// Compiles one expression that tells capital from small letters, anchored at both ends.
    pub fn parse_case_sensitive(pattern: &str) -> Result<JavaRegex, RegexError> {
        JavaRegex::compile(pattern, false)
    }

    fn compile(pattern: &str, any_case: bool) -> Result<JavaRegex, RegexError> {
        let translated = translate::translate(pattern)?;
        let flags = if any_case { "(?i)" } else { "" };
        let compiled = RegexBuilder::new(&format!("{flags}\\A(?:{translated})\\z"))
            .backtrack_limit(BACKTRACK_LIMIT)
            .build()
            .map_err(|error| refused(pattern, &error))?;
        Ok(JavaRegex { pattern: pattern.to_owned(), compiled })
    }

    /// The expression as written.
    pub fn as_str(&self) -> &str {
        &self.pattern
    }

    /// Whether the whole of `text` matches.
    pub fn matches(&self, text: &str) -> Result<bool, TooCostly> {
        self.compiled.is_match(text).map_err(|_| TooCostly { pattern: self.pattern.clone() })
    }

    /// Checks that a replacement names groups that the expression has.
    ///
    /// # Errors
    /// What Java says only when the replacement is used: `$` without a group, groups that are not there.
    pub fn check_replacement(&self, replacement: &str) -> Result<(), RegexError> {
        let refused = |(position, reason)| RegexError { pattern: replacement.to_owned(), position, reason };
        check_replacement(replacement, &self.compiled).map_err(refused)
    }

    /// The match of the whole of `text`, or `None` when it does not match.
    pub fn find<'t>(&self, text: &'t str) -> Result<Option<JavaMatch<'t>>, TooCostly> {
        let captures = self.compiled.captures(text).map_err(|_| TooCostly { pattern: self.pattern.clone() })?;
        Ok(captures.map(JavaMatch))
    }
}

/// A match of a whole text.
pub struct JavaMatch<'t>(fancy_regex::Captures<'t>);

impl JavaMatch<'_> {
    /// What a replacement makes of it. `replacement` is Java's: `$1`, `${name}`, and `\` takes the next character as it
    /// is. A group that took no part in the match, or that does not exist, gives nothing.
    pub fn expand(&self, replacement: &str) -> String {
        expand(replacement, &self.0)
    }
}

/// An expression with a replacement, checked together.
#[derive(Clone, Debug)]
pub struct JavaReplacement {
    whole: JavaRegex,
    anywhere: Regex,
    replacement: String,
}

impl JavaReplacement {
    /// Compiles an expression that tells capital from small letters, and checks that the replacement names its groups.
    pub fn parse(pattern: &str, replacement: &str) -> Result<JavaReplacement, RegexError> {
        let whole = JavaRegex::parse_case_sensitive(pattern)?;
        let anywhere = RegexBuilder::new(&translate::translate(pattern)?)
            .backtrack_limit(BACKTRACK_LIMIT)
            .build()
            .map_err(|error| refused(pattern, &error))?;
        check_replacement(replacement, &anywhere).map_err(|(position, reason)| RegexError {
            pattern: replacement.to_owned(),
            position,
            reason,
        })?;
        Ok(JavaReplacement { whole, anywhere, replacement: replacement.to_owned() })
    }

    /// `None` unless the whole text matches; then the first match *within* it is replaced, as `Matcher.replaceFirst`
    /// does after `Matcher.matches`: for `a|ab` these are two different matches.
    pub fn replace_first(&self, text: &str) -> Result<Option<String>, TooCostly> {
        if !self.whole.matches(text)? {
            return Ok(None);
        }
        let costly = |_| TooCostly { pattern: self.whole.pattern.clone() };
        let Some(captures) = self.anywhere.captures(text).map_err(costly)? else { return Ok(Some(text.to_owned())) };
        let Some(found) = captures.get(0) else { return Ok(Some(text.to_owned())) };
        let (before, after) = (text.get(..found.start()).unwrap_or(""), text.get(found.end()..).unwrap_or(""));
        Ok(Some(format!("{before}{}{after}", expand(&self.replacement, &captures))))
    }
}

/// What Java says only when the first name matches: `$` without a group, groups that are not there.
fn check_replacement(replacement: &str, regex: &Regex) -> Result<(), (Option<usize>, String)> {
    let mut rest = replacement.chars().enumerate().peekable();
    while let Some((position, c)) = rest.next() {
        let wrong = |reason: String| Err((Some(position), reason));
        match c {
            '\\' if rest.next().is_none() => return wrong("nothing stands behind the backslash".to_owned()),
            '$' => match rest.next() {
                Some((_, '{')) => {
                    let name: String = rest.by_ref().map(|(_, c)| c).take_while(|c| *c != '}').collect();
                    if !regex.capture_names().flatten().any(|known| known == name) {
                        return wrong(format!("the expression has no group of the name '{name}'"));
                    }
                }
                Some((_, digit)) if digit.is_ascii_digit() => {
                    let group = digit.to_digit(10).unwrap_or(0) as usize;
                    if group >= regex.captures_len() {
                        return wrong(format!("the expression has no group {group}"));
                    }
                }
                _ => return wrong("a group's number or name is missing behind $".to_owned()),
            },
            _ => {}
        }
    }
    Ok(())
}

/// Java's `Matcher.appendReplacement`.
fn expand(replacement: &str, captures: &fancy_regex::Captures<'_>) -> String {
    let mut out = String::with_capacity(replacement.len());
    let mut rest = replacement.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => out.extend(rest.next()),
            '$' if rest.peek() == Some(&'{') => {
                rest.next();
                let name: String = rest.by_ref().take_while(|c| *c != '}').collect();
                out.push_str(captures.name(&name).map_or("", |group| group.as_str()));
            }
            '$' => {
                // Java takes as many digits as still name a group that exists.
                let mut group = 0_usize;
                let mut digits = 0;
                while let Some(digit) = rest.peek().and_then(|c| c.to_digit(10)) {
                    let longer = group * 10 + digit as usize;
                    if digits > 0 && longer >= captures.len() {
                        break;
                    }
                    group = longer;
                    digits += 1;
                    rest.next();
                }
                if digits > 0 {
                    out.push_str(captures.get(group).map_or("", |group| group.as_str()));
                } else {
                    out.push('$');
                }
            }
            c => out.push(c),
        }
    }
    out
}

/// The engine's own refusal. Its positions count in the translated text, so only its reason is kept.
fn refused(pattern: &str, error: &fancy_regex::Error) -> RegexError {
    let reason = if let fancy_regex::Error::ParseError(_, kind) = error { kind.to_string() } else { error.to_string() };
    // The engine's messages can run over several lines and repeat the translated expression.
    let reason = reason.lines().last().unwrap_or("it cannot be compiled").trim().to_owned();
    RegexError { pattern: pattern.to_owned(), position: None, reason }
}

/// A comma-separated list of expressions; a comma inside an expression is written `\,`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RegexList {
    expressions: Vec<JavaRegex>,
}

impl RegexList {
    /// Splits and compiles a list. Blank entries are passed over, as Debezium does.
    pub fn parse(list: &str) -> Result<RegexList, RegexError> {
        if list.len() > LONGEST_LIST {
            let reason = format!("a list of {} bytes is longer than the limit of {LONGEST_LIST}", list.len());
            return Err(RegexError { pattern: String::new(), position: None, reason });
        }
        let expressions = split(list)?.iter().map(|part| JavaRegex::parse(part)).collect::<Result<Vec<_>, _>>()?;
        Ok(RegexList { expressions })
    }

    /// The same list for texts of several lines, where `.` matches their ends too (Java's `DOTALL`).
    ///
    /// # Errors
    /// When an expression cannot take the flag.
    pub fn over_lines(&self) -> Result<RegexList, RegexError> {
        let expressions =
            self.expressions.iter().map(|expression| JavaRegex::parse(&format!("(?s){}", expression.pattern)));
        Ok(RegexList { expressions: expressions.collect::<Result<Vec<_>, _>>()? })
    }

    /// Whether any of the expressions matches the whole of `text`.
    pub fn matches(&self, text: &str) -> Result<bool, TooCostly> {
        for expression in &self.expressions {
            if expression.matches(text)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the list has no expressions at all.
    pub fn is_empty(&self) -> bool {
        self.expressions.is_empty()
    }

    /// The expressions, in the order written.
    pub fn expressions(&self) -> &[JavaRegex] {
        &self.expressions
    }
}

/// Splits at commas that no backslash precedes, trims, and turns `\,` into a comma.
fn split(list: &str) -> Result<Vec<String>, RegexError> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut rest = list.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next() {
                Some(',') => part.push(','),
                Some(escaped) => part.extend(['\\', escaped]),
                None => {
                    let position = list.chars().count().saturating_sub(1);
                    let reason = "a backslash with nothing behind it".to_owned();
                    return Err(RegexError { pattern: list.to_owned(), position: Some(position), reason });
                }
            },
            ',' => parts.push(std::mem::take(&mut part)),
            c => part.push(c),
        }
    }
    parts.push(part);
    Ok(parts.iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect())
}

/// An include list or an exclude list, or neither; both at once is refused where options are checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CompiledFilter {
    /// When set, only names it matches pass.
    pub include: Option<RegexList>,
    /// When set, names it matches do not pass.
    pub exclude: Option<RegexList>,
}

impl CompiledFilter {
    /// Whether `name` passes. An empty include list is one that was not written.
    pub fn accepts(&self, name: &str) -> Result<bool, TooCostly> {
        if let Some(include) = self.include.as_ref().filter(|list| !list.is_empty())
            && !include.matches(name)?
        {
            return Ok(false);
        }
        match &self.exclude {
            Some(exclude) => Ok(!exclude.matches(name)?),
            None => Ok(true),
        }
    }

    /// Whether every name passes.
    pub fn is_open(&self) -> bool {
        self.include.as_ref().is_none_or(RegexList::is_empty) && self.exclude.as_ref().is_none_or(RegexList::is_empty)
    }
}

#[cfg(test)]
#[path = "java_regex/tests.rs"]
mod tests;
