//! The words of a Groovy or JavaScript expression.
//!
//! In: the text of an option. Out: tokens with their places, in bytes. Promised: every byte is read as the language
//! reads it, or refused with its place. Source: the lexer of Groovy 4 (`GroovyLexer.g4`), ECMA-262 section 12.

use super::{Dialect, Refusal};

/// Longest expression that is read, in bytes. Scripts beyond it are programs, not conditions.
const LONGEST: usize = 64 * 1024;

/// A word, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it begins, in bytes.
    pub at: usize,
    /// Whether a line ends between it and the word before.
    pub newline: bool,
}

/// What a word is.
#[derive(Clone, Debug, PartialEq)]
pub enum TokenKind {
    /// A variable, property, method or keyword.
    Name(String),
    /// A whole number: its digits and its suffix.
    Whole(String, Option<char>),
    /// A number with a point or an exponent, and its suffix.
    Fraction(String, Option<char>),
    /// Text without parts to compute.
    Text(String),
    /// Text with parts to compute: `"${topic}-x"`.
    Template(Vec<Segment>),
    /// `/pattern/`
    Pattern(String),
    /// An operator or a bracket.
    Symbol(&'static str),
    /// Behind the last word.
    End,
}

/// A part of text with parts to compute.
#[derive(Clone, Debug, PartialEq)]
pub enum Segment {
    /// As it stands.
    Text(String),
    /// An expression, and where it begins in the whole.
    Code(String, usize),
}

/// Longest first: what begins like another comes before it. Those that are not translated are words too, so that the
/// whole of them is named.
const SYMBOLS: &[&str] = &[
    "??.", "===", "!==", "==~", "<=>", "...", "..<", ">>>", "**=", "?.", "?:", "??", "?[", "=~", "==", "!=", "<=",
    ">=", "&&", "||", "->", "=>", "..", "<<", ">>", "++", "--", "**", "+=", "-=", "*=", "/=", "%=", "*.", ".&", ".@",
    "::", ".", ",", "(", ")", "[", "]", "{", "}", "?", ":", "!", "<", ">", "+", "-", "*", "/", "%", "&", "|", "^", "~",
    "=", ";", "@", "#",
];

/// The words of an expression.
pub fn read(text: &str, dialect: Dialect) -> Result<Vec<Token>, Refusal> {
    if text.len() > LONGEST {
        return Err(Refusal::new(0, "the expression is longer than 64 KiB"));
    }
    let alone = |(at, _): &(usize, &str)| !text.get(at + 1..).is_some_and(|rest| rest.starts_with('\n'));
    if let Some((at, _)) = text.match_indices('\r').find(alone) {
        // It ends a line in some places and not in others.
        return Err(Refusal::new(at, "a carriage return without a line feed is not translated"));
    }
    let mut lexer = Lexer { text, at: 0, dialect, tokens: Vec::new() };
    loop {
        let newline = lexer.skip_space()?;
        let at = lexer.at;
        let kind = lexer.word()?;
        let end = kind == TokenKind::End;
        lexer.tokens.push(Token { kind, at, newline });
        if end {
            return Ok(lexer.tokens);
        }
    }
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    dialect: Dialect,
    tokens: Vec<Token>,
}

fn begins_name(c: char) -> bool {
    c.is_alphabetic() || c == '_' || c == '$'
}

fn continues_name(c: char) -> bool {
    begins_name(c) || c.is_ascii_digit()
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn take_while(&mut self, wanted: fn(char) -> bool) -> String {
        let taken: String = self.rest().chars().take_while(|c| wanted(*c)).collect();
        self.at += taken.len();
        taken
    }

    /// Spaces and comments; whether a line ended in them.
    fn skip_space(&mut self) -> Result<bool, Refusal> {
        let mut newline = false;
        loop {
            let rest = self.rest();
            if rest.starts_with("//") {
                let end = rest.find('\n').unwrap_or(rest.len());
                if let Some(place) = rest.get(..end).and_then(|comment| comment.find(['\u{2028}', '\u{2029}'])) {
                    return Err(Refusal::new(self.at + place, "this ends the line in JavaScript; use a line feed"));
                }
                self.at += end;
            } else if rest.starts_with("/*") {
                let end = rest.find("*/").ok_or_else(|| Refusal::new(self.at, "a comment that does not end"))?;
                newline |= rest.get(..end).is_some_and(|comment| comment.contains('\n'));
                self.at += end + 2;
            } else if let Some(c) = self.peek().filter(|c| matches!(c, ' ' | '\t' | '\r' | '\n')) {
                newline |= c == '\n';
                self.at += 1;
            } else {
                return Ok(newline);
            }
        }
    }

    fn word(&mut self) -> Result<TokenKind, Refusal> {
        let at = self.at;
        let Some(c) = self.peek() else { return Ok(TokenKind::End) };
        if begins_name(c) {
            return Ok(TokenKind::Name(self.take_while(continues_name)));
        }
        if c.is_ascii_digit() {
            return self.number();
        }
        match c {
            '\'' | '"' | '`' => self.quoted(c),
            '/' if self.operand_is_next() => self.pattern(),
            _ => {
                let found = SYMBOLS.iter().find(|symbol| self.rest().starts_with(**symbol));
                let symbol = *found.ok_or_else(|| Refusal::new(at, format!("{c} is not read here")))?;
                // `a?.5:b` is a choice in both languages, `a ?[b]:c` too.
                let symbol = match symbol {
                    "?." if self.rest().get(2..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) => {
                        "?"
                    }
                    "?[" => "?",
                    other => other,
                };
                self.at += symbol.len();
                Ok(TokenKind::Symbol(symbol))
            }
        }
    }

    /// Whether an operand can stand here, so that `/` begins a pattern and divides nothing.
    fn operand_is_next(&self) -> bool {
        match self.tokens.last().map(|token| &token.kind) {
            None => true,
            Some(TokenKind::Symbol(symbol)) => !matches!(*symbol, ")" | "]" | "}"),
            Some(TokenKind::Name(name)) => matches!(name.as_str(), "return" | "in"),
            Some(_) => false,
        }
    }

    fn number(&mut self) -> Result<TokenKind, Refusal> {
        let at = self.at;
        let mut digits = self.take_while(|c| c.is_ascii_digit());
        let mut whole = true;
        let mut ahead = self.rest().chars();
        if ahead.next() == Some('.') && ahead.next().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
            digits = format!("{digits}.{}", self.take_while(|c| c.is_ascii_digit()));
            whole = false;
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            self.at += 1;
            let sign = self.peek().filter(|c| matches!(c, '+' | '-'));
            self.at += usize::from(sign.is_some());
            let exponent = self.take_while(|c| c.is_ascii_digit());
            digits = format!("{digits}E{}{exponent}", sign.unwrap_or('+'));
            whole = false;
        }
        let suffix = self.take_while(continues_name);
        let mut letters = suffix.chars();
        let suffix = letters.next();
        let leading_zero = whole && digits.len() > 1 && digits.starts_with('0');
        let known = match self.dialect {
            Dialect::Groovy => matches!(suffix, None | Some('l' | 'L' | 'i' | 'I' | 'f' | 'F' | 'd' | 'D')),
            Dialect::JavaScript => suffix.is_none(),
        };
        if letters.next().is_some() || !known || leading_zero {
            return Err(Refusal::new(at, "a number written in this way is not translated"));
        }
        Ok(if whole { TokenKind::Whole(digits, suffix) } else { TokenKind::Fraction(digits, suffix) })
    }

