//! From Java's syntax to that of `fancy-regex`, one token at a time.
//!
//! In: one expression. Out: text that the engine reads with the same meaning, or a refusal with the place.
//! Every character of the result is either a token that both sides read alike, or was written here on
//! purpose; nothing is passed on unseen. That is what keeps Java's `[a--b]`, `[[:x]` or `(?U)`, which mean
//! something else to the engine, from being read as something else.

use super::RegexError;

/// Deepest nesting of groups and classes. The engine recurses; names need two or three.
const DEEPEST: usize = 64;

/// Largest count in `{n,m}`: the engine unrolls counts into states, and names have at most 64 characters a part.
const LARGEST_COUNT: u32 = 1_000;

/// Translates one expression.
pub(super) fn translate(pattern: &str) -> Result<String, RegexError> {
    let mut translation = Translation {
        pattern,
        chars: pattern.chars().collect(),
        at: 0,
        out: String::with_capacity(pattern.len() * 2),
        depth: 0,
        repeatable: false,
        dot: "[^\\n\\r\\x{85}\\x{2028}\\x{2029}]",
    };
    while let Some(c) = translation.peek(0) {
        translation.token(c)?;
    }
    if translation.depth > 0 {
        return Err(translation.refuse(translation.at, "a group is not closed"));
    }
    Ok(translation.out)
}

struct Translation<'a> {
    pattern: &'a str,
    chars: Vec<char>,
    at: usize,
    out: String,
    /// Groups open.
    depth: usize,
    /// Whether a quantifier may follow.
    repeatable: bool,
    /// What `.` is: Java ends lines at five characters. Behind a flag that changes it, the engine's own.
    dot: &'static str,
}

impl Translation<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn refuse(&self, position: usize, reason: &str) -> RegexError {
        RegexError { pattern: self.pattern.to_owned(), position: Some(position), reason: reason.to_owned() }
    }

    /// One token outside a class.
    fn token(&mut self, c: char) -> Result<(), RegexError> {
        let start = self.at;
        self.at += 1;
        match c {
            '\\' => return self.escape(start),
            '[' => {
                self.class(start, 1)?;
                self.repeatable = true;
            }
            '(' => return self.group(start),
            ')' => {
                if self.depth == 0 {
                    return Err(self.refuse(start, "a ')' closes nothing"));
                }
                self.depth -= 1;
                self.out.push(')');
                self.repeatable = true;
            }
            '|' => {
                self.out.push('|');
                self.repeatable = false;
            }
            '^' | '$' => {
                self.out.push(c);
                self.repeatable = true;
            }
            '.' => {
                self.out.push_str(self.dot);
                self.repeatable = true;
            }
            '*' | '+' | '?' => self.quantifier(start, &c.to_string())?,
            '{' => {
                let counted = self.counted(start)?;
                self.quantifier(start, &counted)?;
            }
            c => {
                literal(&mut self.out, c, Place::Outside);
                self.repeatable = true;
            }
        }
        Ok(())
    }

    /// `{n}`, `{n,}`, `{n,m}`: the text up to the closing brace.
    fn counted(&mut self, start: usize) -> Result<String, RegexError> {
        let wrong = "'{' must stand before a count such as {2,5} (in a list, a comma is written '\\,')";
        let mut text = String::from("{");
        loop {
            match self.peek(0) {
                Some(c @ ('0'..='9' | ',')) => text.push(c),
                Some('}') => break,
                _ => return Err(self.refuse(start, wrong)),
            }
            self.at += 1;
        }
        self.at += 1;
        let counts: Vec<&str> = text.trim_start_matches('{').split(',').collect();
        let count = |text: &str| text.parse::<u32>().ok().filter(|count| *count <= LARGEST_COUNT);
        let sound = match counts.as_slice() {
            [exact] => count(exact).is_some(),
            [least, ""] => count(least).is_some(),
            [least, most] => count(least).zip(count(most)).is_some_and(|(least, most)| least <= most),
            _ => false,
        };
        if !sound {
            return Err(self.refuse(start, wrong));
        }
        text.push('}');
        Ok(text)
    }

    /// A quantifier, with the `?` or `+` that makes it reluctant or possessive.
    fn quantifier(&mut self, start: usize, text: &str) -> Result<(), RegexError> {
        if !self.repeatable {
            return Err(self.refuse(start, "a quantifier with nothing to repeat"));
        }
        self.out.push_str(text);
        match self.peek(0) {
            Some('?') => {
                self.out.push('?');
                self.at += 1;
            }
            Some('+') => {
                // The engine knows x{n,m}+ only as a repeated repetition, so counts are refused.
                if text.starts_with('{') {
                    return Err(self.refuse(self.at, "a possessive count is not supported"));
                }
                self.out.push('+');
                self.at += 1;
            }
            _ => {}
        }
        self.repeatable = false;
        Ok(())
    }

    /// What stands behind `(`.
    fn group(&mut self, start: usize) -> Result<(), RegexError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.refuse(start, "groups are nested too deeply"));
        }
        self.repeatable = false;
        self.out.push('(');
        if self.peek(0) != Some('?') {
            return Ok(());
        }
        self.at += 1;
        match (self.peek(0), self.peek(1)) {
            (Some(c @ (':' | '=' | '!' | '>')), _) => {
                self.out.extend(['?', c]);
                self.at += 1;
            }
            (Some('<'), Some(c @ ('=' | '!'))) => {
                self.out.extend(['?', '<', c]);
                self.at += 2;
            }
            (Some('<'), Some(c)) if c.is_ascii_alphabetic() => {
                self.at += 1;
                let name = self.name('>', start)?;
                self.out.push_str(&format!("?<{name}>"));
            }
            _ => self.flags(start)?,
        }
        Ok(())
    }

    /// A group's name: ASCII letters and digits up to `close`, which is consumed.
    fn name(&mut self, close: char, start: usize) -> Result<String, RegexError> {
        let mut name = String::new();
        loop {
            match self.peek(0) {
                Some(c) if c.is_ascii_alphanumeric() => name.push(c),
                Some(c) if c == close && !name.is_empty() => {
                    self.at += 1;
                    return Ok(name);
                }
                _ => return Err(self.refuse(start, "a group's name has letters and digits only")),
            }
            self.at += 1;
        }
    }

    /// `(?i)`, `(?-i)`, `(?i:…)`. Java's `u` and `d` change nothing for ASCII names; `x` and `U` change how
    /// everything behind them is read and are refused.
    fn flags(&mut self, start: usize) -> Result<(), RegexError> {
        let mut text = String::from("?");
        loop {
            let c = self.peek(0);
            self.at += 1;
            match c {
                Some(c @ ('i' | 's' | 'm')) => {
                    text.push(c);
                    self.dot = if c == 's' { "." } else { self.dot };
                }
                Some('u') => {}
                Some('d') => self.dot = ".",
                Some('-') if !text.contains('-') => text.push('-'),
                Some(close @ (':' | ')')) => {
                    let text = text.trim_end_matches('-');
                    if close == ')' {
                        self.depth -= 1;
                        // `(?)` is nothing to Java and an error to the engine.
                        self.out.push_str(if text == "?" { "?:" } else { text });
                    } else {
                        self.out.push_str(text);
                    }
                    self.out.push(close);
                    return Ok(());
                }
                _ => return Err(self.refuse(start, "a group of a kind that is not supported")),
            }
        }
    }

    /// What stands behind a backslash, outside a class.
    fn escape(&mut self, start: usize) -> Result<(), RegexError> {
        let Some(c) = self.peek(0) else {
            return Err(self.refuse(start, "a backslash with nothing behind it"));
        };
        self.repeatable = true;
        match c {
            'b' | 'B' | 'A' | 'z' => {
                self.at += 1;
                self.out.extend(['\\', c]);
            }
            'Z' => {
                self.at += 1;
                self.out.push_str("(?=\\n?\\z)");
            }
            'R' => {
                self.at += 1;
                self.out.push_str("(?:\\r\\n|[\\n\\x0B\\f\\r\\x{85}\\x{2028}\\x{2029}])");
            }
            'k' if self.peek(1) == Some('<') => {
                self.at += 2;
                let name = self.name('>', start)?;
                self.out.push_str(&format!("\\k<{name}>"));
            }
            '1'..='9' => {
                self.at += 1;
                // Braces keep a digit behind it apart: \1 and 0 are not \10.
                self.out.push_str(&format!("(?:\\{c})"));
            }
            'Q' => {
                self.at += 1;
                self.quoted(Place::Outside);
            }
            'E' => {
                return Err(self.refuse(start, "\\E without \\Q"));
            }
            _ => self.class_escape(start, Place::Outside)?,
        }
        Ok(())
    }

    /// `\Q…\E`: every character stands for itself.
    fn quoted(&mut self, place: Place) {
        while let Some(c) = self.peek(0) {
            if c == '\\' && self.peek(1) == Some('E') {
                self.at += 2;
                return;
            }
            literal(&mut self.out, c, place);
            self.at += 1;
        }
    }

    /// The escapes that stand for characters or classes, inside a class and outside.
    fn class_escape(&mut self, start: usize, place: Place) -> Result<(), RegexError> {
        let Some(c) = self.peek(0) else {
            return Err(self.refuse(start, "a backslash with nothing behind it"));
        };
        self.at += 1;
        if let Some((members, negated)) = predefined(c) {
            push_class(&mut self.out, members, negated);
            return Ok(());
        }
        match c {
            'p' | 'P' => self.property(start, c == 'P'),
            't' => self.character('\t', place),
            'n' => self.character('\n', place),
            'r' => self.character('\r', place),
            'f' => self.character('\x0C', place),
            'a' => self.character('\x07', place),
            'e' => self.character('\x1B', place),
            'x' if self.peek(0) == Some('{') => {
                self.at += 1;
                self.number(start, 16, 1..=6, Some('}'), place)
            }
            'x' => self.number(start, 16, 2..=2, None, place),
            'u' => self.number(start, 16, 4..=4, None, place),
            '0' => self.number(start, 8, 1..=3, None, place),
            'c' => match self.peek(0).filter(char::is_ascii) {
                Some(control) => {
                    self.at += 1;
                    self.character(char::from(control as u8 ^ 0x40), place)
                }
                None => Err(self.refuse(start, "\\c needs a character")),
            },
            c if c.is_ascii_alphanumeric() => Err(self.refuse(start, "an escape that is not known or not supported")),
            c => self.character(c, place),
        }
    }

    fn character(&mut self, c: char, place: Place) -> Result<(), RegexError> {
        literal(&mut self.out, c, place);
        Ok(())
    }

    /// A character given by its number.
    fn number(
        &mut self,
        start: usize,
        radix: u32,
        digits: std::ops::RangeInclusive<usize>,
        close: Option<char>,
        place: Place,
    ) -> Result<(), RegexError> {
        let mut value = 0_u32;
        let mut count = 0;
        while count < *digits.end() {
            let Some(digit) = self.peek(0).and_then(|c| c.to_digit(radix)) else {
                break;
            };
            // Java's octal numbers end before they would exceed 0377.
            if radix == 8 && value * 8 + digit > 0o377 {
                break;
            }
            value = value * radix + digit;
            count += 1;
            self.at += 1;
        }
        if let Some(close) = close {
            if self.peek(0) != Some(close) {
                return Err(self.refuse(start, "the number of a character is not closed"));
            }
            self.at += 1;
        }
        match char::from_u32(value).filter(|_| digits.contains(&count)) {
            Some(c) => self.character(c, place),
            None => Err(self.refuse(start, "not the number of a character")),
        }
    }

    /// `\p{…}`: POSIX classes are ASCII in Java; scripts and general categories go on to the engine.
    fn property(&mut self, start: usize, negated: bool) -> Result<(), RegexError> {
        let mut name = String::new();
        if self.peek(0) == Some('{') {
            self.at += 1;
            loop {
                match self.peek(0) {
                    Some('}') if !name.is_empty() => break,
                    Some(c) if c.is_ascii_alphanumeric() || c == '_' => name.push(c),
                    _ => {
                        return Err(self.refuse(start, "a property of a kind that is not supported"));
                    }
                }
                self.at += 1;
            }
        } else if let Some(c) = self.peek(0).filter(char::is_ascii_alphabetic) {
            name.push(c);
        } else {
            return Err(self.refuse(start, "\\p needs a property"));
        }
        self.at += 1;
        if let Some(members) = posix(&name) {
            push_class(&mut self.out, members, negated);
            return Ok(());
        }
        if name.starts_with("java") || name.starts_with("In") {
            return Err(self.refuse(start, "a property of a kind that is not supported"));
        }
        let name = name.strip_prefix("Is").unwrap_or(&name);
        self.out.push_str(&format!("\\{}{{{name}}}", if negated { 'P' } else { 'p' }));
        Ok(())
    }

    /// A class, from behind its `[` to its `]`.
    fn class(&mut self, start: usize, depth: usize) -> Result<(), RegexError> {
        if depth > DEEPEST {
            return Err(self.refuse(start, "classes are nested too deeply"));
        }
        self.out.push('[');
        if self.peek(0) == Some('^') {
            self.out.push('^');
            self.at += 1;
        }
        let mut members = 0_usize;
        // Whether a range may start at the member before: not at the start, nor behind a set.
        let mut range_may_start = false;
        loop {
            let Some(c) = self.peek(0) else {
                return Err(self.refuse(start, "a class is not closed"));
            };
            let at = self.at;
            self.at += 1;
            match c {
                ']' if members > 0 => {
                    self.out.push(']');
                    return Ok(());
                }
                '[' => {
                    self.class(at, depth + 1)?;
                    members += 1;
                    range_may_start = false;
                    continue;
                }
                '&' if self.peek(0) == Some('&') => {
                    self.at += 1;
                    self.out.push_str("&&");
                }
                '-' => {
                    self.range_dash(at, range_may_start)?;
                    members += 1;
                    range_may_start = false;
                    continue;
                }
                '\\' if self.peek(0) == Some('Q') => {
                    self.at += 1;
                    self.quoted(Place::Class);
                }
                '\\' if self.at_set() => {
                    self.class_escape(at, Place::Class)?;
                    members += 1;
                    range_may_start = false;
                    continue;
                }
                '\\' => self.class_escape(at, Place::Class)?,
                c => literal(&mut self.out, c, Place::Class),
            }
            members += 1;
            range_may_start = c != '&';
        }
    }

    /// Whether the escape whose letter comes next stands for a set of characters.
    fn at_set(&self) -> bool {
        self.peek(0).is_some_and(|c| matches!(c, 'p' | 'P') || predefined(c).is_some())
    }

    /// A `-` in a class: a range between two characters, itself at either end. Two in a row mean a
    /// difference to the engine and a strange range to Java, so they are refused.
    fn range_dash(&mut self, at: usize, range_may_start: bool) -> Result<(), RegexError> {
        let set_follows = match self.peek(0) {
            Some('-') => return Err(self.refuse(at, "'--' in a class: escape one of them")),
            Some(']' | '[' | '&') => true,
            Some('\\') => self.peek(1).is_some_and(|c| matches!(c, 'p' | 'P' | 'Q') || predefined(c).is_some()),
            _ => false,
        };
        self.out.push_str(if set_follows || !range_may_start { "\\-" } else { "-" });
        Ok(())
    }
}