    fn quoted(&mut self, quote: char) -> Result<TokenKind, Refusal> {
        let at = self.at;
        let templates = match (self.dialect, quote) {
            (Dialect::Groovy, '`') => return Err(Refusal::new(at, "` is not Groovy")),
            (Dialect::Groovy, '"') | (Dialect::JavaScript, '`') => true,
            (Dialect::Groovy | Dialect::JavaScript, _) => false,
        };
        let triple: String = std::iter::repeat_n(quote, 3).collect();
        if self.rest().starts_with(&triple) {
            return Err(Refusal::new(at, "text in three quotes is not translated; one pair of quotes is"));
        }
        self.take();
        let (mut segments, mut text) = (Vec::new(), String::new());
        loop {
            let here = self.at;
            let c = self.take().ok_or_else(|| Refusal::new(at, "text that does not end"))?;
            match c {
                c if c == quote => break,
                '\n' if quote != '`' => return Err(Refusal::new(at, "text that does not end in its line")),
                '\r' => {
                    return Err(Refusal::new(here, "text over lines that end in a carriage return is not translated"));
                }
                '\\' => text.push(self.escaped(here)?),
                '$' if templates
                    && self.peek().is_some_and(|c| c == '{' || (self.dialect == Dialect::Groovy && begins_name(c))) =>
                {
                    if !text.is_empty() {
                        segments.push(Segment::Text(std::mem::take(&mut text)));
                    }
                    segments.push(self.code(here)?);
                }
                '$' if templates && self.dialect == Dialect::Groovy => {
                    return Err(Refusal::new(here, "a $ in double quotes needs a name or \\ before it"));
                }
                c => text.push(c),
            }
        }
        if segments.is_empty() {
            return Ok(TokenKind::Text(text));
        }
        if !text.is_empty() {
            segments.push(Segment::Text(text));
        }
        Ok(TokenKind::Template(segments))
    }

    fn escaped(&mut self, at: usize) -> Result<char, Refusal> {
        let unknown = || Refusal::new(at, "this escape is not translated");
        Ok(match self.take().ok_or_else(unknown)? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            c @ ('\\' | '\'' | '"' | '$') => c,
            c @ ('`' | '/') if self.dialect == Dialect::JavaScript => c,
            'u' => {
                let digits = self.rest().get(..4).ok_or_else(unknown)?.to_owned();
                self.at += 4;
                u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32).ok_or_else(unknown)?
            }
            _ => return Err(unknown()),
        })
    }

    /// `${...}`, or `$name.name` in Groovy.
    fn code(&mut self, at: usize) -> Result<Segment, Refusal> {
        if self.peek() != Some('{') {
            let start = self.at;
            loop {
                self.take_while(continues_name);
                let mut ahead = self.rest().chars();
                if ahead.next() == Some('.') && ahead.next().is_some_and(begins_name) {
                    self.at += 1;
                } else {
                    let code = self.text.get(start..self.at).unwrap_or_default().to_owned();
                    return Ok(Segment::Code(code, start));
                }
            }
        }
        self.at += 1;
        let (start, mut depth, mut inside) = (self.at, 1, None);
        while let Some(c) = self.take() {
            match (c, inside) {
                ('\\', Some(_)) => drop(self.take()),
                (c, Some(quote)) if c == quote => inside = None,
                (_, Some(_)) => {}
                ('\'' | '"' | '`', None) => inside = Some(c),
                ('{', None) => depth += 1,
                ('}', None) => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let code = self.text.get(start..self.at - 1).unwrap_or_default().to_owned();
                return Ok(Segment::Code(code, start));
            }
        }
        Err(Refusal::new(at, "a part of text that does not end"))
    }

    /// `/.../`: only `\/` is an escape, the rest is the pattern's own.
    fn pattern(&mut self) -> Result<TokenKind, Refusal> {
        let at = self.at;
        self.take();
        let mut pattern = String::new();
        loop {
            match self.take() {
                None | Some('\n') => return Err(Refusal::new(at, "a pattern that does not end")),
                Some('/') => return Ok(TokenKind::Pattern(pattern)),
                Some('\\') if self.peek() == Some('/') => {
                    self.take();
                    pattern.push('/');
                }
                Some('$') if self.peek().is_some_and(|c| c == '{' || begins_name(c)) => {
                    return Err(Refusal::new(self.at - 1, "a pattern with parts to compute is not translated"));
                }
                Some(c) => pattern.push(c),
            }
        }
    }
}