/// Where a character stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    Class,
}

/// Writes one character so that it stands for itself.
fn literal(out: &mut String, c: char, place: Place) {
    if c.is_ascii_punctuation() {
        // `<` and `>` are word boundaries to the engine when escaped.
        if !matches!(c, '<' | '>') {
            out.push('\\');
        }
        out.push(c);
    } else if c.is_ascii() || place == Place::Class {
        out.push(c);
    } else {
        // Java folds the case of ASCII letters only.
        out.push_str(&format!("(?-i:{c})"));
    }
}

/// Writes a set of characters, given as the inside of a class. In a class it becomes a class of its own, so
/// that a `-` beside it cannot make a range with its members.
fn push_class(out: &mut String, members: &str, negated: bool) {
    out.push_str(if negated { "[^" } else { "[" });
    out.push_str(members);
    out.push(']');
}

/// Java's predefined classes, which are ASCII, and whether the letter negates.
fn predefined(letter: char) -> Option<(&'static str, bool)> {
    let members = match letter.to_ascii_lowercase() {
        'd' => "0-9",
        'w' => "a-zA-Z0-9_",
        's' => " \\t\\n\\x0B\\f\\r",
        'h' => " \\t\\xA0\\x{1680}\\x{180e}\\x{2000}-\\x{200a}\\x{202f}\\x{205f}\\x{3000}",
        'v' => "\\n\\x0B\\f\\r\\x{85}\\x{2028}\\x{2029}",
        _ => return None,
    };
    Some((members, letter.is_ascii_uppercase()))
}

/// Java's POSIX classes, which are ASCII.
fn posix(name: &str) -> Option<&'static str> {
    Some(match name {
        "Lower" => "a-z",
        "Upper" => "A-Z",
        "ASCII" => "\\x00-\\x7F",
        "Alpha" => "a-zA-Z",
        "Digit" => "0-9",
        "Alnum" => "a-zA-Z0-9",
        "Punct" => "!-/:-@\\[-`{-\\~",
        "Graph" => "!-\\~",
        "Print" => " -\\~",
        "Blank" => " \\t",
        "Cntrl" => "\\x00-\\x1F\\x7F",
        "XDigit" => "0-9a-fA-F",
        "Space" => " \\t\\n\\x0B\\f\\r",
        _ => return None,
    })
}
